/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of memory_op that change what a domain owns. */
#ifndef HYPERCALL_MEMORY_H
#define HYPERCALL_MEMORY_H

#include "hypercall/hypercall.h"

/* In the command of an interrupted call, from this bit on: extents done so far. */
#define MEMOP_EXTENT_SHIFT 6

/* The largest extent (2^order frames) that domain `d` may ask for at once. */
unsigned int reservation_max_order(const struct domain *d);

/* XENMEM_increase_reservation, decrease_reservation, populate_physmap: the number of extents done, or -ERESTART. */
int64_t reservation_change(uint32_t op, struct hypercall_args *args);

/* XENMEM_exchange: 0, -Exxx or -ERESTART; the structure says how many extents have been exchanged. */
int64_t reservation_exchange(struct hypercall_args *args);

#endif
