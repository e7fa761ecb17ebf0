/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frames of a domain.
 *
 * A frame that is given to a domain has one reference for the allocation
 * (FC_ALLOCATED), and goes back to the allocator when that and all others are
 * gone; the domain lives as long as it owns a frame. A frame is cleared when a
 * domain gets it, wherever it has been before, so nothing of one server is
 * ever seen by another. (Only the initial domain, which may read all memory
 * anyway, gets frames that nobody has had since boot as they are.) What may
 * still be in some CPU's TLB is flushed before the frame's next use:
 * flush_stamp says since when.
 */
#include "domain/domain.h"

#include "abi/errno.h"
#include "core/crosscall.h"
#include "core/panic.h"
#include "core/softirq.h"
#include "mem/page_alloc.h"
#include "x86/upcalls.h"

/* Frames given up between two looks whether something else waits. */
#define RELINQUISH_BATCH 64

/* Frames set aside for domains: no other may be given them. */
static uint64_t claimed; /* atomic; the sum of all domain.claimed */

uint64_t domain_claimed_frames(void)
{
    return atomic_load(&claimed);
}

static int claim_locked(struct domain *d, uint64_t pages)
{
    uint64_t n, free = page_alloc_free_frames(), others;

    if (d->claimed || pages <= d->tot_pages || pages > d->max_pages || atomic_load(&d->dying) != DOMAIN_ALIVE)
        return -EINVAL;
    n = pages - d->tot_pages;
    others = atomic_add(&claimed, n) - n;
    if (others > free || n > free - others) {
        atomic_sub(&claimed, n);
        return -ENOMEM;
    }
    d->claimed = n;
    return 0;
}

int domain_claim_frames(struct domain *d, uint64_t pages)
{
    int ret = 0;

    spin_lock(&d->page_lock);
    if (pages) {
        ret = claim_locked(d, pages);
    } else {
        atomic_sub(&claimed, d->claimed);
        d->claimed = 0;
    }
    spin_unlock(&d->page_lock);
    return ret;
}

/* Would `n` frames for `d` be taken from what is set aside for others? */
static bool is_claimed_by_others(const struct domain *d, uint64_t n)
{
    uint64_t all = atomic_load(&claimed), own = READ_ONCE(d->claimed);

    return all > own && page_alloc_free_frames() < all - own + n;
}

/* `n` frames of its claim have become its own. */
static void use_claim_locked(struct domain *d, uint64_t n)
{
    n = MIN(n, d->claimed);
    d->claimed -= n;
    atomic_sub(&claimed, n);
}

static bool owns_nothing(const struct domain *d)
{
    return d->tot_pages == 0 && d->hv_pages.count == 0;
}

/* Take a frame off its owner's list. True: it was the last one, and the caller puts the domain. */
static bool disown(struct domain *d, struct frame *f)
{
    bool last;

    spin_lock(&d->page_lock);
    if (atomic_load(&f->count) & FC_HV) {
        frame_list_del(&d->hv_pages, f);
    } else {
        frame_list_del(&d->pages, f);
        d->tot_pages--;
    }
    if (atomic_load(&d->dying) != DOMAIN_ALIVE)
        d->frames_returned++;
    last = owns_nothing(d);
    spin_unlock(&d->page_lock);
    f->flush_stamp = tlb_stamp_now();
    return last;
}

void domain_free_stolen(struct frame *f)
{
    m2p_set(frame_to_mfn(f), pfn(M2P_INVALID));
    page_free(f, 0);
}

static void release(struct frame *f)
{
    struct domain *d = f->owner;
    bool last = disown(d, f);

    domain_free_stolen(f);
    if (last)
        domain_put(d);
}

void domain_init_memory(void)
{
    frame_set_release(release);
}

int domain_assign_frames(struct domain *d, struct frame *f, unsigned int order, bool check_max)
{
    uint64_t n = BIT(order);
    int ret = 0;

    upcall_frames_reused(f, n);
    spin_lock(&d->page_lock);
    if (atomic_load(&d->dying) == DOMAIN_DYING)
        ret = -ESRCH;
    else if (check_max && (n > d->max_pages || d->tot_pages > d->max_pages - n))
        ret = -E2BIG;
    if (!ret) {
        if (owns_nothing(d))
            domain_hold(d);
        d->tot_pages += n;
        if (d->claimed)
            use_claim_locked(d, n);
        for (uint64_t i = 0; i < n; i++) {
            ASSERT(f[i].count == 0 && !f[i].owner);
            f[i].type = 0;
            f[i].owner = d;
            frame_list_add_tail(&d->pages, &f[i]);
            /* From here on others can take references. */
            atomic_store(&f[i].count, FC_ALLOCATED | 1);
        }
    }
    spin_unlock(&d->page_lock);
    return ret;
}

