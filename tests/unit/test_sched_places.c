/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How soon and where units run, under a simulated clock: latency beside units that always run, hard and
 * soft affinity, the nearest place when one wakes, and the nearest when work is spread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "abi/errno.h"
#include "sched_world.h"
#include "x86/cpu.h"
#include "x86/topology.h"

#define SECOND    MILLISECS(1000)
#define RATELIMIT MICROSECS(1000)

#define assert_near(value, expected, off) \
    assert_in_range((value) + SECOND, (expected) + SECOND - (off), (expected) + SECOND + (off))

/* --- latency --- */

static unsigned int below(unsigned int n)
{
    return (unsigned int)rand() % n;
}

/* Units that always run, of any weight if `weights`; the first that is not added. */
static unsigned int add_hogs(unsigned int n, bool weights)
{
    for (unsigned int i = 0; i < n; i++) {
        sim_add(i, weights ? 64u << below(6) : 256, 0);
        sim_wake(i);
    }
    return n;
}

/* Units [first, end) wake every few ms and run for `burst`, during 2.5 s: the longest that one waited. */
static stime_t worst_wait(unsigned int first, unsigned int end, stime_t burst)
{
    stime_t worst = 0;

    for (unsigned int i = first; i < end; i++) {
        sim_add(i, 256, 0);
        sim_unit[i].burst = burst;
        sim_unit[i].pause = MILLISECS(1);
    }
    sim_pass(MILLISECS(300));
    for (unsigned int i = first; i < end; i++) {
        sim_pass(MICROSECS(below(3000)));
        sim_wake(i);
    }
    if (end - first > 1) { /* what they are is not known before they have slept: the first time they may meet */
        sim_pass(MILLISECS(200));
        sim_reset_counts();
    }
    for (unsigned int n = 0; n < 2500; n++) {
        for (unsigned int i = first; i < end; i++)
            sim_unit[i].pause = MICROSECS(2000 + below(5000));
        sim_pass(MILLISECS(1));
    }
    for (unsigned int i = first; i < end; i++) {
        worst = MAX(worst, sim_unit[i].latency_max);
        assert_in_range(sim_unit[i].wakes, 200, 2000);
    }
    return worst;
}

/*
 * A unit that wakes has the CPU within the ratelimit, on any number of CPUs with any number of units that
 * always run, alone (then from the first time on) or with one of its kind for each CPU.
 */
static void test_latency(void **state)
{
    srand(3);
    for (unsigned int cpus = 1; cpus <= 16; cpus += cpus < 4 ? 1 : cpus) {
        for (unsigned int n = 0; n < 24; n++) {
            unsigned int first, woken = n % 2 ? cpus : 1, hogs = cpus + below(3 * cpus + 1);

            sim_start(cpus);
            if (n % 3 == 0)
                cpu_topology = (struct cpu_topology){{1, 2, 3}};
            first = add_hogs(hogs, n % 4 >= 2);
            /* Beside the heaviest a share is 3 %; else it is a fifth at least. */
            assert_in_range(worst_wait(first, first + woken, MICROSECS(n % 4 >= 2 ? 100 : 300)), 0, RATELIMIT);
        }
    }
}

/* The ratelimit is the pool's: what is set counts. */
static void test_ratelimit(void **state)
{
    static const uint32_t us[] = {0, 100, 500, 3000};

    srand(4);
    for (unsigned int n = 0; n < ARRAY_SIZE(us); n++) {
        struct sched_pool_params p = {.tslice_us = 10000, .ratelimit_us = us[n], .migrate_us = 500};
        stime_t worst;

        sim_start(2);
        assert_int_equal(sched_pool_set_params(0, &p), 0);
        worst = worst_wait(add_hogs(6, false), 8, MICROSECS(100));
        assert_in_range(worst, us[n] > 1000 ? RATELIMIT : 0, MAX(MICROSECS(us[n]), MICROSECS(100)));
    }
}

/* Who runs more than its share does not go first by sleeping now and then. */
static void test_no_shortcut(void **state)
{
    sim_start(1);
    add_hogs(3, false);
    sim_add(3, 256, 0);
    sim_unit[3].burst = MICROSECS(1900);
    sim_unit[3].pause = MICROSECS(100);
    sim_wake(3);
    sim_pass(10 * SECOND);
    for (unsigned int i = 0; i < 4; i++)
        assert_near(sim_unit[i].ran, 10 * SECOND / 4, SECOND / 10);
}

/* Alone with an idle CPU it waits for nothing. */
static void test_idle_latency(void **state)
{
    sim_start(2);
    sim_add(0, 256, 0);
    sim_wake(0);
    sim_add(1, 256, 0);
    sim_unit[1].burst = MICROSECS(100);
    sim_unit[1].pause = MILLISECS(3);
    sim_wake(1);
    sim_pass(10 * SECOND);
    assert_int_equal(sim_unit[1].latency_max, 0);
    assert_near(sim_unit[0].ran, 10 * SECOND, 0);
}

