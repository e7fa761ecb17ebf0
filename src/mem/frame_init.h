/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the frame table comes to be: between the files of mem/ only. */
#ifndef MEM_FRAME_INIT_H
#define MEM_FRAME_INIT_H

#include "mem/page_alloc.h"

/* Make the frame table and the M2P for this RAM (page-aligned, sorted). */
void frame_init(const struct mem_range *ram, size_t n);

#endif
