/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holding a grant: the guest's entry, the active entry and the frame, in step.
 *
 * The guest writes its entries at any time, from any CPU. What it must not do
 * while a status bit is set it may do all the same; so an entry counts as it
 * was at the instant its bits were set, and the frame is read once, after
 * that, and remembered in the active entry. All later holders get this frame.
 */
#include "abi/errno.h"
#include "grant/table.h"
#include "x86/pte.h"

#define CLAIM_TRIES 5

int grant_frame_get(struct domain *d, mfn_t m, bool readonly)
{
    struct frame *f = frame_get_mfn(m, d);

    if (!f)
        return GNTST_bad_page;
    if (!readonly && !grant_host->get_writable(f)) {
        frame_put(f);
        return GNTST_general_error;
    }
    return GNTST_okay;
}

void grant_frame_put(mfn_t m, bool readonly)
{
    struct frame *f = mfn_to_frame(m);

    if (!readonly)
        grant_host->put_writable(f);
    frame_put(f);
}

/*
 * Of a grant that its holder takes once more, to write: that it has been given is known from the first time, and
 * only whether the entry now says "read-only" counts, as on Xen.
 */
static int judge(unsigned int version, uint32_t word, domid_t who, bool readonly, enum entry_use kind, bool is_held)
{
    if (is_held)
        return word & GTF_readonly ? GNTST_general_error : GNTST_okay;
    return entry_judge(version, (uint16_t)word, (domid_t)(word >> 16), who, readonly, kind);
}

/* Flags and domid are one word, which changes as one: judge it and set its bits by compare-and-exchange. */
static int claim_v1(grant_entry_v1_t *entry, domid_t who, bool readonly, enum entry_use kind, bool is_held,
                    uint16_t bits)
{
    uint32_t *word = (uint32_t *)entry;
    uint32_t old = atomic_load(word);

    for (int i = 0; i < CLAIM_TRIES; i++) {
        int status = judge(1, old, who, readonly, kind, is_held);

        if (status != GNTST_okay || atomic_cas(word, &old, old | bits))
            return status;
    }
    return GNTST_general_error; /* the guest keeps changing it */
}

/*
 * The bits are in another word: set them, then look. If the guest took the
 * grant back before it could see them, the entry is no longer good and the
 * bits are cleared again (by the caller); if after, it sees them.
 */
static int claim_v2(grant_entry_v2_t *entry, grant_status_t *status, domid_t who, bool readonly,
                    enum entry_use kind, bool is_held, uint16_t bits)
{
    uint32_t word;

    atomic_or(status, bits);
    word = atomic_load((uint32_t *)entry);
    return judge(2, word, who, readonly, kind, is_held);
}

static int claim(struct grant_domain *t, uint32_t ref, domid_t who, bool readonly, enum entry_use kind, bool is_held,
                 uint16_t bits)
{
    if (t->version == 1)
        return claim_v1(grant_v1(t, ref), who, readonly, kind, is_held, bits);
    return claim_v2(grant_v2(t, ref), grant_status(t, ref), who, readonly, kind, is_held, bits);
}

static void clear_bits(struct grant_domain *t, uint32_t ref, uint16_t bits)
{
    if (t->dead || bits == 0)
        return;
    atomic_and(t->version == 1 ? &grant_v1(t, ref)->flags : grant_status(t, ref), (uint16_t)~bits);
}

/* What a claimed entry grants, each field read once: the guest may be rewriting it. */
static void read_granted(struct grant_domain *t, uint32_t ref, domid_t who, struct active *a)
{
    grant_entry_v2_t *e;
    uint16_t flags;

    a->domid = who;
    a->kind = ACTIVE_PAGE;
    a->start = 0;
    a->length = PAGE_SIZE;
    if (t->version == 1) {
        a->frame = mfn(READ_ONCE(grant_v1(t, ref)->frame));
        return;
    }
    e = grant_v2(t, ref);
    flags = READ_ONCE(e->hdr.flags);
    if ((flags & GTF_type_mask) == GTF_transitive) {
        a->kind = ACTIVE_TRANSITIVE;
        a->trans_domid = READ_ONCE(e->transitive.trans_domid);
        a->trans_ref = READ_ONCE(e->transitive.gref);
        return;
    }
    a->frame = mfn(READ_ONCE(e->full_page.frame));
    if (flags & GTF_sub_page) {
        a->kind = ACTIVE_SUB_PAGE;
        a->start = READ_ONCE(e->sub_page.page_off);
        a->length = READ_ONCE(e->sub_page.length);
    }
}

