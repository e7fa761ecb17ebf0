/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels: the states of a port, both ABIs as a guest sees them, and guests that spoil
 * their own memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "abi/errno.h"
#include "evtchn/evtchn.h"
#include "guest.h"
#include "mem/page_alloc.h"

static struct domain *a, *b;
static uint64_t free_frames;

static int start(void **state)
{
    free_frames = page_alloc_free_frames();
    a = fake_domain(1, 2, false);
    b = fake_domain(2, 1, false);
    vcpu_set_pause_flag(b->vcpu[0], VPF_DOWN); /* the CPU is a's */
    return 0;
}

/* Nothing may stay behind, whatever a test did. */
static int end(void **state)
{
    fake_kill(a);
    fake_kill(b);
    return page_alloc_free_frames() != free_frames;
}

static bool pending(struct domain *d, uint32_t port)
{
    return (d->shared_info->evtchn_pending[port / 64] >> (port % 64)) & 1;
}

static void take_all(struct domain *d)
{
    for (unsigned int i = 0; i < 64; i++)
        d->shared_info->evtchn_pending[i] = 0;
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        d->vcpu[i]->vcpu_info->evtchn_pending_sel = 0;
        d->vcpu[i]->vcpu_info->evtchn_upcall_pending = 0;
    }
}

static void mask(struct domain *d, uint32_t port)
{
    d->shared_info->evtchn_mask[port / 64] |= BIT(port % 64);
}

static struct evtchn_status status(struct domain *d, uint32_t port)
{
    struct evtchn_status s = {.port = port};

    assert_int_equal(evtchn_status(d, &s), 0);
    return s;
}

static void test_interdomain(void **state)
{
    uint32_t pa, pb, other;

    assert_int_equal(evtchn_alloc_unbound(a, 2, &pa), 0);
    assert_int_equal(pa, 1);
    assert_int_equal(status(a, pa).status, EVTCHNSTAT_unbound);
    assert_int_equal(status(a, pa).u.unbound.dom, 2);
    assert_int_equal(evtchn_send(a, pa), 0); /* to nobody */
    assert_int_equal(evtchn_bind_interdomain(b, 7, pa, &pb), -ESRCH);
    assert_int_equal(evtchn_bind_interdomain(b, 1, 0, &pb), -EINVAL);
    assert_int_equal(evtchn_bind_interdomain(b, 1, 99, &pb), -EINVAL);
    assert_int_equal(evtchn_bind_interdomain(a, 1, pa, &pb), -EINVAL); /* for 2, not for 1 */
    assert_int_equal(evtchn_bind_interdomain(b, 1, pa, &pb), 0);
    assert_true(pending(b, pb)); /* always, after a bind */
    assert_int_equal(evtchn_bind_interdomain(b, 1, pa, &other), -EINVAL);
    assert_int_equal(status(b, pb).status, EVTCHNSTAT_interdomain);
    assert_int_equal(status(b, pb).u.interdomain.dom, 1);
    assert_int_equal(status(b, pb).u.interdomain.port, pa);
    take_all(b);
    assert_int_equal(evtchn_send(a, pa), 0);
    assert_true(pending(b, pb));
    assert_int_equal(b->vcpu[0]->vcpu_info->evtchn_pending_sel, 1);
    assert_int_equal(b->vcpu[0]->vcpu_info->evtchn_upcall_pending, 1);
    assert_int_equal(evtchn_send(b, pb), 0);
    assert_true(pending(a, pa));

    assert_int_equal(evtchn_close(b, pb), 0);
    assert_int_equal(evtchn_close(b, pb), -EINVAL);
    assert_int_equal(evtchn_close(b, 0), -EINVAL);
    assert_int_equal(evtchn_close(b, 100000), -EINVAL);
    assert_false(pending(b, pb));
    assert_int_equal(status(b, pb).status, EVTCHNSTAT_closed);
    assert_int_equal(status(a, pa).status, EVTCHNSTAT_unbound); /* and can be bound again */
    assert_int_equal(evtchn_bind_interdomain(b, 1, pa, &pb), 0);
    assert_int_equal(evtchn_send(b, 50), -EINVAL);
    assert_int_equal(evtchn_send(b, 0), -EINVAL);
}

