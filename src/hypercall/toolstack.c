/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysctl: lists of domains, the log, scheduler and pools of processors, as the toolstack asks for them. */
#include "abi/errno.h"
#include "core/log.h"
#include "hypercall/control.h"
#include "hypercall/keys.h"
#include "lib/string.h"
#include "mem/heap.h"
#include "x86/uaccess.h"

#define PIECE 512 /* bytes of the log at once */

int sysctl_readconsole(struct sysctl *s)
{
    struct xen_sysctl_readconsole *r = &s->op.u.readconsole;
    uint64_t index = r->incremental ? r->index : 0;
    uint32_t done = 0;
    char piece[PIECE];

    while (done < r->count) {
        size_t n = log_read(&index, piece, MIN((size_t)(r->count - done), sizeof(piece)));

        if (n == 0)
            break;
        if (guest_copy_to((uint64_t)(r->buffer.p + done), piece, n) != 0)
            return -EFAULT;
        done += (uint32_t)n;
    }
    if (r->clear)
        log_clear();
    r->count = done;
    r->index = (uint32_t)index;
    return 0;
}

int sysctl_debug_keys(struct sysctl *s)
{
    const struct xen_sysctl_debug_keys *k = &s->op.u.debug_keys;

    for (uint32_t i = 0; i < MIN(k->nr_keys, 64u); i++) {
        char key;

        if (guest_copy_from(&key, (uint64_t)(k->keys.p + i), 1) != 0)
            return -EFAULT;
        key_pressed(key);
    }
    return 0;
}

/* From domain `first_domain` on. A domain that comes or goes meanwhile is in the list or not. */
int sysctl_getdomaininfolist(struct sysctl *s)
{
    struct xen_sysctl_getdomaininfolist *l = &s->op.u.getdomaininfolist;
    struct domain *d;
    uint32_t n = 0;

    for (d = domain_next(NULL); d != NULL && n < l->max_domains; d = domain_next(d)) {
        struct xen_domctl_getdomaininfo info;

        if (d->id < l->first_domain)
            continue;
        domctl_describe(d, &info);
        if (guest_copy_to((uint64_t)(l->buffer.p + n), &info, sizeof(info)) != 0) {
            domain_put(d);
            return -EFAULT;
        }
        n++;
    }
    if (d != NULL)
        domain_put(d);
    l->num_domains = n;
    return 0;
}

/* Weights and caps are per domain, and credit goes with weight: that is what a toolstack knows as credit2. */
int sysctl_sched_id(struct sysctl *s)
{
    s->op.u.sched_id.sched_id = XEN_SCHEDULER_CREDIT2;
    return 0;
}

int sysctl_scheduler_op(struct sysctl *s)
{
    static uint32_t ratelimit_us = 1000; /* atomic; kept and answered: a turn is never shorter */
    struct xen_sysctl_scheduler_op *op = &s->op.u.scheduler_op;

    if (op->cpupool_id != 0)
        return -ESRCH;
    if (op->sched_id != XEN_SCHEDULER_CREDIT2)
        return -EINVAL;
    switch (op->cmd) {
    case XEN_SYSCTL_SCHEDOP_putinfo:
        if (op->u.sched_credit2.ratelimit_us != 0 &&
            (op->u.sched_credit2.ratelimit_us < XEN_SYSCTL_SCHED_RATELIMIT_MIN ||
             op->u.sched_credit2.ratelimit_us > XEN_SYSCTL_SCHED_RATELIMIT_MAX))
            return control_refuse(&s->control, -EINVAL, "ratelimit %u us", op->u.sched_credit2.ratelimit_us);
        atomic_store(&ratelimit_us, op->u.sched_credit2.ratelimit_us);
        return 0;
    case XEN_SYSCTL_SCHEDOP_getinfo:
        op->u.sched_credit2.ratelimit_us = atomic_load(&ratelimit_us);
        return 0;
    default:
        return -EINVAL;
    }
}

static uint32_t count_domains(void)
{
    uint32_t n = 0;

    for (struct domain *d = domain_next(NULL); d != NULL; d = domain_next(d))
        n++;
    return n;
}

/* One pool, of all processors. */
int sysctl_cpupool_op(struct sysctl *s)
{
    struct xen_sysctl_cpupool_op *op = &s->op.u.cpupool_op;

    switch (op->op) {
    case XEN_SYSCTL_CPUPOOL_OP_INFO:
        if (op->cpupool_id != 0)
            return -ENOENT;
        op->sched_id = XEN_SCHEDULER_CREDIT2;
        op->n_dom = count_domains();
        return control_write_bits(&op->cpumap, cpus_online_mask);
    case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
        return control_write_bits(&op->cpumap, 0);
    default:
        return -EOPNOTSUPP;
    }
}
