/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policies under a simulated clock: shares for any mix of weights, caps, latency, affinity, hostile
 * habits, placement, pools, the static policy. Shares are compared with those of an ideal machine, which
 * divides its CPUs in any portions, one CPU at most to each unit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <cmocka.h>

#include "abi/errno.h"
#include "sched_world.h"
#include "x86/cpu.h"
#include "x86/topology.h"

#define SECOND MILLISECS(1000)
#define UNSEEN MILLISECS(3) /* three of the shortest slices: a share in slices is not more exact */

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
        if (getenv("SHOW"))
            printf("  %u/%u on %u: weight %u: %lld of %lld us\n", i, n, cpus, weight[i],
                   (long long)sim_unit[i].ran / 1000, (long long)share[i] / 1000);
    }
    if (getenv("SHOW"))
        printf("%u on %u: worst %u.%u %%, %u switches %u timers %u ipis\n", n, cpus, worst / 10, worst % 10, sim_switches, sim_timers, sim_ipis);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_shares),
        cmocka_unit_test(test_weights),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
