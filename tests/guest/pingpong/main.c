/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two servers and an event channel between them. Each waits for the other's event and answers it: one
 * round trip is two sends, two waits and, on one CPU, two switches between servers. Started twice, each
 * with the other's number: `peer=N`, and perhaps `rounds=N` for how often to block. The one with the lower number measures; under -icount a
 * nanosecond of its clock is an instruction, whoever executed it.
 *
 * block  the event interrupts: SCHEDOP_block, upcall, and the iret from it
 * poll   events stay masked: SCHEDOP_poll of the port
 */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define WARM_UP  200
#define ROUNDS   2000
#define PORTS    64
#define GIVE_UP  30000000000UL /* ns */

const char guest_name[] = "pingpong";

static evtchn_port_t port;

static struct vcpu_info *info(void)
{
    return &shared_info->vcpu_info[0];
}

static u64 now(void)
{
    return guest_time(0);
}

static bool take_event(void)
{
    return __atomic_fetch_and(&shared_info->evtchn_pending[0], ~BIT(port), __ATOMIC_SEQ_CST) & BIT(port);
}

/* The upcall takes the event as a kernel would, and notes it. */
static volatile bool came;

static bool on_event(struct regs *regs)
{
    info()->evtchn_upcall_pending = 0;
    __atomic_exchange_n(&info()->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    if (take_event())
        came = true;
    return true;
}

static void wait_blocked(void)
{
    for (;;) {
        *(volatile u8 *)&info()->evtchn_upcall_mask = 1;
        if (came)
            break;
        hv_sched_op(SCHEDOP_block, NULL); /* unmasks */
    }
    came = false;
}

static void wait_polling(void)
{
    struct sched_poll poll = {.nr_ports = 1};

    set_xen_guest_handle(poll.ports, &port);
    while (!take_event())
        hv_sched_op(SCHEDOP_poll, &poll);
}

static void send(void)
{
    struct evtchn_send op = {.port = port};

    hv_event_channel_op(EVTCHNOP_send, &op);
}

static void lead(const char *name, void (*wait)(void), int rounds)
{
    u64 start = 0;

    for (int i = -WARM_UP; i < rounds; i++) {
        if (i == 0)
            start = now();
        send();
        wait();
    }
    print("PINGPONG %s: %lu ns each round trip\n", name, (now() - start) / (u64)rounds);
    CHECK(now() > start);
}

static void follow(void (*wait)(void), int rounds)
{
    for (int i = -WARM_UP; i < rounds; i++) {
        wait();
        send();
    }
}

/* The lower one offers a port; the other tries all that the lower one could have been given. */
static bool connect(unsigned me, unsigned peer)
{
    struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF, .remote_dom = (domid_t)peer};
    u64 end = now() + GIVE_UP;

    if (me < peer) {
        if (hv_event_channel_op(EVTCHNOP_alloc_unbound, &alloc))
            return false;
        port = alloc.port;
        return true;
    }
    for (evtchn_port_t p = 1; now() < end; p = p % PORTS + 1) {
        struct evtchn_bind_interdomain bind = {.remote_dom = (domid_t)peer, .remote_port = p};

        if (hv_event_channel_op(EVTCHNOP_bind_interdomain, &bind) == 0) {
            port = bind.local_port;
            return true;
        }
        hv_sched_op(SCHEDOP_yield, NULL);
    }
    return false;
}

void guest_main(void)
{
    unsigned me = guest_domid(), peer = (unsigned)guest_number("peer=", 0);
    bool leads = me < peer;
    int rounds = (int)guest_number("rounds=", ROUNDS);

    trap_set_handler(VEC_EVENT, on_event);
    hv_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(shared_info->evtchn_mask); i++)
        shared_info->evtchn_mask[i] = ~0UL;
    if (!CHECK(peer != 0 && connect(me, peer)))
        return;
    __atomic_and_fetch(&shared_info->evtchn_mask[0], ~BIT(port), __ATOMIC_SEQ_CST);
    take_event(); /* the binder's own end is born pending */
    if (leads) {
        wait_polling();
        lead("block", wait_blocked, rounds);
        lead("poll", wait_polling, ROUNDS);
    } else {
        send(); /* here I am */
        follow(wait_blocked, rounds);
        follow(wait_polling, ROUNDS);
        CHECK(true);
    }
}
