/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policies under a simulated clock: shares for any mix of weights, caps, hostile habits, pools, the
 * static policy. Shares are compared with those of an ideal machine, which
 * divides its CPUs in any portions, one CPU at most to each unit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "abi/errno.h"
#include "sched_world.h"
#include "x86/cpu.h"
#include "x86/topology.h"

#define SECOND MILLISECS(1000)
#define UNSEEN MILLISECS(3) /* three of the shortest slices: a share in slices is not more exact */

#define assert_near(value, expected, off) \
    assert_in_range((value) + SECOND, (expected) + SECOND - (off), (expected) + SECOND + (off))

/* What each of `n` units that always run should get in `time`, by weight, none more than one CPU. */
static void ideal(const unsigned int *weight, unsigned int n, unsigned int cpus, stime_t time, stime_t *share)
{
    bool full[SIM_UNITS] = {false};
    bool again = true;
    double left = cpus;

    while (again) {
        double sum = 0;

        again = false;
        for (unsigned int i = 0; i < n; i++)
            sum += full[i] ? 0 : weight[i];
        for (unsigned int i = 0; i < n; i++) {
            double part = full[i] ? 1 : left * weight[i] / sum;

            if (!full[i] && part >= 1) {
                full[i] = again = true;
                left -= 1;
                break;
            }
            share[i] = (stime_t)(part * (double)time);
        }
    }
}

/* The mix runs 10 s after a second in which it settles; the worst difference from the ideal, in 1/10 percent. */
static unsigned int worst_share(const unsigned int *weight, unsigned int n, unsigned int cpus)
{
    stime_t share[SIM_UNITS];
    unsigned int worst = 0;

    sim_start(cpus);
    for (unsigned int i = 0; i < n; i++) {
        sim_add(i, weight[i], 0);
        sim_wake(i);
    }
    sim_pass(SECOND);
    sim_reset_counts();
    sim_pass(10 * SECOND);
    ideal(weight, n, cpus, 10 * SECOND, share);
    for (unsigned int i = 0; i < n; i++) {
        stime_t off = llabs(sim_unit[i].ran - share[i]);

        if (off > UNSEEN)
            worst = MAX(worst, (unsigned int)(off * 1000 / share[i]));
    }
    return worst;
}

static void test_equal_shares(void **state)
{
    static const unsigned int units[] = {2, 3, 5, 6, 7, 16, 33, 64}, cpus[] = {1, 2, 3, 4, 8};
    unsigned int weight[64];

    for (unsigned int i = 0; i < 64; i++)
        weight[i] = 256;
    for (unsigned int c = 0; c < ARRAY_SIZE(cpus); c++)
        for (unsigned int i = 0; i < ARRAY_SIZE(units); i++)
            if (units[i] > cpus[c])
                assert_in_range(worst_share(weight, units[i], cpus[c]), 0, 20);
}

/* Any mix of 2 to 64 units: weights from 64 to 1024, on 1 to 4 CPUs. */
static void test_weights(void **state)
{
    unsigned int worst = 0;

    srand(1);
    for (unsigned int n = 0; n < 40; n++) {
        unsigned int units = 2 + (unsigned int)rand() % (n < 20 ? 7 : 63), cpus = 1 + (unsigned int)rand() % 4;
        unsigned int weight[64];

        for (unsigned int i = 0; i < units; i++)
            weight[i] = 64u << rand() % 5;
        worst = MAX(worst, worst_share(weight, MAX(units, cpus), cpus));
    }
    assert_in_range(worst, 0, 20);
}

/* --- caps --- */

