/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two-level ABI: a pending and a mask bit for each port in shared_info, a
 * selector in vcpu_info with a bit for each word of pending bits, and
 * upcall_pending.
 *
 * The order is the guest's backwards: it clears upcall_pending, then takes the
 * selector, then looks at the words. We set pending, then the selector, then
 * upcall_pending, then kick. So whatever it does meanwhile, it finds the event
 * on this round or gets another.
 *
 * All these words are the guest's to write at any time. What it can spoil is
 * its own notification.
 */
#include "abi/errno.h"
#include "evtchn/port.h"

static uint64_t *pending_words(struct domain *d)
{
    return (uint64_t *)d->shared_info->evtchn_pending;
}
static uint64_t *mask_words(struct domain *d)
{
    return (uint64_t *)d->shared_info->evtchn_mask;
}

static void raise(struct domain *d, const struct port *p, uint32_t port)
{
    struct vcpu *v = d->vcpu[READ_ONCE(p->vcpu)];

    if (!(atomic_or(&v->vcpu_info->evtchn_pending_sel, BIT(port / 64)) & BIT(port / 64)))
        vcpu_mark_event(v);
}

static void set_pending_2l(struct domain *d, struct port *p, uint32_t port)
{
    if (port >= EVTCHN_2L_NR_CHANNELS || atomic_test_and_set_bit(pending_words(d), port))
        return;
    if (!atomic_test_bit(mask_words(d), port))
        raise(d, p, port);
    domain_wake_pollers(d, port);
}

static void clear_pending_2l(struct domain *d, struct port *p, uint32_t port)
{
    if (port < EVTCHN_2L_NR_CHANNELS)
        (void)atomic_test_and_clear_bit(pending_words(d), port);
}

static void unmask_2l(struct domain *d, struct port *p, uint32_t port)
{
    if (port < EVTCHN_2L_NR_CHANNELS && atomic_test_and_clear_bit(mask_words(d), port) &&
        atomic_test_bit(pending_words(d), port))
        raise(d, p, port);
}

static bool is_pending_2l(struct domain *d, uint32_t port)
{
    return port < EVTCHN_2L_NR_CHANNELS && atomic_test_bit(pending_words(d), port);
}

const struct port_ops port_ops_2l = {
    .nr_ports = EVTCHN_2L_NR_CHANNELS,
    .set_pending = set_pending_2l,
    .clear_pending = clear_pending_2l,
    .unmask = unmask_2l,
    .is_pending = is_pending_2l,
};
