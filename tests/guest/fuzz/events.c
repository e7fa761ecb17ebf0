/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations on event channels. Ports that were there before stay; the first after them are played with. */
#include "fuzz/fuzz.h"
#include "lib/hypercall.h"
#include <xen/event_channel.h>
#include <xen/sched.h>

#define PORTS_MAX 48

static bool ours[PORTS_MAX]; /* ports that were opened here */

/* FIFO event channels: a word for each port, and the control block's queues. */
static volatile event_word_t words[PAGE_SIZE / sizeof(event_word_t)] PAGE_ALIGNED;
static u8 control_page[PAGE_SIZE] PAGE_ALIGNED;
static volatile evtchn_fifo_control_block_t *const control = (void *)control_page;

static unsigned random_port(void)
{
    return chance(85) ? pick(12) : chance(70) ? pick(PORTS_MAX) : (unsigned)rnd();
}

static unsigned random_self(void)
{
    static const u16 odd[] = {0, 1, DOMID_IO, DOMID_INVALID};

    return chance(85) ? DOMID_SELF : odd[pick(ARRAY_SIZE(odd))];
}

static void opened(long rc, unsigned port)
{
    if (rc)
        return;
    say("port", port);
    if (port < PORTS_MAX)
        ours[port] = true;
}

static void open_port(void)
{
    struct evtchn_alloc_unbound alloc = {.dom = (domid_t)random_self(), .remote_dom = (domid_t)random_self()};
    struct evtchn_bind_interdomain inter = {.remote_dom = (domid_t)random_self(),
                                            .remote_port = random_port()};
    struct evtchn_bind_virq virq = {.virq = chance(90) ? VIRQ_DEBUG : 20 + pick(10),
                                    .vcpu = chance(90) ? 0 : pick(3)};
    struct evtchn_bind_ipi ipi = {.vcpu = chance(90) ? 0 : pick(3)};

    switch (pick(4)) {
    case 0:
        show("alloc_unbound %u %u", alloc.dom, alloc.remote_dom);
        return opened(answer(hv_event_channel_op(EVTCHNOP_alloc_unbound, &alloc)), alloc.port);
    case 1:
        show("bind_interdomain %u %u", inter.remote_dom, inter.remote_port);
        return opened(answer(hv_event_channel_op(EVTCHNOP_bind_interdomain, &inter)), inter.local_port);
    case 2:
        show("bind_virq %u", virq.virq);
        return opened(answer(hv_event_channel_op(EVTCHNOP_bind_virq, &virq)), virq.port);
    default:
        show("bind_ipi");
        return opened(answer(hv_event_channel_op(EVTCHNOP_bind_ipi, &ipi)), ipi.port);
    }
}

static void close_port(unsigned port)
{
    struct evtchn_close close = {.port = port};

    if (port < PORTS_MAX && !ours[port])
        return;
    show("close %u", port);
    if (answer(hv_event_channel_op(EVTCHNOP_close, &close)) == 0 && port < PORTS_MAX)
        ours[port] = false;
}

static void status(void)
{
    struct evtchn_status st = {.dom = (domid_t)random_self(), .port = random_port()};

    show("status %u %u", st.dom, st.port);
    if (answer(hv_event_channel_op(EVTCHNOP_status, &st)) == 0) {
        say("status", st.status);
        say("vcpu", st.vcpu);
        if (st.status == EVTCHNSTAT_interdomain)
            say("port", st.u.interdomain.port);
    }
}

static void bits(void)
{
    unsigned port = pick(12);

    if (!ours[port])
        return;
    show("mask %u", port);
    if (fifo_events) {
        words[port] ^= BIT(EVTCHN_FIFO_MASKED);
        if (chance(30))
            words[port] ^= BIT(EVTCHN_FIFO_PENDING);
        return;
    }
    shared_info->evtchn_mask[0] ^= BIT(port);
    if (chance(30))
        shared_info->evtchn_pending[0] ^= BIT(port);
}

/* Takes all events from the queues, as a guest's upcall does; they stay pending, or not. */
static void take_queues(bool clear)
{
    const event_word_t gone =
        (event_word_t)(BIT(EVTCHN_FIFO_LINKED) | EVTCHN_FIFO_LINK_MASK | (clear ? BIT(EVTCHN_FIFO_PENDING) : 0));
    u32 ready;

    while ((ready = __atomic_exchange_n(&control->ready, 0, __ATOMIC_SEQ_CST))) {
        for (unsigned q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++) {
            event_word_t port = ready & BIT(q) ? control->head[q] : 0;

            for (unsigned n = 0; port && n < 1000; n++) {
                event_word_t word = words[port % ARRAY_SIZE(words)];

                say("taken", (u64)q << 32 | port);
                words[port % ARRAY_SIZE(words)] = word & ~gone;
                port = word & EVTCHN_FIFO_LINK_MASK;
            }
        }
    }
}

