/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VGA text screen, 80 by 25, as a place for the log. */
#ifndef PLATFORM_VGA_H
#define PLATFORM_VGA_H

/* console= names it: set by uart_init() for vga_init(). */
extern bool vga_wanted;

#endif
