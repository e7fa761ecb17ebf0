/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domains: creation, stopping and starting, death, and that every frame comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "abi/errno.h"
#include "core/crosscall.h"
#include "evtchn/evtchn.h"
#include "guest.h"
#include "mem/heap.h"
#include "mem/page_alloc.h"

static uint64_t free_frames;
static unsigned int told_shut_down, told_gone;
static uint64_t frames_gone;

static void shut_down(struct domain *d)
{
    told_shut_down += d->id * 10 + d->shutdown_code;
}
static void gone(domid_t id, struct server *s, uint64_t frames)
{
    told_gone = id;
    frames_gone = frames;
}

static int start(void **state)
{
    free_frames = page_alloc_free_frames();
    told_shut_down = told_gone = 0;
    return 0;
}

static int end(void **state)
{
    return page_alloc_free_frames() != free_frames;
}

static void test_create(void **state)
{
    struct domain_config c = {.id = 5, .max_vcpus = 2, .max_pages = 10, .name = "web"};
    struct domain *d, *e;
    struct vcpu *v;

    c.max_vcpus = 0;
    assert_int_equal(domain_create(&c, &fake_guest_ops, &d), -EINVAL);
    c.max_vcpus = DOMAIN_VCPUS_MAX + 1;
    assert_int_equal(domain_create(&c, &fake_guest_ops, &d), -E2BIG);
    c.max_vcpus = 2;
    c.id = DOMID_SELF;
    assert_int_equal(domain_create(&c, &fake_guest_ops, &d), -EINVAL);
    c.id = 5;
    assert_int_equal(domain_create(&c, &fake_guest_ops, &d), 0);
    assert_int_equal(domain_create(&c, &fake_guest_ops, &e), -EEXIST);
    assert_string_equal(d->name, "web");
    assert_int_equal(vcpu_create(d, 2, &v), -EINVAL);
    assert_int_equal(vcpu_create(d, 1, &v), 0);
    assert_int_equal(vcpu_create(d, 1, &v), -EEXIST);
    c.id = DOMID_INVALID;
    c.name = NULL;
    assert_int_equal(domain_create(&c, &fake_guest_ops, &e), 0);
    assert_true(e->id != 5 && e->id != 0);
    assert_ptr_equal(domain_get(5), d);
    domain_put(d);
    assert_null(domain_get(77));
    domain_hold(d);
    domain_hold(e);
    fake_kill(d);
    assert_null(domain_get(5));
    fake_kill(e);
}

static void test_walk(void **state)
{
    struct domain *d[3] = {fake_domain(3, 1, false), fake_domain(9, 1, false), fake_domain(4, 1, false)};
    static const domid_t order[] = {3, 4, 9};
    unsigned int n = 0;

    for (struct domain *i = NULL; (i = domain_next(i)) != NULL; n++)
        assert_int_equal(i->id, order[n]);
    assert_int_equal(n, 3);
    for (n = 0; n < 3; n++)
        fake_kill(d[n]);
}

/* No memory at any point of creation: nothing is left behind. */
static void test_no_memory(void **state)
{
    struct domain_config c = {.id = 5, .max_vcpus = 1, .max_pages = 10};
    void *hoard[32];
    struct domain *d;
    struct frame *list = NULL;

    for (unsigned int allowed = 0; allowed < 32; allowed++) {
        int ret;

        for (unsigned int i = 0; i < allowed; i++)
            hoard[i] = hv_page_alloc();
        for (struct frame *f; (f = page_alloc(0, 0)) != NULL; list = f)
            f->owner = (struct domain *)list;
        for (unsigned int i = 0; i < allowed; i++)
            hv_page_free(hoard[i]);
        ret = domain_create(&c, &fake_guest_ops, &d);
        while (list) {
            struct frame *f = list;

            list = (struct frame *)f->owner;
            f->owner = NULL;
            page_free(f, 0);
        }
        fake_settle();
        if (!ret) {
            assert_true(allowed > 3);
            domain_hold(d);
            fake_kill(d);
            return;
        }
        assert_int_equal(ret, -ENOMEM);
        assert_int_equal(page_alloc_free_frames(), free_frames);
        assert_int_equal(told_gone, 0); /* it has never been there */
    }
    fail();
}

