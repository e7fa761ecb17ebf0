/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values from the edges: console_io, vcpu_op, sched_op, vm_assist, segment bases, xen_version. */
#include "answers/answers.h"
#include <xen/arch-x86/xen-mca.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

static char text[PAGE_SIZE] PAGE_ALIGNED;

static void ask_console(void)
{
    static const u64 counts[] = {0, 0x80000000, 0xffffffff, 0x100000000, BIT(63)};

    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        ask("console_io read", "%lx %s", counts[i],
            code_text(hv_console_io(CONSOLEIO_read, counts[i], text)));
    ask("console_io write of nothing", "%s %s", code_text(hv_console_io(CONSOLEIO_write, 0, text)),
        code_text(hv_console_io(CONSOLEIO_write, 0, NULL)));
    ask("console_io write of 2^32", "%s", code_text(hv_console_io(CONSOLEIO_write, 1UL << 32, text)));
    ask("console_io 2^32", "%s", code_text((long)HYPERVISOR(console_io, 1UL << 32, 0, text, 0, 0)));
}

static void ask_vcpu(void)
{
    static const u64 periods[] = {
        0, 1, 999999, 1000000, 1UL << 57, (1UL << 57) + 1, (1UL << 62) - 1, 1UL << 62, 1UL << 63};
    struct vcpu_set_singleshot_timer single = {.flags = 0xffffffff};

    for (size_t i = 0; i < ARRAY_SIZE(periods); i++) {
        struct vcpu_set_periodic_timer set = {.period_ns = periods[i]};

        ask("periodic timer", "%lx %s", periods[i],
            code_text(hv_vcpu_op(VCPUOP_set_periodic_timer, 0, &set)));
    }
    hv_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        ask("vcpu_op up", "%u %s", cpu, code_text(hv_vcpu_op(VCPUOP_up, cpu, NULL)));
        ask("vcpu_op is_up", "%u %s", cpu, code_text(hv_vcpu_op(VCPUOP_is_up, cpu, NULL)));
        ask("vcpu_op single", "%u %s", cpu, code_text(hv_vcpu_op(VCPUOP_set_singleshot_timer, cpu, &single)));
        ask("vcpu_op stop", "%u %s", cpu, code_text(hv_vcpu_op(VCPUOP_stop_singleshot_timer, cpu, NULL)));
        ask("vcpu_op nmi", "%u %s", cpu, code_text(hv_vcpu_op(VCPUOP_send_nmi, cpu, &single)));
        ask("vcpu_op periodic", "%u %s", cpu, code_text(hv_vcpu_op(VCPUOP_stop_periodic_timer, cpu, NULL)));
    }
    ask("vcpu_op of vCPU 2^32", "%s", code_text((long)HYPERVISOR(vcpu_op, VCPUOP_is_up, 1UL << 32, 0, 0, 0)));
    ask("vcpu_op 2^32 + 3", "%s", code_text((long)HYPERVISOR(vcpu_op, (1UL << 32) + 3, 0, 0, 0, 0)));
}

static void ask_sched(void)
{
    struct sched_pin_override pin = {.pcpu = -1};
    struct sched_watchdog dog = {.id = 0, .timeout = 1000};
    struct sched_remote_shutdown remote = {.domain_id = 0x1234};

    if (guest_is_dom0()) {
        ask("pin_override -1", "%s", code_text(hv_sched_op(SCHEDOP_pin_override, &pin)));
        pin.pcpu = 0x10000;
        ask("pin_override of no CPU", "%s", code_text(hv_sched_op(SCHEDOP_pin_override, &pin)));
        pin.pcpu = 0;
        ask("pin_override", "%s", code_text(hv_sched_op(SCHEDOP_pin_override, &pin)));
        ask("pin_override again", "%s", code_text(hv_sched_op(SCHEDOP_pin_override, &pin)));
        pin.pcpu = -5;
        ask("pin_override undone", "%s", code_text(hv_sched_op(SCHEDOP_pin_override, &pin)));
        ask("pin_override undone again", "%s", code_text(hv_sched_op(SCHEDOP_pin_override, &pin)));
    }
    for (unsigned i = 0; i < 4; i++)
        ask("watchdog", "%s", code_text(hv_sched_op(SCHEDOP_watchdog, &dog)));
    for (dog.id = 1; dog.id < 5; dog.id++) {
        dog.timeout = 2000;
        ask("watchdog set again", "%u %s", dog.id, code_text(hv_sched_op(SCHEDOP_watchdog, &dog)));
        dog.timeout = 0;
        ask("watchdog stopped", "%u %s", dog.id, code_text(hv_sched_op(SCHEDOP_watchdog, &dog)));
        ask("watchdog stopped again", "%u %s", dog.id, code_text(hv_sched_op(SCHEDOP_watchdog, &dog)));
    }
    ask("remote_shutdown of nobody", "%s", code_text(hv_sched_op(SCHEDOP_remote_shutdown, &remote)));
    remote.domain_id = DOMID_IO;
    ask("remote_shutdown of DOMID_IO", "%s", code_text(hv_sched_op(SCHEDOP_remote_shutdown, &remote)));
}

