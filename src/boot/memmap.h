/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory map made orderly. */
#ifndef BOOT_MEMMAP_H
#define BOOT_MEMMAP_H

#include "mem/page_alloc.h"
#include "platform/platform.h"

/*
 * Put region[0..n), as a firmware gives it, in order: sorted, without overlap
 * (the worse type wins), whole pages (RAM shrinks to them, all else grows),
 * neighbours of one type joined. n <= BOOT_REGIONS_MAX, also of the result;
 * what does not fit is left out and so never used. Returns the new number.
 */
size_t memmap_normalise(struct boot_region region[BOOT_REGIONS_MAX], size_t n);

/* RAM of an orderly map below @limit as ranges, at most @max of them; returns how many. */
size_t memmap_ram(const struct boot_region *region, size_t n, uint64_t limit, struct mem_range *ram,
                  size_t max);

/* Sort ranges, widen them to pages and join those that touch; returns how many are left. */
size_t memmap_join(struct mem_range *range, size_t n);

/* Bytes in all. */
uint64_t memmap_bytes(const struct mem_range *range, size_t n);

/* Is all of [start, end) RAM? */
bool memmap_is_ram(const struct boot_region *region, size_t n, uint64_t start, uint64_t end);

/* The highest page of RAM below @limit, not page 0, that no range of taken[0..m) touches; 0: none. */
uint64_t memmap_low_page(const struct boot_region *region, size_t n, const struct mem_range *taken, size_t m,
                         uint64_t limit);

#endif
