/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page allocator: a binary buddy system, with a set of free lists for each
 * power of two of the address.
 *
 * Zone z holds the frames 2^z to 2^(z+1)-1. Frame 0 is never given out, so no
 * free block reaches across a zone's border, and "below 2^n bytes" is exactly
 * the zones below n-12. Requests are served from the highest zone allowed,
 * which keeps low memory for those who need it.
 *
 * A frame's buddy is always the head of a block: it cannot lie inside a free
 * block that is larger, for that would hold the frame as well. So FRAME_FREE
 * and `order` of the head are all that merging asks.
 */
#include "mem/page_alloc.h"

#include "lib/bitmap.h"
#include "mem/fill.h"
#include "mem/frame_init.h"
#include "x86/atomic.h"
#include "x86/spinlock.h"
#include "x86/upcalls.h"

#define ZONES  31 /* frames below 2^31: DIRECT_END is at 5 TiB */
#define ORDERS (PAGE_ORDER_MAX + 1)
#define POISON 0x6b6b6b6b6b6b6b6b /* a freed page of the hypervisor, in sanitised builds */

static spinlock_t lock = SPINLOCK_INIT(LOCK_FRAMES);

/* All guarded by `lock`. */
static struct frame_list free_list[ZONES][ORDERS];
static uint32_t orders_with_free[ZONES]; /* bit o: free_list[z][o] is not empty */
static uint32_t zones_with_free;
static uint64_t free_frames, total_frames;

static uint64_t allocations, fail_at; /* atomic */

static unsigned int zone_of(const struct frame *f)
{
    return bit_highest(frame_to_mfn(f).v);
}

static void list_block(struct frame *f, unsigned int order)
{
    unsigned int z = zone_of(f);

    f->order = (uint8_t)order;
    f->flags |= FRAME_FREE;
    frame_list_add(&free_list[z][order], f);
    orders_with_free[z] |= (uint32_t)BIT(order);
    zones_with_free |= (uint32_t)BIT(z);
}

static void unlist_block(struct frame *f)
{
    unsigned int z = zone_of(f), order = f->order;

    f->flags &= (uint8_t)~FRAME_FREE;
    frame_list_del(&free_list[z][order], f);
    if (free_list[z][order].count == 0)
        orders_with_free[z] &= (uint32_t)~BIT(order);
    if (orders_with_free[z] == 0)
        zones_with_free &= (uint32_t)~BIT(z);
}

/* Free a block and join it with its buddy as long as that is free too. */
static void free_block(uint64_t m, unsigned int order)
{
    free_frames += BIT(order);
    while (order < PAGE_ORDER_MAX) {
        mfn_t buddy = mfn(m ^ BIT(order));
        struct frame *b = mfn_to_frame(buddy);

        if (!mfn_valid(buddy) || !(b->flags & FRAME_FREE) || b->order != order)
            break;
        unlist_block(b);
        m &= ~BIT(order);
        order++;
    }
    list_block(mfn_to_frame(mfn(m)), order);
}

static struct frame *take_block(unsigned int order, uint32_t zones)
{
    for (zones &= zones_with_free; zones != 0;) {
        unsigned int z = bit_highest(zones);
        uint32_t orders = orders_with_free[z] & (uint32_t)~(BIT(order) - 1);
        struct frame *f;
        unsigned int have;

        if (orders == 0) {
            zones &= (uint32_t)~BIT(z);
            continue;
        }
        have = bit_lowest(orders);
        f = frame_list_first(&free_list[z][have]);
        unlist_block(f);
        while (have > order) { /* give back the upper halves */
            have--;
            list_block(f + BIT(have), have);
        }
        f->order = (uint8_t)order;
        free_frames -= BIT(order);
        return f;
    }
    return NULL;
}

/* Zones whose frames lie below 2^bits bytes. */
static uint32_t zones_below(unsigned int bits)
{
    unsigned int zones = bits > PAGE_SHIFT ? bits - PAGE_SHIFT : 0;

    return zones >= ZONES ? (uint32_t)BIT(ZONES) - 1 : (uint32_t)BIT(zones) - 1;
}

static void clear(struct frame *f, uint64_t n, bool fresh_too)
{
    for (uint64_t i = 0; i < n; i++) {
        if (f[i].flags & FRAME_USED)
            page_clear(frame_to_ptr(&f[i]));
        else if (fresh_too)
            clear_fresh(frame_to_ptr(&f[i]), PAGE_SIZE);
    }
}

