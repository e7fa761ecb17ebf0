/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domctl: the fields of each argument at their extremes, one at a time, the others as they should be. */
#include "control/control.h"

static domid_t victim;
static u8 page[PAGE_SIZE] PAGE_ALIGNED;

#define FIELD(op) (&domctl_of(XEN_DOMCTL_##op, victim, ZEROS)->u)

/* --- making one --- */

static void ask_creation(const char *field, size_t offset, u32 value)
{
    struct xen_domctl_createdomain *c = &FIELD(createdomain)->createdomain;
    long code;

    domctl.domain = 0;
    c->max_vcpus = 1;
    c->max_evtchn_port = 100;
    c->max_grant_frames = 4;
    c->max_maptrack_frames = 4;
    c->grant_opts = 1;
    memcpy((u8 *)c + offset, &value, sizeof(value));
    code = domctl_call();
    ask("create", "%s %x: %s", field, value, code_text(code));
    if (code == 0)
        victim_destroy(domctl.domain);
}

#define CREATION(field, ...)                                                                                 \
    do {                                                                                                     \
        static const u32 values[] = {__VA_ARGS__};                                                           \
        for (size_t i = 0; i < ARRAY_SIZE(values); i++)                                                      \
            ask_creation(#field, offsetof(struct xen_domctl_createdomain, field), values[i]);                \
    } while (0)

static void ask_creations(void)
{
    CREATION(ssidref, 1, 0xffffffff);
    CREATION(flags, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 8, 0xffffffff);
    CREATION(iommu_opts, 1, 2);
    CREATION(max_vcpus, 0, 2, 0xffffffff);
    CREATION(max_evtchn_port, 0, 1, 0x7fffffff, 0xffffffff);
    CREATION(max_grant_frames, 0, 1, 64, 65, 0x7fffffff, 0xffffffff, 0x80000000);
    CREATION(max_maptrack_frames, 0, 1, 1024, 1025, 0x7fffffff, 0xffffffff);
    CREATION(grant_opts, 0, 1, 2, 3, 15, 16, 0x11, 0xffffffff);
    CREATION(vmtrace_size, 1, 4096, 0xffffffff);
    CREATION(cpupool_id, 1, 0xffffffff);
    CREATION(arch.emulation_flags, 1, 2, 0x80000000);
    CREATION(arch.misc_flags, 1, 2, 0x80000000);
    CREATION(handle[0], 0xffffffff);
}

/* --- processors --- */

static long get_affinity(u32 vcpu, u32 flags)
{
    struct xen_domctl_vcpuaffinity *a = &FIELD(getvcpuaffinity)->vcpuaffinity;

    a->vcpu = vcpu;
    a->flags = flags;
    a->cpumap_hard.nr_bits = a->cpumap_soft.nr_bits = 8;
    set_xen_guest_handle(a->cpumap_hard.bitmap, page);
    set_xen_guest_handle(a->cpumap_soft.bitmap, page);
    return domctl_call();
}

static void ask_affinity(void)
{
    static const u32 flags[] = {0, 1, 2, 3, 4, 5, 8, 0xffffffff};
    static const u8 maps[] = {0, 1, 2, 3, 0xff, 0xfc};

    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        for (size_t m = 0; m < ARRAY_SIZE(maps); m++) {
            struct xen_domctl_vcpuaffinity *a = &FIELD(setvcpuaffinity)->vcpuaffinity;
            static u8 hard[8], soft[8];

            memset(hard, 0, sizeof(hard));
            hard[0] = soft[0] = maps[m];
            a->flags = flags[i];
            a->cpumap_hard.nr_bits = a->cpumap_soft.nr_bits = 8;
            set_xen_guest_handle(a->cpumap_hard.bitmap, hard);
            set_xen_guest_handle(a->cpumap_soft.bitmap, soft);
            ask("affinity", "flags %x map %x: %s hard %x soft %x", flags[i], maps[m], code_text(domctl_call()), hard[0],
                soft[0]);
        }
        ask("affinity asked", "flags %x: %s", flags[i], code_text(get_affinity(0, flags[i])));
    }
    for (u32 vcpu = 0; vcpu < 4; vcpu++) {
        ask("affinity of", "vcpu %u: %s", vcpu, code_text(get_affinity(vcpu, XEN_VCPUAFFINITY_HARD)));
        FIELD(getvcpuinfo)->getvcpuinfo.vcpu = vcpu;
        ask("vcpu info", "%u: %s", vcpu, code_text(domctl_call()));
        FIELD(getvcpucontext)->vcpucontext.vcpu = vcpu;
        ask("context", "%u: %s", vcpu, code_text(domctl_call()));
        FIELD(max_vcpus)->max_vcpus.max = vcpu;
        ask("max_vcpus", "%u: %s", vcpu, code_text(domctl_call()));
    }
}