/* A wake between the moment a unit is told to sleep and its leaving the CPU. */
static void test_wake_on_the_way(void **state)
{
    sim_start(2);
    sim_add(0, 256, 0);
    sim_wake(0);
    sim_unit[0].want = false;
    sched_sleep(&sim_unit[0].u);
    assert_true(sched_on_cpu(&sim_unit[0].u));
    sim_unit[0].want = true;
    sched_wake(&sim_unit[0].u);
    sim_settle();
    assert_int_equal(sim_unit[0].u.state, SCHED_RUNNING);
}

/* --- where it may and where it would rather --- */

/* Nobody is ever where it may not be (switch_to() checks), and shares are right on each CPU by itself. */
static void test_pinned(void **state)
{
    sim_start(2);
    for (unsigned int i = 0; i < 5; i++) {
        sim_add(i, 256 * (1 + i % 2), 0);
        assert_int_equal(sched_set_affinity(&sim_unit[i].u, i < 2 ? BIT(0) : ~0ULL), 0);
        if (i < 3)
            sim_wake(i);
    }
    sim_pass(SECOND);
    sim_reset_counts();
    sim_pass(3 * SECOND);
    assert_near(sim_unit[0].ran, SECOND, MILLISECS(20));
    assert_near(sim_unit[1].ran, 2 * SECOND, MILLISECS(40));
    assert_near(sim_unit[2].ran, 3 * SECOND, MILLISECS(20)); /* work is conserved */
    assert_int_equal(sched_set_affinity(&sim_unit[0].u, BIT(5)), -EINVAL);
    assert_int_equal(sched_set_affinity(&sim_unit[0].u, 0), -EINVAL);
    assert_int_equal(sched_set_soft_affinity(&sim_unit[0].u, 0), -EINVAL);
}

/* A unit that is pinned to a busy CPU makes the one there go to an idle one, at once. */
static void test_room(void **state)
{
    sim_start(2);
    sim_add(0, 256, 0);
    sim_wake(0);
    sim_add(1, 65535, 0);
    assert_int_equal(sched_set_affinity(&sim_unit[1].u, BIT(sim_unit[0].u.cpu)), 0);
    sim_wake(1);
    assert_int_equal(sim_unit[0].u.state, SCHED_RUNNING);
    assert_int_equal(sim_unit[1].u.state, SCHED_RUNNING);
    /* And the other way: a CPU falls idle and fetches what stands in the way elsewhere. */
    sim_add(2, 256, 0);
    assert_int_equal(sched_set_affinity(&sim_unit[2].u, BIT(sim_unit[1].u.cpu)), 0);
    assert_int_equal(sched_set_affinity(&sim_unit[1].u, ~0ULL), 0);
    sim_wake(2);
    sim_sleep(0);
    assert_int_equal(sim_unit[1].u.state, SCHED_RUNNING);
    assert_int_equal(sim_unit[2].u.state, SCHED_RUNNING);
}

static void test_soft(void **state)
{
    sim_start(2);
    for (unsigned int i = 0; i < 4; i++) {
        sim_add(i, 256, 0);
        assert_int_equal(sched_set_soft_affinity(&sim_unit[i].u, BIT(i / 2)), 0);
        sim_wake(i);
    }
    sim_pass(SECOND);
    for (unsigned int n = 0; n < 100; n++) {
        sim_pass(MILLISECS(7));
        for (unsigned int cpu = 0; cpu < 2; cpu++)
            assert_int_equal(container_of(sim_current[cpu], struct sim_unit, u)->u.soft, BIT(cpu));
    }
    sim_sleep(0);
    sim_sleep(1); /* only a wish: no CPU is left idle for it */
    assert_int_equal(sched_idle_cpus(), 0);
}

/* What had to run elsewhere comes as soon as a CPU that it prefers is idle, and when its wish changes. */
static void test_soft_again(void **state)
{
    sim_start(4);
    for (unsigned int i = 0; i < 2; i++) {
        sim_add(i, 256, 0);
        assert_int_equal(sched_set_soft_affinity(&sim_unit[i].u, BIT(1)), 0);
        sim_wake(i);
        sim_pass(MILLISECS(5));
    }
    assert_int_equal(bit_count(sched_idle_cpus()), 2); /* a wish is no reason to wait beside idle CPUs */
    assert_int_equal(sim_unit[0].u.on_cpu, 1);
    sim_sleep(0);
    assert_int_equal(sim_unit[1].u.on_cpu, 1);
    assert_int_equal(sched_set_soft_affinity(&sim_unit[1].u, BIT(3)), 0);
    sim_settle();
    assert_int_equal(sim_unit[1].u.on_cpu, 3);
    /* A wish that cannot be fulfilled, and one that can again. */
    assert_int_equal(sched_set_affinity(&sim_unit[1].u, BIT(0) | BIT(2)), 0);
    sim_settle();
    assert_true(BIT(sim_unit[1].u.on_cpu) & (BIT(0) | BIT(2)));
    assert_int_equal(sched_set_affinity(&sim_unit[1].u, ~0ULL), 0);
    sim_settle();
    assert_int_equal(sim_unit[1].u.on_cpu, 3);
    sim_reset_counts();
    sim_pass(SECOND);
    assert_int_equal(sim_timers + sim_ipis + sim_switches, 0);
}