struct frame *domain_alloc_frames(struct domain *d, unsigned int order, unsigned int flags)
{
    struct frame *f;

    /* Before the work, though assignment asks again. */
    if (READ_ONCE(d->tot_pages) + BIT(order) > READ_ONCE(d->max_pages) || is_claimed_by_others(d, BIT(order)))
        return NULL;
    f = page_alloc(order, flags & (PA_ZERO_USED | PA_RAW) ? flags : flags | PA_ZERO);
    if (f && domain_assign_frames(d, f, order, true)) {
        page_free(f, order);
        return NULL;
    }
    return f;
}

int domain_release_frame(struct domain *d, struct frame *f)
{
    if (READ_ONCE(f->owner) != d || !(atomic_and(&f->count, ~FC_ALLOCATED) & FC_ALLOCATED))
        return -EINVAL;
    frame_put(f);
    return 0;
}

int domain_steal_frame(struct domain *d, struct frame *f)
{
    uint64_t only = FC_ALLOCATED | 2;
    bool last;

    /* A reference of our own first, so that it stays `d`'s; with count 0 nobody can take one any more. */
    if (!frame_get(f, d))
        return -EBUSY;
    if (!atomic_cas(&f->count, &only, 0)) {
        frame_put(f);
        return -EBUSY;
    }
    last = disown(d, f);
    f->type = 0;
    f->owner = NULL;
    if (last)
        domain_put(d);
    return 0;
}

/*
 * The type count that is held here keeps the kind of use: FRAME_SHARED may be
 * mapped writable, FRAME_NONE never, and neither can become a page table.
 */
void domain_share_hv_page(struct domain *d, void *page, bool writable)
{
    struct frame *f = mfn_to_frame(ptr_to_mfn(page));
    uint64_t kind = writable ? FRAME_SHARED : FRAME_NONE;

    spin_lock(&d->page_lock);
    if (owns_nothing(d))
        domain_hold(d);
    frame_list_add_tail(&d->hv_pages, f);
    f->type = kind << FT_TYPE_SHIFT | FT_VALIDATED | 1;
    atomic_store(&f->owner, d);
    spin_unlock(&d->page_lock);
}

void domain_unshare_hv_page(struct domain *d, void *page)
{
    int ret = domain_release_frame(d, mfn_to_frame(ptr_to_mfn(page)));

    ASSERT(!ret);
}

bool domain_hv_page_in_use(const void *page)
{
    return atomic_load(&mfn_to_frame(ptr_to_mfn(page))->count) != (FC_HV | FC_ALLOCATED | 1);
}

/*
 * Give up the first frame of a list. One that others still map goes to the
 * end. A count of 0 means that another CPU is just releasing it.
 */
static void relinquish_first(struct domain *d, struct frame_list *l)
{
    struct frame *f;
    bool held = false;

    spin_lock(&d->page_lock);
    f = frame_list_first(l);
    if (f) {
        held = frame_get(f, d);
        frame_list_del(l, f);
        frame_list_add_tail(l, f);
    }
    spin_unlock(&d->page_lock);
    if (held) {
        (void)domain_release_frame(d, f); /* refused if the guest had given it up already */
        frame_put(f);
    }
}

/*
 * `n` steps; as many as the list is long reach every frame: each removes the first, or moves it
 * behind the others.
 */
static void relinquish(struct domain *d, struct frame_list *l, uint64_t n)
{
    while (n-- > 0)
        relinquish_first(d, l);
}

int domain_relinquish_frames(struct domain *d)
{
    while (d->kill_frames_left > 0) {
        uint64_t n = MIN(d->kill_frames_left, (uint64_t)RELINQUISH_BATCH);

        relinquish(d, &d->pages, n);
        d->kill_frames_left -= n;
        if (preempt_pending())
            return -ERESTART;
    }
    return 0;
}

void domain_relinquish_hv_pages(struct domain *d)
{
    relinquish(d, &d->hv_pages, d->hv_pages.count);
}