static void test_caps(void **state)
{
    static const unsigned int cap[] = {10, 25, 50, 75, 95};

    for (unsigned int i = 0; i < ARRAY_SIZE(cap); i++) {
        sim_start(1);
        sim_add(0, 256, cap[i]);
        sim_wake(0);
        sim_add(1, 256, 0); /* beside one without, and in a moment alone */
        sim_wake(1);
        sim_pass(SECOND);
        sim_sleep(1);
        sim_reset_counts();
        sim_pass(10 * SECOND);
        assert_near(sim_unit[0].ran, SECOND / 10 * cap[i], SECOND / 10 * cap[i] / 50);
        assert_int_equal(sched_group_set(&sim_group[0], 0, 0), 0);
        sim_settle();
        sim_reset_counts();
        sim_pass(SECOND);
        assert_near(sim_unit[0].ran, SECOND, MILLISECS(1));
    }
}

/* One cap for all of a server's units, on however many CPUs. */
static void test_cap_of_group(void **state)
{
    stime_t ran = 0;

    sim_start(4);
    sim_add(0, 256, 150);
    for (unsigned int i = 1; i < 4; i++)
        sim_add_to(i, 0);
    for (unsigned int i = 0; i < 4; i++)
        sim_wake(i);
    sim_pass(10 * SECOND);
    for (unsigned int i = 0; i < 4; i++)
        ran += sim_unit[i].ran;
    assert_near(ran, 15 * SECOND, 15 * SECOND / 50);
    /* Parked units fall asleep and wake, and what is capped leaves its time to others. */
    for (unsigned int i = 0; i < 4; i++)
        sim_sleep(i);
    for (unsigned int i = 0; i < 4; i++)
        assert_int_equal(sim_unit[i].u.state, SCHED_ASLEEP);
    sim_add(4, 256, 0);
    for (unsigned int i = 0; i < 5; i++)
        sim_wake(i);
    sim_reset_counts();
    sim_pass(SECOND);
    assert_near(sim_unit[4].ran, SECOND, SECOND / 50);
}

/* --- habits of guests --- */

/* Runs 1.9 ms, sleeps 0.1 ms: gets its share and no more. */
static void test_no_theft(void **state)
{
    sim_start(1);
    sim_add(0, 256, 0);
    sim_wake(0);
    sim_add(1, 256, 0);
    sim_unit[1].burst = MICROSECS(1900);
    sim_unit[1].pause = MICROSECS(100);
    sim_wake(1);
    sim_pass(10 * SECOND);
    assert_near(sim_unit[0].ran, 5 * SECOND, SECOND / 5);
}

/* Sleeps for a second, then wants all: the others get back what it takes first. */
static void test_no_savings(void **state)
{
    sim_start(1);
    for (unsigned int i = 0; i < 2; i++)
        sim_add(i, 256, 0);
    sim_wake(0);
    sim_pass(10 * SECOND);
    sim_wake(1);
    sim_reset_counts();
    sim_pass(SECOND);
    assert_near(sim_unit[0].ran, SECOND / 2, MILLISECS(25));
}

/* Yields whenever it runs, wakes and sleeps a thousand times a second; neighbours lose nothing. */
static void test_hostile(void **state)
{
    for (unsigned int storm = 0; storm < 2; storm++) {
        sim_start(2);
        for (unsigned int i = 0; i < 6; i++) {
            sim_add(i, 256, 0);
            sim_wake(i);
        }
        for (unsigned int n = 0; n < 100000; n++) {
            sim_pass(MICROSECS(50));
            for (unsigned int cpu = 0; cpu < 2; cpu++) {
                fake_cpu = cpu;
                if (sim_current[cpu] != &sim_unit[0].u && sim_current[cpu] != &sim_unit[1].u)
                    continue;
                if (storm)
                    sim_sleep((unsigned int)(container_of(sim_current[cpu], struct sim_unit, u) - sim_unit));
                else
                    sched_yield();
            }
            fake_cpu = 0;
            for (unsigned int i = 0; storm && i < 2; i++)
                sim_wake(i);
            sim_settle();
        }
        for (unsigned int i = 2; i < 6; i++)
            assert_in_range(sim_unit[i].ran, SECOND * 10 / 6 * 95 / 100, 10 * SECOND);
    }
}