static void test_loopback(void **state)
{
    uint32_t p, q;

    fake_enter(a->vcpu[0]);
    assert_int_equal(evtchn_alloc_unbound(a, DOMID_SELF, &p), 0);
    assert_int_equal(status(a, p).u.unbound.dom, 1);
    assert_int_equal(evtchn_bind_interdomain(a, DOMID_SELF, p, &q), 0);
    take_all(a);
    evtchn_send(a, p);
    assert_true(pending(a, q) && !pending(a, p));
    assert_int_equal(evtchn_close(a, p), 0);
    assert_int_equal(status(a, q).status, EVTCHNSTAT_unbound);
    assert_int_equal(evtchn_close(a, q), 0);
}

static void test_virq_ipi(void **state)
{
    uint32_t p, q, g;

    assert_int_equal(evtchn_bind_virq(a, NR_VIRQS, 0, &p), -EINVAL);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_CONSOLE, 1, &p), -EINVAL); /* global ones on vCPU 0 */
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 2, &p), -ENOENT);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 1, &p), 0);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 1, &q), -EEXIST);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_CONSOLE, 0, &g), 0);
    assert_int_equal(evtchn_send(a, p), -EINVAL);
    evtchn_send_virq(a->vcpu[0], VIRQ_TIMER);
    assert_false(pending(a, p));
    evtchn_send_virq(a->vcpu[1], VIRQ_TIMER);
    assert_true(pending(a, p));
    assert_int_equal(a->vcpu[1]->vcpu_info->evtchn_upcall_pending, 1);
    assert_int_equal(a->vcpu[0]->vcpu_info->evtchn_upcall_pending, 0);
    assert_int_equal(evtchn_bind_vcpu(a, p, 0), -EINVAL);
    assert_int_equal(evtchn_bind_vcpu(a, g, 2), -ENOENT);
    assert_int_equal(evtchn_bind_vcpu(a, g, 1), 0);
    assert_int_equal(status(a, g).vcpu, 1);
    evtchn_send_global_virq(a, VIRQ_CONSOLE);
    assert_true(pending(a, g));
    assert_int_equal(evtchn_close(a, g), 0);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_CONSOLE, 0, &g), 0);
    assert_int_equal(status(a, g).vcpu, 0);

    assert_int_equal(evtchn_bind_ipi(a, 2, &q), -ENOENT);
    assert_int_equal(evtchn_bind_ipi(a, 1, &q), 0);
    assert_int_equal(evtchn_bind_vcpu(a, q, 0), -EINVAL);
    assert_int_equal(evtchn_send(a, q), 0);
    assert_true(pending(a, q));
    assert_int_equal(status(a, q).status, EVTCHNSTAT_ipi);
}

static void test_mask(void **state)
{
    uint32_t p;

    evtchn_bind_ipi(a, 0, &p);
    mask(a, p);
    evtchn_send(a, p);
    assert_true(pending(a, p));
    assert_int_equal(a->vcpu[0]->vcpu_info->evtchn_upcall_pending, 0);
    assert_int_equal(evtchn_is_pending(a, p), 1);
    assert_int_equal(evtchn_unmask(a, p), 0);
    assert_int_equal(a->vcpu[0]->vcpu_info->evtchn_upcall_pending, 1);
    assert_int_equal(evtchn_unmask(a, 100000), -EINVAL);
    assert_int_equal(evtchn_is_pending(a, 100000), -EINVAL);
}

static void test_wakes(void **state)
{
    struct vcpu *v = a->vcpu[0];
    uint32_t p;

    evtchn_bind_ipi(a, 0, &p);
    fake_enter(v);
    v->vcpu_info->evtchn_upcall_mask = 1;
    vcpu_block(v);
    assert_int_equal(v->vcpu_info->evtchn_upcall_mask, 0);
    fake_settle();
    assert_false(vcpu_is_running(v));
    evtchn_send(a, p);
    fake_settle();
    assert_true(vcpu_is_running(v));
    vcpu_block(v); /* with an event pending: does not sleep */
    fake_settle();
    assert_true(vcpu_is_running(v));

    /* A poll for a masked port. */
    take_all(a);
    mask(a, p);
    vcpu_poll_begin(v, p);
    vcpu_poll_wait(v, 0);
    fake_settle();
    assert_false(vcpu_is_running(v));
    evtchn_send(a, p);
    fake_settle();
    assert_true(vcpu_is_running(v));
    assert_int_equal(v->vcpu_info->evtchn_upcall_pending, 0);

    /* ... with a time-out. */
    vcpu_poll_begin(v, VPF_POLL_ANY);
    vcpu_poll_wait(v, stime_now() + MILLISECS(2));
    fake_pass(MILLISECS(1));
    assert_false(vcpu_is_running(v));
    fake_pass(MILLISECS(2));
    assert_true(vcpu_is_running(v));
}

