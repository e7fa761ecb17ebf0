/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Size, version and order of a table: what a guest says about its own, and the privileged about others'. */
#include "abi/errno.h"
#include "grant/table.h"
#include "lib/string.h"
#include "x86/uaccess.h"

/* With a reference; or NULL and why in *status (GNTST_*). */
static struct domain *get_domain(domid_t id, int16_t *status)
{
    int error = 0;
    struct domain *d = domain_get_for_caller(id, &error);

    *status = d != NULL ? GNTST_okay : error == -EPERM ? GNTST_permission_denied : GNTST_bad_domain;
    return d;
}

/* The frames do not move, so their numbers can be read and written with no lock. */
static int16_t write_frames(uint64_t list, void *const *page, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (guest_write_u64(list + i * sizeof(uint64_t), ptr_to_mfn(page[i]).v) != 0)
            return GNTST_bad_virt_addr;
    }
    return GNTST_okay;
}

int grant_setup_table(struct gnttab_setup_table *op)
{
    struct domain *d = get_domain(op->dom, &op->status);
    struct grant_domain *t;
    bool grown;

    if (d == NULL)
        return 0;
    t = d->grant;
    spin_lock(&t->lock);
    grown = grant_grow(d, op->nr_frames);
    spin_unlock(&t->lock);
    op->status = GNTST_general_error;
    if (grown)
        op->status = write_frames((uint64_t)op->frame_list.p, t->shared, op->nr_frames);
    domain_put(d);
    return 0;
}

int grant_get_status_frames(struct gnttab_get_status_frames *op)
{
    struct domain *d = get_domain(op->dom, &op->status);
    struct grant_domain *t;
    uint32_t available;

    if (d == NULL)
        return 0;
    t = d->grant;
    spin_lock(&t->lock);
    available = t->version == 2 && !t->dead ? t->nr_status : 0;
    spin_unlock(&t->lock);
    op->status = GNTST_general_error;
    if (op->nr_frames <= available)
        op->status = write_frames((uint64_t)op->frame_list.p, (void *const *)t->status, op->nr_frames);
    domain_put(d);
    return 0;
}

int grant_query_size(struct gnttab_query_size *op)
{
    struct domain *d = get_domain(op->dom, &op->status);

    if (d == NULL)
        return 0;
    op->nr_frames = READ_ONCE(d->grant->nr_frames);
    op->max_nr_frames = d->grant->max_frames;
    domain_put(d);
    return 0;
}

int grant_get_version(struct gnttab_get_version *op)
{
    int error = 0;
    struct domain *d = domain_get_for_caller(op->dom, &error);

    if (d == NULL)
        return error;
    op->version = READ_ONCE(d->grant->version);
    domain_put(d);
    return 0;
}

/* Only reserved entries (the console's and the store's) outlive a change of version. */
static bool in_use(struct grant_domain *t)
{
    for (uint32_t ref = GNTTAB_NR_RESERVED_ENTRIES; ref < grant_nr_refs(t); ref++) {
        if (pin_is_held(grant_active(t, ref)->pin))
            return true;
    }
    return false;
}

/* One entry, read once, in the form of version 1; its frame, which that may not be able to say, also in *frame. */
static grant_entry_v1_t read_entry(struct grant_domain *t, uint32_t ref, uint64_t *frame)
{
    grant_entry_v1_t e;

    if (t->version == 1) {
        e = *(volatile grant_entry_v1_t *)grant_v1(t, ref);
        *frame = e.frame;
    } else {
        *frame = READ_ONCE(grant_v2(t, ref)->full_page.frame);
        e.flags = READ_ONCE(grant_v2(t, ref)->hdr.flags) | pin_status(grant_active(t, ref)->pin);
        e.domid = READ_ONCE(grant_v2(t, ref)->hdr.domid);
        e.frame = (uint32_t)*frame;
    }
    return e;
}

/* -ERANGE: version 1 has no words for one of them. Who waits for a transfer waits no more. */
static int read_reserved(struct grant_domain *t, grant_entry_v1_t saved[GNTTAB_NR_RESERVED_ENTRIES])
{
    for (uint32_t ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++) {
        uint64_t frame;
        grant_entry_v1_t e = read_entry(t, ref, &frame);

        switch (e.flags & GTF_type_mask) {
        case GTF_permit_access:
            if (frame > UINT32_MAX)
                return -ERANGE;
            saved[ref] = e;
            break;
        case GTF_transitive:
            return -ERANGE;
        default:
            saved[ref] = (grant_entry_v1_t){0};
        }
    }
    return 0;
}

