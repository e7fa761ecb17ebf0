/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The references of a level-1 entry: a total one to what it maps, and one as
 * WRITABLE if it is writable. Inline, for each page that a guest maps, forks,
 * protects or unmaps comes by here.
 */
#ifndef PV_L1_H
#define PV_L1_H

#include "abi/errno.h"
#include "core/crosscall.h"
#include "pv/pv.h"

/* Is `f` memory of the hypervisor that its owner may map (shared info, grant frames)? It has no writable count. */
static inline bool pv_is_shared_hv(const struct frame *f)
{
    return (READ_ONCE(f->count) & FC_HV) != 0;
}

/* Such memory may be mapped writable if it is there for that. */
static inline int pv_get_shared(const struct frame *f)
{
    return frame_type_of(READ_ONCE(f->type)) == FRAME_SHARED ? 0 : -EBUSY;
}

/* A reference as WRITABLE: 0, -EINVAL, -ERESTART as pv_get_type(). */
static inline int pv_get_writable(struct frame *f)
{
    uint64_t w = READ_ONCE(f->type), next;

    if (likely(ft_get_writable(w, &next)) && likely(atomic_cas(&f->type, &w, next)))
        return 0;
    return pv_get_type(f, FRAME_WRITABLE);
}

/* Drop one. The last use ends under the lock bit, with the stamp (pagetype.c says why). */
static inline void pv_put_writable(struct frame *f)
{
    uint64_t w = READ_ONCE(f->type), locked;

    if (likely(ft_count(w) > 1)) { /* a kernel has all its memory mapped, too */
        if (likely(atomic_cas(&f->type, &w, w - 1)))
            return;
    } else if (!(w & FT_LOCKED)) {
        locked = (w | FT_LOCKED) & ~FT_VALIDATED;
        if (likely(ft_count(w) == 1 && atomic_cas(&f->type, &w, locked))) {
            f->flush_stamp = tlb_stamp_now();
            while (unlikely(!atomic_cas(&f->type, &locked, ft_undone(locked))))
                ;
            return;
        }
    }
    pv_put_simple_type(f);
}

/* The references of *e in a table of `d`; the target belongs to `owner`. Device memory gets its final flags here. */
static inline int pv_get_l1(struct domain *d, struct domain *owner, pte_t *e)
{
    mfn_t m = pte_mfn(*e);
    struct frame *f = mfn_to_frame(m);
    int rc;

    /* The last of them: a hole in the RAM, which is device memory, perhaps its own. */
    if (unlikely(!frame_exists(m) || owner != d || (*e & (PTE_PCD | PTE_PWT | PTE_PAT)) || !frame_get(f, d))) {
        pte_t final = *e; /* a variable of its own: *e can then stay in a register */

        rc = pv_get_l1_unusual(d, owner, &final);
        *e = final;
        return rc;
    }
    if (!(*e & PTE_RW))
        return 0;
    rc = pv_is_shared_hv(f) ? pv_get_shared(f) : pv_get_writable(f);
    if (likely(rc == 0))
        return 0;
    frame_put(f);
    return rc == -EINVAL ? -EBUSY : rc;
}

static inline void pv_put_l1(pte_t e)
{
    struct frame *f = mfn_to_frame(pte_mfn(e));

    /* What is not RAM was not counted. */
    if (!mfn_valid(pte_mfn(e)))
        return;
    if ((e & PTE_RW) && !pv_is_shared_hv(f))
        pv_put_writable(f);
    frame_put(f);
}

/* What pv_change_rights() leaves to be done when something came between. Both return what it returns. */
int64_t pv_put_writable_and_update(struct domain *d, struct frame *table, pte_t *p, pte_t e);
int64_t pv_put_last_writable(struct frame *f);

/*
 * As by mprotect(): the right to write changes, the frame stays, memory that other entries map writable too. Only
 * the count of those uses changes. Whatever is not so is found before anything has changed and is done by
 * pv_update_own_entry(), so that this calls nothing and needs no stack. The entry keeps A and D.
 */
static ALWAYS_INLINE int64_t pv_change_rights(struct domain *d, struct frame *table, pte_t *p, pte_t old, pte_t e)
{
    struct frame *f = mfn_to_frame(pte_mfn(e));
    uint64_t w;

    if (unlikely(!frame_exists(pte_mfn(e)) || READ_ONCE(f->owner) != d || (e & (PTE_PCD | PTE_PWT | PTE_PAT))))
        return pv_update_own_entry(d, table, p, e, true);
    w = READ_ONCE(f->type);
    if (unlikely(!ft_is_writable(w) || !pv_try_lock_table(table, FRAME_L1)))
        return pv_update_own_entry(d, table, p, e, true);
    /* With its lock held a level-1 table keeps its owner. */
    if (unlikely(READ_ONCE(table->owner) != d) ||
        ((e & PTE_RW) && unlikely((uint32_t)w == 0xffffffff || !atomic_cas(&f->type, &w, w + 1)))) {
        pv_unlock_table(table);
        return pv_update_own_entry(d, table, p, e, true);
    }
    /* The hardware may have set A or D, or another vCPU may have been here, since `old` was read. */
    if (unlikely(!atomic_cas(p, &old, pv_entry_flags(1, e | PTE_P) | (old & (PTE_A | PTE_D))))) {
        pv_unlock_table(table);
        return e & PTE_RW ? pv_put_writable_and_update(d, table, p, e) : pv_update_own_entry(d, table, p, e, true);
    }
    pv_unlock_table(table);
    return (e & PTE_RW) || likely((uint32_t)w > 1 && atomic_cas(&f->type, &w, w - 1)) ? 0 : pv_put_last_writable(f);
}

/* An element of mmu_update, MMU_NORMAL_ or ..._PRESERVE_AD, for an own level-1 table; -ERESTART, not done: for none. */
static ALWAYS_INLINE int64_t pv_update_l1(struct domain *d, uint64_t ptr, pte_t e)
{
    mfn_t m = paddr_to_mfn(paddr(ptr));
    struct frame *table = mfn_to_frame(m);
    pte_t *p, old;

    if (unlikely(!frame_exists(m) || READ_ONCE(table->owner) != d))
        return -ERESTART;
    if (!(ptr & MMU_PT_UPDATE_PRESERVE_AD))
        return pv_update_own_entry(d, table, paddr_to_ptr(paddr(ptr)), e, false);
    p = paddr_to_ptr(paddr(ptr - MMU_PT_UPDATE_PRESERVE_AD));
    old = READ_ONCE(*p);
    if ((e & PTE_P) && ((old ^ e) & (PTE_ADDR | PTE_RW | PTE_P)) == PTE_RW)
        return pv_change_rights(d, table, p, old, e);
    return pv_update_own_entry(d, table, p, e, true);
}

#endif
