/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcpu_op: a second vCPU brought up and down, IPIs to it, run-state, time and vcpu_info areas. */
#include "events/events.h"

#define MS 1000000UL

static volatile unsigned alive, beats, ipis, stop;
static volatile u64 argument_seen;
static unsigned ipi_port;

/* vCPU 1: counts, and takes its IPI by looking, for its events stay masked. */
static void secondary_main(u64 argument)
{
    argument_seen = argument;
    alive = 1;
    for (;;) {
        beats++;
        if (ipi_port && port_pending(ipi_port)) {
            port_clear(ipi_port);
            ipis++;
        }
        if (stop) {
            alive = 0;
            hv_vcpu_op(VCPUOP_down, 1, NULL);
            alive = 2; /* brought up again: it goes on from here */
            stop = 0;
        }
        hv_sched_op(SCHEDOP_yield, NULL);
    }
}

#define ARGUMENT 0x77665544

static struct vcpu_guest_context *context;

static void fill_context(void)
{
    context = vcpu_context(1, secondary_main, ARGUMENT);
}

static void test_refusals(void)
{
    static u8 page[PAGE_SIZE] PAGE_ALIGNED;

    CHECK_EQ(hv_vcpu_op(VCPUOP_is_up, 0, NULL), 1);
    CHECK_EQ(hv_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
    CHECK_EQ(hv_vcpu_op(VCPUOP_is_up, 2, NULL), -XEN_ENOENT);
    CHECK_EQ(hv_vcpu_op(VCPUOP_is_up, 8191, NULL), -XEN_ENOENT);
    CHECK_EQ(hv_vcpu_op(VCPUOP_is_up, ~0u, NULL), -XEN_ENOENT);
    CHECK_EQ(hv_vcpu_op(99, 0, NULL), -XEN_ENOSYS);
    CHECK_EQ(hv_vcpu_op(VCPUOP_up, 1, NULL), -XEN_EINVAL); /* not initialised */
    CHECK_EQ(hv_vcpu_op(VCPUOP_initialise, 1, NULL), -XEN_EFAULT);
    fill_context();
    CHECK_EQ(hv_vcpu_op(VCPUOP_initialise, 0, context), -XEN_EEXIST);
    context->ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn(page)); /* no root */
    CHECK_EQ(hv_vcpu_op(VCPUOP_initialise, 1, context), -XEN_EINVAL);
    fill_context();
    context->ctrlreg[3] = ~0UL;
    CHECK_EQ(hv_vcpu_op(VCPUOP_initialise, 1, context), -XEN_EINVAL);
    fill_context();
    context->ldt_ents = 9000;
    CHECK_EQ(hv_vcpu_op(VCPUOP_initialise, 1, context), -XEN_EINVAL);
    fill_context();
    context->gdt_ents = 1;
    context->gdt_frames[0] = 0;
    CHECK_EQ(hv_vcpu_op(VCPUOP_initialise, 1, context), -XEN_EINVAL);
    fill_context();
    context->fs_base = 0x8000000000000000;
    CHECK_EQ(hv_vcpu_op(VCPUOP_initialise, 1, context), -XEN_EINVAL);
}

static void test_life(void)
{
    unsigned seen;

    fill_context();
    CHECK_EQ(hv_vcpu_op(VCPUOP_initialise, 1, context), 0);
    CHECK_EQ(hv_vcpu_op(VCPUOP_initialise, 1, context), -XEN_EEXIST);
    CHECK_EQ(hv_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
    CHECK_EQ(alive, 0);
    CHECK_EQ(hv_vcpu_op(VCPUOP_up, 1, NULL), 0);
    CHECK(wait_for(&alive, 1));
    CHECK_EQ(argument_seen, ARGUMENT);
    CHECK_EQ(hv_vcpu_op(VCPUOP_is_up, 1, NULL), 1);
    CHECK_EQ(hv_vcpu_op(VCPUOP_up, 1, NULL), 0); /* again: nothing */

    ipi_port = (unsigned)bind_ipi(1);
    CHECK((int)ipi_port > 0);
    CHECK_EQ(port_send(ipi_port), 0);
    CHECK(wait_for(&ipis, 1));

    stop = 1; /* it takes itself down */
    seen = beats;
    u64 end = time_now() + 2000 * MS;
    while (hv_vcpu_op(VCPUOP_is_up, 1, NULL) == 1 && time_now() < end)
        hv_sched_op(SCHEDOP_yield, NULL);
    CHECK_EQ(hv_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
    CHECK_EQ(hv_vcpu_op(VCPUOP_up, 1, NULL), 0);
    CHECK(wait_for(&alive, 2));
    CHECK(wait_for(&beats, seen + 10));

    CHECK_EQ(hv_vcpu_op(VCPUOP_down, 1, NULL), 0); /* taken down by another */
    CHECK_EQ(hv_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
    seen = beats;
    end = time_now() + 50 * MS;
    while (time_now() < end)
        hv_sched_op(SCHEDOP_yield, NULL);
    CHECK(beats <= seen + 1);
    CHECK_EQ(hv_vcpu_op(VCPUOP_down, 1, NULL), 0);
    CHECK_EQ(port_close(ipi_port), 0);
}

static void test_runstate(void)
{
    static struct vcpu_runstate_info area;
    struct vcpu_register_runstate_memory_area reg = {.addr.v = &area};
    struct vcpu_runstate_info info, other;

    CHECK_EQ(hv_vcpu_op(VCPUOP_get_runstate_info, 0, &info), 0);
    CHECK_EQ(info.state, RUNSTATE_running);
    CHECK(info.time[RUNSTATE_running] != 0);
    CHECK_EQ(hv_vcpu_op(VCPUOP_get_runstate_info, 1, &other), 0);
    CHECK_EQ(other.state, RUNSTATE_offline);
    CHECK_EQ(hv_vcpu_op(VCPUOP_get_runstate_info, 0, NULL), -XEN_EFAULT);
    CHECK_EQ(hv_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &reg), 0);
    CHECK_EQ(area.state, RUNSTATE_running); /* filled at once */
    u64 entered = area.state_entry_time, end = time_now() + 500 * MS;
    while (READ_ONCE(area.state_entry_time) == entered && time_now() < end) {
        struct sched_poll op = {.timeout = time_now() + MS};

        hv_sched_op(SCHEDOP_poll, &op);
    }
    CHECK(area.state_entry_time > entered); /* and at every switch */
    CHECK_EQ(area.state, RUNSTATE_running);
    CHECK(area.time[RUNSTATE_blocked] != 0);
    reg.addr.v = (void *)0x8000000000000000;
    CHECK_EQ(hv_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &reg), -XEN_EFAULT);
    reg.addr.v = (void *)HYPERVISOR_VIRT_START;
    CHECK_EQ(hv_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &reg), -XEN_EFAULT);
    reg.addr.v = NULL;
    CHECK_EQ(hv_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &reg), 0);
    CHECK_EQ(hv_vcpu_op(VCPUOP_register_runstate_memory_area, 0, NULL), -XEN_EFAULT);
}

