/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domctl: where and how much a domain's vCPUs run. */
#include "abi/errno.h"
#include "hypercall/control.h"
#include "hypercall/state.h"

int domctl_getvcpuinfo(struct domctl *c)
{
    struct xen_domctl_getvcpuinfo *info = &c->op.u.getvcpuinfo;
    struct vcpu *v;

    if (info->vcpu >= c->d->max_vcpus)
        return -EINVAL;
    v = atomic_load(&c->d->vcpu[info->vcpu]);
    if (v == NULL)
        return -ESRCH;
    info->online = !(atomic_load(&v->pause_flags) & VPF_DOWN);
    info->blocked = (atomic_load(&v->pause_flags) & (VPF_BLOCKED | VPF_POLLING)) != 0;
    info->running = vcpu_is_running(v);
    info->cpu_time = (uint64_t)sched_cpu_time(&v->unit);
    info->cpu = v->unit.cpu;
    return 0;
}

static int set_affinities(struct domctl *c, struct vcpu *v, uint32_t flags, uint64_t hard, uint64_t soft)
{
    uint64_t old = READ_ONCE(v->unit.affinity);
    int error = 0;

    if (flags & XEN_VCPUAFFINITY_HARD)
        error = sched_set_affinity(&v->unit, hard);
    if (error == 0 && (flags & XEN_VCPUAFFINITY_SOFT)) {
        error = sched_set_soft_affinity(&v->unit, soft != 0 ? soft : UINT64_MAX);
        if (error != 0 && (flags & XEN_VCPUAFFINITY_HARD))
            (void)sched_set_affinity(&v->unit, old);
    }
    if (error != 0)
        return control_refuse(&c->control, error, "vcpu %u on CPUs %llx, rather %llx; its pool is %u", v->id,
                              (unsigned long long)hard, (unsigned long long)soft, sched_group_pool(&c->d->sched));
    return 0;
}

/* The answer is what of the wishes has an effect. */
int domctl_setvcpuaffinity(struct domctl *c)
{
    struct xen_domctl_vcpuaffinity *a = &c->op.u.vcpuaffinity;
    uint64_t hard = 0, soft = 0, allowed;
    int error = 0;
    struct vcpu *v = domctl_vcpu(c, a->vcpu, &error);

    if (v == NULL)
        return error;
    if (a->flags == 0)
        return control_refuse(&c->control, -EINVAL, "neither hard nor soft");
    if (((a->flags & XEN_VCPUAFFINITY_HARD) && control_read_bits(&a->cpumap_hard, &hard) != 0) ||
        ((a->flags & XEN_VCPUAFFINITY_SOFT) && control_read_bits(&a->cpumap_soft, &soft) != 0))
        return -EFAULT;
    error = set_affinities(c, v, a->flags, hard, soft);
    if (error != 0)
        return error;
    allowed = sched_allowed_cpus(&v->unit);
    if (((a->flags & XEN_VCPUAFFINITY_HARD) && control_write_bits(&a->cpumap_hard, allowed) != 0) ||
        ((a->flags & XEN_VCPUAFFINITY_SOFT) && control_write_bits(&a->cpumap_soft, soft & allowed) != 0))
        return -EFAULT;
    return 0;
}

int domctl_getvcpuaffinity(struct domctl *c)
{
    const struct xen_domctl_vcpuaffinity *a = &c->op.u.vcpuaffinity;
    int error = 0;
    struct vcpu *v = domctl_vcpu(c, a->vcpu, &error);

    if (v == NULL)
        return error;
    if (a->flags == 0)
        return control_refuse(&c->control, -EINVAL, "neither hard nor soft");
    if (((a->flags & XEN_VCPUAFFINITY_HARD) && control_write_bits(&a->cpumap_hard, READ_ONCE(v->unit.affinity)) != 0) ||
        ((a->flags & XEN_VCPUAFFINITY_SOFT) && control_write_bits(&a->cpumap_soft, READ_ONCE(v->unit.soft)) != 0))
        return -EFAULT;
    return 0;
}

/* There is one node. */
int domctl_setnodeaffinity(struct domctl *c)
{
    uint64_t nodes;

    if (control_read_bits(&c->op.u.nodeaffinity.nodemap, &nodes) != 0)
        return -EFAULT;
    if (!(nodes & 1))
        return control_refuse(&c->control, -EINVAL, "nodes %llx of 1", (unsigned long long)nodes);
    atomic_store(&c->d->hypercall->node_affinity, nodes);
    return 0;
}

int domctl_getnodeaffinity(struct domctl *c)
{
    return control_write_bits(&c->op.u.nodeaffinity.nodemap, atomic_load(&c->d->hypercall->node_affinity));
}

/* Weight and cap of credit and credit2 lie alike in the argument; a weight of 0 leaves it as it is. */
int domctl_scheduler_op(struct domctl *c)
{
    struct xen_domctl_scheduler_op *op = &c->op.u.scheduler_op;
    struct sched_group *g = &c->d->sched;
    uint32_t pool = sched_group_pool(g);

    if (!sched_pool_answers(pool, op->sched_id))
        return control_refuse(&c->control, -EINVAL, "scheduler %u is not that of its pool %u", op->sched_id, pool);
    switch (op->cmd) {
    case XEN_DOMCTL_SCHEDOP_getinfo:
        op->u.credit2.weight = READ_ONCE(g->weight);
        op->u.credit2.cap = READ_ONCE(g->cap);
        return 0;
    case XEN_DOMCTL_SCHEDOP_putinfo:
        if (op->u.credit2.cap > 100 * c->d->max_vcpus)
            return control_refuse(&c->control, -EINVAL, "a cap of %u%% for %u vcpus", op->u.credit2.cap,
                                  c->d->max_vcpus);
        return sched_group_set(g, op->u.credit2.weight, op->u.credit2.cap);
    default:
        return control_refuse(&c->control, -EINVAL, "command %u: parameters are those of the whole domain", op->cmd);
    }
}
