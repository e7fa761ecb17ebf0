/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System time, and timers: that each fires once, in order, on its CPU, and not after it was stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/softirq.h"
#include "core/timer.h"
#include "fake.h"
#include "x86/cpu.h"
#include "x86/desc.h"
#include "x86/upcalls.h"

#define NR_TIMERS 500

static struct { struct timer t; stime_t due; unsigned int fired; } item[NR_TIMERS];
static stime_t last_due;

static void go_to(stime_t t) { fake.tsc = (uint64_t)t; }

static void on_cpu(unsigned int cpu)
{
    fake_cpu = cpu;
    upcall_softirq();
    fake_cpu = 0;
}

static int start(void **state)
{
    fake_machine_init(2);
    time_init(1000000000); /* a tick is a nanosecond */
    for (fake_cpu = 2; fake_cpu-- > 0;)
        timer_init_cpu();
    fake_cpu = 0;
    return 0;
}

static void test_scale(void **state)
{
    static const uint64_t hz[] = {1000000, 999999999, 1000000001, 1193182000, 2000000000, 2893201000, 5000000000};

    for (size_t i = 0; i < ARRAY_SIZE(hz); i++) {
        struct time_base b;
        stime_t t;

        fake.tsc = 12345;
        time_init(hz[i]);
        time_get_base(&b);
        assert_int_equal(b.tsc, 12345);
        assert_int_equal(stime_now(), 0);
        assert_true(b.mul >= 1u << 31);
        assert_int_equal(time_tsc_khz(), hz[i] / 1000);
        fake.tsc += hz[i] * 1000; /* 1000 s: right to a microsecond */
        t = stime_now();
        assert_true(llabs((long long)(t - MILLISECS(1000000))) < 1000);
        fake.tsc = 0; /* behind the base */
        assert_int_equal(stime_now(), 0);
    }
}

static void count(void *data)
{
    size_t i = (size_t)data;

    item[i].fired++;
    assert_true(item[i].due >= last_due);
    assert_true(item[i].due <= stime_now());
    last_due = item[i].due;
}

static void test_order(void **state)
{
    srand(3);
    for (size_t i = 0; i < NR_TIMERS; i++) {
        timer_init(&item[i].t, count, (void *)i, 0);
        item[i].fired = 0;
    }
    for (int step = 0; step < 20000; step++) { /* arm, arm again, stop */
        size_t i = (size_t)rand() % NR_TIMERS;

        if (rand() % 3 == 0) {
            timer_stop(&item[i].t);
            item[i].due = STIME_NEVER;
        } else {
            item[i].due = 1000 + rand() % 100000;
            timer_set(&item[i].t, item[i].due);
        }
    }
    last_due = 0;
    for (stime_t t = 0; t <= 110000; t += 1 + rand() % 500) {
        go_to(t);
        upcall_timer();
        on_cpu(0);
        for (size_t i = 0; i < NR_TIMERS; i++)
            assert_int_equal(item[i].fired, item[i].due <= t && item[i].t.fn ? 1 : 0);
    }
}

static unsigned int fired;
static void note(void *data) { fired++; }

static void test_programming(void **state)
{
    struct timer t, u;

    timer_init(&t, note, NULL, 0);
    timer_init(&u, note, NULL, 0);
    timer_set(&t, 5000);
    assert_in_range(fake.timer_ticks[0], 5000, 5010);
    timer_set(&u, 3000);
    assert_in_range(fake.timer_ticks[0], 3000, 3010);
    go_to(3000);
    fired = 0;
    upcall_timer();
    on_cpu(0);
    assert_int_equal(fired, 1);
    assert_in_range(fake.timer_ticks[0], 2000, 2010);
    timer_stop(&t);
    upcall_timer();
    on_cpu(0);
    assert_int_equal(fake.timer_ticks[0], 0);

    /* Far away: some shorter time. Never: not at all. In the past: at once. */
    timer_set(&t, MILLISECS(3600000));
    assert_in_range(fake.timer_ticks[0], 1, 2000000000);
    timer_set(&t, STIME_NEVER);
    upcall_timer();
    on_cpu(0);
    assert_int_equal(fake.timer_ticks[0], 0);
    timer_set(&t, 0);
    assert_true(softirq_is_pending());
    on_cpu(0);
    assert_int_equal(fired, 2);
}

static void test_other_cpu(void **state)
{
    struct timer t;

    fired = 0;
    timer_init(&t, note, NULL, 1);
    timer_set(&t, 1000);
    assert_int_equal(fake.ipis[1][VEC_WAKE], 1);
    on_cpu(1);
    assert_in_range(fake.timer_ticks[1], 1000, 1010);
    timer_migrate(&t, 0);
    go_to(2000);
    fake_cpu = 1;
    upcall_timer();
    on_cpu(1);
    assert_int_equal(fired, 0);
    upcall_timer();
    on_cpu(0);
    assert_int_equal(fired, 1);
    timer_migrate(&t, 1); /* not queued: it stays so */
    fake_cpu = 1;
    upcall_timer();
    on_cpu(1);
    assert_int_equal(fired, 1);
}

static unsigned int other_softirqs;
static struct timer restless;

static void other_softirq(void)
{
    other_softirqs++;
    timer_stop(&restless);
}

static void again(void *data)
{
    fired++;
    softirq_raise(SOFTIRQ_CONSOLE);
    timer_set(&restless, stime_now() - 1);
}

/* A handler that always arms itself for the past does not keep the other softirqs waiting for ever. */
static void test_restless(void **state)
{
    timer_init(&restless, again, NULL, 0);
    softirq_set_handler(SOFTIRQ_CONSOLE, other_softirq);
    fired = 0;
    timer_set(&restless, 0);
    on_cpu(0);
    assert_int_equal(other_softirqs, 1);
    assert_in_range(fired, 1, 100);
}

static void test_kill(void **state)
{
    struct timer t;

    timer_init(&t, note, NULL, 0);
    fired = 0;
    timer_set(&t, 10);
    timer_kill(&t);
    timer_set(&t, 10); /* stays dead */
    go_to(20);
    upcall_timer();
    on_cpu(0);
    assert_int_equal(fired, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_scale, start),
        cmocka_unit_test_setup(test_order, start),
        cmocka_unit_test_setup(test_programming, start),
        cmocka_unit_test_setup(test_other_cpu, start),
        cmocka_unit_test_setup(test_restless, start),
        cmocka_unit_test_setup(test_kill, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
