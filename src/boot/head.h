/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The descriptor table of start-up, for head.S and trampoline.S. */
#ifndef BOOT_HEAD_H
#define BOOT_HEAD_H

#define SEL_BOOT_CS32  0x08
#define SEL_BOOT_DS    0x10
#define SEL_BOOT_CS64  0x18
#define BOOT_GDT_LIMIT 0x1f

#endif
