/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's end of a server's console ring (<xen/io/console.h>). The
 * page is the guest's: it may write anything there at any time. So our own
 * indices are kept here and only told there, its indices are read once, and
 * what makes no sense counts as an empty (out) or a full (in) ring.
 */
#ifndef BUILDER_CONSOLE_RING_H
#define BUILDER_CONSOLE_RING_H

#include <xen/io/console.h>

struct console_ring {
    struct xencons_interface *page; /* NULL: none */
    uint32_t out_cons, in_prod;     /* ours */
};

void console_ring_init(struct console_ring *r, struct xencons_interface *page);

/* Take up to `n` bytes of what the guest has written. */
size_t console_ring_read(struct console_ring *r, char *buf, size_t n);

/* Give it a byte of input; false: no room. */
bool console_ring_write(struct console_ring *r, char c);

#endif
