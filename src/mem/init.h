/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory from nothing: the one call that start-up makes. */
#ifndef MEM_INIT_H
#define MEM_INIT_H

#include "mem/page_alloc.h"

/*
 * Build the hypervisor's page tables, the frame table, the M2P and the free
 * lists from the usable RAM `ram[n]`, without what `reserved[m]` covers (bytes;
 * each list sorted, no overlaps; what is reserved may be RAM: it is mapped).
 * Called once by the boot CPU, on early page tables that map the first 4 GiB at
 * DIRECT_START and the image; ends on hv_root. Needs cpu_identify(). Panics if
 * there is not enough memory.
 */
void mem_init(const struct mem_range *ram, size_t n, const struct mem_range *reserved, size_t m);

#endif
