/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The times that a vCPU has spent in its four states: they are its age, whoever asks and when. */
#include "clock/clock.h"

static struct vcpu_runstate_info area[VCPUS_MAX] __attribute__((aligned(64)));
static volatile unsigned registered;

static u64 sum(const struct vcpu_runstate_info *r)
{
    return r->time[0] + r->time[1] + r->time[2] + r->time[3];
}

/* One vCPU's sum, which was right at some moment between *before and *after. */
static u64 age(unsigned vcpu, u64 *before, u64 *after)
{
    struct vcpu_runstate_info r;

    *before = guest_time(0);
    CHECK_EQ(hv_vcpu_op(VCPUOP_get_runstate_info, vcpu, &r), 0);
    *after = guest_time(0);
    CHECK(r.state >= 0 && r.state <= RUNSTATE_offline);
    return sum(&r);
}

static void live(unsigned vcpu, u64 random)
{
    if (!(registered & BIT(vcpu))) {
        struct vcpu_register_runstate_memory_area reg = {.addr.v = &area[vcpu]};

        hv_vcpu_op(VCPUOP_register_runstate_memory_area, vcpu, &reg);
        __atomic_or_fetch(&registered, (unsigned)BIT(vcpu), __ATOMIC_SEQ_CST);
    }
    for (volatile unsigned i = 0; i < random % 30000; i++)
        ;
    if (random % 4 == 0)
        sleep_until(guest_time(vcpu) + random % (3 * MS), 0);
    else if (random % 4 == 1)
        hv_sched_op(SCHEDOP_yield, NULL);
}

/* Its own copy, read by itself: it runs, and its past adds up to the same birth each time. */
static u64 birth(unsigned vcpu)
{
    struct vcpu_runstate_info r;

    do {
        r.state_entry_time = *(volatile u64 *)&area[vcpu].state_entry_time;
        memcpy(&r.time, &area[vcpu].time, sizeof(r.time));
        __asm__ volatile("" ::: "memory");
    } while (*(volatile u64 *)&area[vcpu].state_entry_time != r.state_entry_time);
    return r.state_entry_time - sum(&r);
}

void test_runstates(void)
{
    static u64 first[VCPUS_MAX], before[VCPUS_MAX], after[VCPUS_MAX];
    u64 born, seed = 3, wrong_birth = 0;
    unsigned wrong = 0;

    live(0, 0);
    born = birth(0);
    begin_others(live);
    for (unsigned i = 0; i < vcpus; i++)
        first[i] = age(i, &before[i], &after[i]);
    for (unsigned round = 0; round < 100; round++) {
        live(0, random(&seed));
        if (birth(0) != born)
            wrong_birth = birth(0) - born;
        for (unsigned i = 0; i < vcpus; i++) {
            u64 b, a, grown = age(i, &b, &a) - first[i];

            if ((grown + slack < b - after[i] || grown > a - before[i] + slack) && wrong++ == 0)
                print("    vCPU %u: %lu ns in %lu to %lu\n", i, grown, b - after[i], a - before[i]);
        }
    }
    end_others();
    CHECK_EQ(wrong, 0);
    CHECK_EQ(wrong_birth, 0);
    for (unsigned i = 0; i < vcpus; i++)
        print("CLOCK vCPU %u: running %lu ms, runnable %lu ms, blocked %lu ms, offline %lu ms\n", i,
              area[i].time[0] / MS, area[i].time[1] / MS, area[i].time[2] / MS, area[i].time[3] / MS);
    for (unsigned i = 0; i < vcpus; i++)
        hv_vcpu_op(VCPUOP_register_runstate_memory_area, i, &(struct vcpu_register_runstate_memory_area){.addr.v = NULL});
}
