/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the frame table comes to be: between the files of mem/ only. */
#ifndef MEM_FRAME_INIT_H
#define MEM_FRAME_INIT_H

#include "mem/page_alloc.h"

/* frame.flags */
#define FRAME_HOLE 1u /* in the table, but not RAM */
#define FRAME_USED 4u /* has been allocated since boot: may hold what was somebody's */
#define FRAME_FREE 2u /* the first of a free block of 2^order frames */

/* Make the frame table and the M2P for this RAM (page-aligned, sorted). */
void frame_init(const struct mem_range *ram, size_t n);

#endif