uint64_t page_alloc_fail_at(uint64_t n)
{
    atomic_store(&fail_at, n);
    return atomic_xchg(&allocations, (uint64_t)0);
}

bool page_alloc_must_fail(void)
{
    return atomic_add(&allocations, (uint64_t)1) == atomic_load(&fail_at);
}

/* What the hypervisor gave up is as it was then. */
static void check_poison(struct frame *f, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t *words = frame_to_ptr(&f[i]);

        if (!(f[i].flags & FRAME_POISONED))
            continue;
        f[i].flags &= (uint8_t)~FRAME_POISONED;
        for (unsigned int w = 0; w < PAGE_SIZE / sizeof(*words); w++)
            if (words[w] != POISON)
                upcall_panic(NULL, "page %p was written at word %u after it was freed", (const void *)words, w);
    }
}

struct frame *page_alloc(unsigned int order, unsigned int flags)
{
    unsigned int bits = (flags >> 8) != 0 ? flags >> 8 : 64;
    struct frame *f;

    if (order > PAGE_ORDER_MAX || (HOSPES_SANITIZE && page_alloc_must_fail()))
        return NULL;
    if (flags & PA_BELOW_4G)
        bits = MIN(bits, 32u);
    spin_lock(&lock);
    f = take_block(order, zones_below(bits));
    spin_unlock(&lock);
    if (!f)
        return NULL;
    if (HOSPES_SANITIZE)
        check_poison(f, BIT(order));
    upcall_frames_reused(f, BIT(order));
    if (flags & (PA_ZERO | PA_ZERO_USED))
        clear(f, BIT(order), (flags & PA_ZERO) != 0);
    return f;
}

void page_free(struct frame *f, unsigned int order)
{
    mfn_t m = frame_to_mfn(f);

    if (order > PAGE_ORDER_MAX || (m.v & (BIT(order) - 1)) != 0 || (f->flags & (FRAME_FREE | FRAME_HOLE)))
        upcall_panic(NULL, "frame %#lx, order %u: freed twice, or never allocated", (unsigned long)m.v, order);
    for (uint64_t i = 0; i < BIT(order); i++) {
        f[i].type = 0;
        f[i].owner = NULL;
        f[i].partial_next = 0;
        f[i].linear_count = 0;
        f[i].linear_uses = 0;
        f[i].count = 0;
        f[i].flags |= FRAME_USED;
    }
    spin_lock(&lock);
    free_block(m.v, order);
    spin_unlock(&lock);
}

void page_alloc_release_range(uint64_t start, uint64_t end)
{
    uint64_t m = MAX(ALIGN_UP(start, (uint64_t)PAGE_SIZE) >> PAGE_SHIFT, 1u), last = end >> PAGE_SHIFT;

    spin_lock(&lock);
    if (total_frames == 0) {
        for (unsigned int i = 0; i < ZONES * ORDERS; i++)
            frame_list_init(&free_list[i / ORDERS][i % ORDERS]);
    }
    while (m < last) {
        unsigned int order = MIN(bit_lowest(m), bit_highest(last - m));

        order = MIN(order, (unsigned int)PAGE_ORDER_MAX);
        total_frames += BIT(order);
        free_block(m, order);
        m += BIT(order);
    }
    spin_unlock(&lock);
}

void *hv_page_alloc(void)
{
    struct frame *f = page_alloc(0, PA_ZERO);

    if (!f)
        return NULL;
    f->count = FC_HV | FC_ALLOCATED | 1;
    return frame_to_ptr(f);
}

void hv_page_free(void *page)
{
    struct frame *f = mfn_to_frame(ptr_to_mfn(page));

    if (f->count != (FC_HV | FC_ALLOCATED | 1))
        upcall_panic(NULL, "hypervisor page %p freed, its count is %#lx", page, (unsigned long)f->count);
    if (HOSPES_SANITIZE) {
        fill_words(page, POISON, PAGE_SIZE);
        f->flags |= FRAME_POISONED;
    }
    page_free(f, 0);
}

uint64_t page_alloc_free_frames(void)
{
    return READ_ONCE(free_frames);
}

uint64_t page_alloc_total_frames(void)
{
    return READ_ONCE(total_frames);
}