static void ask_shares(void)
{
    static const u16 weights[] = {0, 1, 256, 65535}, caps[] = {0, 1, 100, 200, 201, 65535};

    for (u32 scheduler = 3; scheduler < 11; scheduler++) {
        for (u32 cmd = 0; cmd < 5; cmd++) {
            struct xen_domctl_scheduler_op *s = &FIELD(scheduler_op)->scheduler_op;

            s->sched_id = scheduler;
            s->cmd = cmd;
            s->u.credit2.weight = 256;
            ask("scheduler", "%u command %u: %s", scheduler, cmd, code_text(domctl_call()));
        }
    }
    for (size_t i = 0; i < 24; i++) {
        struct xen_domctl_scheduler_op *s = &FIELD(scheduler_op)->scheduler_op;

        s->sched_id = XEN_SCHEDULER_CREDIT2;
        s->cmd = XEN_DOMCTL_SCHEDOP_putinfo;
        s->u.credit2.weight = weights[i % 4];
        s->u.credit2.cap = caps[i / 4];
        ask("shares", "%u %u: %s", weights[i % 4], caps[i / 4], code_text(domctl_call()));
        s->cmd = XEN_DOMCTL_SCHEDOP_getinfo;
        ask("shares are", "%s %u %u", code_text(domctl_call()), s->u.credit2.weight, s->u.credit2.cap);
    }
}

/* --- memory and rights --- */

static void ask_rights(void)
{
    static const struct {
        u64 first, n;
    } ranges[] = {{0, 0}, {0, 1}, {0, 0x10000}, {0xffff, 1}, {0xffff, 2}, {0x10000, 1}, {0xfee00, 1}, {0x80000, 0x10},
                  {0xffffffff, 1}, {0xffffffff, 0xffffffff}, {0xffffffffff, 1}, {0xffffffffffffffff, 2}};

    for (size_t i = 0; i < 2 * ARRAY_SIZE(ranges); i++) {
        u64 first = ranges[i / 2].first, n = ranges[i / 2].n;

        FIELD(ioport_permission)->ioport_permission.first_port = (u32)first;
        domctl.u.ioport_permission.nr_ports = (u32)n;
        domctl.u.ioport_permission.allow_access = i % 2;
        ask("ports", "%lx %lx %lu: %s", first, n, i % 2, code_text(domctl_call()));
        FIELD(iomem_permission)->iomem_permission.first_mfn = first;
        domctl.u.iomem_permission.nr_mfns = n;
        domctl.u.iomem_permission.allow_access = i % 2;
        ask("frames", "%lx %lx %lu: %s", first, n, i % 2, code_text(domctl_call()));
        FIELD(irq_permission)->irq_permission.pirq = (u32)first;
        domctl.u.irq_permission.allow_access = i % 2;
        ask("irq", "%lx %lu: %s", first, i % 2, code_text(domctl_call()));
    }
}

static void ask_memory(void)
{
    static const u64 sizes[] = {0, 1, 4, 1 << 20, 1UL << 62, ~0UL};
    static const u32 bits[] = {0, 16, 32, 64, 65, 0xffffffff};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        FIELD(max_mem)->max_mem.max_memkb = sizes[i];
        ask("max_mem", "%lx: %s", sizes[i], code_text(domctl_call()));
        FIELD(hypercall_init)->hypercall_init.gmfn = sizes[i];
        ask("hypercall_init", "%lx: %s", sizes[i], code_text(domctl_call()));
        FIELD(getpageframeinfo3)->getpageframeinfo3.num = sizes[i] > 4 ? sizes[i] : 0;
        ask("getpageframeinfo3", "%lx: %s", sizes[i], code_text(domctl_call()));
    }
    for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
        FIELD(set_address_size)->address_size.size = bits[i];
        ask("address size", "%u: %s", bits[i], code_text(domctl_call()));
    }
    for (u32 op = 0; op < 40; op++) {
        FIELD(shadow_op)->shadow_op.op = op;
        ask("shadow_op", "%u: %s", op, code_text(domctl_call()));
    }
}