static void test_yield(void **state)
{
    sim_start(1);
    sim_add(0, 256, 0);
    sim_wake(0);
    sched_yield(); /* nobody to go first */
    sim_settle();
    assert_ptr_equal(sim_current[0], &sim_unit[0].u);
    sim_add(1, 256, 0);
    sim_wake(1);
    for (unsigned int i = 0; i < 10; i++) {
        struct sched_unit *before = sim_current[0];

        sched_yield();
        sim_settle();
        assert_ptr_not_equal(sim_current[0], before);
    }
}

/* The smallest weight beside large ones runs in every few seconds. */
static void test_no_starvation(void **state)
{
    sim_start(2);
    for (unsigned int i = 0; i < 16; i++) {
        sim_add(i, i ? 4096 : 64, 0);
        sim_wake(i);
    }
    for (unsigned int n = 0; n < 5; n++) {
        sim_reset_counts();
        sim_pass(4 * SECOND);
        assert_int_not_equal(sim_unit[0].ran, 0);
    }
}

/* Who has nothing to decide sets no timer and sends no interrupt. */
static void test_quiet(void **state)
{
    sim_start(4);
    for (unsigned int i = 0; i < 4; i++) {
        sim_add(i, 256, 0);
        sim_wake(i);
    }
    sim_sleep(3);
    sim_pass(MILLISECS(100)); /* one early timer may be left */
    sim_reset_counts();
    sim_pass(10 * SECOND);
    assert_int_equal(sim_timers + sim_ipis + sim_switches, 0);
    for (unsigned int i = 0; i < 3; i++)
        sim_sleep(i);
    sim_reset_counts();
    sim_pass(10 * SECOND);
    assert_int_equal(sim_timers + sim_ipis + sim_switches, 0);
    sim_unit[2].u.cpu = 2;
    sim_wake(2); /* on a CPU that is idle: one interrupt */
    assert_int_equal(sim_ipis, 1);
    assert_near(sched_idle_time(3), 10 * SECOND + sim_now - 20 * SECOND, 11 * SECOND);
    assert_near(sched_cpu_time(&sim_unit[3].u), 0, MILLISECS(1));
}

/* --- the static policy, pools --- */

static void test_null(void **state)
{
    sim_start(2);
    assert_true(sched_choose_policy("null"));
    for (unsigned int i = 0; i < 4; i++) {
        sim_group[i] = (struct sched_group){.pool = NULL};
        sched_group_init(&sim_group[i]);
        sim_add_to(i, i);
        sim_wake(i);
    }
    assert_int_equal(sched_group_set(&sim_group[0], 256, 0), -EOPNOTSUPP);
    sim_reset_counts();
    sim_pass(10 * SECOND);
    assert_near(sim_unit[0].ran, 10 * SECOND, 0);
    assert_near(sim_unit[1].ran, 10 * SECOND, 0);
    assert_int_equal(sim_timers + sim_ipis + sim_switches, 0);
    sim_sleep(0); /* its CPU stays its own */
    assert_int_equal(bit_count(sched_idle_cpus()), 1);
    sim_wake(0);
    assert_int_equal(sim_unit[0].u.state, SCHED_RUNNING);
    sim_remove(0); /* the next one gets it */
    assert_int_equal(sim_unit[2].u.state, SCHED_RUNNING);
    assert_int_equal(sim_unit[3].u.state, SCHED_WAITING);
    assert_int_equal(sched_set_affinity(&sim_unit[3].u, BIT(sim_unit[1].u.cpu)), 0);
    sim_sleep(1);
    assert_int_equal(sched_set_affinity(&sim_unit[1].u, BIT(sim_unit[2].u.cpu)), 0); /* asleep: gives it up */
    sim_settle();
    assert_int_equal(sim_unit[3].u.state, SCHED_RUNNING);
    sim_wake(1);
    assert_int_equal(sim_unit[1].u.state, SCHED_WAITING);
    sim_remove(2);
    assert_int_equal(sim_unit[1].u.state, SCHED_RUNNING);
    assert_false(sched_choose_policy("fair"));
    assert_true(sched_choose_policy("credit2"));
}