static void ask_version(void)
{
    static xen_build_id_t *id = (void *)text;
    static const u16 sizes[] = {XENVER_extraversion, 16, XENVER_capabilities, 1024, XENVER_changeset, 64};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i += 2) {
        unsigned end = sizeof(text);

        memset(text, 0x5a, sizeof(text));
        hv_xen_version(sizes[i], text);
        while (end > 0 && text[end - 1] == 0x5a)
            end--;
        ask("xen_version writes", "%u %s", sizes[i],
            end <= sizes[i + 1] ? "no more than there is" : "too much");
    }
    if (guest_is_dom0()) {
        for (unsigned len = 0; len < 22; len += 7) {
            id->len = len;
            ask("build id of", "%u %s", len, code_text(hv_xen_version(XENVER_build_id, id)));
        }
        id->len = 4000;
        ask("build id", "%s %u", code_text(hv_xen_version(XENVER_build_id, id)), id->len);
    }
    ask("page size", "%s", code_text(hv_xen_version(XENVER_pagesize, text)));
    ask("xen_version 2^32", "%s", code_text((long)HYPERVISOR(xen_version, 1UL << 32, 0, 0, 0, 0)));
}

static long mca(struct xen_mc *mc, u32 cmd)
{
    mc->cmd = cmd;
    mc->interface_version = XEN_MCA_INTERFACE_VERSION;
    return (long)HYPERVISOR(mca, mc, 0, 0, 0, 0);
}

/* Nothing is wrong with the processor: there is nothing to fetch, and it says what it is. */
static void ask_machine_checks(void)
{
    static struct mcinfo_logical_cpu cpus[4];
    static struct mc_info info;
    struct xen_mc mc;

    for (u32 flags = 0; flags < 8; flags++) {
        mc.u.mc_fetch = (struct xen_mc_fetch){.flags = flags, .fetch_id = 5};
        set_xen_guest_handle(mc.u.mc_fetch.data, &info);
        const char *code = code_text(mca(&mc, XEN_MC_fetch));
        ask("mca, fetch", "%u %s flags %u id %lu", flags, code, mc.u.mc_fetch.flags, mc.u.mc_fetch.fetch_id);
    }
    for (u32 n = 0; n < 4; n++) {
        memset(cpus, 0, sizeof(cpus));
        mc.u.mc_physcpuinfo = (struct xen_mc_physcpuinfo){.ncpus = n % 3};
        set_xen_guest_handle(mc.u.mc_physcpuinfo.info, n == 0 ? NULL : cpus);
        const char *code = code_text(mca(&mc, XEN_MC_physcpuinfo));
        ask("mca, processors", "%u %s of %u: %s vendor %u family %u model %u step %u msrs %d", n, code,
            mc.u.mc_physcpuinfo.ncpus, cpus[0].mc_vendorid, cpus[0].mc_vendor, cpus[0].mc_family,
            cpus[0].mc_model, cpus[0].mc_step, cpus[0].mc_nmsrvals);
        ask("mca, processor", "%u: chip %u core %u thread %u apic %u cluster %u cores %u %u threads %u level %x",
            n, cpus[0].mc_chipid, cpus[0].mc_coreid, cpus[0].mc_threadid, cpus[0].mc_apicid,
            cpus[0].mc_clusterid, cpus[0].mc_ncores, cpus[0].mc_ncores_active, cpus[0].mc_nthreads,
            (u32)cpus[0].mc_cpuid_level);
    }
    for (u32 i = 0; i < 3; i++) {
        static const u32 others[] = {0, XEN_MC_notifydomain, 9};

        memset(&mc, 0, sizeof(mc));
        ask("mca, other", "%u %s", others[i], code_text(mca(&mc, others[i])));
    }
}

void ask_small(void)
{
    for (unsigned type = 0; type < 66; type += type < 8 ? 1 : 19)
        for (unsigned command = 0; command < 4; command++)
            ask("vm_assist", "%u %u %s", type, command, code_text(hv_vm_assist(command, type)));
    hv_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
    for (unsigned which = 0; which < 6; which++)
        ask("set_segment_base", "%u %s %s", which,
            code_text(hv_set_segment_base(which, which == 3 ? 0 : BIT(63))),
            code_text(which == 2 ? 0 : hv_set_segment_base(which, 0)));
    ask("set_segment_base, selector", "%s %s", code_text(hv_set_segment_base(3, 0xffff)),
        code_text(hv_set_segment_base(3, 0x10003)));
    hv_set_segment_base(3, 0);
    ask_console();
    ask_vcpu();
    ask_sched();
    ask_version();
    if (guest_is_dom0())
        ask_machine_checks();
}
