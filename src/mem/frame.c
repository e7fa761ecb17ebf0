/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames: who owns one, and how many references keep it.
 *
 * The table is an array at a fixed address, indexed by frame number, with
 * memory behind only those blocks (of 32768 frames, 128 MB) in which there is
 * RAM. Frames in such a block that are not RAM are marked as holes.
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

#define FIRMWARE_END 0x100000ULL

uint64_t frame_max, frame_low_end;
uint64_t frame_blocks[ARRAY_SIZE(frame_blocks)];

static void (*release_owned)(struct frame *f);

/* --- making the tables --- */

/* Mark the frames of [m, end) that are not RAM, where the table has memory for them. */
static void mark_holes(uint64_t m, uint64_t end)
{
    for (; m < end; m++) {
        if (!frame_block_present(m))
            m |= FRAME_BLOCK - 1;
        else
            frame_table[m].flags = FRAME_HOLE;
    }
}

void frame_init(const struct mem_range *ram, size_t n)
{
    uint64_t last = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t start = ram[i].start >> PAGE_SHIFT, end = ram[i].end >> PAGE_SHIFT;
        uint64_t first = ALIGN_DOWN(start, FRAME_BLOCK), past = ALIGN_UP(end, FRAME_BLOCK);

        hvmap_back_table(FRAMES_START + first * sizeof(struct frame), FRAMES_START + past * sizeof(struct frame),
                         PTE_RW | PTE_NX | PTE_G, 0, 0);
        for (uint64_t m = first; m < past; m += FRAME_BLOCK)
            bitmap_set(frame_blocks, m >> FRAME_BLOCK_SHIFT);
        hvmap_back_table(M2P_RW_START + start * sizeof(pfn_t), M2P_RW_START + end * sizeof(pfn_t),
                         PTE_RW | PTE_NX | PTE_G, M2P_INVALID, M2P_RO_START - M2P_RW_START);
        frame_max = end;
        if (first <= ALIGN_UP(frame_low_end, FRAME_BLOCK))
            frame_low_end = end;
    }
    /* The first MiB counts as device memory, whatever is there: kernels look for what firmware left. */
    for (size_t i = 0; i < n; i++) {
        if (ram[i].end <= FIRMWARE_END)
            continue;
        mark_holes(last, MAX(ram[i].start, FIRMWARE_END) >> PAGE_SHIFT);
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

void frame_get_known(struct frame *f)
{
    uint64_t count = atomic_add(&f->count, 1) & FC_COUNT_MASK;

    if (unlikely(count <= 1))
        upcall_panic(NULL, "frame %#lx: a further reference to a frame without one",
                     (unsigned long)frame_to_mfn(f).v);
}

void frame_put_last(struct frame *f, uint64_t old)
{
    if ((old & FC_COUNT_MASK) == 0)
        upcall_panic(NULL, "frame %#lx: reference dropped that was not there", (unsigned long)frame_to_mfn(f).v);
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