static void write_reserved(struct grant_domain *t, const grant_entry_v1_t saved[GNTTAB_NR_RESERVED_ENTRIES])
{
    const uint16_t bits = GTF_reading | GTF_writing;

    for (uint32_t ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++) {
        if (t->version == 1) {
            *grant_v1(t, ref) = saved[ref];
            continue;
        }
        grant_v2(t, ref)->full_page.frame = saved[ref].frame;
        grant_v2(t, ref)->hdr.domid = saved[ref].domid;
        WRITE_ONCE(grant_v2(t, ref)->hdr.flags, saved[ref].flags & (uint16_t)~bits);
        atomic_store(grant_status(t, ref), pin_status(grant_active(t, ref)->pin));
    }
}

/* Version 1 has no status frames: they go back. One that the guest maps keeps version 2. */
static int drop_status_frames(struct domain *d, struct grant_domain *t)
{
    for (uint32_t i = 0; i < t->nr_status; i++) {
        if (domain_hv_page_in_use(t->status[i]))
            return -EBUSY;
    }
    while (t->nr_status > 0)
        domain_unshare_hv_page(d, t->status[--t->nr_status]);
    return 0;
}

static int change_version(struct domain *d, uint32_t version)
{
    struct grant_domain *t = d->grant;
    grant_entry_v1_t saved[GNTTAB_NR_RESERVED_ENTRIES];
    uint32_t old = t->version;
    int error;

    if (in_use(t))
        return -EBUSY;
    error = read_reserved(t, saved);
    if (error == 0 && version == 1)
        error = drop_status_frames(d, t);
    if (error != 0)
        return error;
    t->version = version;
    if (!grant_grow(d, t->nr_frames)) {
        t->version = old;
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < t->nr_frames; i++)
        memset(t->shared[i], 0, PAGE_SIZE);
    for (uint32_t i = 0; i < t->nr_status; i++)
        memset(t->status[i], 0, PAGE_SIZE);
    write_reserved(t, saved);
    return 0;
}

/* The version that holds afterwards is the answer, also to a request that fails. */
int grant_set_version(struct gnttab_set_version *op)
{
    struct domain *d = current_domain();
    struct grant_domain *t = d->grant;
    int error = 0;

    spin_lock(&t->lock);
    if (op->version != 1 && op->version != 2)
        error = -EINVAL;
    else if (op->version > t->max_version)
        error = -ENOSYS;
    else if (op->version != t->version)
        error = change_version(d, op->version);
    op->version = t->version;
    spin_unlock(&t->lock);
    return error;
}

static void swap_contents(struct grant_domain *t, uint32_t a, uint32_t b)
{
    if (t->version == 1) {
        grant_entry_v1_t e = *grant_v1(t, a);

        *grant_v1(t, a) = *grant_v1(t, b);
        *grant_v1(t, b) = e;
    } else {
        grant_entry_v2_t e = *grant_v2(t, a);

        *grant_v2(t, a) = *grant_v2(t, b);
        *grant_v2(t, b) = e;
    }
}

int grant_swap(struct gnttab_swap_grant_ref *op)
{
    struct grant_domain *t = current_domain()->grant;

    spin_lock(&t->lock);
    if (op->ref_a >= grant_nr_refs(t) || op->ref_b >= grant_nr_refs(t)) {
        op->status = GNTST_bad_gntref;
    } else if (pin_is_held(grant_active(t, op->ref_a)->pin) || pin_is_held(grant_active(t, op->ref_b)->pin)) {
        op->status = op->ref_a == op->ref_b ? GNTST_okay : GNTST_eagain;
    } else {
        swap_contents(t, op->ref_a, op->ref_b);
        op->status = GNTST_okay;
    }
    spin_unlock(&t->lock);
    return 0;
}

/* PC caches are coherent with devices: there is nothing to flush, and nothing that could be invalidated alone. */
int grant_cache_flush(struct gnttab_cache_flush *op)
{
    const uint32_t clean_and_inval = GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL;
    mfn_t m = paddr_to_mfn(paddr(op->a.dev_bus_addr));

    if (op->offset + op->length > PAGE_SIZE || (op->op & ~(clean_and_inval | GNTTAB_CACHE_SOURCE_GREF)))
        return -EINVAL;
    if (op->length == 0 || (op->op & clean_and_inval) == 0)
        return 0;
    if (op->op & GNTTAB_CACHE_SOURCE_GREF)
        return -EINVAL;
    if (!(op->op & GNTTAB_CACHE_CLEAN))
        return -EOPNOTSUPP;
    if (!mfn_valid(m))
        return -EINVAL;
    return READ_ONCE(mfn_to_frame(m)->owner) == current_domain() ? 0 : -EPERM;
}
