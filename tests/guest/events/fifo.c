/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FIFO event channels: the switch, the array, queues by priority, links, limits, the way back by reset. */
#include "events/events.h"

#define PENDING (1u << EVTCHN_FIFO_PENDING)
#define MASKED  (1u << EVTCHN_FIFO_MASKED)
#define LINKED  (1u << EVTCHN_FIFO_LINKED)
#define LINK    ((1u << EVTCHN_FIFO_LINK_BITS) - 1)

static u8 control_page[PAGE_SIZE] PAGE_ALIGNED;
static volatile event_word_t words[PAGE_SIZE / 4] PAGE_ALIGNED;
static struct evtchn_fifo_control_block *control;

static long set_priority(unsigned port, unsigned priority)
{
    struct evtchn_set_priority op = {.port = port, .priority = priority};

    return hv_event_channel_op(EVTCHNOP_set_priority, &op);
}

static long init_control(u64 gfn, unsigned offset, unsigned vcpu, unsigned *link_bits)
{
    struct evtchn_init_control op = {.control_gfn = gfn, .offset = offset, .vcpu = vcpu};
    long rc = hv_event_channel_op(EVTCHNOP_init_control, &op);

    *link_bits = op.link_bits;
    return rc;
}

static long expand(u64 gfn)
{
    struct evtchn_expand_array op = {.array_gfn = gfn};

    return hv_event_channel_op(EVTCHNOP_expand_array, &op);
}

static void test_switch(unsigned pending_port)
{
    u64 frame = virt_to_mfn(control_page);
    unsigned bits = 0;

    control = (struct evtchn_fifo_control_block *)control_page;
    CHECK_EQ(init_control((1UL << 40) - 1, 0, 0, &bits), -XEN_EINVAL);
    CHECK_EQ(init_control(frame, PAGE_SIZE - 16, 0, &bits), -XEN_EINVAL);
    CHECK_EQ(init_control(frame, 4, 0, &bits), -XEN_EINVAL);
    CHECK_EQ(init_control(frame, 0, 64, &bits), -XEN_ENOENT);
    CHECK_EQ(init_control(virt_to_mfn((void *)start_info->pt_base), 0, 0, &bits), -XEN_EINVAL);
    CHECK_EQ(init_control(frame, 0, 0, &bits), 0);
    CHECK_EQ(bits, EVTCHN_FIFO_LINK_BITS);
    CHECK_EQ(init_control(frame, 0, 0, &bits), -XEN_EINVAL);
    CHECK_EQ(port_send(pending_port), 0); /* no words yet: the event waits */
    CHECK_EQ(expand((1UL << 40) - 1), -XEN_EINVAL);
    CHECK_EQ(expand(virt_to_mfn((void *)words)), 0);
    CHECK_EQ(words[pending_port] & PENDING, PENDING);
}

/* Takes the head of a queue, as a guest does. */
static unsigned take(unsigned queue)
{
    unsigned port = control->head[queue];

    control->head[queue] = words[port] & LINK;
    __atomic_and_fetch(&words[port], ~(LINKED | LINK | PENDING), __ATOMIC_SEQ_CST);
    return port;
}

