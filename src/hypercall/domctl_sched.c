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

/* Soft affinity is a wish, and every CPU is as near to memory as another: it is kept for the toolstack alone. */
int domctl_setvcpuaffinity(struct domctl *c)
{
    struct xen_domctl_vcpuaffinity *a = &c->op.u.vcpuaffinity;
    uint64_t hard, soft;
    int error = 0;
    struct vcpu *v = domctl_vcpu(c, a->vcpu, &error);

    if (v == NULL)
        return error;
    hard = v->unit.affinity;
    soft = v->soft_affinity;
    if ((a->flags & ~(uint32_t)(XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT | XEN_VCPUAFFINITY_FORCE)) ||
        !(a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)))
        return control_refuse(&c->control, -EINVAL, "flags %x", a->flags);
    if ((a->flags & XEN_VCPUAFFINITY_HARD) && control_read_bits(&a->cpumap_hard, &hard) != 0)
        return -EFAULT;
    if ((a->flags & XEN_VCPUAFFINITY_SOFT) && control_read_bits(&a->cpumap_soft, &soft) != 0)
        return -EFAULT;
    if (!(hard & cpus_online_mask))
        return control_refuse(&c->control, -EINVAL, "vcpu %u on CPUs %llx of %llx", v->id, (unsigned long long)hard,
                              (unsigned long long)cpus_online_mask);
    if (a->flags & XEN_VCPUAFFINITY_HARD) {
        error = sched_set_affinity(&v->unit, hard);
        if (error != 0)
            return error;
        if (control_write_bits(&a->cpumap_hard, hard & cpus_online_mask) != 0)
            return -EFAULT;
    }
    if (a->flags & XEN_VCPUAFFINITY_SOFT) {
        atomic_store(&v->soft_affinity, soft);
        if (control_write_bits(&a->cpumap_soft, soft & hard & cpus_online_mask) != 0)
            return -EFAULT;
    }
    return 0;
}

int domctl_getvcpuaffinity(struct domctl *c)
{
    const struct xen_domctl_vcpuaffinity *a = &c->op.u.vcpuaffinity;
    int error = 0;
    struct vcpu *v = domctl_vcpu(c, a->vcpu, &error);

    if (v == NULL)
        return error;
    if (!(a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)))
        return -EINVAL;
    if ((a->flags & XEN_VCPUAFFINITY_HARD) && control_write_bits(&a->cpumap_hard, READ_ONCE(v->unit.affinity)) != 0)
        return -EFAULT;
    if ((a->flags & XEN_VCPUAFFINITY_SOFT) && control_write_bits(&a->cpumap_soft, atomic_load(&v->soft_affinity)) != 0)
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

static int put_parameters(struct domctl *c, uint32_t weight, uint32_t cap)
{
    if (weight == 0 || cap > 100 * c->d->max_vcpus)
        return control_refuse(&c->control, -EINVAL, "weight %u, cap %u%%", weight, cap);
    for (uint32_t i = 0; i < c->d->max_vcpus; i++) {
        struct vcpu *v = atomic_load(&c->d->vcpu[i]);

        if (v != NULL && sched_set_params(&v->unit, weight, cap) != 0)
            return -EINVAL;
    }
    return 0;
}

int domctl_scheduler_op(struct domctl *c)
{
    struct xen_domctl_scheduler_op *op = &c->op.u.scheduler_op;
    struct vcpu *first = atomic_load(&c->d->vcpu[0]);

    if (op->sched_id != XEN_SCHEDULER_CREDIT2)
        return control_refuse(&c->control, -EINVAL, "scheduler %u; it is scheduled by %u", op->sched_id,
                              XEN_SCHEDULER_CREDIT2);
    switch (op->cmd) {
    case XEN_DOMCTL_SCHEDOP_getinfo:
        op->u.credit2.weight = first != NULL ? READ_ONCE(first->unit.weight) : 256;
        op->u.credit2.cap = first != NULL ? READ_ONCE(first->unit.cap) : 0;
        return 0;
    case XEN_DOMCTL_SCHEDOP_putinfo:
        return put_parameters(c, op->u.credit2.weight, op->u.credit2.cap);
    default:
        return -EINVAL;
    }
}
