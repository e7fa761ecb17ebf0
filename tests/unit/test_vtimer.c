/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vCPU's timers, and what its guest is told of the time. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "abi/errno.h"
#include "evtchn/evtchn.h"
#include "guest.h"

static struct domain *d;
static struct vcpu *v;
static uint32_t port;

static int start(void **state)
{
    memset(fake_guest_memory, 0, sizeof(fake_guest_memory));
    d = fake_domain(1, 1, false);
    v = d->vcpu[0];
    fake_enter(v);
    vcpu_set_periodic(v, 0);
    return evtchn_bind_virq(d, VIRQ_TIMER, 0, &port);
}

static int end(void **state)
{
    fake_kill(d);
    return 0;
}

/* Did the timer fire since the last question? */
static bool fired(void)
{
    uint64_t *w = (uint64_t *)&d->shared_info->evtchn_pending[port / 64], bit = BIT(port % 64);
    bool was = (*w & bit) != 0;

    *w &= ~bit;
    v->vcpu_info->evtchn_pending_sel = 0;
    v->vcpu_info->evtchn_upcall_pending = 0;
    return was;
}

static void test_singleshot(void **state)
{
    assert_int_equal(vcpu_set_singleshot(v, stime_now() + MILLISECS(3), true), 0);
    fake_pass(MILLISECS(2));
    assert_false(fired());
    fake_pass(MILLISECS(2));
    assert_true(fired());
    fake_pass(MILLISECS(20));
    assert_false(fired());
    vcpu_set_singleshot(v, stime_now() + MILLISECS(3), false);
    vcpu_stop_singleshot(v);
    fake_pass(MILLISECS(5));
    assert_false(fired());
    assert_int_equal(vcpu_set_singleshot(v, stime_now() - 1, true), -ETIME);
    assert_int_equal(vcpu_set_singleshot(v, stime_now() - 1, false), 0);
    fake_settle();
    assert_true(fired());
    /* It wakes one that sleeps. */
    vcpu_set_singleshot(v, stime_now() + MILLISECS(3), false);
    vcpu_block(v);
    fake_pass(MILLISECS(2));
    assert_false(vcpu_is_running(v));
    fake_pass(MILLISECS(2));
    assert_true(vcpu_is_running(v));
}

static void test_periodic(void **state)
{
    unsigned int ticks = 0;

    assert_int_equal(vcpu_set_periodic(v, MILLISECS(1) - 1), -EINVAL);
    assert_int_equal(vcpu_set_periodic(v, MILLISECS(2)), 0);
    for (unsigned int i = 0; i < 100; i++) {
        fake_pass(MILLISECS(1));
        ticks += fired();
    }
    assert_in_range(ticks, 49, 50);

    /* While it does not run there are none; one when it comes back. */
    vcpu_set_pause_flag(v, VPF_DOWN);
    fake_pass(MILLISECS(10));
    assert_false(fired());
    vcpu_clear_pause_flag(v, VPF_DOWN);
    fake_settle();
    assert_true(fired());
    vcpu_set_periodic(v, 0);
    fake_pass(MILLISECS(10));
    assert_false(fired());
}

/* System time as a guest computes it (public xen.h). */
static stime_t guest_time(const struct vcpu_time_info *t)
{
    uint64_t delta = fake.tsc - t->tsc_timestamp;

    delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
    return (stime_t)(t->system_time + (uint64_t)(((unsigned __int128)delta * t->tsc_to_system_mul) >> 32));
}

static void test_time_record(void **state)
{
    const struct vcpu_time_info *t = &v->vcpu_info->time;
    uint32_t version = t->version;

    assert_int_not_equal(version, 0);
    assert_int_equal(version & 1, 0);
    assert_int_equal(guest_time(t), stime_now());
    fake_pass(MILLISECS(1234));
    assert_int_equal(guest_time(t), stime_now());
    vcpu_update_time(v, false);
    assert_int_equal(t->version, version); /* nothing new */
    vcpu_update_time(v, true);
    assert_int_equal(t->version, version + 2);
    /* Whatever the guest makes of the version, it is even afterwards and has changed. */
    v->vcpu_info->time.version = 0xffffffff;
    vcpu_update_time(v, true);
    assert_int_equal(t->version & 1, 0);
}

static void test_time_area(void **state)
{
    const struct vcpu_time_info *t = (void *)&fake_guest_memory[64];

    assert_int_equal(vcpu_set_time_area(v, 0xffff800000000000), -EFAULT);
    assert_int_equal(vcpu_set_time_area(v, FAKE_GUEST_BASE + 64), 0);
    assert_int_equal(guest_time(t), stime_now());
    assert_int_equal(t->version, 2);
    vcpu_update_areas(v);
    assert_int_equal(t->version, 4);
    assert_int_equal(vcpu_set_time_area(v, 0), 0);
    vcpu_update_areas(v);
    assert_int_equal(t->version, 4);
    assert_int_equal(vcpu_set_time_area(v, 64), 0); /* nothing is there, now */
}

static void test_runstate(void **state)
{
    const struct vcpu_runstate_info *area = (void *)&fake_guest_memory[0];
    struct vcpu_runstate_info r;
    stime_t t0 = stime_now();
    uint64_t ran;

    vcpu_get_runstate(v, &r);
    assert_int_equal(r.state, RUNSTATE_running);
    ran = r.time[RUNSTATE_running];
    assert_int_equal(vcpu_set_runstate_area(v, FAKE_GUEST_BASE), 0);
    assert_int_equal(area->state, RUNSTATE_running);
    fake_pass(MILLISECS(5));
    vcpu_block(v);
    fake_settle();
    assert_int_equal(area->state, RUNSTATE_blocked); /* on leaving */
    assert_int_equal(area->time[RUNSTATE_running], ran + (uint64_t)(stime_now() - t0));
    fake_pass(MILLISECS(3));
    vcpu_get_runstate(v, &r);
    assert_int_equal(r.time[RUNSTATE_blocked], MILLISECS(3));
    assert_int_equal(r.time[RUNSTATE_running], area->time[RUNSTATE_running]);

    v->cpu.work = 0;
    d->vm_assist = BIT(VMASST_TYPE_runstate_update_flag);
    evtchn_send_virq(v, VIRQ_TIMER);
    fake_settle();
    assert_true(v->cpu.work & GUEST_WORK_OTHER); /* pv/ will call: */
    v->cpu.flags = 0;
    vcpu_update_areas(v);
    assert_int_equal(v->cpu.flags, 0);
    v->cpu.flags = GUEST_KERNEL;
    assert_int_equal(area->state, RUNSTATE_running);
    assert_int_equal(area->state_entry_time & XEN_RUNSTATE_UPDATE, 0);
    assert_int_equal(area->time[RUNSTATE_blocked], MILLISECS(3));

    vcpu_set_pause_flag(v, VPF_DOWN);
    fake_settle();
    vcpu_get_runstate(v, &r);
    assert_int_equal(r.state, RUNSTATE_offline);
    vcpu_clear_pause_flag(v, VPF_DOWN);
    fake_settle();
}

static void test_wallclock(void **state)
{
    time_set_wallclock(0x123456789, 42);
    d->time_offset = -9;
    domain_update_wallclock(d);
    assert_int_equal(d->shared_info->wc_sec, 0x23456780);
    assert_int_equal(d->shared_info->wc_sec_hi, 1);
    assert_int_equal(d->shared_info->wc_nsec, 42);
    assert_int_equal(d->shared_info->wc_version & 1, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_singleshot), T(test_periodic), T(test_time_record),
        T(test_time_area),  T(test_runstate), T(test_wallclock),
    };

    fake_world_init(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
