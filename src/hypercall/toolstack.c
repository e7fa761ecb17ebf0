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

    if (!guest_range_ok((uint64_t)r->buffer.p, r->count))
        return -EFAULT;
    while (done < r->count) {
        size_t n = log_read(&index, piece, MIN((size_t)(r->count - done), sizeof(piece)));

        if (n == 0)
            break;
        if (guest_copy_to((uint64_t)r->buffer.p + done, piece, n) != 0)
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

        if (guest_copy_from(&key, (uint64_t)k->keys.p + i, 1) != 0)
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
        if (guest_copy_to((uint64_t)l->buffer.p + n * sizeof(*l->buffer.p), &info, sizeof(info)) != 0) {
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

int sysctl_sched_id(struct sysctl *s)
{
    struct sched_pool_info pool;

    if (sched_pool_get_info(0, false, &pool) != 0)
        return -ENOENT;
    s->op.u.sched_id.sched_id = pool.scheduler;
    return 0;
}

static int put_pool_parameters(struct sysctl *s, struct sched_pool_params *p)
{
    struct xen_sysctl_scheduler_op *op = &s->op.u.scheduler_op;
    int error;

    if (op->sched_id == XEN_SCHEDULER_CREDIT2) {
        p->ratelimit_us = op->u.sched_credit2.ratelimit_us;
    } else {
        p->tslice_us = op->u.sched_credit.tslice_ms * 1000;
        p->ratelimit_us = op->u.sched_credit.ratelimit_us;
        p->migrate_us = op->u.sched_credit.vcpu_migr_delay_us;
        if (op->u.sched_credit.tslice_ms > XEN_SYSCTL_CSCHED_TSLICE_MAX)
            return control_refuse(&s->control, -EINVAL, "time slice of %u ms", op->u.sched_credit.tslice_ms);
    }
    error = sched_pool_set_params(op->cpupool_id, p);
    if (error != 0)
        return control_refuse(&s->control, error, "pool %u: slice %u us, ratelimit %u us, migration after %u us",
                              op->cpupool_id, p->tslice_us, p->ratelimit_us, p->migrate_us);
    return 0;
}

int sysctl_scheduler_op(struct sysctl *s)
{
    struct xen_sysctl_scheduler_op *op = &s->op.u.scheduler_op;
    struct sched_pool_params p;

    if (op->cmd != XEN_SYSCTL_SCHEDOP_putinfo && op->cmd != XEN_SYSCTL_SCHEDOP_getinfo)
        return control_refuse(&s->control, -EINVAL, "command %u", op->cmd);
    if (sched_pool_get_params(op->cpupool_id, &p) != 0)
        return control_refuse(&s->control, -ESRCH, "pool %u", op->cpupool_id);
    if (!sched_pool_answers(op->cpupool_id, op->sched_id))
        return control_refuse(&s->control, -EINVAL, "scheduler %u is not that of pool %u", op->sched_id,
                              op->cpupool_id);
    if (op->cmd == XEN_SYSCTL_SCHEDOP_putinfo)
        return put_pool_parameters(s, &p);
    if (op->sched_id == XEN_SCHEDULER_CREDIT2)
        op->u.sched_credit2.ratelimit_us = p.ratelimit_us;
    else
        op->u.sched_credit = (struct xen_sysctl_credit_schedule){
            .tslice_ms = p.tslice_us / 1000,
            .ratelimit_us = p.ratelimit_us,
            .vcpu_migr_delay_us = p.migrate_us,
        };
    return 0;
}

/* The pool itself, or the next one after it, and -ENOENT after the last. */
static int pool_info(struct xen_sysctl_cpupool_op *op)
{
    struct sched_pool_info pool;
    int error = sched_pool_get_info(op->cpupool_id, true, &pool);

    if (error != 0)
        return error;
    op->cpupool_id = pool.id;
    op->sched_id = pool.scheduler;
    op->n_dom = pool.groups;
    return control_write_bits(&op->cpumap, pool.cpus);
}

static int move_domain(const struct xen_sysctl_cpupool_op *op)
{
    struct domain *d = op->domid < DOMID_FIRST_RESERVED ? domain_get((domid_t)op->domid) : NULL;
    int error = -EPERM;

    if (d == NULL)
        return -ESRCH;
    if (d != current_domain())
        error = sched_pool_move_group(op->cpupool_id, &d->sched);
    domain_put(d);
    return error;
}

static int pool_op(struct xen_sysctl_cpupool_op *op)
{
    int error;

    switch (op->op) {
    case XEN_SYSCTL_CPUPOOL_OP_CREATE:
        error = sched_pool_create(op->sched_id, &op->cpupool_id);
        return error == -EINVAL ? -ENOENT : error; /* no such scheduler */
    case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
        return sched_pool_destroy(op->cpupool_id);
    case XEN_SYSCTL_CPUPOOL_OP_INFO:
        return pool_info(op);
    case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
        return sched_pool_add_cpu(op->cpupool_id, op->cpu);
    case XEN_SYSCTL_CPUPOOL_OP_RMCPU:
        error = sched_pool_remove_cpu(op->cpupool_id, op->cpu);
        return error == -ENODEV ? -EADDRNOTAVAIL : error;
    case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
        return move_domain(op);
    case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
        return control_write_bits(&op->cpumap, sched_free_cpus());
    default:
        return -ENOSYS;
    }
}

int sysctl_cpupool_op(struct sysctl *s)
{
    struct xen_sysctl_cpupool_op *op = &s->op.u.cpupool_op;
    int error = pool_op(op);

    if (error == 0 || error == -ERESTART || error == -ENOENT)
        return error; /* lists end with -ENOENT */
    switch (op->op) {
    case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
    case XEN_SYSCTL_CPUPOOL_OP_RMCPU:
        return control_refuse(&s->control, error, "CPU %u %s pool %u", op->cpu,
                              op->op == XEN_SYSCTL_CPUPOOL_OP_ADDCPU ? "into" : "out of", op->cpupool_id);
    case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
        return control_refuse(&s->control, error, "domain %u into pool %u", op->domid, op->cpupool_id);
    default:
        return control_refuse(&s->control, error, "operation %u on pool %u", op->op, op->cpupool_id);
    }
}
