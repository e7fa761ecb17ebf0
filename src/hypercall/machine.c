/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysctl: questions about the machine: processors, memory, nodes. There is one node, of all memory and processors. */
#include "hypercall/control.h"

#include "abi/errno.h"
#include "domain/pcpu.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mem/page_alloc.h"
#include "platform/platform.h"
#include "pv/policy.h"
#include "x86/topology.h"
#include "x86/uaccess.h"

int sysctl_physinfo(struct sysctl *s)
{
    struct xen_sysctl_physinfo *p = &s->op.u.physinfo;

    memset(p, 0, sizeof(*p));
    p->threads_per_core = bit_count(cpu_neighbours(0, CPU_SAME_CORE));
    p->cores_per_socket = bit_count(cpu_neighbours(0, CPU_SAME_SOCKET)) / p->threads_per_core;
    p->nr_cpus = cpus_online;
    p->max_cpu_id = (uint32_t)machine.nr_cpus - 1;
    p->nr_nodes = 1;
    p->cpu_khz = (uint32_t)time_tsc_khz();
    p->capabilities = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1 | XEN_SYSCTL_PHYSCAP_gnttab_v2;
    p->total_pages = page_alloc_total_frames();
    p->free_pages = page_alloc_free_frames();
    p->outstanding_pages = domain_claimed_frames();
    p->max_mfn = frame_max - 1;
    for (size_t i = 0; i < ARRAY_SIZE(p->hw_cap); i++)
        p->hw_cap[i] = policy_features(POLICY_HOST, i);
    return 0;
}

int sysctl_cputopoinfo(struct sysctl *s)
{
    struct xen_sysctl_cputopoinfo *info = &s->op.u.cputopoinfo;
    uint64_t gva = (uint64_t)info->cputopo.p;
    uint32_t n = MIN(info->num_cpus, cpus_online);

    for (uint32_t cpu = 0; gva != 0 && cpu < n; cpu++) {
        struct xen_sysctl_cputopo one = {
            .core = cpu_core_number(cpu),
            .socket = cpu_socket_number(cpu),
            .node = 0,
        };

        if (guest_copy_to(gva + cpu * sizeof(one), &one, sizeof(one)) != 0)
            return -EFAULT;
    }
    info->num_cpus = cpus_online;
    return 0;
}

int sysctl_numainfo(struct sysctl *s)
{
    struct xen_sysctl_numainfo *info = &s->op.u.numainfo;
    struct xen_sysctl_meminfo memory = {
        .memsize = page_alloc_total_frames() << PAGE_SHIFT,
        .memfree = page_alloc_free_frames() << PAGE_SHIFT,
    };
    uint32_t near = 10;

    if (info->num_nodes > 0) {
        if (info->meminfo.p != NULL && guest_copy_to((uint64_t)info->meminfo.p, &memory, sizeof(memory)) != 0)
            return -EFAULT;
        if (info->distance.p != NULL && guest_copy_to((uint64_t)info->distance.p, &near, sizeof(near)) != 0)
            return -EFAULT;
    }
    info->num_nodes = 1;
    return 0;
}

/* No device is known to be near to anything. */
int sysctl_pcitopoinfo(struct sysctl *s)
{
    struct xen_sysctl_pcitopoinfo *info = &s->op.u.pcitopoinfo;
    uint32_t none = XEN_INVALID_NODE_ID;

    if (info->devs.p == NULL || info->nodes.p == NULL)
        return -EINVAL;
    for (uint32_t i = 0; i < MIN(info->num_devs, 65536u); i++) {
        if (guest_copy_to((uint64_t)info->nodes.p + i * sizeof(*info->nodes.p), &none, sizeof(none)) != 0)
            return -EFAULT;
    }
    return 0;
}

int sysctl_getcpuinfo(struct sysctl *s)
{
    struct xen_sysctl_getcpuinfo *info = &s->op.u.getcpuinfo;
    uint32_t n = MIN(info->max_cpus, cpus_online);

    for (uint32_t cpu = 0; cpu < n; cpu++) {
        struct xen_sysctl_cpuinfo one = {.idletime = (uint64_t)sched_idle_time(cpu)};

        if (guest_copy_to((uint64_t)info->info.p + cpu * sizeof(*info->info.p), &one, sizeof(one)) != 0)
            return -EFAULT;
    }
    info->nr_cpus = n;
    return 0;
}

int sysctl_availheap(struct sysctl *s)
{
    struct xen_sysctl_availheap *heap = &s->op.u.availheap;

    heap->avail_bytes = heap->node > 0 ? 0 : page_alloc_free_frames() << PAGE_SHIFT;
    return 0;
}