static unsigned int notified;
static void note(struct domain *d, uint32_t port)
{
    notified += d->id * 100 + port;
}

static void test_hv_port(void **state)
{
    uint32_t p;

    assert_int_equal(evtchn_alloc_hv_port(a, note, &p), 0);
    assert_int_equal(evtchn_send(a, p), 0);
    assert_int_equal(notified, 100 + p);
    evtchn_notify_hv_port(a, p);
    assert_true(pending(a, p));
    assert_int_equal(evtchn_close(a, p), 0);
    evtchn_notify_hv_port(a, p); /* nothing */
    assert_false(pending(a, p));
}

static void test_limits(void **state)
{
    struct domain_config c = {.id = 9, .max_vcpus = 1, .max_evtchn_port = 200};
    struct domain *d;
    uint32_t p;

    assert_int_equal(domain_create(&c, &fake_guest_ops, &d), 0);
    domain_hold(d);
    for (uint32_t i = 1; i <= 200; i++) {
        assert_int_equal(evtchn_alloc_unbound(d, 0, &p), 0);
        assert_int_equal(p, i);
    }
    assert_int_equal(evtchn_alloc_unbound(d, 0, &p), -ENOSPC);
    evtchn_close(d, 77);
    assert_int_equal(evtchn_alloc_unbound(d, 0, &p), 0);
    assert_int_equal(p, 77); /* the lowest free one */
    fake_kill(d);

    /* Two levels have 4096 ports. */
    for (uint32_t i = 1; i < 4096; i++)
        assert_int_equal(evtchn_alloc_unbound(a, 0, &p), 0);
    assert_int_equal(evtchn_alloc_unbound(a, 0, &p), -ENOSPC);
    evtchn_close(a, 4095);
    evtchn_bind_ipi(a, 0, &p);
    assert_int_equal(p, 4095);
    evtchn_send(a, p);
    assert_true(pending(a, p));
    assert_int_equal(a->vcpu[0]->vcpu_info->evtchn_pending_sel, BIT(63));
}

/* --- FIFO, consumed as Linux does it --- */

#define ARRAY_PAGES 2

static struct evtchn_fifo_control_block *control[2];
static event_word_t *words[ARRAY_PAGES];
static uint32_t head[2][EVTCHN_FIFO_MAX_QUEUES]; /* the guest's own */

static void fifo_start(void)
{
    struct frame *f = domain_alloc_frames(a, 0, 0);
    struct evtchn_init_control c = {.control_gfn = 1 << 20};
    struct evtchn_expand_array x = {.array_gfn = 1 << 20};

    for (unsigned int i = 0; i < ARRAY_SIZE(head); i++)
        for (unsigned int n = 0; n < EVTCHN_FIFO_MAX_QUEUES; n++)
            head[i][n] = 0;
    assert_int_equal(evtchn_expand_array(a, &x), -EOPNOTSUPP);
    assert_int_equal(evtchn_set_priority(a, 0, 1), -ENOSYS);
    assert_int_equal(evtchn_init_control(a, &c), -EINVAL); /* no frame of it */
    c.control_gfn = frame_to_mfn(f).v;
    c.vcpu = 2;
    assert_int_equal(evtchn_init_control(a, &c), -ENOENT);
    c.vcpu = 0;
    c.offset = 4;
    assert_int_equal(evtchn_init_control(a, &c), -EINVAL);
    c.offset = PAGE_SIZE - 64;
    assert_int_equal(evtchn_init_control(a, &c), -EINVAL);
    for (unsigned int i = 0; i < 2; i++) {
        c.vcpu = i;
        c.offset = i * 128;
        assert_int_equal(evtchn_init_control(a, &c), 0);
        assert_int_equal(c.link_bits, 17);
        control[i] = (void *)((char *)frame_to_ptr(f) + c.offset);
    }
    assert_int_equal(evtchn_init_control(a, &c), -EINVAL); /* once only */
    assert_int_equal(evtchn_expand_array(a, &x), -EINVAL);
}

