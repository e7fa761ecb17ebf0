/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floating-point and FS state for library code (decompression) that was built
 * for user space. Boot CPU, no guest loaded.
 */
#ifndef X86_BOOTFP_H
#define X86_BOOTFP_H

void bootfp_begin(void);
void bootfp_end(void);

#endif