static void test_frames(void **state)
{
    struct domain *d = fake_domain(1, 1, false), *e = fake_domain(2, 1, false);
    struct frame *f = domain_alloc_frames(d, 0, 0), *g;
    uint8_t *p = frame_to_ptr(f);
    mfn_t m = frame_to_mfn(f);

    assert_int_equal(d->tot_pages, 1);
    assert_ptr_equal(f->owner, d);
    assert_false(frame_get(f, e));
    assert_int_equal(domain_release_frame(e, f), -EINVAL);
    m2p_set(m, pfn(7));
    memset(p, 0x5a, PAGE_SIZE);

    /* Given up while another reference is held: stays until that has gone. */
    assert_true(frame_get(f, d));
    assert_int_equal(domain_steal_frame(d, f), -EBUSY);
    assert_int_equal(domain_release_frame(d, f), 0);
    assert_int_equal(domain_release_frame(d, f), -EINVAL);
    assert_int_equal(d->tot_pages, 1);
    frame_put(f);
    assert_int_equal(d->tot_pages, 0);
    assert_int_equal(m2p_get(m).v, M2P_INVALID);
    assert_int_not_equal(f->flush_stamp, 0);

    /* What one leaves in a frame, no other sees. */
    g = domain_alloc_frames(e, 0, 0);
    assert_ptr_equal(g, f);
    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        assert_int_equal(p[i], 0);

    /* From one to another. */
    p[9] = 42;
    assert_int_equal(domain_steal_frame(d, g), -EBUSY);
    assert_int_equal(domain_steal_frame(e, g), 0);
    assert_null(g->owner);
    assert_false(frame_get(g, e));
    assert_int_equal(domain_assign_frames(d, g, 0, true), 0);
    assert_int_equal(p[9], 42);
    assert_true(frame_get(g, d));
    frame_put(g);

    /* Limits. */
    assert_non_null(domain_alloc_frames(d, 9, 0));
    assert_null(domain_alloc_frames(d, 9, 0));
    assert_int_equal(d->tot_pages, 513);
    assert_int_equal(domain_steal_frame(d, g), 0);
    d->max_pages = 512;
    assert_int_equal(domain_assign_frames(d, g, 0, true), -E2BIG);
    assert_int_equal(domain_assign_frames(d, g, 0, false), 0);
    fake_kill(d);
    assert_int_equal(told_gone, 1);
    assert_int_equal(frames_gone, 514); /* with shared_info */
    fake_kill(e);
}

/* A frame that another still maps outlives its domain's life, and the domain waits for it. */
static void test_zombie(void **state)
{
    struct domain *d = fake_domain(1, 1, false);
    struct frame *f = domain_alloc_frames(d, 2, 0), *s = mfn_to_frame(ptr_to_mfn(d->shared_info));
    unsigned int destroyed = fake_domains_destroyed;

    assert_true(frame_get(&f[2], d));
    assert_true(frame_get(s, d));
    fake_kill(d);
    assert_null(domain_get(1));
    assert_int_equal(fake_domains_destroyed, destroyed);
    frame_put(&f[2]);
    fake_settle();
    assert_int_equal(told_gone, 0);
    frame_put(s);
    fake_settle();
    assert_int_equal(fake_domains_destroyed, destroyed + 1);
    assert_int_equal(told_gone, 1);
    assert_int_equal(frames_gone, 5);
}

static void test_pause(void **state)
{
    struct domain *d = fake_domain(1, 2, false);
    struct vcpu *v = d->vcpu[1];

    fake_settle();
    assert_true(vcpu_is_running(d->vcpu[0]) && vcpu_is_running(v));
    domain_pause_nosync(d);
    domain_pause_nosync(d);
    fake_settle();
    assert_false(vcpu_is_running(v));
    domain_unpause(d);
    fake_settle();
    assert_false(vcpu_is_running(v));
    domain_unpause(d);
    vcpu_pause_nosync(d->vcpu[0]);
    fake_settle();
    assert_false(vcpu_is_running(d->vcpu[0]));
    assert_true(vcpu_is_running(v));
    vcpu_unpause(d->vcpu[0]);
    fake_settle();
    assert_true(vcpu_is_running(d->vcpu[0]));

    /* Stopped, its registers are still in the CPU; a synchronous pause brings them home. */
    vcpu_pause_nosync(v);
    fake_settle();
    assert_int_not_equal(v->cpu.running_on, -1);
    fake_cpu = (unsigned int)v->cpu.running_on;
    vcpu_pause_sync(v);
    fake_cpu = 0;
    assert_int_equal(v->cpu.running_on, -1);
    fake_kill(d);
}

static void test_shutdown(void **state)
{
    struct domain *dom0 = fake_domain(0, 1, true), *d = fake_domain(1, 2, false);
    uint32_t port;

    assert_int_equal(evtchn_bind_virq(dom0, VIRQ_DOM_EXC, 0, &port), 0);
    fake_settle();
    domain_shutdown(d, SHUTDOWN_reboot);
    domain_shutdown(d, SHUTDOWN_poweroff); /* too late */
    assert_false(d->shut_down);
    fake_pass(MILLISECS(2));
    assert_true(d->shut_down);
    assert_int_equal(told_shut_down, 10 + SHUTDOWN_reboot);
    assert_int_equal(evtchn_is_pending(dom0, port), 1);
    fake_pass(MILLISECS(1));
    assert_false(vcpu_is_running(d->vcpu[0]));
    domain_resume(d);
    fake_pass(MILLISECS(30));
    assert_int_not_equal(d->vcpu[0]->runstate.time[RUNSTATE_running], 0);

    domain_latch_shutdown_code(d, SHUTDOWN_suspend);
    domain_shutdown(d, SHUTDOWN_poweroff);
    fake_pass(MILLISECS(2));
    assert_int_equal(d->shutdown_code, SHUTDOWN_suspend);
    domain_resume(d);
    told_shut_down = 0;
    domain_crash(d, "because of %d", 5);
    domain_crash(d, "again");
    fake_pass(MILLISECS(2));
    assert_int_equal(told_shut_down, 10 + SHUTDOWN_crash);
    fake_kill(d);
    domain_shutdown(dom0, SHUTDOWN_poweroff);
    fake_kill(dom0); /* before anybody was told: nobody is */
    assert_int_equal(told_shut_down, 10 + SHUTDOWN_crash);
}

