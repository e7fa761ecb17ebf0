/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the hypervisor's address space comes to be: between the files of mem/ only. All take memory from mem/early. */
#ifndef MEM_HVMAP_INIT_H
#define MEM_HVMAP_INIT_H

#include "mem/page_alloc.h"

/* Make hv_root with the image and the direct map of `ram` (page-aligned, sorted), and load it. */
void hvmap_init(const struct mem_range *ram, size_t n);

/*
 * Put memory, each word `fill`, behind [start, end) in pieces of 2 MiB, where
 * there is none yet. alias_offset: map each piece there too, for guests to read.
 */
void hvmap_back_table(uint64_t start, uint64_t end, uint64_t flags, uint64_t fill, uint64_t alias_offset);

/* Make the page tables, though not the entries, of [start, end). */
void hvmap_make_tables(uint64_t start, uint64_t end);

#endif