/* What is there already, and frames that are no memory of ours. */
static void begin_again(void)
{
    static const u64 frames[] = {0xa0, 0xfee00, 0x3fffff, 1UL << 27, ~0UL};
    struct evtchn_init_control init = {.control_gfn = chance(50) ? frames[pick(ARRAY_SIZE(frames))] : virt_to_mfn(control_page),
                                       .offset = chance(80) ? 0 : pick(5000),
                                       .vcpu = chance(80) ? 0 : pick(3)};
    struct evtchn_expand_array expand = {.array_gfn = frames[pick(ARRAY_SIZE(frames))]};

    if (!fifo_events) /* it would be from now on, or in its stead */
        init.control_gfn = frames[pick(ARRAY_SIZE(frames))];
    if (chance(50)) {
        show("init_control %lx %u vcpu %u", init.control_gfn == virt_to_mfn(control_page) ? 0 : init.control_gfn,
             init.offset, init.vcpu);
        answer(hv_event_channel_op(EVTCHNOP_init_control, &init));
    } else {
        show("expand_array %lx", expand.array_gfn);
        answer(hv_event_channel_op(EVTCHNOP_expand_array, &expand));
    }
}

/* Events are let in for a moment. */
static void open_mask(void *arg)
{
    shared_info->vcpu_info[0].evtchn_upcall_mask = 0;
    hv_xen_version(0, NULL);
}

void do_events(void)
{
    struct evtchn_send send = {.port = random_port()};
    struct evtchn_unmask unmask = {.port = random_port()};
    struct evtchn_bind_vcpu bind = {.port = random_port(), .vcpu = chance(80) ? 0 : pick(3)};
    struct evtchn_set_priority priority = {.port = random_port(), .priority = pick(20)};
    struct sched_poll poll = {.nr_ports = 0};
    struct fault f;
    evtchn_port_t port = random_port();

    switch (pick(13)) {
    case 0:
    case 1:
    case 2:
        return open_port();
    case 3:
        return close_port(random_port());
    case 4:
    case 5:
        show("send %u", send.port);
        answer(hv_event_channel_op(EVTCHNOP_send, &send));
        return;
    case 6:
        return status();
    case 7:
        show("unmask %u", unmask.port);
        answer(hv_event_channel_op(EVTCHNOP_unmask, &unmask));
        return;
    case 8:
        return bits();
    case 9:
        show("bind_vcpu %u %u", bind.port, bind.vcpu);
        answer(hv_event_channel_op(EVTCHNOP_bind_vcpu, &bind));
        return;
    case 11:
        return begin_again();
    case 10:
        if (chance(50)) {
            show("set_priority %u", priority.port);
            answer(hv_event_channel_op(EVTCHNOP_set_priority, &priority));
            return;
        }
        show("poll %u", port);
        poll.nr_ports = 1;
        set_xen_guest_handle(poll.ports, &port);
        poll.timeout = 1; /* long past */
        answer(hv_sched_op(SCHEDOP_poll, &poll));
        return;
    default:
        show("open mask");
        catch_fault(&f, open_mask, NULL);
        shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
        say("vector", (u64)f.vector);
    }
}

/* Taken wherever they are let in: an event by then pending, not a moment of its own. */
static bool on_event(struct regs *regs)
{
    say("event", regs->cs & 3);
    shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
    if (fifo_events)
        take_queues(chance(70));
    return true;
}

void events_init(void)
{
    struct evtchn_init_control init = {.control_gfn = virt_to_mfn(control_page)};
    struct evtchn_expand_array expand = {.array_gfn = virt_to_mfn((void *)words)};

    trap_set_handler(VEC_EVENT, on_event);
    if (fifo_events && (hv_event_channel_op(EVTCHNOP_init_control, &init) ||
                        hv_event_channel_op(EVTCHNOP_expand_array, &expand)))
        guest_panic("no FIFO event channels\n");
}

static void say_words(void)
{
    static event_word_t last[PORTS_MAX], last_ready;

    for (unsigned port = 0; port < PORTS_MAX; port++) {
        if (words[port] != last[port]) {
            show(" port %u", port);
            say("word", words[port]);
        }
        last[port] = words[port];
    }
    if (control->ready != last_ready)
        say("ready", control->ready);
    last_ready = control->ready;
}

void events_say(void)
{
    static u64 last[4];
    u64 now[4] = {shared_info->evtchn_pending[0], shared_info->evtchn_mask[0],
                  shared_info->vcpu_info[0].evtchn_pending_sel,
                  shared_info->vcpu_info[0].evtchn_upcall_pending};

    for (unsigned i = 0; i < 4; i++) {
        if (now[i] != last[i])
            say(i == 0 ? "pending" : i == 1 ? "mask" : i == 2 ? "selector" : "upcall", now[i]);
        last[i] = now[i];
    }
    if (fifo_events)
        say_words();
}

/* The queues are taken before and after: a port may be closed while it is in one. */
void events_reset(void)
{
    if (fifo_events)
        take_queues(true);
    for (unsigned port = 1; port < PORTS_MAX; port++) {
        struct evtchn_close close = {.port = port};

        if (ours[port])
            hv_event_channel_op(EVTCHNOP_close, &close);
        ours[port] = false;
    }
    if (fifo_events) {
        take_queues(true);
        for (unsigned port = 1; port < PORTS_MAX; port++)
            words[port] = BIT(EVTCHN_FIFO_MASKED);
    }
    for (unsigned i = 0; i < 64; i++) {
        shared_info->evtchn_pending[i] = 0;
        shared_info->evtchn_mask[i] = ~0UL;
    }
    shared_info->vcpu_info[0].evtchn_pending_sel = 0;
    shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
    shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
    events_say();
}