/* The static policy: one that gives up, as a vCPU that goes down does, leaves its CPU to who waits for one. */
static void test_null_gives_up(void **state)
{
    sim_start(2);
    assert_true(sched_choose_policy("null"));
    for (unsigned int i = 0; i < 3; i++) {
        sim_group[i] = (struct sched_group){.pool = NULL};
        sched_group_init(&sim_group[i]);
        sim_add_to(i, i);
        sim_wake(i);
    }
    sim_sleep(0);
    assert_int_equal(sim_unit[2].u.state, SCHED_WAITING); /* it may wake at any time */
    sched_give_up(&sim_unit[0].u); /* while it sleeps */
    sim_settle();
    assert_int_equal(sim_unit[2].u.state, SCHED_RUNNING);
    sim_wake(0);
    assert_int_equal(sim_unit[0].u.state, SCHED_WAITING);
    sim_unit[1].want = false; /* while it runs: in the order of a vCPU that takes itself down */
    sched_sleep(&sim_unit[1].u);
    sched_give_up(&sim_unit[1].u);
    sim_settle();
    assert_int_equal(sim_unit[0].u.state, SCHED_RUNNING);
    sim_remove(2);
    sim_wake(1); /* what it has is its own again */
    sim_sleep(1);
    sim_add_to(2, 2);
    sim_wake(2);
    assert_int_equal(sim_unit[2].u.state, SCHED_WAITING);
    assert_true(sched_choose_policy("credit2"));
}

static void test_pool_errors(void **state)
{
    struct sched_pool_params p = {.tslice_us = 5000, .ratelimit_us = 0, .migrate_us = 0};
    struct sched_pool_info info;
    uint32_t id = SCHED_POOL_ANY, same;

    sim_start(4);
    assert_int_equal(sched_pool_create(SCHED_NULL, &id), 0);
    assert_int_equal(id, 1);
    same = 1;
    assert_int_equal(sched_pool_create(SCHED_CREDIT, &same), -EEXIST);
    same = 7;
    assert_int_equal(sched_pool_create(4, &same), -EINVAL);
    assert_int_equal(sched_pool_create(SCHED_CREDIT, &same), 0);
    assert_true(sched_pool_answers(7, SCHED_CREDIT) && sched_pool_answers(7, SCHED_CREDIT2));
    assert_false(sched_pool_answers(7, SCHED_NULL) || sched_pool_answers(2, SCHED_CREDIT));
    assert_int_equal(sched_pool_get_info(2, true, &info), 0);
    assert_int_equal(info.id, 7);
    assert_int_equal(info.scheduler, SCHED_CREDIT);
    assert_int_equal(sched_pool_get_info(2, false, &info), -ENOENT);
    assert_int_equal(sched_pool_get_info(8, true, &info), -ENOENT);

    assert_int_equal(sched_pool_add_cpu(1, 2), -ENODEV); /* not free */
    assert_int_equal(sched_pool_add_cpu(1, SCHED_POOL_ANY), -ENODEV);
    assert_int_equal(sched_pool_add_cpu(1, 4), -EINVAL);
    assert_int_equal(sched_pool_add_cpu(1, 64), -EINVAL);
    assert_int_equal(sched_pool_remove_cpu(2, 3), -ENOENT);
    assert_int_equal(sched_pool_remove_cpu(1, 3), -ENODEV);
    assert_int_equal(sched_pool_remove_cpu(0, 99), -EINVAL);
    assert_int_equal(sched_pool_remove_cpu(0, 3), 0);
    assert_int_equal(sched_free_cpus(), 8);
    assert_int_equal(sched_pool_add_cpu(2, 3), -ENOENT);
    assert_int_equal(sched_pool_add_cpu(1, SCHED_POOL_ANY), 0);
    assert_int_equal(sched_pool_destroy(1), -EBUSY);
    assert_int_equal(sched_pool_destroy(0), -EBUSY);
    assert_int_equal(sched_pool_destroy(2), -ENOENT);
    assert_int_equal(sched_pool_destroy(7), 0);

    assert_int_equal(sched_pool_set_params(9, &p), -ENOENT);
    assert_int_equal(sched_pool_set_params(0, &p), 0);
    assert_int_equal(sched_pool_get_params(0, &p), 0);
    assert_int_equal(p.tslice_us, 5000);
    assert_int_equal(sched_pool_get_params(9, &p), -ENOENT);
    for (unsigned int i = 0; i < 6; i++) {
        static const struct sched_pool_params bad[] = {
            {999, 0, 0}, {1000001, 0, 0}, {5000, 99, 0}, {5000, 5001, 0}, {1000000, 500001, 0}, {5000, 0, 100001},
        };

        assert_int_equal(sched_pool_set_params(0, &bad[i]), -EINVAL);
    }
    sim_add(0, 256, 0);
    assert_int_equal(sched_group_set(&sim_group[0], 65536, 0), -EINVAL);
    assert_int_equal(sched_group_set(&sim_group[0], 1, 65536), -EINVAL);
    same = 3;
    assert_int_equal(sched_pool_create(SCHED_CREDIT2, &same), 0);
    assert_int_equal(sched_pool_move_group(3, &sim_group[0]), -EINVAL); /* no CPU */
    assert_int_equal(sched_pool_move_group(4, &sim_group[0]), -ENOENT);
}

