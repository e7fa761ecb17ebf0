/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sched_op and set_timer_op: a guest gives up its CPU, waits for events, ends itself. */
#include "hypercall/hypercall.h"

#include "abi/errno.h"
#include "evtchn/evtchn.h"
#include "hypercall/state.h"
#include "x86/uaccess.h"

#define POLL_PORTS_MAX 128

/* Is one of the ports pending? 0: none; -EINVAL: one is no port; -EFAULT. The list is read port by port. */
static int poll_look(struct domain *d, uint64_t ports_gva, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        evtchn_port_t port;
        int pending;

        if (guest_copy_from(&port, ports_gva + i * sizeof(port), sizeof(port)) != 0)
            return -EFAULT;
        pending = evtchn_is_pending(d, port);
        if (pending != 0)
            return pending;
    }
    return 0;
}

static int64_t poll(struct vcpu *v, uint64_t arg)
{
    struct sched_poll p;
    uint64_t ports_gva;
    evtchn_port_t first = VPF_POLL_ANY;
    int found;

    if (guest_copy_from(&p, arg, sizeof(p)) != 0)
        return -EFAULT;
    if (p.nr_ports > POLL_PORTS_MAX)
        return -EINVAL;
    ports_gva = (uint64_t)p.ports.p;
    if (!guest_range_ok(ports_gva, p.nr_ports * sizeof(evtchn_port_t)))
        return -EFAULT;
    if (p.nr_ports == 1 && guest_copy_from(&first, ports_gva, sizeof(first)) != 0)
        return -EFAULT;

    vcpu_poll_begin(v, first);
    found = poll_look(v->domain, ports_gva, p.nr_ports);
    if (found != 0 || vcpu_event_pending(v))
        vcpu_poll_end(v);
    else
        vcpu_poll_wait(v, (stime_t)MIN(p.timeout, (uint64_t)STIME_NEVER));
    return MIN(found, 0);
}

static int64_t remote_shutdown(uint64_t arg)
{
    struct sched_remote_shutdown r;
    struct domain *d;
    int64_t result = 0;

    if (guest_copy_from(&r, arg, sizeof(r)) != 0)
        return -EFAULT;
    d = domain_get(r.domain_id);
    if (d == NULL)
        return -ESRCH;
    if (current_domain()->privileged)
        domain_shutdown(d, (uint8_t)r.reason);
    else
        result = -EPERM;
    domain_put(d);
    return result;
}

/* The code is remembered for the shutdown that comes later, whoever asks for that. */
static int64_t latch_shutdown_code(struct domain *d, uint64_t arg)
{
    struct sched_shutdown s;

    if (guest_copy_from(&s, arg, sizeof(s)) != 0)
        return -EFAULT;
    domain_latch_shutdown_code(d, (uint8_t)s.reason);
    return 0;
}

/* A guest that says it has crashed is reported like one that was found to. */
static void end_domain(struct domain *d, uint8_t reason)
{
    if (reason == SHUTDOWN_crash)
        domain_crash(d, "vCPU %u: it said so itself (SHUTDOWN_crash)", current_vcpu()->id);
    else
        domain_shutdown(d, reason);
}

static int64_t shut_down(struct domain *d, uint64_t arg)
{
    struct sched_shutdown s;

    if (guest_copy_from(&s, arg, sizeof(s)) != 0)
        return -EFAULT;
    end_domain(d, (uint8_t)s.reason);
    return 0;
}

/* For a while on one CPU alone, which a driver of firmware may need; a negative CPU goes back. */
static int64_t pin_override(struct vcpu *v, uint64_t arg)
{
    struct sched_pin_override pin;

    if (!v->domain->privileged)
        return -EPERM;
    if (guest_copy_from(&pin, arg, sizeof(pin)) != 0)
        return -EFAULT;
    if (pin.pcpu < 0) {
        if (v->pinned_over == 0)
            return -EINVAL;
        (void)sched_set_affinity(&v->unit, v->pinned_over);
        v->pinned_over = 0;
        return 0;
    }
    if (pin.pcpu >= NR_CPUS_MAX || !(cpus_online_mask & BIT(pin.pcpu)))
        return -EINVAL;
    if (v->pinned_over != 0)
        return -EBUSY;
    v->pinned_over = READ_ONCE(v->unit.affinity);
    return sched_set_affinity(&v->unit, BIT(pin.pcpu));
}

int64_t do_sched_op(struct hypercall_args *args)
{
    struct vcpu *v = current_vcpu();
    uint64_t arg = args->a[1];

    switch ((uint32_t)args->a[0]) {
    case SCHEDOP_yield:
        sched_yield();
        return 0;
    case SCHEDOP_block:
        vcpu_block(v);
        return 0;
    case SCHEDOP_poll:
        return poll(v, arg);
    case SCHEDOP_shutdown:
        return shut_down(v->domain, arg);
    case SCHEDOP_shutdown_code:
        return latch_shutdown_code(v->domain, arg);
    case SCHEDOP_remote_shutdown:
        return remote_shutdown(arg);
    case SCHEDOP_watchdog:
        return watchdog_set(v->domain, arg);
    case SCHEDOP_pin_override:
        return pin_override(v, arg);
    default:
        return -ENOSYS;
    }
}

/* The form of 2005: the reason of a shutdown is the argument itself. */
int64_t do_sched_op_compat(struct hypercall_args *args)
{
    struct vcpu *v = current_vcpu();

    switch ((uint32_t)args->a[0]) {
    case SCHEDOP_yield:
        sched_yield();
        return 0;
    case SCHEDOP_block:
        vcpu_block(v);
        return 0;
    case SCHEDOP_shutdown:
        end_domain(v->domain, (uint8_t)args->a[1]);
        return 0;
    default:
        return -ENOSYS;
    }
}

/*
 * 0 stops the timer. Linux of 2006 asked for times that had overflowed, and
 * expected to be woken soon: such a time is answered in 100 ms.
 */
int64_t do_set_timer_op(struct hypercall_args *args)
{
    struct vcpu *v = current_vcpu();
    stime_t when = (stime_t)args->a[0];

    if (when == 0) {
        vcpu_stop_singleshot(v);
        return 0;
    }
    if (when < 0 || when - stime_now() >= (stime_t)BIT(50))
        when = stime_now() + MILLISECS(100);
    return vcpu_set_singleshot(v, when, false);
}
