/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory before there is an allocator: for page tables, the frame table and the M2P. */
#ifndef MEM_EARLY_H
#define MEM_EARLY_H

#include "mem/page_alloc.h"

/* Still in charge? From early_init() to early_finish(). */
extern bool early_active;

/* What early_take() has to give: `ram` without `reserved`, below `limit`. */
void early_init(const struct mem_range *ram, size_t n, const struct mem_range *reserved, size_t m,
                uint64_t limit);
void early_set_limit(uint64_t limit);

/* `size` bytes, aligned to `size` (a power of two, a page at least), not cleared. Panics if there are none. */
paddr_t early_take(uint64_t size);

/* Hand what is left to the page allocator. */
void early_finish(void);

#endif
