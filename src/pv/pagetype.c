/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking and dropping type references: the loop around mem/frame_type.h's pure
 * functions, and the walk over a table's entries that a change of type needs.
 *
 * Promotion walks up from entry 0, demotion down to entry 0, and each may stop
 * at any entry when this CPU has something else to do. A walk holds the
 * table's lock bit; frame_type.h says why no two CPUs wait for each other.
 *
 * A frame that changes from writable to page table, or back, may still be
 * reachable through old translations in the TLBs of its domain's CPUs (of all
 * CPUs, if other domains have mapped it). The stamp taken when its last use
 * ended says on which: those are flushed before the new use begins. The last
 * use ends under the lock bit, for a stamp that were taken before it, or
 * noted after it, would be too old for what another CPU does in between.
 */
#include "abi/errno.h"
#include "core/crosscall.h"
#include "core/panic.h"
#include "core/softirq.h"
#include "mem/hvmap.h"
#include "pv/pv.h"
#include "x86/insn.h"
#include "x86/upcalls.h"

static bool swap_word(struct frame *f, uint64_t old, uint64_t next)
{
    return atomic_cas(&f->type, &old, next);
}

static void wait_for_other_cpu(void)
{
    cpu_relax();
    upcall_crosscall();
}

static unsigned int level_of(enum frame_type t)
{
    return (unsigned int)t - FRAME_L1 + 1;
}

/* `w`: the type word of its old use. */
static void flush_stale(struct frame *f, uint64_t w)
{
    uint64_t cpus = cpus_online_mask;

    if (!f->owner)
        return;
    if (!(w & FT_FOREIGN))
        cpus = atomic_load(&f->owner->dirty_cpus);
    tlb_flush(tlb_filter(cpus, f->flush_stamp));
}

/* The word is locked by us: write its final form, whatever others do to the count meanwhile. */
static void finish(struct frame *f, uint64_t (*form)(uint64_t))
{
    uint64_t w = atomic_load(&f->type);

    while (!atomic_cas(&f->type, &w, form(w)))
        ;
}

/* Most tables are nearly empty, and a process that forks and exits has a dozen: look at so many entries at once. */
#define STRIDE 16

static bool any_present(const pte_t *e)
{
    return (e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7] | e[8] | e[9] | e[10] | e[11] | e[12] | e[13] |
            e[14] | e[15]) & PTE_P;
}

/* One past the last present entry below `end`; 0: none. */
static unsigned int find_last(const pte_t *table, unsigned int end)
{
    while (end > 0) {
        if (end % STRIDE == 0 && !any_present(table + end - STRIDE))
            end -= STRIDE;
        else if (table[end - 1] & PTE_P)
            break;
        else
            end--;
    }
    return end;
}

/* The first present entry from `slot` on, or PTES_PER_TABLE. */
static unsigned int find_next(const pte_t *table, unsigned int slot)
{
    while (slot < PTES_PER_TABLE) {
        if (slot % STRIDE == 0 && !any_present(table + slot))
            slot += STRIDE;
        else if (table[slot] & PTE_P)
            break;
        else
            slot++;
    }
    return slot;
}

/*
 * Drop the references of entries below partial_next. 0: none is left; partial_next says where it stopped otherwise:
 * -ERESTART: interrupted; -EBUSY: the last reference to a table that is locked.
 */
static int undo_entries(struct frame *f, enum frame_type t)
{
    unsigned int level = level_of(t), end;
    pte_t *table = frame_to_ptr(f);

    while ((end = find_last(table, f->partial_next)) > 0) {
        f->partial_next = (uint16_t)end;
        if (pv_slot_is_guest(level, end - 1)) {
            int rc = pv_put_entry(f->owner, f, level, table[end - 1]);

            if (rc)
                return rc;
        }
        f->partial_next = (uint16_t)(end - 1);
        if (level > 1 && preempt_pending())
            return -ERESTART;
    }
    f->partial_next = 0;
    return 0;
}

