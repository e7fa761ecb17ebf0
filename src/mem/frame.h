/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frame table: one struct frame for each 4 KiB of RAM.
 *
 * Two counts. The total count keeps the frame: it is freed when the count
 * falls to 0. The type count keeps what it is used as: while it is not 0 the
 * type cannot change, so that a page table is never writable. The rules of the
 * types belong to pv/pagetype_*.c; here are the words and the one state
 * machine, as pure functions over them.
 *
 * Lock legend: [a] atomic, [f] page allocator's lock while free, [o] the
 * owner's page-list lock, [t] whoever holds the type lock bit, [c] constant
 * while the frame has an owner.
 */
#ifndef MEM_FRAME_H
#define MEM_FRAME_H

#include "lib/addr.h"
#include "mem/layout.h"
#include "x86/atomic.h"

struct domain;

/* Types (3 bits). A frame with type count 0 keeps its last type as a memory, nothing more. */
enum frame_type {
    FRAME_NONE = 0,
    FRAME_L1,       /* page table, level 1..4 */
    FRAME_L2,
    FRAME_L3,
    FRAME_L4,
    FRAME_SEGDESC,  /* in use as GDT or LDT page */
    FRAME_WRITABLE, /* mapped writable */
    FRAME_SHARED,   /* hypervisor memory that its owner may map writable (no type change) */
};

/* The type word. */
#define FT_TYPE_SHIFT  61
#define FT_TYPE_MASK   (7ULL << FT_TYPE_SHIFT)
#define FT_VALIDATED   BIT(60) /* contents were checked for this type */
#define FT_LOCKED      BIT(59) /* page tables: entries are being changed, by one CPU at a time */
#define FT_PARTIAL     BIT(58) /* validation or its undoing was preempted: partial_next says where */
#define FT_PINNED      BIT(57) /* the owner holds one type and one total count by a pin */
#define FT_FOREIGN     BIT(56) /* WRITABLE: since it is, mapped so by domains other than its owner too */
#define FT_STATE_SHIFT 58      /* the type and these three together */
#define FT_COUNT_MASK  ((1ULL << 48) - 1)

/* The count word. */
#define FC_ALLOCATED   BIT(63) /* one reference is held for the allocation itself */
#define FC_HV          BIT(62) /* the hypervisor's own: guests may never map it */
#define FC_COUNT_MASK  ((1ULL << 48) - 1)

struct frame {
    uint64_t type;         /* [a] FT_* */
    uint64_t count;        /* [a] FC_* */
    struct domain *owner;  /* [c] NULL: nobody's, or the hypervisor's */
    uint32_t next, prev;   /* [o] or [f]: frame numbers, FRAME_NIL ends */
    uint32_t flush_stamp;  /* [a] core/tlb: when entries that map it writable may last have been loaded */
    uint16_t partial_next; /* [t] first entry not yet (un)validated */
    uint8_t order;         /* [f] */
    uint8_t flags;         /* [f] */
    uint32_t linear_count; /* [t] linear (recursive) uses of this page table by others of its level; */
    uint32_t linear_uses;  /* [t] and of others by it: never both */
};

/* frame.flags */
#define FRAME_HOLE 1u /* in the table, but not RAM */
#define FRAME_FREE 2u /* the first of a free block of 2^order frames */
#define FRAME_USED 4u /* has been allocated since boot: may hold what was somebody's */
#define FRAME_POISONED 8u /* sanitised builds: the hypervisor gave it up, filled with a pattern */

#define FRAME_NIL 0xffffffffu

struct frame_list {
    uint32_t head, tail;
    uint64_t count;
};

#define frame_table ((struct frame *)FRAMES_START)

/* `m` may be any number: whether there is such a frame is asked of frame_exists(). */
static inline struct frame *mfn_to_frame(mfn_t m)
{
    return (struct frame *)((uint64_t)FRAMES_START + m.v * sizeof(struct frame));
}
static inline mfn_t frame_to_mfn(const struct frame *f) { return mfn((uint64_t)(f - frame_table)); }
static inline void *frame_to_ptr(const struct frame *f) { return mfn_to_ptr(frame_to_mfn(f)); }

