/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the cost of an operation grows with the machine. This tiny guest (tests/guest/lib) is started as one
 * server with many vCPUs, or as many servers. All but the one with `measure` on its command line, and all
 * vCPUs but its first, arm a timer of their own in the far future and sleep. Under -icount a nanosecond of
 * the guest's clock is an instruction.
 */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define ROUNDS  256
#define WARM_UP 16
#define FAR     1000000000000UL /* ns */
#define VCPUS   64
#define SECOND  1000000000UL

const char guest_name[] = "scale";

extern char vcpu_entry[];
static u8 stacks[VCPUS][1024] PAGE_ALIGNED;
static u8 target[PAGE_SIZE] PAGE_ALIGNED, table[PAGE_SIZE] PAGE_ALIGNED, given[PAGE_SIZE] PAGE_ALIGNED;
static evtchn_port_t ipi, timer;
static u64 entry_at;
static domid_t self;

static void arm(unsigned vcpu, u64 when)
{
    struct vcpu_set_singleshot_timer op = {.timeout_abs_ns = when};

    hv_vcpu_op(VCPUOP_set_singleshot_timer, vcpu, &op);
}

static void sleep_for_ever(u64 vcpu)
{
    hv_vcpu_op(VCPUOP_stop_periodic_timer, (unsigned)vcpu, NULL);
    arm((unsigned)vcpu, guest_time(0) + FAR + vcpu);
    for (;;)
        hv_sched_op(SCHEDOP_block, NULL);
}

static bool start_vcpu(unsigned vcpu)
{
    static struct vcpu_guest_context context;

    memset(&context, 0, sizeof(context));
    context.flags = VGCF_in_kernel;
    context.user_regs.rip = (u64)vcpu_entry;
    context.user_regs.cs = FLAT_KERNEL_CS;
    context.user_regs.ss = FLAT_KERNEL_SS;
    context.kernel_ss = FLAT_KERNEL_SS;
    context.user_regs.rsp = context.kernel_sp = (u64)stacks[vcpu] + sizeof(stacks[vcpu]);
    context.user_regs.rflags = BIT(9) | 2;
    context.user_regs.rdi = vcpu;
    context.user_regs.rsi = (u64)sleep_for_ever;
    context.ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn((void *)start_info->pt_base));
    context.event_callback_eip = (u64)trap_event_entry;
    context.failsafe_callback_eip = (u64)trap_failsafe_entry;
    context.syscall_callback_eip = (u64)trap_syscall_entry;
    return hv_vcpu_op(VCPUOP_initialise, vcpu, &context) == 0 && hv_vcpu_op(VCPUOP_up, vcpu, NULL) == 0;
}

/* --- the operations: false when it did not work --- */

static bool op_mmu_update(void)
{
    u64 e = virt_to_mfn(target) << PAGE_SHIFT | PTE_TABLE;

    return mmu_write(entry_at, e & ~PTE_W, MMU_NORMAL_PT_UPDATE, DOMID_SELF) == 0 &&
           mmu_write(entry_at, e, MMU_NORMAL_PT_UPDATE, DOMID_SELF) == 0;
}

static bool op_send(void)
{
    struct evtchn_send send = {.port = ipi};

    __atomic_and_fetch(&shared_info->evtchn_pending[0], ~BIT(ipi), __ATOMIC_SEQ_CST);
    return hv_event_channel_op(EVTCHNOP_send, &send) == 0;
}

static bool op_grant(void)
{
    static u8 window[PAGE_SIZE] PAGE_ALIGNED;
    struct gnttab_map_grant_ref map = {.host_addr = (u64)window, .flags = GNTMAP_host_map, .ref = 8, .dom = self};
    struct gnttab_unmap_grant_ref unmap = {.host_addr = (u64)window};

    if (hv_grant_table_op(GNTTABOP_map_grant_ref, &map, 1) || map.status)
        return false;
    unmap.handle = map.handle;
    return hv_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1) == 0 && unmap.status == 0;
}

/* Sleep for a microsecond: arm the timer, block, be woken. The microsecond is in the figure. */
static bool op_wake(void)
{
    struct sched_poll poll = {.nr_ports = 1};

    __atomic_and_fetch(&shared_info->evtchn_pending[0], ~BIT(timer), __ATOMIC_SEQ_CST);
    set_xen_guest_handle(poll.ports, &timer);
    arm(0, guest_time(0) + 1000);
    return hv_sched_op(SCHEDOP_poll, &poll) == 0;
}

static bool op_timer(void)
{
    arm(0, guest_time(0) + FAR / 2);
    return hv_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL) == 0;
}

static bool op_populate(void)
{
    static xen_pfn_t frame;
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

    if (frame == 0) { /* give one back, out of all tables, and have it again ever after */
        frame = virt_to_mfn(given);
        if (hv_update_va_mapping((u64)given, 0, UVMF_INVLPG))
            return false;
    }
    set_xen_guest_handle(r.extent_start, &frame);
    if (hv_memory_op(XENMEM_decrease_reservation, &r) != 1)
        return false;
    frame = virt_to_pfn(given);
    return hv_memory_op(XENMEM_populate_physmap, &r) == 1;
}

static const struct {
    const char *name;
    bool (*op)(void);
} rows[] = {
    {"mmu_update, two", op_mmu_update}, {"event send", op_send},       {"grant map and unmap", op_grant},
    {"sleep 1 us and wake up", op_wake}, {"timer set and stopped", op_timer}, {"page given back and populated", op_populate},
};

static void prepare(void)
{
    struct evtchn_bind_ipi bind = {.vcpu = 0};
    struct evtchn_bind_virq virq = {.virq = VIRQ_TIMER};
    struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 1};
    static xen_pfn_t frames[64];
    volatile struct grant_entry_v1 *grants = (void *)table;

    CHECK_EQ(hv_event_channel_op(EVTCHNOP_bind_ipi, &bind), 0);
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_bind_virq, &virq), 0);
    ipi = bind.port;
    timer = virq.port;
    set_xen_guest_handle(setup.frame_list, frames);
    CHECK_EQ(hv_grant_table_op(GNTTABOP_setup_table, &setup, 1), 0);
    CHECK_EQ(hv_update_va_mapping((u64)table, frames[0] << PAGE_SHIFT | PTE_TABLE, UVMF_INVLPG), 0);
    grants[8].frame = (u32)virt_to_mfn(target);
    self = guest_domid();
    grants[8].domid = self;
    grants[8].flags = GTF_permit_access;
    entry_at = walk_entry_machine((u64)target, 1);
}

void guest_main(void)
{
    unsigned vcpus = (unsigned)guest_number("started=", 1);

    for (unsigned i = 1; i < vcpus; i++)
        CHECK(start_vcpu(i));
    if (!guest_option("measure"))
        sleep_for_ever(0);
    hv_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(shared_info->evtchn_mask); i++)
        shared_info->evtchn_mask[i] = ~0UL;
    prepare();
    for (u64 end = guest_time(0) + SECOND; guest_time(0) < end;) /* until the others sleep */
        hv_sched_op(SCHEDOP_yield, NULL);
    for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
        u64 start = 0;

        for (int i = -WARM_UP; i < ROUNDS; i++) {
            if (i == 0)
                start = guest_time(0);
            if (!CHECK_NAMED(rows[r].name, rows[r].op(), true))
                break;
        }
        print("SCALE %s: %lu\n", rows[r].name, (guest_time(0) - start) / ROUNDS);
    }
    print("SCALE end\n");
}
