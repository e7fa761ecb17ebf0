/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUs that are threads run vCPUs, which wake, block, pause and pin each
 * other: no vCPU is ever on two CPUs (the fake guest_switch() aborts then), a
 * pause that has returned keeps it off them, no wake-up is lost, and domains
 * die while all that goes on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#define sched_yield libc_sched_yield /* the name is ours */
#include <pthread.h>
#undef sched_yield

#include "core/softirq.h"
#include "evtchn/evtchn.h"
#include "guest.h"
#include "mem/page_alloc.h"
#include "x86/upcalls.h"

#define CPUS   4
#define VCPUS  6
#define ROUNDS 3000
#define PASSES 20

static struct domain *d[2];
static uint32_t ipi[2][VCPUS];
static unsigned int passes;        /* atomic: begun */
static unsigned int finished;      /* atomic */
static unsigned int paused[VCPUS]; /* atomic: nobody may run it */
static unsigned int wrong;         /* atomic */
static bool stop;                  /* atomic */

static void act(unsigned int *seed)
{
    struct vcpu *v = current_vcpu();
    unsigned int which = (unsigned int)rand_r(seed) % 2, i = (unsigned int)rand_r(seed) % VCPUS;
    struct vcpu *target = d[which]->vcpu[i];

    if (v && v->domain == d[0] && atomic_load(&paused[v->id]))
        atomic_add(&wrong, 1u);
    switch (rand_r(seed) % 8) {
    case 0:
        if (v)
            vcpu_block(v);
        break;
    case 1:
        vcpu_pause_nosync(target);
        vcpu_unpause(target);
        break;
    case 2:
        (void)sched_set_affinity(&target->unit, ((uint64_t)rand_r(seed) % 7 + 1) << 1);
        break;
    case 3:
        if (v)
            v->vcpu_info->evtchn_upcall_pending = 0;
        break;
    default:
        evtchn_send(d[which], ipi[which][i]);
        d[which]->shared_info->evtchn_pending[0] = 0;
        d[which]->vcpu[i]->vcpu_info->evtchn_pending_sel = 0;
    }
}

/* CPU 0 is the toolstack: synchronous pauses. It runs no vCPU, so nobody has to wait for it in turn. */
static void toolstack(unsigned int *seed)
{
    unsigned int i = (unsigned int)rand_r(seed) % VCPUS;
    struct vcpu *v = d[0]->vcpu[i];

    vcpu_pause_sync(v);
    if (vcpu_is_running(v) || atomic_load(&v->cpu.running_on) != -1)
        atomic_add(&wrong, 1u);
    atomic_store(&paused[i], 1);
    for (unsigned int n = 0; n < 20; n++) {
        upcall_crosscall();
        fake_yield();
    }
    if (vcpu_is_running(v))
        atomic_add(&wrong, 1u);
    atomic_store(&paused[i], 0);
    vcpu_unpause(v);
}

static void *cpu_main(void *arg)
{
    unsigned int cpu = (unsigned int)(uintptr_t)arg, seed = cpu, left = 0, pass = 0;

    for (unsigned int n = 0; !atomic_load(&stop); n++) {
        fake_cpu = cpu;
        upcall_crosscall();
        if (n % 64 == 0)
            softirq_raise(SOFTIRQ_TIMER);
        fake_run_cpu(cpu);
        atomic_add(&fake.tsc, (uint64_t)MICROSECS(2));
        if (atomic_load(&passes) != pass) {
            pass++;
            left = ROUNDS;
        }
        if (left == 0) {
            fake_yield();
            continue;
        }
        act(&seed);
        if (--left == 0)
            atomic_add(&finished, 1u);
    }
    return NULL;
}

static void one_pass(unsigned int seed)
{
    atomic_store(&finished, 0);
    for (unsigned int i = 0; i < 2; i++) {
        d[i] = fake_domain((domid_t)(i + 1), VCPUS, false);
        for (unsigned int n = 0; n < VCPUS; n++) {
            (void)sched_set_affinity(&d[i]->vcpu[n]->unit, 14);
            assert_int_equal(evtchn_bind_ipi(d[i], n, &ipi[i][n]), 0);
        }
    }
    atomic_add(&passes, 1u);
    while (atomic_load(&finished) < CPUS - 1) {
        toolstack(&seed);
        fake_run_cpu(0);
    }

    /* Nobody acts any more. An event for each: none may stay asleep. */
    for (unsigned int n = 0; n < VCPUS; n++) {
        struct vcpu *v = d[0]->vcpu[n];

        v->vcpu_info->evtchn_upcall_pending = 0;
        v->vcpu_info->evtchn_pending_sel = 0;
        d[0]->shared_info->evtchn_pending[0] = 0;
        evtchn_send(d[0], ipi[0][n]);
        assert_int_equal(v->pause_flags, 0);
        assert_int_not_equal(v->unit.state, SCHED_ASLEEP);
    }
    for (unsigned int i = 0; i < 2; i++) {
        while (domain_kill(d[i]) != 0) {
            upcall_crosscall();
            fake_run_cpu(0);
            fake_yield();
        }
        domain_put(d[i]);
    }
    for (unsigned int n = 0; n < 100; n++) {
        softirq_raise(SOFTIRQ_TIMER);
        fake_run_cpu(0);
    }
    assert_int_equal(wrong, 0);
}

static void test_race(void **state)
{
    uint64_t free_frames = page_alloc_free_frames();
    pthread_t thread[CPUS];

    for (unsigned int i = 1; i < CPUS; i++)
        pthread_create(&thread[i], NULL, cpu_main, (void *)(uintptr_t)i);
    for (unsigned int pass = 0; pass < PASSES; pass++)
        one_pass(pass);
    atomic_store(&stop, true);
    for (unsigned int i = 1; i < CPUS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(page_alloc_free_frames(), free_frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_race)};

    fake_world_init(CPUS);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