/* --- near and far --- */

/* Among idle CPUs the last one, else a near one, else a whole core. */
static void test_placement(void **state)
{
    sim_start(8);
    cpu_topology = (struct cpu_topology){{1, 2, 3}};
    sim_add(0, 256, 0);
    sim_unit[0].u.cpu = 5;
    sim_wake(0);
    assert_int_equal(sim_unit[0].u.on_cpu, 5);
    sim_add(1, 256, 0);
    sim_unit[1].u.cpu = 5;
    sim_wake(1);
    assert_in_range(sim_unit[1].u.on_cpu, 6, 7); /* the same cache, another core */
}

/* As many units as two CPUs in three can run, on 8 CPUs of that topology: shares are equal, moves counted. */
static void spread(struct cpu_topology topology, unsigned int units)
{
    sim_start(8);
    cpu_topology = topology;
    add_hogs(units, false);
    sim_pass(SECOND);
    sim_reset_counts();
    sim_pass(10 * SECOND);
    for (unsigned int i = 0; i < units; i++)
        assert_near(sim_unit[i].ran, 80 * SECOND / units, 80 * SECOND / units / 50);
}

/* Units change CPUs so that all get the same, the farther the less often. */
static void test_balance(void **state)
{
    static const struct cpu_topology sockets = {{0, 2, 2}}, threads = {{1, 2, 3}}, caches = {{0, 1, 3}};

    for (unsigned int units = 9; units < 16; units++) {
        spread(sockets, units);
        assert_true(2 * sim_moves[CPU_FAR] <= sim_moves[CPU_SAME_CACHE]);
        spread(threads, units);
        assert_true(sim_moves[CPU_SAME_SOCKET] <= sim_moves[CPU_SAME_CORE]);
    }
    /* Where a core's two CPUs, a cache's or a socket's four can do it among themselves, nothing goes farther. */
    spread(sockets, 12);
    assert_int_equal(sim_moves[CPU_FAR], 0);
    assert_int_not_equal(sim_moves[CPU_SAME_CACHE], 0);
    spread(threads, 12);
    assert_int_equal(sim_moves[CPU_SAME_CACHE] + sim_moves[CPU_SAME_SOCKET], 0);
    spread(caches, 12);
    assert_int_equal(sim_moves[CPU_SAME_SOCKET], 0);
}

/* A CPU that falls idle takes what waits in its own cache, then in its socket. */
static void test_steal_near(void **state)
{
    sim_start(8);
    cpu_topology = (struct cpu_topology){{0, 1, 2}};
    for (unsigned int i = 0; i < 11; i++) {
        sim_add(i, 256, 0);
        if (i >= 8) /* wait on CPUs 4, 2, 1 */
            assert_int_equal(sched_set_affinity(&sim_unit[i].u, BIT(4 >> (i - 8))), 0);
        sim_unit[i].u.cpu = i % 8;
        sim_wake(i);
    }
    for (unsigned int i = 8; i < 11; i++) {
        assert_int_equal(sim_unit[i].u.state, SCHED_WAITING);
        assert_int_equal(sched_set_affinity(&sim_unit[i].u, ~0ULL), 0);
    }
    for (unsigned int i = 8; i < 11; i++)
        assert_int_equal(sim_unit[i].u.state, SCHED_WAITING);
    for (unsigned int n = 0; n < 3; n++) {
        static const unsigned int from[] = {1, 2, 4};
        struct sched_cpu *c = &sched_cpus[from[n]];
        struct sched_unit *first = list_first_entry(&c->waiting, struct sched_unit, link);

        sim_sleep((unsigned int)(container_of(sim_current[0], struct sim_unit, u) - sim_unit));
        assert_ptr_equal(sim_current[0], first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_latency),
        cmocka_unit_test(test_ratelimit),
        cmocka_unit_test(test_no_shortcut),
        cmocka_unit_test(test_idle_latency),
        cmocka_unit_test(test_wake_on_the_way),
        cmocka_unit_test(test_pinned),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_soft),
        cmocka_unit_test(test_soft_again),
        cmocka_unit_test(test_placement),
        cmocka_unit_test(test_balance),
        cmocka_unit_test(test_steal_near),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
