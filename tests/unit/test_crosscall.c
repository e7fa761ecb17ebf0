/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cross-calls between threads that are CPUs, all at once and under locks; and the flush clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <pthread.h>

#include "core/crosscall.h"
#include "fake.h"
#include "mem/frame.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/desc.h"
#include "x86/spinlock.h"
#include "x86/upcalls.h"

#define CPUS   4
#define ROUNDS 300

static unsigned int ran[CPUS]; /* atomic */
static unsigned int finished;  /* atomic */
static spinlock_t lock = SPINLOCK_INIT(LOCK_DOMAIN);

static void note(void *arg)
{
    atomic_add(&ran[cpu_id()], 1u);
    assert_ptr_equal(arg, &finished);
}

static void test_alone(void **state)
{
    fake_machine_init(1);
    ran[0] = 0;
    crosscall(~0ULL, note, &finished);
    assert_int_equal(ran[0], 1);
    crosscall(~1ULL, note, &finished);
    assert_int_equal(ran[0], 1);
}

/* Everyone calls everyone, half of the calls under a lock that all want, and goes on serving until all are done. */
static void *cpu_main(void *arg)
{
    fake_cpu = (unsigned int)(uintptr_t)arg;
    for (int i = 0; i < ROUNDS; i++) {
        spin_lock(&lock);
        crosscall(~0ULL, note, &finished);
        spin_unlock(&lock);
        crosscall(~BIT(fake_cpu), note, &finished);
    }
    atomic_add(&finished, 1u);
    while (atomic_load(&finished) < CPUS)
        upcall_crosscall();
    upcall_crosscall();
    return NULL;
}

static void test_all_at_once(void **state)
{
    pthread_t thread[CPUS];

    fake_machine_init(CPUS);
    ran[0] = 0;
    for (uintptr_t i = 0; i < CPUS; i++)
        pthread_create(&thread[i], NULL, cpu_main, (void *)i);
    for (unsigned int i = 0; i < CPUS; i++)
        pthread_join(thread[i], NULL);
    for (unsigned int i = 0; i < CPUS; i++) {
        assert_int_equal(ran[i], CPUS * ROUNDS + (CPUS - 1) * ROUNDS);
        assert_true(fake.ipis[i][VEC_CROSSCALL] > 0);
    }
}

static void flush_on(unsigned int cpu)
{
    fake_cpu = cpu;
    tlb_flush_local();
    fake_cpu = 0;
}

static void test_flush_clock(void **state)
{
    uint32_t stamp;

    fake_machine_init(3);
    for (unsigned int i = 0; i < 3; i++)
        flush_on(i);
    assert_int_equal(tlb_filter(~0ULL, 0), 0); /* no stamp */
    stamp = tlb_stamp_now();
    assert_int_not_equal(stamp, 0);
    assert_int_equal(tlb_filter(~0ULL, stamp), 7);
    assert_int_equal(tlb_filter(5, stamp), 5);
    flush_on(1);
    assert_int_equal(tlb_filter(~0ULL, stamp), 5);
    flush_on(2);
    flush_on(0);
    assert_int_equal(tlb_filter(~0ULL, stamp), 0);
    assert_int_equal(tlb_filter(~0ULL, tlb_stamp_now()), 7);
}

static void test_reuse(void **state)
{
    struct frame f[4] = {0};

    fake_machine_init(1);
    flush_on(0);
    upcall_frames_reused(f, 4);
    assert_int_equal(fake.cr3_loads[0], 1);
    f[2].flush_stamp = tlb_stamp_now();
    upcall_frames_reused(f, 4);
    assert_int_equal(fake.cr3_loads[0], 2);
    assert_int_equal(f[2].flush_stamp, 0);

    f[0].flush_stamp = tlb_stamp_now();
    flush_on(0);
    upcall_frames_reused(f, 4); /* flushed since */
    assert_int_equal(fake.cr3_loads[0], 3);

    f[1].flush_stamp = tlb_stamp_now(); /* one before and one after a flush: the later one counts */
    flush_on(0);
    f[3].flush_stamp = tlb_stamp_now();
    upcall_frames_reused(f, 4);
    assert_int_equal(fake.cr3_loads[0], 5);
}

static void test_page_and_global(void **state)
{
    fake_machine_init(1);
    fake.cr4[0] = 0x80;
    tlb_flush_page(1, 0x1000);
    assert_int_equal(fake.invlpgs[0], 1);
    tlb_flush_global(1);
    assert_int_equal(fake.cr4[0], 0x80);
    assert_int_equal(fake.cr3_loads[0], 1);
    tlb_flush(1);
    assert_int_equal(fake.cr3_loads[0], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_flush_clock),
        cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_page_and_global),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
