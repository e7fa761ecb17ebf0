/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spinlocks: exclusion, and that a wrong order is named before it can deadlock. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "fake.h"
#include "x86/cpu.h"
#include "x86/spinlock.h"

#define THREADS 4
#define ROUNDS  20000

static spinlock_t log_lock = SPINLOCK_INIT(LOCK_LOG), domain_lock = SPINLOCK_INIT(LOCK_DOMAIN);
static spinlock_t evtchn_a = SPINLOCK_INIT(LOCK_EVTCHN), evtchn_b = SPINLOCK_INIT(LOCK_EVTCHN);

static int start(void **state)
{
    fake_machine_init(THREADS);
    spin_init(&log_lock, LOCK_LOG);
    spin_init(&domain_lock, LOCK_DOMAIN);
    return 0;
}

static void test_right_order(void **state)
{
    spin_lock(&domain_lock);
    assert_true(spin_held(&domain_lock));
    assert_false(spin_held(&log_lock));
    spin_lock(&log_lock);
    spin_unlock(&domain_lock); /* any order of release */
    assert_true(spin_held(&log_lock));
    spin_unlock(&log_lock);
    assert_int_equal(cpu_local()->locks_held, 0);
}

static void test_wrong_order(void **state)
{
    spin_lock(&log_lock);
    assert_true(fake_panics(spin_lock(&domain_lock)));
    assert_non_null(strstr(fake_panic_text, "DOMAIN"));
    assert_non_null(strstr(fake_panic_text, "LOG"));
    assert_true(fake_panics(spin_lock(&log_lock)));
    spin_unlock(&log_lock);
    assert_true(fake_panics(spin_unlock(&log_lock)));
}

static void test_same_level(void **state)
{
    spin_lock(&evtchn_a);
    assert_true(fake_panics(spin_lock(&evtchn_b)));
    spin_unlock(&evtchn_a);
    spin_lock_two(&evtchn_b, &evtchn_a);
    assert_true(spin_held(&evtchn_a) && spin_held(&evtchn_b));
    spin_lock(&log_lock);
    spin_unlock(&log_lock);
    spin_unlock_two(&evtchn_b, &evtchn_a);
    spin_lock_two(&evtchn_a, &evtchn_a);
    spin_unlock_two(&evtchn_a, &evtchn_a);
    assert_int_equal(cpu_local()->locks_held, 0);
}

static void test_tickets(void **state)
{
    for (int i = 0; i < 70000; i++) { /* once round the tickets */
        spin_lock(&domain_lock);
        spin_unlock(&domain_lock);
    }
}

static unsigned long counter;

static void *hammer(void *arg)
{
    fake_cpu = (unsigned int)(uintptr_t)arg;
    for (int i = 0; i < ROUNDS; i++) {
        spin_lock(&domain_lock);
        counter++;
        spin_unlock(&domain_lock);
    }
    return NULL;
}

static void test_exclusion(void **state)
{
    pthread_t thread[THREADS];

    counter = 0;
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, hammer, (void *)i);
    for (unsigned int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(counter, THREADS * ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_right_order, start),
        cmocka_unit_test_setup(test_wrong_order, start),
        cmocka_unit_test_setup(test_same_level, start),
        cmocka_unit_test_setup(test_tickets, start),
        cmocka_unit_test_setup(test_exclusion, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
