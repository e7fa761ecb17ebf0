/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System time: the measurement of the TSC, one line for all CPUs, and a line for each where TSCs are not to be believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/cmdline.h"
#include "core/crosscall.h"
#include "core/log.h"
#include "core/softirq.h"
#include "core/timer.h"
#include "fake.h"
#include "lib/checked.h"
#include "platform/clock.h"
#include "platform/platform.h"
#include "x86/cpu.h"
#include "x86/lapic.h"
#include "x86/upcalls.h"

#define GHZ    1000000000ULL
#define SECOND 1000000000LL

/* --- stand-ins --- */

static unsigned int warnings, changes, alarms;
static uint64_t tsc_of[4], hz_of[4]; /* what each CPU's TSC shows, and how fast it runs */
static double true_time;             /* seconds */

const char *cmdline_get(const char *name) { return NULL; }
void log_at(enum log_level level, const char *fmt, ...) { warnings += level == LOG_WARNING; }
uint32_t lapic_timer_current(void) { return 0xffffffff - (uint32_t)(true_time * 1e9); }
bool pmtimer_clock(struct clock *c) { return false; }
bool pit_clock(struct clock *c) { return false; }

/* One CPU after the other, at the same moment. */
void crosscall_meet(void (*alone)(void *arg), void (*each)(void *arg), void *arg)
{
    unsigned int caller = fake_cpu;

    alone(arg);
    for (fake_cpu = 0; each && fake_cpu < cpus_online; fake_cpu++) {
        fake.tsc = tsc_of[fake_cpu];
        each(arg);
    }
    fake_cpu = caller;
    fake.tsc = tsc_of[caller];
}

static void pass(double seconds)
{
    true_time += seconds;
    for (unsigned int i = 0; i < 4; i++)
        tsc_of[i] += (uint64_t)(seconds * (double)hz_of[i]);
    fake.tsc = tsc_of[fake_cpu];
}

static stime_t now_on(unsigned int cpu)
{
    stime_t t;

    fake_cpu = cpu;
    fake.tsc = tsc_of[cpu];
    t = stime_now();
    fake_cpu = 0;
    fake.tsc = tsc_of[0];
    return t;
}

static stime_t reference(void) { return (stime_t)(true_time * 1e9) + 777; }
static void on_change(void) { changes++; }
static void on_alarm(void) { alarms++; }

/* An HPET of 14.318 MHz and 32 bits. Reading it takes 100 ns, and sometimes 30 us. */
static uint64_t read_hpet(void)
{
    pass(rand() % 3 == 0 ? 30e-6 : 100e-9);
    return (uint64_t)(true_time * 14318180) & 0xffffffff;
}

bool hpet_clock(struct clock *c)
{
    *c = (struct clock){"HPET", 14318180, 0xffffffff, read_hpet};
    return true;
}


/* --- tests --- */

