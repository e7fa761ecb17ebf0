/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time, as several vCPUs see it that sleep, yield and are moved: it never goes back, the states' times
 * add up, timers are not early, and vCPUs that are unplugged, plugged and pinned lose nothing.
 */
#include "clock/clock.h"

const char guest_name[] = "clock";

unsigned vcpus = 1;

static void (*volatile current_step)(unsigned vcpu, u64 random);
static volatile unsigned round_number, stop, arrived;

u64 random(u64 *seed)
{
    *seed = *seed * 6364136223846793005UL + 1442695040888963407UL;
    return *seed >> 20;
}

bool port_take(evtchn_port_t port)
{
    return __atomic_fetch_and(&shared_info->evtchn_pending[port / 64], ~BIT(port % 64), __ATOMIC_SEQ_CST) &
           BIT(port % 64);
}

void sleep_until(u64 when, evtchn_port_t port)
{
    struct sched_poll poll = {.nr_ports = port != 0, .timeout = when};

    set_xen_guest_handle(poll.ports, &port);
    hv_sched_op(SCHEDOP_poll, &poll);
}

static void take_part(unsigned vcpu)
{
    u64 seed = vcpu * 7919 + round_number;

    while (!stop)
        current_step(vcpu, random(&seed));
    __atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
}

static void other_main(u64 vcpu)
{
    unsigned seen = 0;

    for (;;) {
        while (round_number == seen)
            hv_sched_op(SCHEDOP_yield, NULL);
        seen = round_number;
        take_part((unsigned)vcpu);
    }
}

void begin_others(void (*step)(unsigned vcpu, u64 random))
{
    arrived = stop = 0;
    current_step = step;
    __atomic_add_fetch(&round_number, 1, __ATOMIC_SEQ_CST);
}

void end_others(void)
{
    stop = 1;
    while (arrived < vcpus - 1)
        hv_sched_op(SCHEDOP_yield, NULL);
}

void run_all(u64 time, void (*step)(unsigned vcpu, u64 random))
{
    u64 seed = 1, end = guest_time(0) + time;

    begin_others(step);
    while (guest_time(0) < end)
        step(0, random(&seed));
    end_others();
}

void guest_main(void)
{
    unsigned n = vcpu_count();

    for (size_t i = 0; i < ARRAY_SIZE(shared_info->evtchn_mask); i++)
        shared_info->evtchn_mask[i] = ~0UL;
    for (unsigned i = 0; i < n; i++)
        hv_vcpu_op(VCPUOP_stop_periodic_timer, i, NULL);
    for (; vcpus < n; vcpus++)
        CHECK(vcpu_start(vcpus, other_main));
    for (unsigned i = 0; i < n; i++)
        while (*(volatile u32 *)&shared_info->vcpu_info[i].time.version == 0) /* it has not run yet */
            hv_sched_op(SCHEDOP_yield, NULL);
    test_monotonic();
    test_runstates();
    test_lateness();
    test_plug();
    test_pin();
    test_cpus();
    test_drift();
    test_monotonic();
}
