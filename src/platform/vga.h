/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VGA text screen, 80 by 25, as a place for the log. */
#ifndef PLATFORM_VGA_H
#define PLATFORM_VGA_H

/* Clear the screen and add it to the log's devices. */
void vga_init(void);

#endif
