/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every event_channel_op on two-level channels: right use, and each refusal's code. */
#include "events/events.h"

#define NOBODY 0x1234
#define FAR    4096 /* the first port that two levels do not have */

static void test_unbound(void)
{
    struct evtchn_status status;
    long port = alloc_unbound(DOMID_SELF, DOMID_SELF), again = alloc_unbound(DOMID_SELF, 0);

    CHECK(port >= 1 && port < 16);
    CHECK_EQ(again, port + 1); /* the lowest free one */
    CHECK_EQ(port_status(DOMID_SELF, (unsigned)port, &status), 0);
    CHECK_EQ(status.status, EVTCHNSTAT_unbound);
    CHECK_EQ(status.u.unbound.dom, guest_domid());
    CHECK_EQ(status.vcpu, 0);
    CHECK_EQ(alloc_unbound(DOMID_SELF, NOBODY) > 0, true); /* the peer need not exist */
    CHECK_EQ(port_close((unsigned)again + 1), 0);
    CHECK_EQ(alloc_unbound(NOBODY, 0), -XEN_ESRCH);
    CHECK_EQ(port_send((unsigned)port), 0); /* into the void */
    CHECK_EQ(port_close((unsigned)again), 0);
    CHECK_EQ(port_close((unsigned)again), -XEN_EINVAL);
    CHECK_EQ(port_close((unsigned)port), 0);
}

static void test_interdomain(void)
{
    long remote = alloc_unbound(DOMID_SELF, DOMID_SELF),
         local = bind_interdomain(DOMID_SELF, (unsigned)remote);
    unsigned r = (unsigned)remote, l = (unsigned)local;
    struct evtchn_status status;

    CHECK_EQ(local, remote + 1);
    CHECK(port_pending(l)); /* a new local end is pending, so that nothing is lost */
    port_clear(l);
    CHECK_EQ(port_status(DOMID_SELF, l, &status), 0);
    CHECK_EQ(status.status, EVTCHNSTAT_interdomain);
    CHECK_EQ(status.u.interdomain.dom, guest_domid());
    CHECK_EQ(status.u.interdomain.port, r);
    CHECK_EQ(port_pending(r), false);
    CHECK_EQ(port_send(l), 0);
    CHECK_EQ(port_pending(r), true);
    CHECK_EQ(port_pending(l), false);
    port_clear(r);
    CHECK_EQ(port_send(r), 0);
    CHECK_EQ(port_pending(l), true);
    port_clear(l);
    CHECK_EQ(bind_interdomain(DOMID_SELF, r), -XEN_EINVAL); /* taken */
    CHECK_EQ(bind_interdomain(DOMID_SELF, 0), -XEN_EINVAL);
    CHECK_EQ(bind_interdomain(DOMID_SELF, FAR), -XEN_EINVAL);
    CHECK_EQ(bind_interdomain(DOMID_SELF, ~0u), -XEN_EINVAL);
    CHECK_EQ(bind_interdomain(NOBODY, 1), -XEN_ESRCH);
    CHECK_EQ(port_close(l), 0); /* the other end is unbound again */
    CHECK_EQ(port_status(DOMID_SELF, r, &status), 0);
    CHECK_EQ(status.status, EVTCHNSTAT_unbound);
    CHECK_EQ(port_status(DOMID_SELF, l, &status), 0);
    CHECK_EQ(status.status, EVTCHNSTAT_closed);
    CHECK_EQ(port_close(r), 0);
}

static void test_virqs(void)
{
    struct evtchn_status status;
    long port = bind_virq(VIRQ_TIMER, 0);

    CHECK(port > 0);
    CHECK_EQ(bind_virq(VIRQ_TIMER, 0), -XEN_EEXIST);
    CHECK_EQ(port_status(DOMID_SELF, (unsigned)port, &status), 0);
    CHECK_EQ(status.status, EVTCHNSTAT_virq);
    CHECK_EQ(status.u.virq, VIRQ_TIMER);
    CHECK_EQ(port_send((unsigned)port), -XEN_EINVAL); /* not for guests to raise */
    CHECK_EQ(port_close((unsigned)port), 0);
    CHECK_EQ(bind_virq(NR_VIRQS, 0), -XEN_EINVAL);
    CHECK_EQ(bind_virq(~0u, 0), -XEN_EINVAL);
    CHECK_EQ(bind_virq(VIRQ_TIMER, 64), -XEN_ENOENT);
    CHECK_EQ(bind_virq(VIRQ_TIMER, ~0u), -XEN_ENOENT);
    CHECK_EQ(bind_virq(VIRQ_CONSOLE, 1), -XEN_EINVAL); /* a global one starts on vCPU 0 */
    port = bind_virq(VIRQ_DEBUG, 0);
    CHECK(port > 0);
    CHECK_EQ(port_close((unsigned)port), 0);
}

