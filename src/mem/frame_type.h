/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a frame's type, as pure functions over its type word.
 *
 * A frame that a page table maps writable must not be a page table, and the
 * other way round: that is all of memory isolation between PV guests. So a
 * frame has one type at a time, a count of uses as that type, and the type can
 * change only at count 0. Becoming a page table takes a validation of all 512
 * entries, which holds a reference to what each of them maps; ceasing to be
 * one takes the undoing. Both may be long, and stop half-way:
 *
 *   count 0                       free to become anything
 *   count 0, LOCKED               one CPU is validating it (or flushing TLBs first)
 *   count 0, PARTIAL, LOCKED      ... taking up an interrupted validation, or undoing it
 *   count 0, PARTIAL              validation was interrupted; entries below
 *                                 partial_next hold references; the frame holds
 *                                 one total reference on itself
 *   count n, VALIDATED            in use n times
 *   count n, VALIDATED, LOCKED    ... and one CPU is changing its entries
 *   count 1, LOCKED               the last user is going: being undone. Types with nothing
 *                                 to undo pass through it as well, to stamp the frame
 *   count 1, PARTIAL              undoing was interrupted; the last user still
 *                                 holds its count and has to ask again
 *   count 1, PARTIAL, LOCKED      ... and is at it, or another user validates it again
 *
 * In every PARTIAL state the invariant is the same, "entries below
 * partial_next hold references", so an interrupted validation can be undone
 * and an interrupted undoing can be validated again, by any CPU.
 *
 * Who waits for whom: only one who wants a frame as the very type with which
 * another has locked it. A table's lock is held while tables of lower levels
 * are taken, so nobody waits in a circle, not even for himself (a table that
 * maps itself writable). What is locked as another type is refused, and a
 * drop that finds the lock taken does not wait either: it is asked again.
 *
 * Each function takes the word as read and says what to do; if that changes
 * the word, the caller makes `next` true by compare-and-swap or asks again.
 */
#ifndef MEM_FRAME_TYPE_H
#define MEM_FRAME_TYPE_H

#include "mem/frame.h"

enum ft_verdict {
    FT_DONE,     /* store next; the reference is taken or dropped */
    FT_WAIT,     /* another CPU is at work on it: get and lock read again later, put gives up for now */
    FT_VALIDATE, /* store next (it locks); validate entries from partial_next on, then ft_validated() */
    FT_UNDO,   /* store next (it locks); undo entries below partial_next (or all), stamp, then ft_undone() */
    FT_REFUSE, /* in use as something else, or the count is full; put: there is no reference to drop */
};

static inline bool ft_is_table(enum frame_type t)
{
    return t >= FRAME_L1 && t <= FRAME_L4;
}
static inline uint64_t ft_count(uint64_t w)
{
    return w & FT_COUNT_MASK;
}
static inline uint64_t ft_word(enum frame_type t)
{
    return (uint64_t)t << FT_TYPE_SHIFT;
}

/* Take a reference as type `t`. *flush: the frame was something else before; stale translations must go first. */
static inline enum ft_verdict ft_get(uint64_t w, enum frame_type t, uint64_t *next, bool *flush)
{
    bool same = frame_type_of(w) == t;

    *flush = false;
    if (ft_count(w) == FT_COUNT_MASK)
        return FT_REFUSE;
    if (ft_count(w) > 0 && !same)
        return FT_REFUSE;
    if (w & FT_VALIDATED) {
        *next = w + 1;
        return FT_DONE;
    }
    if (w & FT_LOCKED)
        return same ? FT_WAIT : FT_REFUSE;
    if (w & FT_PARTIAL) {
        *next = w | FT_LOCKED;
        return same ? FT_VALIDATE : FT_UNDO;
    }
    *flush = !same && frame_type_of(w) != FRAME_NONE;
    if (!ft_is_table(t)) {
        *next = ft_word(t) | (same ? w & FT_FOREIGN : 0) | FT_VALIDATED | 1;
        return FT_DONE;
    }
    *next = ft_word(t) | FT_LOCKED;
    return FT_VALIDATE;
}

/* ft_get() of FRAME_WRITABLE where it is FT_DONE without a flush: it is, or was last, mapped writable. */
static inline bool ft_get_writable(uint64_t w, uint64_t *next)
{
    *next = (w | FT_VALIDATED) + 1;
    return (w & (FT_TYPE_MASK | FT_LOCKED | FT_PARTIAL)) == ft_word(FRAME_WRITABLE) &&
           ft_count(w) != FT_COUNT_MASK;
}

/* In use as FRAME_WRITABLE: one use more is w + 1 unless (uint32_t)w is full, one less w - 1 if it is above 1. */
static inline bool ft_is_writable(uint64_t w)
{
    return w >> FT_STATE_SHIFT == (ft_word(FRAME_WRITABLE) | FT_VALIDATED) >> FT_STATE_SHIFT;
}

/* After FT_VALIDATE, all entries are good: the caller's reference is added. */
static inline uint64_t ft_validated(uint64_t w)
{
    return ((w & ~(FT_LOCKED | FT_PARTIAL)) | FT_VALIDATED) + 1;
}

/* After FT_VALIDATE or FT_UNDO stopped half-way. */
static inline uint64_t ft_interrupted(uint64_t w)
{
    return (w & ~(FT_LOCKED | FT_VALIDATED)) | FT_PARTIAL;
}

/* After FT_UNDO, no entry holds a reference: count 0 (a put's own reference is gone). */
static inline uint64_t ft_undone(uint64_t w)
{
    return w & ~(FT_LOCKED | FT_VALIDATED | FT_PARTIAL | FT_PINNED | FT_COUNT_MASK);
}

/* Drop a reference. */
static inline enum ft_verdict ft_put(uint64_t w, uint64_t *next)
{
    if (ft_count(w) == 0)
        return FT_REFUSE;
    if (ft_count(w) > 1) {
        *next = w - 1;
        return FT_DONE;
    }
    if (w & FT_LOCKED)
        return FT_WAIT;
    *next = (w | FT_LOCKED) & ~FT_VALIDATED;
    return FT_UNDO;
}

/* ft_lock() at once: what is validated has a count. */
static inline bool ft_may_lock(uint64_t w, enum frame_type t)
{
    return w >> FT_STATE_SHIFT == (ft_word(t) | FT_VALIDATED) >> FT_STATE_SHIFT;
}

/* Lock a validated table of type `t` to change its entries. */
static inline enum ft_verdict ft_lock(uint64_t w, enum frame_type t, uint64_t *next)
{
    if (frame_type_of(w) != t || ft_count(w) == 0 || !(w & FT_VALIDATED))
        return FT_REFUSE;
    if (w & FT_LOCKED)
        return FT_WAIT;
    *next = w | FT_LOCKED;
    return FT_DONE;
}

#endif
