/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysctl: every operation with nothing and with all ones, then the fields at their extremes. */
#include "control/control.h"

#define LAST 32 /* beyond the last number in use */

static u8 page[PAGE_SIZE] PAGE_ALIGNED;

#define FIELD(op) (&sysctl_of(XEN_SYSCTL_##op, ZEROS)->u)

static long pool_call(u32 op, u32 pool, u32 scheduler, u32 domid, u32 cpu)
{
    struct xen_sysctl_cpupool_op *p = &FIELD(cpupool_op)->cpupool_op;

    p->op = op;
    p->cpupool_id = pool;
    p->sched_id = scheduler;
    p->domid = domid;
    p->cpu = cpu;
    p->cpumap.nr_bits = 8;
    set_xen_guest_handle(p->cpumap.bitmap, page);
    return sysctl_call();
}

static void ask_pools(void)
{
    static const u32 ids[] = {0, 1, 2, 0xfffe, 0xffffffff};

    for (u32 op = 0; op < 9; op++) {
        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
            if (op == XEN_SYSCTL_CPUPOOL_OP_CREATE || (op == XEN_SYSCTL_CPUPOOL_OP_RMCPU && i == 0))
                continue;
            ask("pool", "operation %u pool %x: %s", op, ids[i], code_text(pool_call(op, ids[i], 0, 999, 5)));
        }
    }
    for (u32 scheduler = 0; scheduler < 11; scheduler++) {
        long code = pool_call(XEN_SYSCTL_CPUPOOL_OP_CREATE, 7, scheduler, 0, 0);

        ask("create pool", "scheduler %u: %s", scheduler, code_text(code));
        ask("create pool again", "%u: %s", scheduler,
            code_text(pool_call(XEN_SYSCTL_CPUPOOL_OP_CREATE, 7, scheduler, 0, 0)));
        ask("destroy pool", "%u: %s", scheduler, code_text(pool_call(XEN_SYSCTL_CPUPOOL_OP_DESTROY, 7, 0, 0, 0)));
    }
    ask("pool", "create: %s", code_text(pool_call(XEN_SYSCTL_CPUPOOL_OP_CREATE, 7, 6, 0, 0)));
    ask("pool", "for dom0: %s", code_text(pool_call(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 7, 0, 0, 0)));
    ask("pool", "CPU 1 free: %s", code_text(pool_call(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, 0, 0, 1)));
    ask("pool", "CPU 1 free again: %s", code_text(pool_call(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, 0, 0, 1)));
    ask("pool", "CPU 1 for it: %s", code_text(pool_call(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 7, 0, 0, 1)));
    ask("pool", "CPU 1 for another: %s", code_text(pool_call(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0, 0, 0, 1)));
    ask("pool", "CPU 99 for it: %s", code_text(pool_call(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 7, 0, 0, 99)));
    ask("pool", "dom0 moves: %s", code_text(pool_call(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 7, 0, 0, 0)));
    ask("pool", "destroy with a CPU: %s", code_text(pool_call(XEN_SYSCTL_CPUPOOL_OP_DESTROY, 7, 0, 0, 0)));
    ask("pool", "CPU 1 free: %s", code_text(pool_call(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 7, 0, 0, 1)));
    ask("pool", "any free CPU: %s", code_text(pool_call(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0, 0, 0, 0xffffffff)));
    ask("pool", "destroy: %s", code_text(pool_call(XEN_SYSCTL_CPUPOOL_OP_DESTROY, 7, 0, 0, 0)));
}