static void test_binding(void)
{
    long ipi = bind_ipi(0), virq = bind_virq(VIRQ_TIMER, 0), port = alloc_unbound(DOMID_SELF, DOMID_SELF);
    struct evtchn_bind_vcpu bind = {.port = (unsigned)port, .vcpu = 0};
    struct evtchn_status status;

    CHECK_EQ(hv_event_channel_op(EVTCHNOP_bind_vcpu, &bind), 0);
    bind.vcpu = 64;
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_bind_vcpu, &bind), -XEN_ENOENT);
    bind = (struct evtchn_bind_vcpu){.port = (unsigned)ipi};
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_bind_vcpu, &bind), -XEN_EINVAL); /* an IPI stays */
    bind.port = (unsigned)virq;
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_bind_vcpu, &bind), -XEN_EINVAL); /* and a per-vCPU VIRQ */
    bind.port = FAR;
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_bind_vcpu, &bind), -XEN_EINVAL);
    CHECK_EQ(port_status(DOMID_SELF, (unsigned)ipi, &status), 0);
    CHECK_EQ(status.status, EVTCHNSTAT_ipi);
    CHECK_EQ(bind_ipi(64), -XEN_ENOENT);
    CHECK_EQ(bind_ipi(~0u), -XEN_ENOENT);
    CHECK_EQ(port_send((unsigned)ipi), 0);
    CHECK_EQ(port_pending((unsigned)ipi), true);
    port_clear((unsigned)ipi);
    CHECK_EQ(port_close((unsigned)ipi), 0);
    CHECK_EQ(port_close((unsigned)virq), 0);
    CHECK_EQ(port_close((unsigned)port), 0);
}

static void test_refusals(void)
{
    static const unsigned bad[] = {0, 60, FAR, 0x7fffffff, ~0u};
    struct evtchn_set_priority priority = {.port = 1};
    struct evtchn_expand_array expand = {.array_gfn = 1};
    struct evtchn_bind_pirq pirq = {.pirq = ~0u};
    struct evtchn_status status;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CHECK_EQ(port_close(bad[i]), -XEN_EINVAL);
        CHECK_EQ(port_send(bad[i]), -XEN_EINVAL);
        CHECK_EQ(port_status(DOMID_SELF, bad[i], &status), bad[i] < FAR ? 0 : -XEN_EINVAL);
        CHECK_EQ(port_unmask(bad[i]), bad[i] < FAR ? 0 : -XEN_EINVAL); /* a closed port has a mask bit too */
    }
    CHECK_EQ(port_status(NOBODY, 1, &status), -XEN_ESRCH);
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_set_priority, &priority),
             -XEN_ENOSYS); /* no such thing on two levels */
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_expand_array, &expand), -XEN_EOPNOTSUPP);
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_bind_pirq, &pirq), -XEN_EINVAL);
    CHECK_EQ(hv_event_channel_op(99, NULL), -XEN_ENOSYS);
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_send, NULL), -XEN_EFAULT);
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_alloc_unbound, (void *)HYPERVISOR_VIRT_START), -XEN_EFAULT);
}

/* All ports there are, and all of them given back by a reset. */
static void test_exhaustion(void)
{
    struct evtchn_reset reset = {.dom = DOMID_SELF};
    unsigned n = 0;
    long port;

    while ((port = alloc_unbound(DOMID_SELF, DOMID_SELF)) > 0)
        n++;
    print("ports in all: %u, then %s\n", n, error_name(port));
    CHECK(n >= 1000 && n < FAR); /* dom0 has all; a domU what its configuration says, 1023 by default */
    CHECK_EQ(port, -XEN_ENOSPC);
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_reset, &reset), 0);
    port = alloc_unbound(DOMID_SELF, DOMID_SELF);
    CHECK_EQ(port, 1);
    CHECK_EQ(port_close(1), 0);
    reset.dom = NOBODY;
    CHECK_EQ(hv_event_channel_op(EVTCHNOP_reset, &reset), -XEN_ESRCH);
}

void test_channels(void)
{
    test_unbound();
    test_interdomain();
    test_virqs();
    test_binding();
    test_refusals();
    if (guest_is_dom0()) /* a domU's console would go with it */
        test_exhaustion();
}

/* The order of pending, masked, selector and upcall. */
void test_upcalls(void)
{
    struct vcpu_info *v = &shared_info->vcpu_info[0];
    unsigned port = (unsigned)bind_ipi(0);
    u64 bit = BIT(port);

    CHECK(port < 64);
    v->evtchn_upcall_pending = 0;
    v->evtchn_pending_sel = 0;
    port_mask(port, true);
    CHECK_EQ(port_send(port), 0);
    CHECK_EQ(shared_info->evtchn_pending[0] & bit, bit);
    CHECK_EQ(v->evtchn_pending_sel, 0); /* masked: it goes no further */
    CHECK_EQ(v->evtchn_upcall_pending, 0);
    CHECK_EQ(port_unmask(port), 0); /* the call delivers what was pending */
    CHECK_EQ(shared_info->evtchn_mask[0] & bit, 0);
    CHECK_EQ(v->evtchn_pending_sel, 1);
    CHECK_EQ(v->evtchn_upcall_pending, 1);
    CHECK_EQ(upcalls, 0);
    events_open();
    CHECK_EQ(upcalls, 1);
    CHECK_EQ(port_count[port], 1);
    CHECK_EQ(port_send(port), 0); /* unmasked: the upcall comes before the hypercall returns */
    CHECK_EQ(upcalls, 2);
    CHECK_EQ(port_count[port], 2);
    events_close();
    CHECK_EQ(port_send(port), 0);
    CHECK_EQ(port_send(port), 0); /* two sends, one event */
    CHECK_EQ(upcalls, 2);
    CHECK_EQ(v->evtchn_upcall_pending, 1);
    events_open();
    CHECK_EQ(upcalls, 3);
    CHECK_EQ(port_count[port], 3);

    /* Already pending, then unmasked by the guest's own hand: no edge, no upcall. */
    port_mask(port, true);
    CHECK_EQ(port_send(port), 0);
    port_mask(port, false);
    CHECK_EQ(port_send(port), 0);
    CHECK_EQ(upcalls, 3);
    port_clear(port);
    CHECK_EQ(port_send(port), 0);
    CHECK_EQ(upcalls, 4);
    events_close();
    CHECK_EQ(port_close(port), 0);
}
