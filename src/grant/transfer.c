/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GNTTABOP_transfer: a frame of the caller becomes another domain's, which has
 * an entry that waits for it. Whatever fails after the frame was taken, the
 * caller has lost it: the interface says so.
 *
 * The receiver sees committed, then its entry's frame number replaced by the
 * new one, then completed.
 */
#include "abi/errno.h"
#include "grant/table.h"

#define COMMIT_TRIES 5

static uint16_t *flags_of(struct grant_domain *t, uint32_t ref)
{
    return t->version == 1 ? &grant_v1(t, ref)->flags : &grant_v2(t, ref)->hdr.flags;
}

/* Mark a waiting entry committed, and read where the receiver wants the frame; false: it does not wait (for us). */
static bool commit(struct grant_domain *t, uint32_t ref, domid_t giver, pfn_t *wanted)
{
    uint32_t *word, old;

    if (t->dead || ref >= grant_nr_refs(t))
        return false;
    word = (uint32_t *)flags_of(t, ref); /* flags and domid, as in both versions */
    old = atomic_load(word);
    for (int i = 0; i < COMMIT_TRIES; i++) {
        /* No bit but the type may be set: neither committed nor completed already. */
        if ((uint16_t)old != GTF_accept_transfer || (domid_t)(old >> 16) != giver)
            return false;
        if (atomic_cas(word, &old, old | GTF_transfer_committed)) {
            *wanted = pfn(t->version == 1 ? READ_ONCE(grant_v1(t, ref)->frame)
                                          : READ_ONCE(grant_v2(t, ref)->full_page.frame));
            return true;
        }
    }
    return false;
}

static void complete(struct grant_domain *t, uint32_t ref, mfn_t m)
{
    if (t->version == 1)
        WRITE_ONCE(grant_v1(t, ref)->frame, (uint32_t)m.v);
    else
        WRITE_ONCE(grant_v2(t, ref)->full_page.frame, m.v);
    atomic_or(flags_of(t, ref), (uint16_t)GTF_transfer_completed);
}

/* The frame is nobody's. On an error it still is. */
static int give(struct domain *receiver, uint32_t ref, struct frame *f)
{
    struct grant_domain *t = receiver->grant;
    int status = GNTST_general_error;
    pfn_t wanted;

    spin_lock(&t->lock);
    if (commit(t, ref, current_domain()->id, &wanted)) {
        if (domain_assign_frames(receiver, f, 0, true) == 0) {
            m2p_set(frame_to_mfn(f), wanted);
            complete(t, ref, frame_to_mfn(f));
            status = GNTST_okay;
        } else {
            atomic_and(flags_of(t, ref), (uint16_t)~GTF_transfer_committed);
        }
    }
    spin_unlock(&t->lock);
    return status;
}

int grant_transfer(struct gnttab_transfer *op)
{
    struct domain *receiver;
    struct frame *f;

    op->status = GNTST_bad_page;
    if (!mfn_valid(mfn(op->mfn)))
        return 0;
    f = mfn_to_frame(mfn(op->mfn));
    if (domain_steal_frame(current_domain(), f) != 0)
        return 0;
    receiver = domain_get(op->domid);
    op->status = GNTST_bad_domain;
    if (receiver != NULL) {
        op->status = (int16_t)give(receiver, op->ref, f);
        domain_put(receiver);
    }
    if (op->status != GNTST_okay)
        domain_free_stolen(f);
    return 0;
}