static void test_rights(void **state)
{
    struct domain *dom0 = fake_domain(0, 1, true), *d;
    int error = 0;

    fake_enter(dom0->vcpu[0]);
    d = fake_domain(1, 1, false);
    assert_ptr_equal(domain_get_for_caller(DOMID_SELF, &error), dom0);
    assert_ptr_equal(domain_get_for_caller(1, &error), d);
    assert_null(domain_get_for_caller(8, &error));
    assert_int_equal(error, -ESRCH);
    domain_put(dom0);
    domain_put(d);
    vcpu_set_pause_flag(dom0->vcpu[0], VPF_DOWN);
    fake_settle();
    while (current_vcpu() != d->vcpu[0])
        fake_cpu++;
    assert_null(domain_get_for_caller(0, &error));
    assert_int_equal(error, -EPERM);
    assert_null(domain_get_for_caller(8, &error));
    assert_int_equal(error, -ESRCH);
    assert_ptr_equal(domain_get_for_caller(1, &error), d);
    domain_put(d);
    fake_cpu = 0;
    fake_kill(d);
    fake_kill(dom0);
}

static void test_vcpu_info(void **state)
{
    struct domain *d = fake_domain(1, 40, false);
    struct frame *f = domain_alloc_frames(d, 0, 0);
    struct vcpu *v = d->vcpu[35];
    struct vcpu_info *info = (void *)((char *)frame_to_ptr(f) + 128);
    mfn_t m = frame_to_mfn(f);
    uint32_t port;

    assert_int_equal(vcpu_register_info(v, m, 128), -EINVAL); /* it is up */
    vcpu_set_pause_flag(v, VPF_DOWN);
    assert_int_equal(vcpu_register_info(v, m, PAGE_SIZE - 32), -EINVAL);
    assert_int_equal(vcpu_register_info(v, m, 4), -EINVAL);
    assert_int_equal(vcpu_register_info(v, mfn(1), 128), -EINVAL);
    assert_int_equal(evtchn_bind_ipi(d, 35, &port), 0);
    assert_int_equal(vcpu_register_info(v, m, 128), 0);
    assert_int_equal(vcpu_register_info(v, m, 128), -EINVAL);
    assert_ptr_equal(v->vcpu_info, info);
    assert_ptr_equal(v->cpu.vcpu_info, info);
    assert_true(info->evtchn_upcall_pending && info->evtchn_pending_sel == ~0UL);
    assert_int_equal(info->time.version & 1, 0);
    info->evtchn_upcall_pending = 0;
    info->evtchn_pending_sel = 0;
    evtchn_send(d, port);
    assert_int_equal(info->evtchn_upcall_pending, 1);
    fake_kill(d);
}

/* A CPU stays in a domain's mask for as long as its page tables may be there. */
static void test_dirty_cpus(void **state)
{
    struct domain *d = fake_domain(1, 1, false), *e;

    sched_set_affinity(&d->vcpu[0]->unit, BIT(0));
    fake_settle();
    assert_int_equal(d->dirty_cpus, BIT(0));
    vcpu_set_pause_flag(d->vcpu[0], VPF_DOWN);
    fake_settle();
    assert_int_equal(d->dirty_cpus, BIT(0)); /* idle, but loaded */
    e = fake_domain(2, 1, false);
    sched_set_affinity(&e->vcpu[0]->unit, BIT(0));
    fake_settle();
    assert_int_equal(e->dirty_cpus, BIT(0));
    vcpu_set_pause_flag(e->vcpu[0], VPF_DOWN);
    fake_settle();
    assert_int_equal(d->dirty_cpus, 0);
    assert_int_equal(e->dirty_cpus, BIT(0));
    fake_kill(d);
    assert_int_equal(fake_domains_destroyed > 0, 1);
    fake_kill(e);
    assert_null(fake_loaded[0]);
}

static void test_again_and_again(void **state)
{
    for (unsigned int n = 0; n < 1000; n++) {
        struct domain *d = fake_domain(DOMID_INVALID, 2, false);

        domain_alloc_frames(d, n % 6, 0);
        fake_settle();
        if (n & 1)
            domain_shutdown(d, SHUTDOWN_poweroff);
        fake_kill(d);
        assert_int_equal(page_alloc_free_frames(), free_frames);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_create),    T(test_walk),       T(test_no_memory),       T(test_frames),
        T(test_zombie),    T(test_pause),      T(test_shutdown),        T(test_rights),
        T(test_vcpu_info), T(test_dirty_cpus), T(test_again_and_again),
    };

    fake_world_init(2);
    domain_set_watcher(shut_down, gone, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
