/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapping others' frames and unmapping them again.
 *
 * A handle is claimed by MAPTRACK_BUSY for as long as somebody works on it: a
 * second attempt to use it meanwhile finds a bad handle, so each change has
 * one owner and no lock is held while page tables change.
 *
 * Unmapping is done in batches: first the entries of the page tables, then one
 * flush of the TLBs, and only then are the frames given back, because until
 * then some CPU may still reach them.
 */
#include "abi/errno.h"
#include "core/crosscall.h"
#include "core/softirq.h"
#include "grant/table.h"
#include "mem/heap.h"
#include "x86/nospec.h"
#include "x86/pte.h"
#include "x86/uaccess.h"

#define BATCH            32
#define RELINQUISH_BATCH 64
#define BOTH_USES        (PIN_HOST | PIN_DEVICE)

const struct grant_host_ops *grant_host;

void grant_set_host_ops(const struct grant_host_ops *ops)
{
    grant_host = ops;
}

static struct maptrack *track_of(struct grant_domain *t, uint32_t handle)
{
    return &t->maptrack[index_nospec(handle / MAPTRACK_PER_FRAME, t->nr_maptrack)][handle % MAPTRACK_PER_FRAME];
}

static void free_handle_locked(struct grant_domain *t, uint32_t handle)
{
    *track_of(t, handle) = (struct maptrack){.ref = t->free_handle};
    t->free_handle = handle;
}

static bool more_handles(struct grant_domain *t)
{
    struct maptrack *chunk;

    if (t->nr_maptrack == t->max_maptrack)
        return false;
    chunk = heap_alloc_array(MAPTRACK_PER_FRAME, sizeof(*chunk));
    if (chunk == NULL)
        return false;
    t->maptrack[t->nr_maptrack++] = chunk;
    for (uint32_t i = MAPTRACK_PER_FRAME; i-- > 0;)
        free_handle_locked(t, (t->nr_maptrack - 1) * MAPTRACK_PER_FRAME + i);
    return true;
}

/* A handle that is busy, or HANDLE_NONE. */
static uint32_t new_handle(struct grant_domain *t)
{
    uint32_t handle = HANDLE_NONE;

    spin_lock(&t->map_lock);
    if (t->free_handle != HANDLE_NONE || more_handles(t)) {
        struct maptrack *m = track_of(t, t->free_handle);

        handle = t->free_handle;
        t->free_handle = m->ref;
        m->flags = MAPTRACK_BUSY;
    }
    spin_unlock(&t->map_lock);
    return handle;
}

/* Take a handle that is in use and not busy. */
static bool claim_handle(struct grant_domain *t, uint32_t handle, struct maptrack *copy)
{
    struct maptrack *m;
    bool ok = false;

    spin_lock(&t->map_lock);
    if (handle < t->nr_maptrack * MAPTRACK_PER_FRAME) {
        m = track_of(t, handle);
        ok = m->flags != 0 && !(m->flags & MAPTRACK_BUSY);
        *copy = *m;
        if (ok)
            m->flags |= MAPTRACK_BUSY;
    }
    spin_unlock(&t->map_lock);
    return ok;
}

/* Give a busy handle its contents; without a use left it is free. */
static void settle_handle(struct grant_domain *t, uint32_t handle, const struct maptrack *m)
{
    spin_lock(&t->map_lock);
    if (m->flags & BOTH_USES)
        *track_of(t, handle) = *m;
    else
        free_handle_locked(t, handle);
    spin_unlock(&t->map_lock);
}

/* Give up `uses` of a mapping. Its entries in page tables and TLBs have gone. */
static void release_uses(struct maptrack *m, unsigned int uses)
{
    bool readonly = (m->flags & GNTMAP_readonly) != 0;

    for (unsigned int use = PIN_DEVICE; use <= PIN_HOST; use <<= 1) {
        if (uses & use)
            grant_release(m->granter, m->ref, use, readonly);
    }
    m->flags &= (uint16_t)~uses;
}

/* --- map --- */

static int hold_uses(struct maptrack *m, domid_t who, unsigned int uses, uint64_t *cache)
{
    for (unsigned int use = PIN_DEVICE; use <= PIN_HOST; use <<= 1) {
        struct acquired got;
        int status;

        if (!(uses & use))
            continue;
        status = grant_acquire(m->granter, m->ref, who, use, (m->flags & GNTMAP_readonly) != 0, ENTRY_MAP, &got);
        if (status != GNTST_okay) {
            release_uses(m, m->flags & BOTH_USES);
            return status;
        }
        m->flags |= (uint16_t)use;
        m->frame = got.frame;
        *cache = got.cache;
    }
    return GNTST_okay;
}

static int map_into(struct vcpu *v, struct maptrack *m, const struct gnttab_map_grant_ref *op)
{
    uint64_t avail = (uint64_t)(op->flags >> _GNTMAP_guest_avail0) << 9 & PTE_AVAIL, cache = 0;
    int status = hold_uses(m, v->domain->id, op->flags & BOTH_USES, &cache);

    if (status != GNTST_okay || !(op->flags & GNTMAP_host_map))
        return status;
    status = grant_host->map(v, op->host_addr, (op->flags & GNTMAP_contains_pte) != 0, m->frame,
                             (op->flags & GNTMAP_readonly) != 0, (uint32_t)(cache | avail));
    if (status != GNTST_okay)
        release_uses(m, m->flags & BOTH_USES);
    return status;
}

