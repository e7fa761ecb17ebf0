/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler under a clock that the test moves: shares, caps, latency,
 * placement, and at the end ten thousand random operations after each of which
 * nothing may be in two places.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "abi/errno.h"
#include "core/softirq.h"
#include "fake.h"
#include "sched/sched.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/upcalls.h"

#define STEP  MICROSECS(100)
#define UNITS 12
#define CPUS  4

static struct unit {
    struct sched_unit u;
    bool want;   /* runnable */
    stime_t ran; /* as the test counts it */
} unit[UNITS];

static struct sched_unit *current[CPUS];
static unsigned int cpus, switches;

static struct unit *of(struct sched_unit *u)
{
    return container_of(u, struct unit, u);
}
static bool runnable(struct sched_unit *u)
{
    return of(u)->want;
}

static void switch_to(struct sched_unit *prev, struct sched_unit *next)
{
    assert_ptr_equal(current[fake_cpu], prev);
    assert_ptr_not_equal(prev, next);
    if (prev)
        prev->on_cpu = -1;
    if (next) {
        assert_int_equal(next->on_cpu, -1); /* CPUs take turns here, so none has to wait */
        next->on_cpu = (int32_t)fake_cpu;
    }
    current[fake_cpu] = next;
    switches++;
}

static const struct sched_ops ops = {.switch_to = switch_to, .runnable = runnable};

static void pass(stime_t t);
static void sleep_unit(unsigned int i);

static void start(unsigned int n)
{
    /* What the test before left running still has its timers armed. */
    for (unsigned int i = 0; i < UNITS && cpus; i++)
        sleep_unit(i);
    if (cpus)
        pass(MILLISECS(40));
    fake_machine_init(n);
    cpus = n;
    fake.tsc = 1000;
    time_init(1000000000); /* a tick is a nanosecond */
    sched_init(&ops);
    for (fake_cpu = n; fake_cpu-- > 0;) {
        timer_init_cpu();
        sched_init_cpu();
        current[fake_cpu] = NULL;
    }
    fake_cpu = 0;
    for (unsigned int i = 0; i < UNITS; i++) {
        unit[i] = (struct unit){.want = false};
        sched_unit_init(&unit[i].u, ~0ULL, 256);
    }
}

/* Every CPU does what it has to, until none has anything. */
static void settle(void)
{
    for (unsigned int round = 0; round < 4; round++)
        for (fake_cpu = 0; fake_cpu < cpus; fake_cpu++)
            upcall_softirq();
    fake_cpu = 0;
}

static void pass(stime_t t)
{
    for (stime_t end = stime_now() + t; stime_now() < end;) {
        for (unsigned int c = 0; c < cpus; c++)
            if (current[c])
                of(current[c])->ran += STEP;
        fake.tsc += STEP;
        for (fake_cpu = 0; fake_cpu < cpus; fake_cpu++)
            softirq_raise(SOFTIRQ_TIMER);
        settle();
    }
}

static void wake(unsigned int i)
{
    unit[i].want = true;
    sched_wake(&unit[i].u);
    settle();
}

static void sleep_unit(unsigned int i)
{
    unit[i].want = false;
    sched_sleep(&unit[i].u);
    settle();
}

#define assert_near(value, expected, tolerance) \
    assert_in_range((value) + MILLISECS(100000), (expected) + MILLISECS(100000) - (tolerance), \
                    (expected) + MILLISECS(100000) + (tolerance))

static void test_equal_shares(void **state)
{
    start(1);
    for (unsigned int i = 0; i < 3; i++)
        wake(i);
    switches = 0;
    pass(MILLISECS(3000));
    for (unsigned int i = 0; i < 3; i++) {
        assert_near(unit[i].ran, MILLISECS(1000), MILLISECS(30));
        assert_near(sched_cpu_time(&unit[i].u), unit[i].ran, STEP);
    }
    assert_in_range(switches, 250, 350); /* slices are 10 ms */
}

static void test_weights(void **state)
{
    static const unsigned int weight[] = {64, 128, 256, 576};

    start(1);
    for (unsigned int i = 0; i < 4; i++) {
        assert_int_equal(sched_set_params(&unit[i].u, weight[i], 0), 0);
        wake(i);
    }
    pass(MILLISECS(8192));
    for (unsigned int i = 0; i < 4; i++)
        assert_near(unit[i].ran, MILLISECS(8 * weight[i]), MILLISECS(8 * weight[i]) / 10);
    assert_int_equal(sched_set_params(&unit[0].u, 0, 0), -EINVAL);
    assert_int_equal(sched_set_params(&unit[0].u, 65536, 0), -EINVAL);
}

