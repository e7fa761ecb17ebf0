/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Softirqs in their order, wake-ups, and deferred work step by step. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/softirq.h"
#include "core/timer.h"
#include "core/work.h"
#include "fake.h"
#include "x86/cpu.h"
#include "x86/desc.h"
#include "x86/upcalls.h"

static char seen[32];
static size_t nr_seen;

static void console(void) { seen[nr_seen++] = 'c'; }

static void schedule(void)
{
    seen[nr_seen++] = 's';
    if (nr_seen < 3)
        softirq_raise(SOFTIRQ_CONSOLE);
}

static int start(void **state)
{
    fake_machine_init(2);
    time_init(1000000000);
    for (fake_cpu = 2; fake_cpu-- > 0;)
        timer_init_cpu();
    fake_cpu = 0;
    nr_seen = 0;
    softirq_set_handler(SOFTIRQ_CONSOLE, console);
    softirq_set_handler(SOFTIRQ_SCHEDULE, schedule);
    return 0;
}

static void test_order(void **state)
{
    assert_false(softirq_is_pending());
    softirq_raise(SOFTIRQ_SCHEDULE);
    softirq_raise(SOFTIRQ_CONSOLE);
    assert_true(preempt_pending());
    assert_int_equal(fake.irq_windows[0], 1);
    upcall_softirq();
    assert_memory_equal(seen, "csc", 4);
    assert_false(softirq_is_pending());
}

static void test_wake(void **state)
{
    softirq_raise_cpu(1, SOFTIRQ_SCHEDULE);
    softirq_raise_cpu(1, SOFTIRQ_CONSOLE);
    assert_int_equal(fake.ipis[1][VEC_WAKE], 1);
    softirq_raise_cpu(0, SOFTIRQ_CONSOLE);
    assert_int_equal(fake.ipis[0][VEC_WAKE], 0);
    assert_true(softirq_is_pending());
}

static unsigned int steps;
static struct work first, second;

static bool step(struct work *w)
{
    steps++;
    return steps < 5;
}

static void test_work_idle(void **state)
{
    steps = 0;
    work_init(&first, step);
    work_init(&second, step);
    work_queue(&first);
    work_queue(&first);
    work_queue(&second);
    upcall_softirq();
    assert_int_equal(steps, 6);
    assert_false(first.queued || second.queued);
}

/* With a guest: a step, then a pause. */
static void test_work_busy(void **state)
{
    cpu_local()->guest = (struct guest_cpu *)&first;
    steps = 0;
    work_init(&first, step);
    work_queue(&first);
    for (unsigned int i = 1; i <= 5; i++) {
        upcall_softirq();
        assert_int_equal(steps, i);
        fake.tsc += MILLISECS(1);
        upcall_timer();
    }
    upcall_softirq();
    assert_int_equal(steps, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_order, start),
        cmocka_unit_test_setup(test_wake, start),
        cmocka_unit_test_setup(test_work_idle, start),
        cmocka_unit_test_setup(test_work_busy, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