int grant_map(struct gnttab_map_grant_ref *op)
{
    struct vcpu *v = current_vcpu();
    struct grant_domain *t = v->domain->grant;
    struct maptrack m = {.ref = op->ref, .flags = op->flags & (GNTMAP_readonly | GNTMAP_contains_pte)};
    uint32_t handle;

    if (!(op->flags & BOTH_USES)) {
        op->status = GNTST_bad_gntref;
        return 0;
    }
    m.granter = domain_get(op->dom);
    if (m.granter == NULL) {
        op->status = GNTST_bad_domain;
        return 0;
    }
    handle = new_handle(t);
    if (handle == HANDLE_NONE) {
        op->status = GNTST_no_space;
    } else {
        op->status = (int16_t)map_into(v, &m, op);
        settle_handle(t, handle, &m);
    }
    if (op->status != GNTST_okay) {
        domain_put(m.granter);
        return 0;
    }
    op->handle = handle;
    op->dev_bus_addr = mfn_to_paddr(m.frame).v;
    return 0;
}

/* --- unmap --- */

struct unmapping {
    struct maptrack m;
    uint32_t handle;
    unsigned int uses; /* given up */
};

/* The first half: what is in page tables. GNTST_*; okay or not, finish_unmap() follows if the handle was claimed. */
static int begin_unmap(struct unmapping *u, uint64_t host_addr, uint64_t dev_bus_addr, uint64_t new_addr)
{
    struct vcpu *v = current_vcpu();
    uint16_t flags = u->m.flags;

    if ((flags & PIN_DEVICE) && dev_bus_addr != 0) {
        if (dev_bus_addr != mfn_to_paddr(u->m.frame).v)
            return GNTST_bad_dev_addr;
        u->uses |= PIN_DEVICE;
    }
    if ((flags & PIN_HOST) && host_addr != 0) {
        int status = grant_host->unmap(v, host_addr, new_addr, (flags & GNTMAP_contains_pte) != 0, u->m.frame,
                                       (flags & GNTMAP_readonly) != 0);

        if (status != GNTST_okay)
            return status;
        u->uses |= PIN_HOST;
    }
    return GNTST_okay;
}

static void finish_unmap(struct grant_domain *t, struct unmapping *u)
{
    struct domain *granter = u->m.granter;

    release_uses(&u->m, u->uses);
    settle_handle(t, u->handle, &u->m);
    if (!(u->m.flags & BOTH_USES))
        domain_put(granter);
}

/* Copy in one element, take its mapping away, copy out the status. True: its handle is claimed, finish_unmap() it. */
static bool unmap_one(struct grant_domain *t, uint64_t gva, bool replace, struct unmapping *u, int *error)
{
    union {
        struct gnttab_unmap_grant_ref plain;
        struct gnttab_unmap_and_replace with;
    } op;
    size_t size = replace ? sizeof(op.with) : sizeof(op.plain);
    int16_t status = GNTST_bad_handle;
    uint64_t status_gva;
    bool claimed;

    _Static_assert(offsetof(struct gnttab_unmap_grant_ref, host_addr) == 0 &&
                       offsetof(struct gnttab_unmap_and_replace, host_addr) == 0 &&
                       sizeof(op.plain) == sizeof(op.with) &&
                       offsetof(struct gnttab_unmap_grant_ref, handle) ==
                           offsetof(struct gnttab_unmap_and_replace, handle) &&
                       offsetof(struct gnttab_unmap_grant_ref, status) ==
                           offsetof(struct gnttab_unmap_and_replace, status),
                   "the two forms differ only in the meaning of the second word");
    *error = guest_copy_from(&op, gva, size);
    if (*error != 0)
        return false;
    *u = (struct unmapping){.handle = op.plain.handle};
    claimed = claim_handle(t, u->handle, &u->m);
    if (claimed)
        status = (int16_t)begin_unmap(u, op.plain.host_addr, replace ? 0 : op.plain.dev_bus_addr,
                                      replace ? op.with.new_addr : 0);
    status_gva = gva + offsetof(struct gnttab_unmap_grant_ref, status);
    *error = guest_copy_to(status_gva, &status, sizeof(status));
    return claimed;
}

int grant_unmap_batch(uint64_t arg, unsigned int count, bool replace, unsigned int *done)
{
    struct domain *d = current_domain();
    struct unmapping u[BATCH];
    unsigned int n = 0;
    int error = 0;

    for (*done = 0; *done < MIN(count, (unsigned int)BATCH) && error == 0; ++*done) {
        if (unmap_one(d->grant, arg + *done * sizeof(struct gnttab_unmap_grant_ref), replace, &u[n], &error))
            n++;
    }
    if (n > 0)
        tlb_flush(atomic_load(&d->dirty_cpus));
    for (unsigned int i = 0; i < n; i++)
        finish_unmap(d->grant, &u[i]);
    return error;
}

/* --- the end of the mapping domain --- */

/* Its page tables drop their own references; no vCPU of it runs, so no handle is busy. */
int grant_unmap_all(struct domain *d)
{
    struct grant_domain *t = d->grant;

    for (; t->relinquished < t->nr_maptrack * MAPTRACK_PER_FRAME; t->relinquished++) {
        struct unmapping u = {.handle = t->relinquished};

        if (claim_handle(t, u.handle, &u.m)) {
            u.uses = u.m.flags & BOTH_USES;
            finish_unmap(t, &u);
        }
        if (t->relinquished % RELINQUISH_BATCH == RELINQUISH_BATCH - 1 && preempt_pending()) {
            t->relinquished++;
            return -ERESTART;
        }
    }
    return 0;
}

void grant_map_destroy(struct grant_domain *t)
{
    for (uint32_t i = 0; t->maptrack != NULL && i < t->nr_maptrack; i++)
        heap_free(t->maptrack[i]);
    heap_free(t->maptrack);
}
