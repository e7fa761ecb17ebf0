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

/* The references of `e`, with its final flags, in a table of `d`; the target belongs to `owner`. */
static inline int pv_get_l1(struct domain *d, struct domain *owner, pte_t e)
{
    mfn_t m = pte_mfn(e);
    struct frame *f = mfn_to_frame(m);
    int rc;

    if (unlikely(!frame_exists(m) || owner != d || (e & (PTE_PCD | PTE_PWT | PTE_PAT))))
        return pv_get_l1_unusual(d, owner, e);
    if (unlikely(!frame_get(f, d)))
        return pv_get_l1_unusual(d, owner, e); /* a hole in the RAM: device memory, perhaps its own */
    if (!(e & PTE_RW))
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

#endif