static void ask_scheduler(void)
{
    static const u32 limits[] = {0, 1, 99, 100, 500000, 500001, 0xffffffff};

    for (u32 scheduler = 4; scheduler < 11; scheduler++) {
        for (u32 cmd = 0; cmd < 3; cmd++) {
            struct xen_sysctl_scheduler_op *s = &FIELD(scheduler_op)->scheduler_op;

            s->sched_id = scheduler;
            s->cmd = cmd;
            s->u.sched_credit2.ratelimit_us = 1000;
            ask("scheduler of the pool", "%u command %u: %s", scheduler, cmd, code_text(sysctl_call()));
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        struct xen_sysctl_scheduler_op *s = &FIELD(scheduler_op)->scheduler_op;

        s->sched_id = XEN_SCHEDULER_CREDIT2;
        s->cmd = XEN_SYSCTL_SCHEDOP_putinfo;
        s->u.sched_credit2.ratelimit_us = limits[i];
        ask("ratelimit", "%u: %s", limits[i], code_text(sysctl_call()));
    }
    for (u32 pool = 1; pool < 3; pool++) {
        FIELD(scheduler_op)->scheduler_op.cpupool_id = pool;
        sysctl.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
        sysctl.u.scheduler_op.cmd = XEN_SYSCTL_SCHEDOP_getinfo;
        ask("scheduler of no pool", "%u: %s", pool, code_text(sysctl_call()));
    }
}

static void ask_hardware(void)
{
    for (u32 op = 0; op < 6; op++) {
        FIELD(cpu_hotplug)->cpu_hotplug.op = op;
        sysctl.u.cpu_hotplug.cpu = 1000;
        ask("hotplug", "%u: %s", op, code_text(sysctl_call()));
        FIELD(get_pmstat)->get_pmstat.type = op | 0x10;
        ask("pmstat px", "%u: %s", op, code_text(sysctl_call()));
        FIELD(get_pmstat)->get_pmstat.type = op | 0x20;
        sysctl.u.get_pmstat.cpuid = op == 5 ? 1000 : 0;
        ask("pmstat cx", "%u: %s", op, code_text(sysctl_call()));
        FIELD(psr_cmt_op)->psr_cmt_op.cmd = op;
        ask("psr_cmt_op", "%u: %s", op, code_text(sysctl_call()));
        FIELD(psr_alloc)->psr_alloc.cmd = op;
        ask("psr_alloc", "%u: %s", op, code_text(sysctl_call()));
        FIELD(tbuf_op)->tbuf_op.cmd = op;
        ask("tbuf_op", "%u: %s", op, op == XEN_SYSCTL_TBUFOP_enable ? "-" : code_text(sysctl_call()));
        FIELD(page_offline_op)->page_offline.cmd = op;
        sysctl.u.page_offline.start = 5;
        sysctl.u.page_offline.end = 4;
        ask("page_offline backwards", "%u: %s", op, code_text(sysctl_call()));
        FIELD(get_cpu_policy)->cpu_policy.index = op;
        ask("policy", "%u: %s", op, code_text(sysctl_call()));
        FIELD(get_cpu_featureset)->cpu_featureset.index = op;
        set_xen_guest_handle(sysctl.u.cpu_featureset.features, (u32 *)(void *)page);
        ask("features", "%u: %s", op, code_text(sysctl_call()));
        FIELD(livepatch_op)->livepatch.cmd = op;
        ask("livepatch", "%u: %s", op, code_text(sysctl_call()));
    }
    for (u32 cmd = 0; cmd < 0x30; cmd++) {
        FIELD(pm_op)->pm_op.cmd = cmd;
        ask("pm_op", "%x: %s", cmd, code_text(sysctl_call()));
    }
}

static void ask_lists(void)
{
    FIELD(getdomaininfolist)->getdomaininfolist.first_domain = 0xffff;
    sysctl.u.getdomaininfolist.max_domains = 4;
    ask("list from 65535", "%s %u", code_text(sysctl_call()), sysctl.u.getdomaininfolist.num_domains);
    FIELD(getdomaininfolist)->getdomaininfolist.max_domains = 1;
    set_xen_guest_handle(sysctl.u.getdomaininfolist.buffer, (xen_domctl_getdomaininfo_t *)8);
    ask("list to nowhere", "%s %u", code_text(sysctl_call()), sysctl.u.getdomaininfolist.num_domains);
    FIELD(getcpuinfo)->getcpuinfo.max_cpus = 0;
    ask("no CPUs", "%s %u", code_text(sysctl_call()), sysctl.u.getcpuinfo.nr_cpus);
    FIELD(availheap)->availheap.node = 5;
    ask("heap of node 5", "%s", code_text(sysctl_call()));
    FIELD(get_cpu_policy)->cpu_policy.index = XEN_SYSCTL_cpu_policy_pv_default;
    CHECK_EQ(sysctl_call(), guest_is_dom0() ? 0 : -XEN_EPERM);
    ask("size of policies", "%u %u", sysctl.u.cpu_policy.nr_leaves, sysctl.u.cpu_policy.nr_msrs);
    sysctl_of(XEN_SYSCTL_get_cpu_featureset, ZEROS);
    CHECK_EQ(sysctl_call(), guest_is_dom0() ? 0 : -XEN_EPERM);
    ask("size of feature sets", "%u", sysctl.u.cpu_featureset.nr_features);
    sysctl_of(XEN_SYSCTL_cputopoinfo, ZEROS);
    ask("topology", "%s %u", code_text(sysctl_call()), sysctl.u.cputopoinfo.num_cpus);
    sysctl_of(XEN_SYSCTL_numainfo, ZEROS);
    ask("nodes", "%s %u", code_text(sysctl_call()), sysctl.u.numainfo.num_nodes);
}

void ask_sysctl(void)
{
    for (u32 cmd = 0; cmd <= LAST; cmd++) {
        const char *code;

        sysctl_of(cmd, ZEROS);
        /* 0 would start to trace; or CPU 0, for which Xen waits without end */
        code = cmd == XEN_SYSCTL_tbuf_op || cmd == XEN_SYSCTL_cpu_hotplug ? "-" : code_text(sysctl_call());
        sysctl_of(cmd, ONES);
        ask("sysctl", "%u: %s %s", cmd, code, code_text(sysctl_call()));
    }
    sysctl_of(XEN_SYSCTL_physinfo, ZEROS)->interface_version++;
    ask("sysctl, another version", "%s", code_text(sysctl_call()));
    ask_pools();
    ask_scheduler();
    ask_hardware();
    ask_lists();
}