static uint64_t cache_of(struct grant_domain *t, uint32_t ref)
{
    uint16_t flags = t->version == 1 ? READ_ONCE(grant_v1(t, ref)->flags) : READ_ONCE(grant_v2(t, ref)->hdr.flags);

    return (flags & GTF_PWT ? PTE_PWT : 0) | (flags & GTF_PCD ? PTE_PCD : 0) | (flags & GTF_PAT ? PTE_PAT : 0);
}

/* With the lock held, the reference valid and the entry claimed: the rest. */
static int hold(struct domain *granter, uint32_t ref, domid_t who, unsigned int use, bool readonly,
                enum entry_use kind)
{
    struct grant_domain *t = granter->grant;
    struct active *a = grant_active(t, ref);
    struct grant_pin next = a->pin;
    int status = GNTST_okay;

    if (!pin_add(&next, use, readonly))
        return GNTST_general_error;
    if (!pin_is_held(a->pin))
        read_granted(t, ref, who, a);
    /* It may have become another kind since it was judged. */
    if (kind == ENTRY_MAP && a->kind != ACTIVE_PAGE)
        return GNTST_general_error;
    if (a->kind != ACTIVE_TRANSITIVE)
        status = grant_frame_get(granter, a->frame, readonly);
    if (status == GNTST_okay)
        a->pin = next;
    return status;
}

static int acquire_locked(struct domain *granter, uint32_t ref, domid_t who, unsigned int use, bool readonly,
                          enum entry_use kind)
{
    struct grant_domain *t = granter->grant;
    uint16_t want = readonly ? GTF_reading : GTF_reading | GTF_writing;
    uint16_t held, missing;
    struct active *a;
    int status;

    if (ref >= grant_nr_refs(t))
        return GNTST_bad_gntref;
    a = grant_active(t, ref);
    held = pin_status(a->pin);
    if (t->dead || (held != 0 && a->domid != who))
        return GNTST_general_error;
    missing = (uint16_t)(want & ~held);
    status = missing != 0 ? claim(t, ref, who, readonly, kind, held != 0, want) : GNTST_okay;
    if (status == GNTST_okay)
        status = hold(granter, ref, who, use, readonly, kind);
    else if (t->version == 1)
        return status; /* nothing was set */
    if (status != GNTST_okay)
        clear_bits(t, ref, missing);
    return status;
}

int grant_acquire(struct domain *granter, uint32_t ref, domid_t who, unsigned int use, bool readonly,
                  enum entry_use kind, struct acquired *out)
{
    struct grant_domain *t = granter->grant;
    int status;

    spin_lock(&t->lock);
    status = acquire_locked(granter, ref, who, use, readonly, kind);
    if (status == GNTST_okay) {
        const struct active *a = grant_active(t, ref);

        *out = (struct acquired){
            .frame = a->frame,
            .start = a->start,
            .length = a->length,
            .transitive = a->kind == ACTIVE_TRANSITIVE,
            .trans_domid = a->trans_domid,
            .trans_ref = a->trans_ref,
            .cache = cache_of(t, ref),
        };
    }
    spin_unlock(&t->lock);
    return status;
}

void grant_release(struct domain *granter, uint32_t ref, unsigned int use, bool readonly)
{
    struct grant_domain *t = granter->grant;
    struct active *a;
    uint16_t before, after;
    bool has_frame;
    mfn_t frame;

    spin_lock(&t->lock);
    a = grant_active(t, ref);
    before = pin_status(a->pin);
    has_frame = a->kind != ACTIVE_TRANSITIVE;
    frame = a->frame;
    pin_remove(&a->pin, use, readonly);
    after = pin_status(a->pin);
    clear_bits(t, ref, (uint16_t)(before & ~after));
    spin_unlock(&t->lock);
    if (has_frame)
        grant_frame_put(frame, readonly);
}