static void test_mul_div(void **state)
{
    for (int i = 0; i < 100000; i++) {
        uint64_t a = (uint64_t)random() << (random() % 33), b = (uint64_t)random() << (random() % 33),
                 c = (uint64_t)random() << (random() % 33) | 1;
        unsigned __int128 right = (unsigned __int128)a * b / c;

        assert_true(mul_div(a, b, c) == (right >> 64 ? UINT64_MAX : (uint64_t)right));
    }
    assert_true(mul_div(UINT64_MAX, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
    assert_int_equal(mul_div(5, 7, 0), UINT64_MAX);
}

static void test_turns(void **state)
{
    struct clock pm = {.hz = 3579545, .mask = 0xffffff};

    assert_int_equal(clock_ticks_between(&pm, 0xfffff0, 0x10, 0), 0x20);
    assert_int_equal(clock_ticks_between(&pm, 0xfffff0, 0x10, 0x1000010), 0x1000020);
    for (int i = 0; i < 10000; i++) { /* the estimate is wrong by up to 1 % */
        uint64_t ticks = (uint64_t)random() % 0x30000000, from = (uint64_t)random() & pm.mask;
        uint64_t about = ticks * (uint64_t)(9900 + random() % 200) / 10000;

        assert_int_equal(clock_ticks_between(&pm, from, (from + ticks) & pm.mask, about), ticks);
    }
}

/* 10 ms are not enough; a second is, and time goes on without a step. */
static void test_settle(void **state)
{
    uint64_t ppm;
    stime_t before;

    hz_of[0] = 2893201000;
    fake_machine_init(1);
    clock_calibrate();
    pass(1.0);
    before = stime_now();
    clock_settle();
    assert_true(stime_now() >= before);
    assert_true(stime_now() - before < MILLISECS(1));
    assert_in_range(time_tsc_khz(), 2893201 - 5, 2893201 + 5);
    before = stime_now();
    pass(600);
    assert_true(llabs(stime_now() - before - 600 * SECOND) < 600 * SECOND / 50000); /* 20 ppm over ten minutes */
    assert_true(time_tsc_stable());
    (void)clock_tsc_hz(&(struct clock){.hz = 1000000}, 1000, GHZ, 10000, &ppm);
    assert_int_equal(ppm, 10 + 1000 + 1);
}

/* The boot CPU handles a timer after so many times ten seconds. */
static void watch(int times)
{
    while (times--) {
        pass(10.1);
        time_watch(stime_now());
    }
}

/* Two TSCs that show different times and run at different speeds, which change. */
static void test_lines(void **state)
{
    stime_t last;

    cpus_online = 3;
    cpus_online_mask = 7;
    for (unsigned int i = 1; i < 4; i++) {
        tsc_of[i] = (uint64_t)random();
        hz_of[i] = GHZ * i;
    }
    warnings = 0;
    time_set_reference(reference);
    time_set_listener(on_change);
    time_set_alarm(on_alarm);
    timer_init_cpu();
    watch(20);
    assert_true(time_tsc_stable());
    hz_of[0] += hz_of[0] / 1000; /* it runs away from the reference, and is noticed */
    watch(2);
    assert_true(time_tsc_stable());
    watch(4);
    assert_false(time_tsc_stable());
    assert_int_equal(warnings, 1);
    assert_int_equal(alarms, 1);
    assert_int_equal(changes, 3);

    last = now_on(0);
    for (int s = 0; s < 300; s++) {
        if (s % 50 == 10) /* one becomes faster by half, one slower by a tenth */
            hz_of[1] += hz_of[1] / 2;
        if (s % 50 == 10)
            hz_of[2] -= hz_of[2] / 10;
        for (int step = 0; step < 100; step++) {
            pass(0.01);
            fake_cpu = 0;
            softirq_raise(SOFTIRQ_TIMER);
            upcall_softirq();
            for (unsigned int cpu = 0; cpu < 3; cpu++) {
                stime_t now = now_on((cpu + (unsigned int)step) % 3);

                assert_true(now >= last); /* never back, whoever looks */
                last = now;
            }
        }
        if (s % 50 == 9) /* long after the last change: all agree, and with the reference */
            assert_true(llabs(now_on(2) - now_on(0)) < 2000 && llabs(now_on(1) - now_on(0)) < 2000);
    }
    assert_in_range(changes, 3 * 290, 3 * 310);
}

/* One that has been away for long is brought forward in a step, one that is ahead is slowed down. */
static void test_follow(void **state)
{
    struct time_base old = {.tsc = 1000, .stime = 5 * SECOND}, new;

    time_set_slope(&old, GHZ);
    new = time_follow(&old, 1000, 5 * SECOND, 1000 + GHZ, 6 * SECOND, SECOND);
    assert_int_equal(new.stime, 6 * SECOND);
    assert_true(llabs(time_at(&new, new.tsc + GHZ) - 7 * SECOND) < 2);
    new = time_follow(&old, 1000, 5 * SECOND, 1000 + GHZ, 60 * SECOND, SECOND); /* far behind */
    assert_int_equal(new.stime, 60 * SECOND);
    new = time_follow(&old, 1000, 5 * SECOND, 1000 + 2 * GHZ, 6 * SECOND, SECOND); /* ahead by a second: half speed */
    assert_int_equal(new.stime, 7 * SECOND);
    assert_true(llabs(time_at(&new, new.tsc + 2 * GHZ) - 7 * SECOND - SECOND / 2) < 3);
    new = time_follow(&old, 1000, 5 * SECOND, 1000, 5 * SECOND, SECOND); /* no time has passed */
    assert_true(new.mul == old.mul && new.shift == old.shift);
    assert_int_equal(time_at(&new, 0), new.stime); /* a TSC behind its line */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mul_div), cmocka_unit_test(test_turns), cmocka_unit_test(test_settle),
        cmocka_unit_test(test_follow), cmocka_unit_test(test_lines),
    };

    srand(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