/* Who ran alone for a long time owes nothing to who comes later. */
static void test_alone_is_free(void **state)
{
    start(1);
    wake(0);
    pass(MILLISECS(5000));
    wake(1);
    unit[0].ran = 0;
    pass(MILLISECS(1000));
    assert_near(unit[0].ran, MILLISECS(500), MILLISECS(50));
}

static void test_cap(void **state)
{
    start(1);
    assert_int_equal(sched_set_params(&unit[0].u, 256, 25), 0);
    wake(0);
    pass(MILLISECS(3000));
    assert_near(unit[0].ran, MILLISECS(750), MILLISECS(30)); /* though nobody else wants the CPU */
    sched_set_params(&unit[0].u, 256, 0);
    unit[0].ran = 0;
    pass(MILLISECS(300));
    assert_near(unit[0].ran, MILLISECS(300), MILLISECS(2));
    /* A parked unit can fall asleep and wake. */
    sched_set_params(&unit[0].u, 256, 10);
    pass(MILLISECS(20));
    assert_int_equal(unit[0].u.state, SCHED_PARKED);
    sleep_unit(0);
    assert_int_equal(unit[0].u.state, SCHED_ASLEEP);
    wake(0);
    pass(MILLISECS(3000));
}

/* A unit that runs 1 ms in 10 is served at once among four that always run. */
static void test_latency(void **state)
{
    start(1);
    for (unsigned int i = 0; i < 5; i++)
        wake(i);
    sleep_unit(4);
    pass(MILLISECS(100));
    for (unsigned int n = 0; n < 100; n++) {
        pass(MILLISECS(9));
        wake(4);
        assert_ptr_equal(current[0], &unit[4].u);
        pass(MILLISECS(1));
        sleep_unit(4);
    }
    for (unsigned int i = 0; i < 4; i++)
        assert_in_range(unit[i].ran, MILLISECS(200), MILLISECS(300));
}

/* ... but not more than its share. */
static void test_no_theft(void **state)
{
    start(1);
    wake(0);
    for (unsigned int n = 0; n < 1000; n++) {
        stime_t done = unit[1].ran + STEP * 19;

        wake(1);
        while (unit[1].ran < done)
            pass(STEP);
        sleep_unit(1);
        pass(STEP);
    }
    assert_in_range(unit[0].ran, MILLISECS(1800), MILLISECS(2200));
}

static void test_placement(void **state)
{
    start(2);
    wake(0);
    wake(1);
    assert_int_not_equal(unit[0].u.on_cpu, unit[1].u.on_cpu);
    /* Back to where it was, while the other one is idle, too. */
    for (unsigned int i = 0; i < 2; i++) {
        int32_t before = unit[i].u.on_cpu;

        sleep_unit(0);
        sleep_unit(1);
        assert_int_equal(sched_idle_cpus(), 3);
        wake(i);
        assert_int_equal(unit[i].u.on_cpu, before);
        wake(!i);
    }
    assert_int_equal(sched_idle_cpus(), 0);
}

static void test_stealing(void **state)
{
    start(2);
    wake(0);
    wake(1);
    assert_int_equal(sched_set_affinity(&unit[2].u, BIT(unit[0].u.cpu)), 0);
    wake(2); /* shares with 0 */
    pass(MILLISECS(5));
    sleep_unit(1); /* its CPU takes 0, at the end of its slice at the latest: 2 is bound */
    pass(MILLISECS(11));
    assert_int_not_equal(unit[0].u.on_cpu, unit[2].u.on_cpu);
    assert_true(unit[0].u.state == SCHED_RUNNING && unit[2].u.state == SCHED_RUNNING);
}

static void test_three_on_two(void **state)
{
    start(2);
    for (unsigned int i = 0; i < 3; i++)
        wake(i);
    pass(MILLISECS(3000));
    for (unsigned int i = 0; i < 3; i++)
        assert_in_range(unit[i].ran, MILLISECS(1400), MILLISECS(2600));
}

