/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames: who owns one, and how many references keep it.
 *
 * The table is an array at a fixed address, indexed by frame number, with
 * memory behind only those parts (2 MiB of the table, 170 MB of RAM) that
 * describe RAM. Frames in such a part that are not RAM are marked as holes.
 * The machine-to-physical table is made the same way.
 */
#include "mem/frame.h"

#include "lib/bitmap.h"
#include "mem/frame_init.h"
#include "mem/hvmap_init.h"
#include "mem/page_alloc.h"
#include "x86/atomic.h"
#include "x86/pte.h"
#include "x86/upcalls.h"

#define CHUNK_SHIFT 21 /* the table's memory comes in large pages */
#define CHUNK_SIZE  BIT(CHUNK_SHIFT)
#define CHUNKS_MAX  ((DIRECT_SIZE >> PAGE_SHIFT) * sizeof(struct frame) >> CHUNK_SHIFT)

uint64_t frame_max;

static uint64_t chunk_present[BITMAP_WORDS(CHUNKS_MAX + 1)];
static void (*release_owned)(struct frame *f);

/* The chunks of the frame table that hold the first and the last byte of a frame. */
static size_t first_chunk(uint64_t m) { return m * sizeof(struct frame) >> CHUNK_SHIFT; }
static size_t last_chunk(uint64_t m) { return ((m + 1) * sizeof(struct frame) - 1) >> CHUNK_SHIFT; }

bool mfn_valid(mfn_t m)
{
    return m.v < frame_max && bitmap_test(chunk_present, first_chunk(m.v)) &&
           bitmap_test(chunk_present, last_chunk(m.v)) && !(frame_table[m.v].flags & FRAME_HOLE);
}

/* --- making the tables --- */

/* Mark the frames of [m, end) that are not RAM, where the table has memory for them. */
static void mark_holes(uint64_t m, uint64_t end)
{
    while (m < end) {
        if (!bitmap_test(chunk_present, first_chunk(m))) {
            m = (((first_chunk(m) + 1) << CHUNK_SHIFT) + sizeof(struct frame) - 1) / sizeof(struct frame);
            continue;
        }
        if (bitmap_test(chunk_present, last_chunk(m)))
            frame_table[m].flags = FRAME_HOLE;
        m++;
    }
}

void frame_init(const struct mem_range *ram, size_t n)
{
    uint64_t last = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t start = ram[i].start >> PAGE_SHIFT, end = ram[i].end >> PAGE_SHIFT;

        hvmap_back_table(FRAMES_START + start * sizeof(struct frame), FRAMES_START + end * sizeof(struct frame),
                         PTE_RW | PTE_NX | PTE_G, 0, 0);
        for (size_t c = first_chunk(start); c <= last_chunk(end - 1); c++)
            bitmap_set(chunk_present, c);
        hvmap_back_table(M2P_RW_START + start * sizeof(pfn_t), M2P_RW_START + end * sizeof(pfn_t),
                         PTE_RW | PTE_NX | PTE_G, M2P_INVALID, M2P_RO_START - M2P_RW_START);
        frame_max = end;
    }
    for (size_t i = 0; i < n; i++) {
        mark_holes(last, ram[i].start >> PAGE_SHIFT);
        last = ram[i].end >> PAGE_SHIFT;
    }
}

void m2p_set(mfn_t m, pfn_t p)
{
    WRITE_ONCE(((uint64_t *)M2P_RW_START)[m.v], p.v);
}

pfn_t m2p_get(mfn_t m)
{
    return pfn(READ_ONCE(((uint64_t *)M2P_RW_START)[m.v]));
}

/* --- the total count --- */

void frame_set_release(void (*release)(struct frame *f))
{
    release_owned = release;
}

bool frame_get(struct frame *f, const struct domain *d)
{
    uint64_t old = atomic_load(&f->count);

    if (!d)
        return false;
    do {
        /* 0: free, being freed, or a hole. */
        if ((old & FC_COUNT_MASK) == 0 || (old & FC_COUNT_MASK) == FC_COUNT_MASK)
            return false;
        if (READ_ONCE(f->owner) != d)
            return false;
    } while (!atomic_cas(&f->count, &old, old + 1));

    /* It may have been freed and given to another between the two; with a reference the owner is fixed. */
    if (likely(READ_ONCE(f->owner) == d))
        return true;
    frame_put(f);
    return false;
}

struct frame *frame_get_mfn(mfn_t m, const struct domain *d)
{
    return mfn_valid(m) && frame_get(mfn_to_frame(m), d) ? mfn_to_frame(m) : NULL;
}

void frame_get_known(struct frame *f)
{
    uint64_t count = atomic_add(&f->count, 1) & FC_COUNT_MASK;

    if (unlikely(count <= 1))
        upcall_panic(NULL, "frame %#lx: a further reference to a frame without one",
                     (unsigned long)frame_to_mfn(f).v);
}

void frame_put(struct frame *f)
{
    uint64_t old = atomic_load(&f->count);

    do {
        if (unlikely((old & FC_COUNT_MASK) == 0))
            upcall_panic(NULL, "frame %#lx: reference dropped that was not there",
                         (unsigned long)frame_to_mfn(f).v);
    } while (!atomic_cas(&f->count, &old, old - 1));

    if ((old & FC_COUNT_MASK) != 1)
        return;
    if (f->owner && release_owned)
        release_owned(f);
    else
        page_free(f, 0);
}

/* --- lists --- */

static uint32_t frame_number(const struct frame *f)
{
    return (uint32_t)(f - frame_table);
}

void frame_list_init(struct frame_list *l)
{
    *l = (struct frame_list){.head = FRAME_NIL, .tail = FRAME_NIL};
}

void frame_list_add(struct frame_list *l, struct frame *f)
{
    f->next = l->head;
    f->prev = FRAME_NIL;
    if (l->head == FRAME_NIL)
        l->tail = frame_number(f);
    else
        frame_table[l->head].prev = frame_number(f);
    l->head = frame_number(f);
    l->count++;
}

void frame_list_add_tail(struct frame_list *l, struct frame *f)
{
    f->next = FRAME_NIL;
    f->prev = l->tail;
    if (l->tail == FRAME_NIL)
        l->head = frame_number(f);
    else
        frame_table[l->tail].next = frame_number(f);
    l->tail = frame_number(f);
    l->count++;
}

void frame_list_del(struct frame_list *l, struct frame *f)
{
    if (f->prev == FRAME_NIL)
        l->head = f->next;
    else
        frame_table[f->prev].next = f->next;
    if (f->next == FRAME_NIL)
        l->tail = f->prev;
    else
        frame_table[f->next].prev = f->prev;
    l->count--;
}

struct frame *frame_list_first(const struct frame_list *l)
{
    return l->head == FRAME_NIL ? NULL : &frame_table[l->head];
}

struct frame *frame_list_next(const struct frame_list *l, const struct frame *f)
{
    return f->next == FRAME_NIL ? NULL : &frame_table[f->next];
}