/* Frames are not taken out of use; asked for the state of a range, each is what it is. */
int sysctl_page_offline_op(struct sysctl *s)
{
    const struct xen_sysctl_page_offline_op *p = &s->op.u.page_offline;
    uint32_t status;

    if (p->end < p->start)
        return control_refuse(&s->control, -EINVAL, "from frame %x to %x", p->start, p->end);
    for (uint32_t n = 0; n <= p->end - p->start; n++) {
        if (p->cmd == sysctl_query_page_offline)
            status = mfn_valid(mfn(p->start + n)) ? PG_OFFLINE_STATUS_ONLINE : PG_OFFLINE_INVALID;
        else
            status = PG_OFFLINE_FAILED; /* the bit of PG_ONLINE_FAILED too */
        if (n >= 1024)
            return -E2BIG;
        if (guest_copy_to((uint64_t)p->status.p + n * sizeof(*p->status.p), &status, sizeof(status)) != 0)
            return -EFAULT;
    }
    return 0;
}

int sysctl_cpu_hotplug(struct sysctl *s)
{
    const struct xen_sysctl_cpu_hotplug *h = &s->op.u.cpu_hotplug;

    if (h->op == XEN_SYSCTL_CPU_HOTPLUG_ONLINE)
        return pcpu_online(h->cpu);
    if (h->op == XEN_SYSCTL_CPU_HOTPLUG_OFFLINE)
        return pcpu_offline(h->cpu);
    return control_refuse(&s->control, -EOPNOTSUPP,
                          "operation %u: threads of a core are neither stopped nor started together", h->op);
}

/* Frequencies and sleep states are the firmware's. */
int sysctl_get_pmstat(struct sysctl *s)
{
    struct xen_sysctl_get_pmstat *p = &s->op.u.get_pmstat;

    if (p->cpuid >= cpus_online)
        return -EINVAL;
    if ((p->type & PMSTAT_CATEGORY_MASK) != PMSTAT_CX)
        return -ENODEV;
    if (p->type < PMSTAT_get_max_cx || p->type > PMSTAT_reset_cxstat)
        return -ENOSYS;
    p->u.getcx.nr = 0;
    return 0;
}

int sysctl_pm_op(struct sysctl *s)
{
    struct xen_sysctl_pm_op *p = &s->op.u.pm_op;

    if (p->cpuid >= cpus_online || (p->cmd & PM_PARA_CATEGORY_MASK) == CPUFREQ_PARA)
        return -EINVAL;
    switch (p->cmd) {
    case XEN_SYSCTL_pm_op_get_max_cstate:
        p->u.get_max_cstate = XEN_SYSCTL_CX_UNLIMITED;
        return 0;
    case XEN_SYSCTL_pm_op_set_sched_opt_smt:
    case XEN_SYSCTL_pm_op_set_max_cstate: /* the idle loop never goes beyond the first */
        return 0;
    case XEN_SYSCTL_pm_op_enable_turbo:
    case XEN_SYSCTL_pm_op_disable_turbo:
        return -EACCES;
    default:
        return -ENOSYS;
    }
}

/* No processor is asked to hide features from programs that execute CPUID themselves. */
int sysctl_levelling_caps(struct sysctl *s)
{
    s->op.u.cpu_levelling_caps.caps = 0;
    return 0;
}

/* There is no trace buffer; its size is 0. */
int sysctl_tbuf_op(struct sysctl *s)
{
    struct xen_sysctl_tbuf_op *t = &s->op.u.tbuf_op;

    switch (t->cmd) {
    case XEN_SYSCTL_TBUFOP_get_info:
        t->evt_mask = 0;
        t->buffer_mfn = 0;
        t->size = 0;
        return 0;
    case XEN_SYSCTL_TBUFOP_set_cpu_mask:
    case XEN_SYSCTL_TBUFOP_set_evt_mask:
    case XEN_SYSCTL_TBUFOP_disable:
        return 0;
    default:
        return -EINVAL;
    }
}

/* The hypervisor is not patched while it runs: there are no patches to be told of. */
int sysctl_livepatch_op(struct sysctl *s)
{
    struct xen_sysctl_livepatch_op *l = &s->op.u.livepatch;

    if (l->pad != 0)
        return -EINVAL;
    if (l->cmd > XEN_SYSCTL_LIVEPATCH_ACTION)
        return -EOPNOTSUPP;
    if (l->cmd != XEN_SYSCTL_LIVEPATCH_LIST || l->u.list.pad != 0)
        return -EINVAL;
    l->u.list.version = 0;
    l->u.list.nr = 0;
    l->u.list.name_total_size = 0;
    l->u.list.metadata_total_size = 0;
    return 0;
}

/* Caches and memory bandwidth are not divided. */
int sysctl_psr_alloc(struct sysctl *s)
{
    return s->op.u.psr_alloc.cmd <= XEN_SYSCTL_PSR_get_mba_info ? -ENODEV : -EOPNOTSUPP;
}
