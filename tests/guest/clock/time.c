/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System time goes forward only; timers are never early, and how late they are is printed. */
#include "clock/clock.h"

#define STABLE    BIT(0) /* XEN_PVCLOCK_TSC_STABLE_BIT */
#define LOOSE     (300 * MS)
#define TIMERS    400

static unsigned lock;
static u64 last, readings, worst_back;
static bool stable;
u64 slack;

static u64 my_time(unsigned vcpu, u64 which)
{
    /* While the TSC is stable any vCPU's record will do: the vDSO reads that of vCPU 0 on all. */
    return guest_time(stable ? (unsigned)which % vcpus : vcpu);
}

/* Reads under a lock: each reading comes after all before it. */
static void read_time(unsigned vcpu, u64 random)
{
    u64 now;

    for (unsigned i = 0; i < 50; i++) {
        while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
            hv_sched_op(SCHEDOP_yield, NULL);
        now = my_time(vcpu, random + i);
        if (now < last && last - now > worst_back)
            worst_back = last - now;
        if (now > last)
            last = now;
        readings++;
        __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
    }
    if (random % 4 == 0)
        sleep_until(guest_time(vcpu) + random / 4 % (300 * US), 0);
    else if (random % 4 == 1)
        hv_sched_op(SCHEDOP_yield, NULL);
}

void test_monotonic(void)
{
    stable = shared_info->vcpu_info[0].time.flags & STABLE;
    slack = stable ? 0 : LOOSE;
    readings = 0;
    run_all(700 * MS, read_time);
    print("CLOCK tsc %s: %lu readings on %u vCPUs, at worst %lu ns back\n", stable ? "stable" : "not stable",
          readings, vcpus, worst_back);
    CHECK(readings > 100); /* a busy host lets it run little */
    CHECK(worst_back <= slack);
}

/* --- timers --- */

static void load(unsigned vcpu, u64 random)
{
    for (volatile unsigned i = 0; i < random % 20000; i++)
        ;
    if (random % 3 == 0)
        sleep_until(guest_time(vcpu) + random % (2 * MS), 0);
}

static void sort(u64 *a, unsigned n)
{
    for (unsigned i = 1; i < n; i++)
        for (unsigned j = i; j > 0 && a[j - 1] > a[j]; j--) {
            u64 t = a[j];

            a[j] = a[j - 1];
            a[j - 1] = t;
        }
}

static void measure(const char *what)
{
    static u64 late[TIMERS];
    struct evtchn_bind_virq bind = {.virq = VIRQ_TIMER};
    unsigned early = 0, missed = 0;
    u64 seed = 5;

    CHECK_EQ(hv_event_channel_op(EVTCHNOP_bind_virq, &bind), 0);
    for (unsigned i = 0; i < TIMERS; i++) {
        u64 when = guest_time(0) + 50 * US + random(&seed) % (i % 40 == 0 ? 20 * MS : 2 * MS), now;

        HYPERVISOR(set_timer_op, when, 0, 0, 0, 0);
        sleep_until(when + 500 * MS, bind.port);
        now = guest_time(0);
        missed += !port_take(bind.port);
        early += now + slack < when;
        late[i] = now < when ? 0 : now - when;
    }
    sort(late, TIMERS);
    print("CLOCK timers %s: late by %lu us (half), %lu us (9 of 10), %lu us (99 of 100), %lu us (all)\n", what,
          late[TIMERS / 2] / US, late[TIMERS * 9 / 10] / US, late[TIMERS * 99 / 100] / US, late[TIMERS - 1] / US);
    CHECK_EQ(early, 0);
    CHECK_EQ(missed, 0);
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_close, &(struct evtchn_close){.port = bind.port}), 0);
}

void test_lateness(void)
{
    begin_others(load);
    measure("under load");
    end_others();
}
