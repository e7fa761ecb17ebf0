/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vCPUs go down and come up in the middle of what they do; vCPU 0 is moved from CPU to CPU. Nothing is lost. */
#include "clock/clock.h"
#include <xen/platform.h>

#define STORM 1000
#define PINS  400
#define PLUGS 40

static volatile u64 beats[VCPUS_MAX], answers[VCPUS_MAX];
static evtchn_port_t ipi[VCPUS_MAX], timer[VCPUS_MAX];
static volatile u64 timers[VCPUS_MAX];

static void work(unsigned vcpu, u64 random)
{
    beats[vcpu]++;
    if (ipi[vcpu] && port_take(ipi[vcpu]))
        answers[vcpu]++;
    if ((timer[vcpu] && port_take(timer[vcpu])) || random % 64 == 0) {
        timers[vcpu]++;
        HYPERVISOR(set_timer_op, guest_time(vcpu) + random % MS, 0, 0, 0, 0);
    }
    if (random % 8 == 0)
        sleep_until(guest_time(vcpu) + random % (200 * US), ipi[vcpu]);
    else if (random % 8 == 1)
        hv_sched_op(SCHEDOP_yield, NULL);
}

/* Waits until *value has changed; 60 s at most: a busy host may leave a CPU aside for seconds. */
static bool moves(const volatile u64 *value, u64 from)
{
    u64 end = guest_time(0) + 60000 * MS;

    while (*value == from && guest_time(0) < end)
        hv_sched_op(SCHEDOP_yield, NULL);
    return *value != from;
}

void test_plug(void)
{
    u64 seed = 9;

    for (unsigned i = 1; i < vcpus; i++) {
        struct evtchn_bind_ipi bind = {.vcpu = i};
        struct evtchn_bind_virq virq = {.virq = VIRQ_TIMER, .vcpu = i};

        CHECK_EQ(hv_event_channel_op(EVTCHNOP_bind_ipi, &bind), 0);
        CHECK_EQ(hv_event_channel_op(EVTCHNOP_bind_virq, &virq), 0);
        ipi[i] = bind.port;
        timer[i] = virq.port;
    }
    begin_others(work);
    for (unsigned n = 0; vcpus > 1 && n < STORM; n++) {
        unsigned i = 1 + (unsigned)random(&seed) % (vcpus - 1);
        struct evtchn_send send = {.port = ipi[i]};
        u64 seen;

        if (hv_vcpu_op(VCPUOP_down, i, NULL) || hv_vcpu_op(VCPUOP_is_up, i, NULL) != 0)
            CHECK_NAMED("down", n, STORM);
        if (n % 16 == 0)
            sleep_until(guest_time(0) + random(&seed) % MS, 0);
        seen = answers[i];
        hv_event_channel_op(EVTCHNOP_send, &send); /* to one that is down: it is answered later */
        if (hv_vcpu_op(VCPUOP_up, i, NULL) || hv_vcpu_op(VCPUOP_is_up, i, NULL) != 1)
            CHECK_NAMED("up", n, STORM);
        if (n % 32 == 0)
            CHECK(moves(&answers[i], seen));
    }
    for (unsigned i = 1; i < vcpus; i++) {
        CHECK(moves(&beats[i], beats[i]));
        CHECK(moves(&timers[i], timers[i]));
    }
    end_others();
    print("CLOCK plug: %u times\n", STORM);
    for (unsigned i = 1; i < vcpus; i++) {
        hv_event_channel_op(EVTCHNOP_close, &(struct evtchn_close){.port = ipi[i]});
        hv_event_channel_op(EVTCHNOP_close, &(struct evtchn_close){.port = timer[i]});
        ipi[i] = timer[i] = 0;
    }
}

static long cpu_op(u32 cmd, u32 cpu)
{
    struct xen_platform_op op = {.cmd = cmd, .interface_version = XENPF_INTERFACE_VERSION};

    op.u.cpu_ol.cpuid = cpu;
    return HYPERVISOR(platform_op, &op, 0, 0, 0, 0);
}