/* --- the others --- */

static void ask_time(void)
{
    for (u32 mode = 0; mode < 6; mode++) {
        struct xen_domctl_tsc_info *t = &FIELD(settscinfo)->tsc_info;

        t->tsc_mode = mode;
        t->gtsc_khz = 1000000;
        t->elapsed_nsec = 1;
        ask("tsc mode", "%u: %s", mode, code_text(domctl_call()));
    }
    FIELD(settimeoffset)->settimeoffset.time_offset_seconds = -0x7fffffffffffffff;
    ask("time offset", "%s", code_text(domctl_call()));
}

static void ask_states(void)
{
    static const u64 sizes[] = {0, 1, 16, 17, 592, 0x10000, ~0UL};

    domctl_of(XEN_DOMCTL_get_cpu_policy, victim, ZEROS);
    CHECK_EQ(domctl_call(), guest_is_dom0() ? 0 : -XEN_EPERM);
    ask("size of a policy", "%u %u", domctl.u.cpu_policy.nr_leaves, domctl.u.cpu_policy.nr_msrs);

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct xen_domctl_vcpuextstate *e = &FIELD(setvcpuextstate)->vcpuextstate;

        memset(page, 0, sizeof(page));
        e->size = sizes[i];
        set_xen_guest_handle(e->buffer, (u64 *)(void *)page);
        ask("set FPU state", "%lx: %s", sizes[i], code_text(domctl_call()));
        e = &FIELD(getvcpuextstate)->vcpuextstate;
        e->size = sizes[i];
        if (i > 0)
            set_xen_guest_handle(e->buffer, (u64 *)(void *)page);
        ask("get FPU state", "%lx: %s", sizes[i], code_text(domctl_call()));
        FIELD(set_ext_vcpucontext)->ext_vcpucontext.size = (u32)sizes[i];
        ask("callbacks", "%lx: %s", sizes[i], code_text(domctl_call()));
        FIELD(set_vcpu_msrs)->vcpu_msrs.msr_count = (u32)sizes[i];
        set_xen_guest_handle(domctl.u.vcpu_msrs.msrs, (xen_domctl_vcpu_msr_t *)(void *)page);
        ask("msrs", "%lx: %s", sizes[i], code_text(domctl_call()));
        FIELD(set_cpu_policy)->cpu_policy.nr_leaves = (u32)sizes[i];
        ask("policy leaves", "%lx: %s", sizes[i], code_text(domctl_call()));
        FIELD(set_cpu_policy)->cpu_policy.nr_msrs = (u32)sizes[i];
        ask("policy msrs", "%lx: %s", sizes[i], code_text(domctl_call()));
    }
}

static void ask_events(void)
{
    for (u32 virq = 0; virq < 26; virq++) {
        FIELD(set_virq_handler)->set_virq_handler.virq = virq;
        ask("virq handler", "%u: %s", virq, code_text(domctl_call()));
        domctl_of(XEN_DOMCTL_set_virq_handler, 0, ZEROS)->u.set_virq_handler.virq = virq;
        ask("virq handler again", "%u: %s", virq, code_text(domctl_call()));
    }
    for (u32 trigger = 1; trigger < 7; trigger++) {
        FIELD(sendtrigger)->sendtrigger.trigger = trigger;
        ask("trigger", "%u: %s", trigger, code_text(domctl_call()));
    }
    FIELD(sendtrigger)->sendtrigger.vcpu = 7;
    ask("NMI for vcpu 7", "%s", code_text(domctl_call()));
    FIELD(subscribe)->subscribe.port = 0xffffffff;
    ask("subscribe", "%s", code_text(domctl_call()));
    for (int i = 0; i < 3; i++) {
        domctl_of(XEN_DOMCTL_unpausedomain, victim, ZEROS);
        ask("unpause", "%d: %s", i, code_text(domctl_call()));
    }
    domctl_of(XEN_DOMCTL_resumedomain, victim, ZEROS);
    ask("resume what has not stopped", "%s", code_text(domctl_call()));
}

void ask_domctl_fields(void)
{
    victim = victim_create(2);
    if (guest_is_dom0())
        ask_creations();
    ask_affinity();
    ask_shares();
    ask_rights();
    ask_memory();
    ask_time();
    ask_states();
    ask_events();
    victim_destroy(victim);
}