static void test_areas(void)
{
    static struct vcpu_time_info time_area;
    static struct vcpu_info infos[2] __attribute__((aligned(64)));
    static u8 page[PAGE_SIZE] PAGE_ALIGNED;
    struct vcpu_register_time_memory_area reg = {.addr.v = &time_area};
    struct vcpu_register_vcpu_info info = {.mfn = virt_to_mfn(page), .offset = PAGE_SIZE - 8};
    struct vcpu_get_physid id;

    CHECK_EQ(hv_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &reg), 0);
    CHECK(time_area.version != 0 && !(time_area.version & 1));
    CHECK_EQ(time_area.tsc_to_system_mul, shared_info->vcpu_info[0].time.tsc_to_system_mul);
    CHECK_EQ(hv_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, NULL), -XEN_EFAULT);
    reg.addr.v = NULL;
    CHECK_EQ(hv_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &reg), 0);

    CHECK_EQ(hv_vcpu_op(VCPUOP_register_vcpu_info, 1, &info), -XEN_ENXIO); /* across the page's end */
    info.offset = 4;
    CHECK_EQ(hv_vcpu_op(VCPUOP_register_vcpu_info, 1, &info), -XEN_ENXIO); /* not aligned */
    info.offset = 0;
    info.mfn = (1UL << 40) - 1;
    CHECK_EQ(hv_vcpu_op(VCPUOP_register_vcpu_info, 1, &info), -XEN_EINVAL);
    info.mfn = virt_to_mfn((void *)start_info->pt_base);
    CHECK_EQ(hv_vcpu_op(VCPUOP_register_vcpu_info, 1, &info), -XEN_EINVAL); /* not writable */
    info.mfn = virt_to_mfn(infos);
    info.offset = (u64)&infos[1] & (PAGE_SIZE - 1);
    CHECK_EQ(hv_vcpu_op(VCPUOP_register_vcpu_info, 1, &info), 0);
    CHECK_EQ(infos[1].evtchn_upcall_pending, 1); /* all events are made pending in the new place */
    CHECK_EQ(infos[1].evtchn_pending_sel, ~0UL);
    CHECK_EQ(infos[1].evtchn_upcall_mask, 1);
    CHECK_EQ(hv_vcpu_op(VCPUOP_register_vcpu_info, 1, &info), -XEN_EINVAL); /* once */
    CHECK_EQ(hv_vcpu_op(VCPUOP_get_physid, 0, &id), -XEN_EINVAL);           /* for vCPUs pinned to one CPU */
}

static volatile unsigned nmis;

static bool on_nmi(struct regs *regs)
{
    nmis++;
    return true;
}

static void test_nmi(void)
{
    struct trap_info table[2] = {
        {.vector = 2, .cs = FLAT_KERNEL_CS, .address = (u64)trap_entry_table + 2 * 16},
    };
    struct callback_register {
        u16 type, flags;
        u64 address;
    } nmi = {4, 0, (u64)trap_entry_table + 2 * 16};

    trap_set_handler(2, on_nmi);
    CHECK_EQ(hv_set_trap_table(table), 0);
    CHECK_EQ(hv_callback_op(0, &nmi), 0);
    CHECK_EQ(hv_vcpu_op(VCPUOP_send_nmi, 0, NULL), 0);
    CHECK(wait_for(&nmis, 1)); /* events are masked: an NMI does not mind */
    CHECK_EQ(nmis, 1);
    CHECK_EQ(hv_vcpu_op(VCPUOP_send_nmi, 64, NULL), -XEN_ENOENT);
}

void test_vcpus(void)
{
    test_refusals();
    if (hv_vcpu_op(VCPUOP_is_up, 1, NULL) == 0)
        test_life();
    test_runstate();
    test_areas();
    test_nmi();
}