/* The entries that have no references, when a table begins to be one: 0 or -EINVAL. */
static int check_absent(struct frame *f, unsigned int level)
{
    const pte_t *table = frame_to_ptr(f);

    for (unsigned int slot = 0; spec_on(SPEC_L1TF) && slot < PTES_PER_TABLE; slot++)
        if (!(table[slot] & PTE_P) && pv_slot_is_guest(level, slot) && !pv_absent_ok(f->owner, table[slot]))
            return pv_refuse_absent(f->owner, table[slot]);
    return 0;
}

/* Take references for entries from partial_next on. Errors leave partial_next at the entry that failed. */
static int validate_entries(struct frame *f, enum frame_type t)
{
    unsigned int level = level_of(t), slot;
    pte_t *table = frame_to_ptr(f);

    while ((slot = find_next(table, f->partial_next)) < PTES_PER_TABLE) {
        f->partial_next = (uint16_t)slot;
        if (pv_slot_is_guest(level, slot)) {
            pte_t e = table[slot];
            int rc = pv_get_entry(f->owner, f->owner, f, level, slot, &e);

            if (rc)
                return rc;
            table[slot] = e;
        }
        f->partial_next = (uint16_t)(slot + 1);
        if (level > 1 && slot + 1 < PTES_PER_TABLE && preempt_pending())
            return -ERESTART;
    }
    f->partial_next = PTES_PER_TABLE;
    if (level == 4)
        hvmap_fill_root(table);
    return 0;
}

/* Locked by us with count 0 or 1, partially done: leave it for later. With count 0 the frame must keep itself alive. */
static void leave_partial(struct frame *f, bool was_partial)
{
    if (ft_count(atomic_load(&f->type)) == 0 && !was_partial)
        frame_get_known(f);
    finish(f, ft_interrupted);
}

/* FT_UNDO: 0 when the walk is complete and the word is at count 0; else as undo_entries(). */
static int run_undo(struct frame *f, uint64_t w)
{
    bool own_ref = (w & FT_PARTIAL) && ft_count(w) == 0;
    enum frame_type t = frame_type_of(w);
    int rc;

    if (w & FT_VALIDATED)
        f->partial_next = PTES_PER_TABLE;
    rc = ft_is_table(t) ? undo_entries(f, t) : 0;
    if (rc) {
        leave_partial(f, own_ref);
        return rc;
    }
    if (t == FRAME_L4)
        hvmap_clear_root(frame_to_ptr(f));
    f->flush_stamp = tlb_stamp_now();
    finish(f, ft_undone);
    if (own_ref)
        frame_put(f);
    return 0;
}

static int run_validate(struct frame *f, uint64_t w, enum frame_type t)
{
    bool own_ref = (w & FT_PARTIAL) && ft_count(w) == 0;
    int rc;

    if (!(w & FT_PARTIAL))
        f->partial_next = 0;
    rc = check_absent(f, level_of(t));
    if (rc == 0)
        rc = validate_entries(f, t);
    if (rc == 0) {
        finish(f, ft_validated);
        if (own_ref)
            frame_put(f);
        return 0;
    }
    if (rc != -ERESTART && ft_count(w) == 0 && undo_entries(f, t) == 0) {
        finish(f, ft_undone);
        if (own_ref)
            frame_put(f);
        return rc;
    }
    leave_partial(f, own_ref);
    return rc;
}

