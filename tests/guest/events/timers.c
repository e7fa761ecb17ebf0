/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time, the timers that raise VIRQ_TIMER, block, poll and yield. */
#include "events/events.h"

#define MS      1000000UL
#define NOWHERE 0x1234567000UL

static unsigned timer_port;

static long poll(evtchn_port_t *ports, unsigned n, u64 timeout)
{
    struct sched_poll op = {.nr_ports = n, .timeout = timeout};

    set_xen_guest_handle(op.ports, ports);
    return hv_sched_op(SCHEDOP_poll, &op);
}

static void test_clock(void)
{
    u64 a = time_now(), b;

    for (int i = 0; i < 1000; i++) {
        b = time_now();
        if (b < a)
            break;
        a = b;
    }
    CHECK(b >= a);
    CHECK_EQ(shared_info->vcpu_info[0].time.version & 1, 0);
}

/* A vCPU is born with a periodic timer of 10 ms. */
static void test_first_timer(void)
{
    volatile unsigned *count = &port_count[timer_port];

    *count = 0;
    events_open();
    CHECK(wait_for(count, 3));
    CHECK_EQ(hv_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
    events_close();
}

static void test_set_timer(void)
{
    volatile unsigned *count = &port_count[timer_port];
    u64 start = time_now();

    *count = 0;
    events_open();
    CHECK_EQ(HYPERVISOR(set_timer_op, start + 20 * MS, 0, 0, 0, 0), 0);
    CHECK(wait_for(count, 1));
    CHECK(time_now() >= start + 20 * MS);
    CHECK_EQ(HYPERVISOR(set_timer_op, start, 0, 0, 0, 0), 0); /* the past: at once */
    CHECK(wait_for(count, 2));
    u64 due = time_now() + 20 * MS;
    CHECK_EQ(HYPERVISOR(set_timer_op, due, 0, 0, 0, 0), 0);
    CHECK_EQ(HYPERVISOR(set_timer_op, 0, 0, 0, 0, 0), 0); /* none */
    bool late = time_now() >= due;                        /* a busy host may have kept us until it was due */
    u64 end = time_now() + 50 * MS;
    while (time_now() < end)
        hv_sched_op(SCHEDOP_yield, NULL);
    CHECK(*count == 2 || (late && *count == 3));
    *count = 2;
    due = time_now() + 20 * MS;
    events_close(); /* or the event could come before the sleep, which then would have no end */
    CHECK_EQ(HYPERVISOR(set_timer_op, due, 0, 0, 0, 0), 0);
    CHECK_EQ(hv_sched_op(SCHEDOP_block, NULL), 0); /* opens, and sleeps until an event comes */
    CHECK(*count >= 3 || wait_for(count, 3));
    CHECK(time_now() >= due);
    events_close();
}

static void test_singleshot(void)
{
    volatile unsigned *count = &port_count[timer_port];
    struct vcpu_set_singleshot_timer once = {.timeout_abs_ns = time_now() + 10 * MS};

    *count = 0;
    events_open();
    CHECK_EQ(hv_vcpu_op(VCPUOP_set_singleshot_timer, 0, &once), 0);
    CHECK(wait_for(count, 1));
    once =
        (struct vcpu_set_singleshot_timer){.timeout_abs_ns = time_now() - MS, .flags = VCPU_SSHOTTMR_future};
    CHECK_EQ(hv_vcpu_op(VCPUOP_set_singleshot_timer, 0, &once), 0); /* Xen 4.17 does not refuse the past */
    CHECK(wait_for(count, 2));
    once.timeout_abs_ns = time_now() + 500 * MS;
    CHECK_EQ(hv_vcpu_op(VCPUOP_set_singleshot_timer, 0, &once), 0);
    CHECK_EQ(hv_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
    CHECK_EQ(hv_vcpu_op(VCPUOP_set_singleshot_timer, 0, NULL), -XEN_EFAULT);
    CHECK_EQ(hv_vcpu_op(VCPUOP_set_singleshot_timer, 1, &once), -XEN_EINVAL); /* only one's own */
    CHECK_EQ(hv_vcpu_op(VCPUOP_stop_singleshot_timer, 1, NULL), -XEN_EINVAL);
    events_close();
}

static void test_periodic(void)
{
    volatile unsigned *count = &port_count[timer_port];
    struct vcpu_set_periodic_timer period = {.period_ns = 10 * MS};

    *count = 0;
    events_open();
    CHECK_EQ(hv_vcpu_op(VCPUOP_set_periodic_timer, 0, &period), 0);
    CHECK(wait_for(count, 3));
    CHECK_EQ(hv_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
    period.period_ns = MS / 2;
    CHECK_EQ(hv_vcpu_op(VCPUOP_set_periodic_timer, 0, &period), -XEN_EINVAL); /* less than 1 ms */
    period.period_ns = ~0UL;
    CHECK_EQ(hv_vcpu_op(VCPUOP_set_periodic_timer, 0, &period), -XEN_EINVAL);
    CHECK_EQ(hv_vcpu_op(VCPUOP_set_periodic_timer, 0, NULL), -XEN_EFAULT);
    CHECK_EQ(hv_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
    events_close();
}

static void test_poll(void)
{
    evtchn_port_t ports[2] = {timer_port, (unsigned)bind_ipi(0)};
    u64 start = time_now();

    port_mask(ports[0], true);
    port_mask(ports[1], true);
    port_clear(ports[0]);
    CHECK_EQ(poll(ports, 2, start + 20 * MS), 0); /* nothing: until the timeout */
    CHECK(time_now() >= start + 20 * MS);
    CHECK_EQ(port_send(ports[1]), 0);
    CHECK_EQ(poll(ports, 2, 0), 0); /* pending already: at once */
    port_clear(ports[1]);
    CHECK_EQ(HYPERVISOR(set_timer_op, time_now() + 20 * MS, 0, 0, 0, 0), 0);
    CHECK_EQ(poll(ports, 2, 0), 0); /* a masked event ends it */
    CHECK_EQ(port_pending(ports[0]), true);
    port_clear(ports[0]);
    CHECK_EQ(poll(ports, 129, 1), -XEN_EINVAL);
    CHECK_EQ(poll((evtchn_port_t *)NOWHERE, 1, 1), -XEN_EFAULT);
    CHECK_EQ(poll((evtchn_port_t *)NOWHERE, 0, 1), 0);
    ports[0] = 4096;
    CHECK_EQ(poll(ports, 1, 1), -XEN_EINVAL);
    CHECK_EQ(port_close(ports[1]), 0);
    ports[0] = ports[1];
    CHECK_EQ(poll(ports, 1, 1), -XEN_EINVAL); /* closed */
    CHECK_EQ(hv_sched_op(SCHEDOP_poll, NULL), -XEN_EFAULT);
}

static void test_sched(void)
{
    struct sched_remote_shutdown remote = {.domain_id = 0x1234};
    struct sched_watchdog dog = {.id = 9, .timeout = 10};
    long id;

    CHECK_EQ(hv_sched_op(SCHEDOP_yield, NULL), 0);
    CHECK_EQ(hv_sched_op(SCHEDOP_shutdown, NULL), -XEN_EFAULT);
    CHECK_EQ(hv_sched_op(SCHEDOP_remote_shutdown, &remote), -XEN_ESRCH);
    CHECK_EQ(hv_sched_op(SCHEDOP_watchdog, &dog), -XEN_EINVAL);
    dog = (struct sched_watchdog){.id = 0, .timeout = 10};
    id = hv_sched_op(SCHEDOP_watchdog, &dog);
    CHECK(id >= 1 && id <= 2);
    dog.id = (unsigned)id;
    CHECK_EQ(hv_sched_op(SCHEDOP_watchdog, &dog), 0);
    CHECK_EQ(hv_sched_op(SCHEDOP_watchdog, &(struct sched_watchdog){.id = (unsigned)id, .timeout = 0}), 0);
    CHECK_EQ(hv_sched_op(99, NULL), -XEN_ENOSYS);
    CHECK_EQ(HYPERVISOR(sched_op_compat, SCHEDOP_yield, 0, 0, 0, 0), 0);
    CHECK_EQ(HYPERVISOR(sched_op_compat, 99, 0, 0, 0, 0), -XEN_ENOSYS);
}

void test_timers(void)
{
    timer_port = (unsigned)bind_virq(VIRQ_TIMER, 0);
    port_mask(timer_port, false);
    test_clock();
    test_first_timer();
    test_set_timer();
    test_singleshot();
    test_periodic();
    test_poll();
    test_sched();
    CHECK_EQ(port_close(timer_port), 0);
}
