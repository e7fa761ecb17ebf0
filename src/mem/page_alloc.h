/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page allocator: blocks of 2^order frames, buddies merged on free. It has
 * all frames of RAM but the image, modules and boot data.
 */
#ifndef MEM_PAGE_ALLOC_H
#define MEM_PAGE_ALLOC_H

#include "mem/frame.h"

#define PAGE_ORDER_MAX 18 /* 1 GiB */

/* flags */
#define PA_ZERO       1u  /* cleared */
#define PA_BELOW_4G   2u
#define PA_ZERO_USED  4u  /* cleared unless never allocated since boot (it then holds what was there before us) */
#define PA_RAW        8u  /* as it is, for the caller writes all of it (domain_alloc_frames() clears else) */
#define PA_BITS(n)    ((unsigned int)(n) << 8) /* machine addresses below 2^n only (0: any) */

struct mem_range { uint64_t start, end; }; /* machine bytes, page aligned, [start, end) */

/*
 * Give RAM that was reserved (modules, init sections) to the allocator. Bytes,
 * rounded inwards to pages. Frame 0 stays out.
 */
void page_alloc_release_range(uint64_t start, uint64_t end);

/*
 * 2^order frames, count and type 0, owner NULL; NULL when there are none. Frames come aligned to their size.
 * CPUs that may hold TLB entries from before flush_stamp have been flushed (upcall_frames_reused).
 */
struct frame *page_alloc(unsigned int order, unsigned int flags);

/*
 * All that says to whom the frames belonged is cleared, except flush_stamp:
 * who frees what a guest had mapped sets it before.
 */
void page_free(struct frame *f, unsigned int order);

/* One page for the hypervisor's own use (FC_HV), cleared; NULL: none left. */
void *hv_page_alloc(void);
void hv_page_free(void *page);

/*
 * Sanitised builds: the nth allocation from now fails, of a page or of a small
 * object (1: the next; 0: none). Returns how many there have been since the last call.
 */
uint64_t page_alloc_fail_at(uint64_t n);
/* Must this allocation fail? Counts it. */
bool page_alloc_must_fail(void);

/* Frames. */
uint64_t page_alloc_free_frames(void);
uint64_t page_alloc_total_frames(void);

#endif
