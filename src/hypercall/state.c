/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain's watchdogs, and the state of hypercalls as a module of the domain.
 *
 * A guest sets a watchdog and must set it again before it runs out; if it does
 * not, it hangs, and is shut down with SHUTDOWN_watchdog.
 */
#include "hypercall/state.h"

#include "abi/control.h"
#include "abi/errno.h"
#include "lib/string.h"
#include "mem/heap.h"
#include "x86/uaccess.h"

static void bark(void *data)
{
    domain_shutdown(data, SHUTDOWN_watchdog);
}

static void arm(struct hypercall_domain *h, uint32_t i, uint32_t seconds)
{
    h->watched[i] = true;
    timer_set(&h->watchdog[i], stime_now() + seconds * MILLISECS(1000));
}

/* Id 0 asks for a free one; a timeout of 0 seconds stops one that is running. */
static int64_t set_locked(struct hypercall_domain *h, uint32_t id, uint32_t seconds)
{
    if (id == 0) {
        for (uint32_t i = 0; i < WATCHDOGS; i++) {
            if (!h->watched[i]) {
                arm(h, i, seconds);
                return i + 1;
            }
        }
        return (uint32_t)-ENOSPC; /* 32 bits wide, as Xen 4.17 returns it */
    }
    if (id > WATCHDOGS || !h->watched[id - 1])
        return -EINVAL;
    if (seconds != 0) {
        arm(h, id - 1, seconds);
    } else {
        h->watched[id - 1] = false;
        timer_stop(&h->watchdog[id - 1]);
    }
    return 0;
}

int64_t watchdog_set(struct domain *d, uint64_t arg)
{
    struct hypercall_domain *h = d->hypercall;
    struct sched_watchdog w;
    int64_t result;

    if (guest_copy_from(&w, arg, sizeof(w)) != 0)
        return -EFAULT;
    spin_lock(&h->hypercall_lock);
    result = set_locked(h, w.id, w.timeout);
    spin_unlock(&h->hypercall_lock);
    return result;
}

static int create(struct domain *d, const struct domain_config *c)
{
    struct hypercall_domain *h = heap_alloc(sizeof(*h));

    d->hypercall = h;
    if (h == NULL)
        return -ENOMEM;
    spin_init(&h->hypercall_lock, LOCK_HYPERCALL);
    h->node_affinity = 1;
    if (c->request != NULL) {
        h->pauses = 1;
        h->xenstore = (c->request->flags & XEN_DOMCTL_CDF_xs_domain) != 0;
        h->misc_flags = c->request->arch.misc_flags;
        memcpy(d->handle, c->request->handle, sizeof(d->handle));
    }
    for (uint32_t i = 0; i < WATCHDOGS; i++)
        timer_init(&h->watchdog[i], bark, d, cpu_id());
    return 0;
}

static int relinquish(struct domain *d)
{
    for (uint32_t i = 0; i < WATCHDOGS; i++)
        timer_kill(&d->hypercall->watchdog[i]);
    return 0;
}

static void destroy(struct domain *d)
{
    heap_free(d->hypercall);
    d->hypercall = NULL;
}

const struct domain_module hypercall_module = {
    .name = "hypercall",
    .create = create,
    .relinquish = relinquish,
    .destroy = destroy,
};