/* Units that run, wait and sleep move with their group; CPUs come and go under them. */
static void test_pools(void **state)
{
    uint32_t id = SCHED_POOL_ANY;

    sim_start(4);
    for (unsigned int i = 0; i < 10; i++) {
        sim_add(i, 256, 0);
        if (i != 4)
            sim_wake(i);
    }
    assert_int_equal(sched_pool_create(SCHED_CREDIT2, &id), 0);
    for (unsigned int cpu = 2; cpu < 4; cpu++) {
        assert_int_equal(sched_pool_remove_cpu(0, cpu), -ERESTART); /* somebody runs there */
        sim_settle();
        assert_int_equal(sched_pool_remove_cpu(0, cpu), 0);
        assert_int_equal(sched_pool_add_cpu(id, cpu), 0);
    }
    for (unsigned int i = 0; i < 6; i++) {
        assert_int_equal(sched_pool_move_group(id, &sim_group[i]), 0);
        sim_settle();
    }
    sim_wake(4);
    sim_pass(SECOND);
    sim_reset_counts();
    sim_pass(3 * SECOND);
    for (unsigned int i = 0; i < 10; i++)
        assert_near(sim_unit[i].ran, i < 6 ? SECOND : SECOND * 3 / 2, MILLISECS(30));
    /* Its last CPU stays while there are groups. */
    while (sched_pool_remove_cpu(id, 2) == -ERESTART)
        sim_settle();
    assert_int_equal(sched_pool_remove_cpu(id, 3), -EBUSY);
    for (unsigned int i = 0; i < 6; i++)
        assert_int_equal(sched_pool_move_group(0, &sim_group[i]), 0);
    sim_settle();
    assert_int_equal(sched_pool_remove_cpu(id, SCHED_POOL_ANY), 0);
    assert_int_equal(sched_pool_destroy(id), 0);
    for (unsigned int i = 0; i < 10; i++) {
        sim_remove(i);
        sched_group_remove(&sim_group[i]);
    }
    assert_int_equal(sched_pools[0].groups, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_shares),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_cap_of_group),
        cmocka_unit_test(test_no_theft),
        cmocka_unit_test(test_no_savings),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_yield),
        cmocka_unit_test(test_no_starvation),
        cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_null_gives_up),
        cmocka_unit_test(test_pool_errors),
        cmocka_unit_test(test_pools),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