static void fifo_add_page(unsigned int i)
{
    struct frame *f = domain_alloc_frames(a, 0, 0);
    struct evtchn_expand_array x = {.array_gfn = frame_to_mfn(f).v};

    words[i] = frame_to_ptr(f);
    assert_int_equal(evtchn_expand_array(a, &x), 0);
}

static event_word_t *word(uint32_t port)
{
    return &words[port / 1024][port % 1024];
}

/* Take the next event of the best queue that is ready; 0: none. */
static uint32_t consume(unsigned int vcpu, unsigned int *priority)
{
    while (control[vcpu]->ready) {
        unsigned int q = (unsigned int)__builtin_ctz(control[vcpu]->ready);
        uint32_t port = head[vcpu][q] ? head[vcpu][q] : control[vcpu]->head[q];
        event_word_t *w = word(port), old = *w;

        *w = old & (event_word_t) ~(BIT(EVTCHN_FIFO_LINKED) | EVTCHN_FIFO_LINK_MASK);
        head[vcpu][q] = old & EVTCHN_FIFO_LINK_MASK;
        if (!head[vcpu][q])
            control[vcpu]->ready &= (uint32_t)~BIT(q);
        *priority = q;
        if ((old & BIT(EVTCHN_FIFO_PENDING)) && !(old & BIT(EVTCHN_FIFO_MASKED))) {
            *w &= (uint32_t)~BIT(EVTCHN_FIFO_PENDING);
            return port;
        }
    }
    return 0;
}

static void test_fifo(void **state)
{
    uint32_t p[4];
    unsigned int prio;

    fifo_start();
    for (unsigned int i = 0; i < 4; i++)
        assert_int_equal(evtchn_bind_ipi(a, 0, &p[i]), 0);
    evtchn_send(a, p[0]); /* before its word is there */
    assert_int_equal(control[0]->ready, 0);
    fifo_add_page(0);
    assert_int_equal(consume(0, &prio), p[0]);
    assert_int_equal(prio, EVTCHN_FIFO_PRIORITY_DEFAULT);

    /* In order of arrival, each once. */
    evtchn_send(a, p[2]);
    evtchn_send(a, p[1]);
    evtchn_send(a, p[2]);
    evtchn_send(a, p[3]);
    assert_int_equal(a->vcpu[0]->vcpu_info->evtchn_upcall_pending, 1);
    assert_int_equal(consume(0, &prio), p[2]);
    evtchn_send(a, p[2]); /* again, behind the others */
    assert_int_equal(consume(0, &prio), p[1]);
    assert_int_equal(consume(0, &prio), p[3]);
    assert_int_equal(consume(0, &prio), p[2]);
    assert_int_equal(consume(0, &prio), 0);
    evtchn_send(a, p[2]); /* it is the tail, and taken */
    assert_int_equal(consume(0, &prio), p[2]);

    /* Priorities. */
    assert_int_equal(evtchn_set_priority(a, p[3], 16), -EINVAL);
    assert_int_equal(evtchn_set_priority(a, p[3], 0), 0);
    evtchn_send(a, p[0]);
    evtchn_send(a, p[3]);
    assert_int_equal(consume(0, &prio), p[3]);
    assert_int_equal(prio, 0);
    assert_int_equal(consume(0, &prio), p[0]);

    /* Masked: on no queue until it is unmasked. */
    *word(p[1]) |= (uint32_t)BIT(EVTCHN_FIFO_MASKED);
    evtchn_send(a, p[1]);
    assert_int_equal(consume(0, &prio), 0);
    assert_int_equal(evtchn_is_pending(a, p[1]), 1);
    assert_int_equal(evtchn_unmask(a, p[1]), 0);
    assert_int_equal(consume(0, &prio), p[1]);
}

