/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table itself: made with its domain, growing on demand, given up at its death. */
#include "grant/table.h"

#include "abi/errno.h"
#include "mem/heap.h"
#include "mem/page_alloc.h"
#include "x86/nospec.h"

#define FRAMES_DEFAULT   64
#define MAPTRACK_DEFAULT 1024
#define FRAMES_AT_START  1

uint32_t grant_nr_refs(const struct grant_domain *t)
{
    return t->nr_frames * (uint32_t)(t->version == 1 ? V1_PER_FRAME : V2_PER_FRAME);
}

struct active *grant_active(struct grant_domain *t, uint32_t ref)
{
    return &t->active[index_nospec(ref / V1_PER_FRAME, t->nr_frames)][ref % V1_PER_FRAME];
}

grant_entry_v1_t *grant_v1(struct grant_domain *t, uint32_t ref)
{
    return (grant_entry_v1_t *)t->shared[index_nospec(ref / V1_PER_FRAME, t->nr_frames)] + ref % V1_PER_FRAME;
}

grant_entry_v2_t *grant_v2(struct grant_domain *t, uint32_t ref)
{
    return (grant_entry_v2_t *)t->shared[index_nospec(ref / V2_PER_FRAME, t->nr_frames)] + ref % V2_PER_FRAME;
}

grant_status_t *grant_status(struct grant_domain *t, uint32_t ref)
{
    return &t->status[index_nospec(ref / STATUS_PER_FRAME, t->nr_status)][ref % STATUS_PER_FRAME];
}

/* A status frame holds the words of this many shared frames. */
static uint32_t status_frames_for(uint32_t frames)
{
    return (uint32_t)((frames * V2_PER_FRAME + STATUS_PER_FRAME - 1) / STATUS_PER_FRAME);
}

static bool add_frame(struct domain *d, struct grant_domain *t)
{
    struct active *active = heap_alloc_array(V1_PER_FRAME, sizeof(*active));
    void *page = hv_page_alloc();

    if (active == NULL || page == NULL) {
        heap_free(active);
        if (page != NULL)
            hv_page_free(page);
        return false;
    }
    t->active[t->nr_frames] = active;
    t->shared[t->nr_frames] = page;
    t->nr_frames++;
    domain_share_hv_page(d, page, true);
    return true;
}

static bool add_status(struct domain *d, struct grant_domain *t)
{
    void *page = hv_page_alloc();

    if (page == NULL)
        return false;
    t->status[t->nr_status++] = page;
    domain_share_hv_page(d, page, true);
    return true;
}

bool grant_grow(struct domain *d, uint32_t frames)
{
    struct grant_domain *t = d->grant;

    if (t->dead || frames > t->max_frames)
        return false;
    while (t->nr_frames < frames) {
        if (!add_frame(d, t))
            return false;
    }
    while (t->version == 2 && t->nr_status < status_frames_for(t->nr_frames)) {
        if (!add_status(d, t))
            return false;
    }
    return true;
}

static int create(struct domain *d, const struct domain_config *c)
{
    struct grant_domain *t = heap_alloc(sizeof(*t));
    bool grown;

    d->grant = t;
    if (t == NULL)
        return -ENOMEM;
    spin_init(&t->lock, LOCK_GRANT);
    spin_init(&t->map_lock, LOCK_GRANT);
    t->version = 1;
    t->max_version = c->max_grant_version != 0 ? c->max_grant_version : 2;
    t->max_frames = c->max_grant_frames != 0 ? c->max_grant_frames : FRAMES_DEFAULT;
    t->max_maptrack = c->max_maptrack_frames != 0 ? c->max_maptrack_frames : MAPTRACK_DEFAULT;
    t->free_handle = HANDLE_NONE;
    t->shared = heap_alloc_array(t->max_frames, sizeof(void *));
    t->status = heap_alloc_array(status_frames_for(t->max_frames), sizeof(void *));
    t->active = heap_alloc_array(t->max_frames, sizeof(void *));
    t->maptrack = heap_alloc_array(t->max_maptrack, sizeof(void *));
    if (t->shared == NULL || t->status == NULL || t->active == NULL || t->maptrack == NULL)
        return -ENOMEM;
    spin_lock(&t->lock);
    grown = grant_grow(d, MIN(t->max_frames, FRAMES_AT_START));
    spin_unlock(&t->lock);
    return grown ? 0 : -ENOMEM;
}

/*
 * The shared frames go back with the domain's other frames, though others may
 * still hold grants: those keep the granted frames and, by a reference to the
 * domain, the active entries; only the guest's view is not kept up any more.
 */
static int relinquish(struct domain *d)
{
    struct grant_domain *t = d->grant;

    spin_lock(&t->lock);
    t->dead = true;
    spin_unlock(&t->lock);
    return grant_unmap_all(d);
}

/* The last reference to the domain has gone, so nobody holds any of its grants. */
static void destroy(struct domain *d)
{
    struct grant_domain *t = d->grant;

    if (t == NULL)
        return;
    for (uint32_t i = 0; t->active != NULL && i < t->nr_frames; i++)
        heap_free(t->active[i]);
    grant_map_destroy(t);
    heap_free(t->active);
    heap_free(t->status);
    heap_free(t->shared);
    heap_free(t);
    d->grant = NULL;
}

const struct domain_module grant_module = {
    .name = "grant",
    .create = create,
    .relinquish = relinquish,
    .destroy = destroy,
};

int grant_frame_for_map(struct domain *d, uint64_t idx, bool status, mfn_t *m)
{
    struct grant_domain *t = d->grant;
    int result = -EINVAL;

    spin_lock(&t->lock);
    if (status && t->version == 2 && idx < t->nr_status) {
        *m = ptr_to_mfn(t->status[idx]);
        result = 0;
    } else if (!status && idx < t->max_frames && grant_grow(d, (uint32_t)idx + 1)) {
        *m = ptr_to_mfn(t->shared[idx]);
        result = 0;
    }
    spin_unlock(&t->lock);
    return result;
}

uint32_t grant_frames_limit(const struct domain *d, bool status)
{
    return status ? status_frames_for(d->grant->max_frames) : d->grant->max_frames;
}