static u32 cpu_flags(u32 cpu, u32 *max_present)
{
    struct xen_platform_op op = {.cmd = XENPF_get_cpuinfo, .interface_version = XENPF_INTERFACE_VERSION};

    op.u.pcpu_info.xen_cpuid = cpu;
    CHECK_EQ(HYPERVISOR(platform_op, &op, 0, 0, 0, 0), 0);
    *max_present = op.u.pcpu_info.max_present;
    return op.u.pcpu_info.flags;
}

/* CPUs of the machine go and come back under the vCPUs. */
void test_cpus(void)
{
    u64 seed = 8, seen[VCPUS_MAX];
    u32 last, there;

    if (!guest_is_dom0())
        return;
    CHECK_EQ(cpu_flags(0, &last), XEN_PCPU_FLAGS_ONLINE);
    CHECK_EQ(cpu_op(XENPF_cpu_offline, 0), -XEN_EOPNOTSUPP);
    CHECK_EQ(cpu_op(XENPF_cpu_offline, 4095), -XEN_EINVAL);
    CHECK_EQ(cpu_op(XENPF_cpu_online, 4095), -XEN_EINVAL);
    CHECK_EQ(cpu_op(XENPF_cpu_online, 0), 0);
    begin_others(work);
    for (unsigned n = 0; last > 0 && n < PLUGS; n++) {
        u32 cpu = 1 + (u32)random(&seed) % last;

        for (unsigned i = 1; i < vcpus; i++)
            seen[i] = timers[i];
        CHECK_EQ(cpu_op(XENPF_cpu_offline, cpu), 0);
        CHECK_EQ(cpu_op(XENPF_cpu_offline, cpu), 0); /* it is */
        CHECK_EQ(cpu_flags(cpu, &there), 0);
        CHECK_EQ(there, last);
        for (unsigned i = 1; i < vcpus; i++)
            CHECK(moves(&timers[i], seen[i]));
        CHECK_EQ(cpu_op(XENPF_cpu_online, cpu), 0);
        CHECK_EQ(cpu_op(XENPF_cpu_online, cpu), 0);
        CHECK_EQ(cpu_flags(cpu, &there), XEN_PCPU_FLAGS_ONLINE);
        if (n % 2 == 0)
            sleep_until(guest_time(0) + random(&seed) % (5 * MS), 0);
    }
    for (u32 cpu = 1; cpu <= last; cpu++) /* all but one */
        CHECK_EQ(cpu_op(XENPF_cpu_offline, cpu), 0);
    for (unsigned i = 1; i < vcpus; i++)
        CHECK(moves(&beats[i], beats[i]));
    for (u32 cpu = 1; cpu <= last; cpu++)
        CHECK_EQ(cpu_op(XENPF_cpu_online, cpu), 0);
    end_others();
    print("CLOCK cpus: %u times off and on\n", last ? PLUGS : 0);
}

/* Only the privileged may choose their CPU. */
void test_pin(void)
{
    struct evtchn_bind_virq bind = {.virq = VIRQ_TIMER};
    struct sched_pin_override pin = {.pcpu = 0};
    unsigned cpus = 0, missed = 0;
    u64 seed = 4, back = 0, last_time = 0;

    if (!guest_is_dom0()) {
        CHECK_EQ(hv_sched_op(SCHEDOP_pin_override, &pin), -XEN_EPERM);
        return;
    }
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_bind_virq, &bind), 0);
    begin_others(work);
    for (unsigned n = 0; n < PINS; n++) {
        u64 now = guest_time(0), when = now + random(&seed) % (100 * US);

        back += now + slack < last_time;
        HYPERVISOR(set_timer_op, when, 0, 0, 0, 0);
        pin.pcpu = (int)(n % 4);
        if (hv_sched_op(SCHEDOP_pin_override, &pin) == 0) {
            cpus |= 1u << pin.pcpu;
            if (n % 4 == 0)
                hv_sched_op(SCHEDOP_yield, NULL);
            pin.pcpu = -1;
            hv_sched_op(SCHEDOP_pin_override, &pin);
        }
        sleep_until(when + 1000 * MS, bind.port); /* its timer follows it */
        missed += !port_take(bind.port);
        last_time = now;
    }
    end_others();
    print("CLOCK pin: %u times, CPUs %x\n", PINS, cpus);
    CHECK(cpus & 1);
    CHECK_EQ(back, 0);
    CHECK_EQ(missed, 0);
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_close, &(struct evtchn_close){.port = bind.port}), 0);
}