int pv_get_type(struct frame *f, enum frame_type t)
{
    for (;;) {
        uint64_t w = atomic_load(&f->type), next;
        bool flush;
        int rc;

        switch (ft_get(w, t, &next, &flush)) {
        case FT_REFUSE:
            return -EINVAL;
        case FT_WAIT:
            wait_for_other_cpu();
            continue;
        case FT_DONE:
            if (!flush) {
                if (swap_word(f, w, next))
                    return 0;
                continue;
            }
            /* Become locked first: nobody may use it as the new type before the flush. */
            if (!swap_word(f, w, ft_word(t) | FT_LOCKED))
                continue;
            flush_stale(f, w);
            atomic_store(&f->type, next);
            return 0;
        case FT_UNDO:
            if (!swap_word(f, w, next))
                continue;
            rc = run_undo(f, w);
            /* It may be our caller who has locked the table that only f keeps, to make it map f: no retry gets on. */
            if (rc)
                return rc == -EBUSY ? -EINVAL : rc;
            continue;
        case FT_VALIDATE:
            if (!swap_word(f, w, next))
                continue;
            if (flush)
                flush_stale(f, w);
            return run_validate(f, w, t);
        }
    }
}

int pv_put_type(struct frame *f)
{
    for (;;) {
        uint64_t w = atomic_load(&f->type), next;

        switch (ft_put(w, &next)) {
        case FT_WAIT:
            return -EBUSY;
        case FT_DONE:
            if (swap_word(f, w, next))
                return 0;
            continue;
        case FT_UNDO:
            if (swap_word(f, w, next))
                return run_undo(f, w);
            continue;
        default:
            panic("frame %#lx: type reference dropped that was not there", (unsigned long)frame_to_mfn(f).v);
        }
    }
}

void pv_put_simple_type(struct frame *f)
{
    int rc = pv_put_type(f);

    ASSERT(rc == 0);
}

int pv_get_frame_and_type(struct domain *d, mfn_t m, enum frame_type t)
{
    struct frame *f = frame_get_mfn(m, d);
    int rc;

    if (!f)
        return -EINVAL;
    rc = pv_get_type(f, t);
    if (rc)
        frame_put(f);
    return rc;
}

int pv_put_frame_and_type(struct frame *f)
{
    int rc = pv_put_type(f);

    if (rc == 0)
        frame_put(f);
    return rc;
}

bool pv_lock_table_contended(struct frame *f, enum frame_type t)
{
    for (;;) {
        uint64_t w = atomic_load(&f->type), next;

        switch (ft_lock(w, t, &next)) {
        case FT_DONE:
            if (swap_word(f, w, next))
                return true;
            continue;
        case FT_WAIT:
            wait_for_other_cpu();
            continue;
        default:
            return false;
        }
    }
}

int pv_pin(struct domain *d, mfn_t m, enum frame_type t)
{
    int rc = pv_get_frame_and_type(d, m, t);
    struct frame *f;

    if (rc)
        return rc;
    f = mfn_to_frame(m);
    if (atomic_or(&f->type, FT_PINNED) & FT_PINNED) {
        /* Another CPU may have unpinned it since: this drop can be the last, and long. */
        (void)pv_drop_later(f);
        return -EINVAL;
    }
    return 0;
}

bool pv_take_pin(struct frame *f)
{
    return (atomic_and(&f->type, ~(uint64_t)FT_PINNED) & FT_PINNED) != 0;
}

int pv_unpin(struct domain *d, mfn_t m)
{
    struct frame *f = frame_get_mfn(m, d);
    int rc;

    if (!f)
        return -EINVAL;
    rc = pv_take_pin(f) ? pv_drop_later(f) : -EINVAL;
    frame_put(f);
    return rc;
}

int pv_undo_partial(struct frame *f)
{
    for (;;) {
        uint64_t w = atomic_load(&f->type);

        if (!(w & FT_PARTIAL) || ft_count(w) > 0)
            return 0;
        if (w & FT_LOCKED)
            wait_for_other_cpu();
        else if (swap_word(f, w, w | FT_LOCKED))
            return run_undo(f, w);
    }
}

int pv_pin_root(struct domain *d, mfn_t root)
{
    int rc;

    do
        rc = pv_pin(d, root, FRAME_L4);
    while (rc == -ERESTART);
    return rc;
}