static void test_queues(void)
{
    unsigned a = (unsigned)bind_ipi(0), b = (unsigned)bind_ipi(0), c = (unsigned)bind_ipi(0);

    CHECK_EQ(words[a] & MASKED, 0);
    control->ready = 0;
    CHECK_EQ(port_send(a), 0);
    CHECK_EQ(port_send(b), 0);
    CHECK_EQ(port_send(c), 0);
    CHECK_EQ(port_send(b), 0); /* pending already */
    CHECK_EQ(control->ready, BIT(EVTCHN_FIFO_PRIORITY_DEFAULT));
    CHECK_EQ(shared_info->vcpu_info[0].evtchn_upcall_pending, 1);
    CHECK_EQ(words[a] & (PENDING | LINKED | LINK), PENDING | LINKED | b);
    CHECK_EQ(words[b] & (PENDING | LINKED | LINK), PENDING | LINKED | c);
    CHECK_EQ(words[c] & (PENDING | LINKED | LINK), PENDING | LINKED);
    CHECK_EQ(control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], a);
    CHECK_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), a);
    CHECK_EQ(port_send(a), 0); /* to the end of the queue */
    CHECK_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), b);
    CHECK_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), c);
    CHECK_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), a);
    CHECK_EQ(control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], 0);
    control->ready = 0;

    CHECK_EQ(set_priority(b, EVTCHN_FIFO_PRIORITY_MAX), 0);
    CHECK_EQ(set_priority(c, EVTCHN_FIFO_PRIORITY_MIN), 0);
    CHECK_EQ(set_priority(c, EVTCHN_FIFO_PRIORITY_MIN + 1), -XEN_EINVAL);
    CHECK_EQ(set_priority(60, 1), -XEN_EACCES); /* closed */
    CHECK_EQ(port_send(c), 0);
    CHECK_EQ(port_send(b), 0);
    CHECK_EQ(control->ready, BIT(0) | BIT(15));
    CHECK_EQ(take(0), b);
    CHECK_EQ(take(15), c);
    control->ready = 0;

    __atomic_or_fetch(&words[a], MASKED, __ATOMIC_SEQ_CST);
    CHECK_EQ(port_send(a), 0);
    CHECK_EQ(words[a] & (PENDING | LINKED), PENDING); /* masked: not queued */
    CHECK_EQ(control->ready, 0);
    CHECK_EQ(port_unmask(a), 0);
    CHECK_EQ(words[a] & (PENDING | LINKED | MASKED), PENDING | LINKED);
    CHECK_EQ(control->ready, BIT(7));
    CHECK_EQ(take(7), a);

    /* A hostile link: the hypervisor must not follow it anywhere. */
    control->ready = 0;
    CHECK_EQ(port_send(a), 0);
    words[a] |= LINK;
    words[b] = ~0u;
    control->head[7] = LINK;
    CHECK_EQ(port_send(c), 0);
    CHECK_EQ(port_send(b), 0);
    control->head[0] = control->head[7] = control->head[15] = 0;
    words[a] = words[b] = words[c] = 0;
    CHECK_EQ(port_close(a), 0);
    CHECK_EQ(port_close(b), 0);
    CHECK_EQ(port_close(c), 0);
    shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
}

/* Ports from 1024 on can be had without a word of their own; their events wait for it. */
static void test_growth(void)
{
    static u8 more[2][PAGE_SIZE] PAGE_ALIGNED;
    const volatile event_word_t *second = (const volatile event_word_t *)more[0];
    struct evtchn_reset reset = {.dom = DOMID_SELF};
    long port = 0;

    while (port >= 0 && port < 1030)
        port = bind_ipi(0);
    CHECK_EQ(port, 1030);
    CHECK_EQ(port_send(1030), 0);
    CHECK_EQ(expand(virt_to_mfn(more[0])), 0);
    CHECK_EQ(second[6] & PENDING, PENDING);
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_reset, &reset), 0);
    CHECK_EQ(expand(virt_to_mfn(more[1])), -XEN_EOPNOTSUPP); /* two-level again */
    port = bind_ipi(0);
    CHECK(port > 0);
    shared_info->evtchn_pending[0] = 0;
    CHECK_EQ(port_send((unsigned)port), 0);
    CHECK_EQ(port_pending((unsigned)port), true);
    CHECK_EQ(port_close((unsigned)port), 0);
}

void test_fifo(void)
{
    unsigned port = (unsigned)bind_ipi(0);

    test_switch(port);
    CHECK_EQ(port_close(port), 0);
    words[port] = 0;
    control->head[7] = 0;
    test_queues();
    if (guest_is_dom0())
        test_growth();
}