/* One past the highest frame number of RAM. */
extern uint64_t frame_max;

/* The table has memory for whole blocks of so many frames, those with RAM: bit n stands for block n. */
#define FRAME_BLOCK_SHIFT 15
#define FRAME_BLOCK       BIT(FRAME_BLOCK_SHIFT)
extern uint64_t frame_blocks[(DIRECT_SIZE >> PAGE_SHIFT >> FRAME_BLOCK_SHIFT) / 64];

static inline bool frame_block_present(uint64_t m)
{
    return (frame_blocks[m >> FRAME_BLOCK_SHIFT >> 6] >> (m >> FRAME_BLOCK_SHIFT & 63)) & 1;
}

/* One past the first run of blocks that are all present, but not above frame_max: most are asked for frames there. */
extern uint64_t frame_low_end;

/* Is there a struct frame for this number? Any 64-bit value may be asked. */
static inline bool frame_exists(mfn_t m)
{
    return likely(m.v < frame_low_end) || (m.v < frame_max && frame_block_present(m.v));
}

/* ... and is it RAM? (One that is not has no owner and no references for anybody to take.) */
static inline bool mfn_valid(mfn_t m)
{
    return frame_exists(m) && !(frame_table[m.v].flags & FRAME_HOLE);
}

static inline enum frame_type frame_type_of(uint64_t type_word)
{
    return (enum frame_type)(type_word >> FT_TYPE_SHIFT);
}

/*
 * Take a total reference to a frame that `d` owns; false if it is not `d`'s,
 * is being freed, is not RAM, or the count is full. Balanced by frame_put().
 */
static inline bool frame_get(struct frame *f, const struct domain *d);

/* The same by the number, which may be any: the frame, or NULL. */
static inline struct frame *frame_get_mfn(mfn_t m, const struct domain *d);

/* Take a further reference; the caller has one already. */
void frame_get_known(struct frame *f);

/* Drop one. The last one frees the frame (through the owner's accounting, see frame_set_release). */
static inline void frame_put(struct frame *f);

/* What frame_put() calls for the last reference of an owned frame. Set once by domain/. */
void frame_set_release(void (*release)(struct frame *f));

/* The machine-to-physical table: read by guests, so it may hold only what is theirs to know. */
void m2p_set(mfn_t m, pfn_t p);
pfn_t m2p_get(mfn_t m);
#define M2P_INVALID (~0ULL)

void frame_list_init(struct frame_list *l);
void frame_list_add(struct frame_list *l, struct frame *f);
void frame_list_add_tail(struct frame_list *l, struct frame *f);
void frame_list_del(struct frame_list *l, struct frame *f);
struct frame *frame_list_first(const struct frame_list *l);
struct frame *frame_list_next(const struct frame_list *l, const struct frame *f);

/* --- the counting, inline: every page-table entry of a guest comes by here --- */

/* `old`: the count before frame_put() took one off; it was the last, or there was none. */
void frame_put_last(struct frame *f, uint64_t old);

static inline void frame_put(struct frame *f)
{
    uint64_t old = __atomic_fetch_sub(&f->count, 1, __ATOMIC_SEQ_CST);

    if (unlikely((old & FC_COUNT_MASK) <= 1))
        frame_put_last(f, old);
}

static inline bool frame_get(struct frame *f, const struct domain *d)
{
    uint64_t old = READ_ONCE(f->count);

    if (unlikely(!d))
        return false;
    do {
        /* 0: free, being freed, or a hole. */
        if (unlikely((old & FC_COUNT_MASK) - 1 >= FC_COUNT_MASK - 1) || READ_ONCE(f->owner) != d)
            return false;
    } while (unlikely(!atomic_cas(&f->count, &old, old + 1)));

    /* It may have been freed and given to another between the two; with a reference the owner is fixed. */
    if (likely(READ_ONCE(f->owner) == d))
        return true;
    frame_put(f);
    return false;
}

static inline struct frame *frame_get_mfn(mfn_t m, const struct domain *d)
{
    return likely(frame_exists(m)) && frame_get(mfn_to_frame(m), d) ? mfn_to_frame(m) : NULL;
}

#endif