/* Whatever is sent, moved to another vCPU or priority, masked and unmasked: nothing is lost. */
static void test_fifo_random(void **state)
{
    enum { PORTS = 1500 };
    static bool sent[PORTS + 1];
    uint32_t q[PORTS + 1];
    unsigned int prio;

    srand(3);
    fifo_start();
    fifo_add_page(0);
    fifo_add_page(1);
    for (unsigned int i = 1; i <= PORTS; i++) {
        uint32_t far;

        assert_int_equal(evtchn_alloc_unbound(a, 2, &q[i]), 0);
        assert_int_equal(q[i], i);
        assert_int_equal(evtchn_bind_interdomain(b, 1, i, &far), 0);
        assert_int_equal(far, i);
        sent[i] = false;
    }
    for (unsigned int n = 0; n < 100000; n++) {
        uint32_t i = (uint32_t)rand() % PORTS + 1, got;

        switch (rand() % 8) {
        case 0:
        case 1:
        case 2:
            evtchn_send(b, i);
            sent[i] = true;
            break;
        case 3:
            assert_int_equal(evtchn_set_priority(a, i, (uint32_t)rand() % 16), 0);
            break;
        case 4:
            assert_int_equal(evtchn_bind_vcpu(a, i, (uint32_t)rand() % 2), 0);
            break;
        case 5:
            *word(i) |= (uint32_t)BIT(EVTCHN_FIFO_MASKED);
            evtchn_send(b, i);
            sent[i] = true;
            assert_int_equal(evtchn_unmask(a, i), 0);
            break;
        default:
            got = consume((unsigned int)rand() % 2, &prio);
            if (got) {
                assert_true(sent[got]);
                sent[got] = false;
            }
        }
    }
    for (unsigned int v = 0; v < 2; v++)
        for (uint32_t got; (got = consume(v, &prio)) != 0;) {
            assert_true(sent[got]);
            sent[got] = false;
        }
    for (unsigned int i = 1; i <= PORTS; i++)
        assert_false(sent[i]);
}

/* The guest writes anything anywhere in its words and control blocks. */
static void test_fifo_hostile(void **state)
{
    unsigned int prio;
    uint32_t far;

    srand(4);
    fifo_start();
    fifo_add_page(0);
    for (uint32_t i = 1; i < 1024; i++) {
        evtchn_alloc_unbound(a, 2, &far);
        evtchn_bind_interdomain(b, 1, i, &far);
    }
    for (unsigned int n = 0; n < 100000; n++) {
        uint32_t i = (uint32_t)rand() % 1023 + 1;

        switch (rand() % 6) {
        case 0:
            words[0][i] = (uint32_t)rand() * 2654435761u;
            break;
        case 1:
            ((uint32_t *)control[rand() % 2])[rand() % 18] = (uint32_t)rand();
            break;
        case 2:
            evtchn_unmask(a, i);
            break;
        case 3:
            evtchn_set_priority(a, i, (uint32_t)rand() % 16);
            evtchn_bind_vcpu(a, i, (uint32_t)rand() % 2);
            break;
        default:
            evtchn_send(b, i);
        }
    }
    /* It comes to its senses: reset, and all works again. */
    fake_enter(a->vcpu[0]);
    while (evtchn_reset(a, true) != 0)
        fake_settle();
    assert_int_equal(evtchn_reset(b, false), -EINVAL); /* another's, not paused */
    assert_int_equal(status(b, 5).status, EVTCHNSTAT_unbound);
    take_all(a);
    evtchn_bind_ipi(a, 0, &far);
    evtchn_send(a, far);
    assert_true(pending(a, far));
    evtchn_close(a, far);
    fifo_start();
    fifo_add_page(0);
    evtchn_bind_ipi(a, 0, &far);
    evtchn_send(a, far);
    assert_int_equal(consume(0, &prio), far);
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_interdomain), T(test_loopback), T(test_virq_ipi), T(test_mask),        T(test_wakes),
        T(test_hv_port),     T(test_limits),   T(test_fifo),     T(test_fifo_random), T(test_fifo_hostile),
    };

    fake_world_init(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
