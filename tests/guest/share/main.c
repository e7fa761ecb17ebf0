/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How servers share the CPUs. Several of these run side by side; each has a part:
 *
 *   (none)    all vCPUs count without end
 *   hostile   they harm the others in six ways, in turn: spin, yield, interrupt each other, set timers, sleep for
 *             moments, and send events without end to all others
 *   sleeper   vCPU 0 sleeps for a millisecond or three at a time, and notes how late it wakes
 *
 * All measure from the system time `from=` to `to=` (ms since the hypervisor started, the same for all), in windows
 * of `window=` ms, one for each way of the hostile one; and say what the hypervisor says they have run, and how
 * far they have counted. The hostile one is domain `hostile=`; those before it leave a port for it, `foe=`.
 */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define MS    1000000UL
#define WAYS  6
#define FOES  4
#define PORTS 16

const char guest_name[] = "share";

static unsigned vcpus = 1;
static u64 begin, window;
static u64 hostile; /* the hostile server's number; 0: there is none */
static volatile u64 beats[VCPUS_MAX];
static evtchn_port_t ipi[VCPUS_MAX], victim[FOES];

/* Events to all others: each has left a port for us, which is looked for. */
static void ring(void)
{
    for (domid_t d = 1; d < hostile && d < FOES; d++) {
        struct evtchn_bind_interdomain bind = {.remote_dom = d};
        struct evtchn_send send;

        while (victim[d] == 0 && ++bind.remote_port < PORTS)
            if (hv_event_channel_op(EVTCHNOP_bind_interdomain, &bind) == 0)
                victim[d] = bind.local_port;
        send.port = victim[d];
        hv_event_channel_op(EVTCHNOP_send, &send);
    }
}

static void misbehave(unsigned cpu)
{
    struct evtchn_send send = {.port = ipi[(cpu + 1) % vcpus]};
    u64 now = guest_time(cpu);

    switch (now < begin ? 5 : (now - begin) / window % WAYS) {
    case 0:
        for (volatile unsigned i = 0; i < 1000; i++)
            ;
        break;
    case 1:
        hv_sched_op(SCHEDOP_yield, NULL);
        break;
    case 2:
        shared_info->evtchn_pending[0] = 0;
        shared_info->vcpu_info[(cpu + 1) % vcpus].evtchn_upcall_pending = 0;
        hv_event_channel_op(EVTCHNOP_send, &send);
        break;
    case 3:
        hypercall(__HYPERVISOR_set_timer_op, now + (now >> 4) % 5000, 0, 0, 0, 0);
        break;
    case 5:
        ring();
        break;
    default: {
        /* Wakes again at once. */
        struct sched_poll poll = {.nr_ports = 0, .timeout = now + 3000};

        hv_sched_op(SCHEDOP_poll, &poll);
    }
    }
}

static void run(unsigned cpu)
{
    shared_info->evtchn_pending[0] = 0; /* so that the next event is a new one */
    shared_info->vcpu_info[cpu].evtchn_upcall_pending = 0;
    if (hostile)
        misbehave(cpu);
    else
        for (unsigned i = 0; i < 1000; i++)
            __asm__ volatile("");
    beats[cpu]++;
}

static void secondary_main(u64 cpu)
{
    for (;;)
        run((unsigned)cpu);
}

static u64 running_time(unsigned vcpu)
{
    struct vcpu_runstate_info r;

    CHECK_EQ(hv_vcpu_op(VCPUOP_get_runstate_info, vcpu, &r), 0);
    return r.time[RUNSTATE_running];
}

static void measure(u64 to)
{
    u64 ran = 0, count = 0, from = guest_time(0), end;

    for (unsigned i = 0; i < vcpus; i++) {
        ran -= running_time(i);
        count -= beats[i];
    }
    while (guest_time(0) < to)
        run(0);
    for (unsigned i = 0; i < vcpus; i++) {
        ran += running_time(i);
        count += beats[i];
    }
    end = guest_time(0);
    print("SHARE ran %lu us of %lu, %lu beats\n", ran / 1000, (end - from) / 1000, count);
}

static void sleep_and_wake(u64 from, u64 to)
{
    u64 worst = 0, sum = 0, n = 0, late[4] = {0};

    while (guest_time(0) < to) {
        struct sched_poll poll = {.nr_ports = 0, .timeout = guest_time(0) + MS + (n * 7919 % 2000) * 1000};
        u64 by;

        hv_sched_op(SCHEDOP_poll, &poll);
        by = guest_time(0) - poll.timeout;
        if (guest_time(0) < from || (s64)by < 0)
            continue;
        n++;
        sum += by;
        worst = by > worst ? by : worst;
        late[by < MS / 10 ? 0 : by < MS ? 1 : by < 2 * MS ? 2 : 3]++;
        for (volatile unsigned i = 0; i < 2000; i++)
            ;
    }
    print("SHARE woken %lu times: late by %lu us, worst %lu us; below 0.1 ms %lu, 1 ms %lu, 2 ms %lu, more %lu\n", n,
          n ? sum / n / 1000 : 0, worst / 1000, late[0], late[1], late[2], late[3]);
    CHECK(n > 0);
}

void guest_main(void)
{
    u64 from = guest_number("from=", 2000) * MS, to = guest_number("to=", 4000) * MS;
    struct evtchn_alloc_unbound foe = {.dom = DOMID_SELF, .remote_dom = (domid_t)guest_number("foe=", 0)};
    unsigned n = vcpu_count();

    begin = from;
    window = guest_number("window=", (to - from) / MS) * MS;
    hostile = guest_number("hostile=", 0);
    for (unsigned i = 0; i < n; i++) {
        struct evtchn_bind_ipi bind = {.vcpu = i};

        CHECK_EQ(hv_event_channel_op(EVTCHNOP_bind_ipi, &bind), 0);
        ipi[i] = bind.port;
    }
    if (foe.remote_dom != 0)
        CHECK_EQ(hv_event_channel_op(EVTCHNOP_alloc_unbound, &foe), 0);
    for (unsigned i = 1; i < n; i++)
        CHECK(vcpu_start(i, secondary_main));
    vcpus = n;
    if (guest_option("sleeper")) {
        sleep_and_wake(from, to);
    } else {
        while (guest_time(0) < from)
            run(0);
        for (; from < to; from += window)
            measure(from + window);
    }
    while (guest_time(0) < to + 200 * MS) /* the others are still measuring */
        run(0);
}