static void test_affinity(void **state)
{
    start(3);
    assert_int_equal(sched_set_affinity(&unit[0].u, BIT(5)), -EINVAL);
    assert_int_equal(sched_set_affinity(&unit[0].u, BIT(2) | BIT(9)), 0); /* asleep */
    wake(0);
    assert_int_equal(unit[0].u.on_cpu, 2);
    assert_int_equal(sched_set_affinity(&unit[0].u, BIT(1)), 0); /* running */
    settle();
    assert_int_equal(unit[0].u.on_cpu, 1);
    assert_null(current[2]);
    sched_set_affinity(&unit[1].u, BIT(1));
    wake(1);
    settle();
    for (unsigned int i = 0; i < 2; i++) {
        if (unit[i].u.state != SCHED_QUEUED)
            continue;
        assert_int_equal(sched_set_affinity(&unit[i].u, BIT(0)), 0); /* queued */
        settle();
        assert_int_equal(unit[i].u.on_cpu, 0);
        return;
    }
    fail();
}

/* A wake between the moment a unit is told to sleep and its leaving the CPU. */
static void test_wake_on_the_way(void **state)
{
    start(2);
    wake(0);
    unit[0].want = false;
    sched_sleep(&unit[0].u);
    assert_true(sched_on_cpu(&unit[0].u));
    unit[0].want = true;
    sched_wake(&unit[0].u);
    settle();
    assert_int_equal(unit[0].u.state, SCHED_RUNNING);
    sleep_unit(0);
    assert_false(sched_on_cpu(&unit[0].u));
    assert_int_equal(unit[0].u.state, SCHED_ASLEEP);
}

static void test_yield(void **state)
{
    struct sched_unit *before;

    start(1);
    wake(0);
    sched_yield(); /* nobody to go first */
    settle();
    wake(1);
    for (unsigned int i = 0; i < 10; i++) {
        before = current[0];
        sched_yield();
        settle();
        assert_ptr_not_equal(current[0], before);
    }
}

/* One unit alone is not interrupted. */
static void test_timer_only_if_needed(void **state)
{
    start(1);
    wake(0);
    assert_int_equal(fake.timer_ticks[0], 0);
    wake(1);
    assert_int_not_equal(fake.timer_ticks[0], 0);
    sleep_unit(1);
    pass(MILLISECS(11)); /* the hardware may have been left armed */
    assert_int_equal(fake.timer_ticks[0], 0);
}

static void check_all(void)
{
    for (unsigned int i = 0; i < UNITS; i++) {
        struct sched_unit *u = &unit[i].u;

        assert_int_equal(unit[i].want, u->state != SCHED_ASLEEP);
        for (unsigned int c = 0; c < cpus; c++)
            assert_int_equal(current[c] == u, u->state == SCHED_RUNNING && u->cpu == c);
        assert_int_equal(u->on_cpu, u->state == SCHED_RUNNING ? (int)u->cpu : -1);
        assert_int_equal(list_empty(&u->link), u->state == SCHED_ASLEEP || u->state == SCHED_RUNNING);
        if (u->state != SCHED_ASLEEP)
            assert_true(u->affinity & BIT(u->cpu));
        /* None waits while a CPU where it may run is idle. */
        if (u->state == SCHED_QUEUED)
            assert_int_equal(u->affinity & sched_idle_cpus(), 0);
    }
}

static void test_random(void **state)
{
    srand(1);
    start(CPUS);
    for (unsigned int n = 0; n < 10000; n++) {
        unsigned int i = (unsigned int)rand() % UNITS;

        switch (rand() % 6) {
        case 0:
        case 1:
            wake(i);
            break;
        case 2:
            sleep_unit(i);
            break;
        case 3:
            (void)sched_set_affinity(&unit[i].u, (uint64_t)rand() % 15 + 1);
            break;
        case 4:
            (void)sched_set_params(&unit[i].u, (unsigned int)rand() % 1000 + 1,
                                   rand() % 4 ? 0 : (unsigned int)rand() % 150);
            break;
        default:
            pass(STEP * (rand() % 30));
        }
        settle();
        settle();
        check_all();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_shares),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_alone_is_free),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_latency),
        cmocka_unit_test(test_no_theft),
        cmocka_unit_test(test_placement),
        cmocka_unit_test(test_stealing),
        cmocka_unit_test(test_three_on_two),
        cmocka_unit_test(test_affinity),
        cmocka_unit_test(test_wake_on_the_way),
        cmocka_unit_test(test_yield),
        cmocka_unit_test(test_timer_only_if_needed),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
