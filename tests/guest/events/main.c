/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event channels (two-level, then FIFO), timers, scheduling calls, and a second vCPU. */
#include "events/events.h"

const char guest_name[] = "events";

unsigned upcalls, port_count[64];

static struct vcpu_info *vcpu0(void)
{
    return &shared_info->vcpu_info[0];
}

static bool on_event(struct regs *regs)
{
    upcalls++;
    vcpu0()->evtchn_upcall_pending = 0;
    u64 words = __atomic_exchange_n(&vcpu0()->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    if (words & 1) {
        u64 ready = shared_info->evtchn_pending[0] & ~shared_info->evtchn_mask[0];

        for (unsigned port = 0; port < 64; port++) {
            if (ready & BIT(port)) {
                port_clear(port);
                port_count[port]++;
            }
        }
    }
    return true;
}

void events_open(void)
{
    *(volatile u8 *)&vcpu0()->evtchn_upcall_mask = 0;
    if (READ_ONCE(vcpu0()->evtchn_upcall_pending))
        hv_xen_version(0, NULL);
}

void events_close(void)
{
    *(volatile u8 *)&vcpu0()->evtchn_upcall_mask = 1;
}

bool port_pending(unsigned port)
{
    return READ_ONCE(shared_info->evtchn_pending[port / 64]) & BIT(port % 64);
}

void port_clear(unsigned port)
{
    __atomic_and_fetch(&shared_info->evtchn_pending[port / 64], ~BIT(port % 64), __ATOMIC_SEQ_CST);
}

void port_mask(unsigned port, bool masked)
{
    if (masked)
        __atomic_or_fetch(&shared_info->evtchn_mask[port / 64], BIT(port % 64), __ATOMIC_SEQ_CST);
    else
        __atomic_and_fetch(&shared_info->evtchn_mask[port / 64], ~BIT(port % 64), __ATOMIC_SEQ_CST);
}

u64 time_now(void)
{
    return guest_time(0);
}

bool wait_for(const volatile unsigned *value, unsigned want)
{
    u64 end = time_now() + 2000000000UL;

    while (*value < want && time_now() < end)
        hv_sched_op(SCHEDOP_yield, NULL);
    return *value >= want;
}

long alloc_unbound(unsigned dom, unsigned remote)
{
    struct evtchn_alloc_unbound op = {.dom = (domid_t)dom, .remote_dom = (domid_t)remote};
    long rc = hv_event_channel_op(EVTCHNOP_alloc_unbound, &op);

    return rc ? rc : (long)op.port;
}

long bind_interdomain(unsigned dom, unsigned port)
{
    struct evtchn_bind_interdomain op = {.remote_dom = (domid_t)dom, .remote_port = port};
    long rc = hv_event_channel_op(EVTCHNOP_bind_interdomain, &op);

    return rc ? rc : (long)op.local_port;
}

long bind_virq(unsigned virq, unsigned vcpu)
{
    struct evtchn_bind_virq op = {.virq = virq, .vcpu = vcpu};
    long rc = hv_event_channel_op(EVTCHNOP_bind_virq, &op);

    return rc ? rc : (long)op.port;
}

long bind_ipi(unsigned vcpu)
{
    struct evtchn_bind_ipi op = {.vcpu = vcpu};
    long rc = hv_event_channel_op(EVTCHNOP_bind_ipi, &op);

    return rc ? rc : (long)op.port;
}

long port_close(unsigned port)
{
    struct evtchn_close op = {.port = port};

    return hv_event_channel_op(EVTCHNOP_close, &op);
}

long port_send(unsigned port)
{
    struct evtchn_send op = {.port = port};

    return hv_event_channel_op(EVTCHNOP_send, &op);
}

long port_unmask(unsigned port)
{
    struct evtchn_unmask op = {.port = port};

    return hv_event_channel_op(EVTCHNOP_unmask, &op);
}

long port_status(unsigned dom, unsigned port, struct evtchn_status *status)
{
    *status = (struct evtchn_status){.dom = (domid_t)dom, .port = port};
    return hv_event_channel_op(EVTCHNOP_status, status);
}

void guest_main(void)
{
    trap_set_handler(VEC_EVENT, on_event);
    test_channels();
    test_upcalls();
    test_timers();
    test_vcpus();
    test_fifo();
}
