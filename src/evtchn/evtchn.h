/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels: two-level and FIFO. Public <xen/event_channel.h> has the
 * interface; evtchn.c the states of a port, evtchn_2l.c and evtchn_fifo.c the two ABIs.
 */
#ifndef EVTCHN_EVTCHN_H
#define EVTCHN_EVTCHN_H

#include "domain/vcpu.h"

/* For boot/main.c's call of domain_init(). */
extern const struct domain_module evtchn_module;
extern const struct domain_events evtchn_events;

/*
 * The operations of EVTCHNOP_*, arguments checked and already copied in; the same error codes as
 * Xen's. `d` is the caller.
 */
int evtchn_alloc_unbound(struct domain *d, domid_t remote, uint32_t *port);
int evtchn_bind_interdomain(struct domain *d, domid_t remote, uint32_t remote_port, uint32_t *port);
int evtchn_bind_virq(struct domain *d, uint32_t virq, uint32_t vcpu, uint32_t *port);
int evtchn_bind_ipi(struct domain *d, uint32_t vcpu, uint32_t *port);
int evtchn_close(struct domain *d, uint32_t port);
int evtchn_send(struct domain *d, uint32_t port);
int evtchn_status(struct domain *d, struct evtchn_status *status);
int evtchn_bind_vcpu(struct domain *d, uint32_t port, uint32_t vcpu);
int evtchn_unmask(struct domain *d, uint32_t port);
/*
 * Closes all ports; another domain must be paused (-EINVAL). and_2l (the caller's own domain):
 * back to the two-level ABI. -ERESTART: again.
 */
int evtchn_reset(struct domain *d, bool and_2l);
int evtchn_init_control(struct domain *d, struct evtchn_init_control *c);
int evtchn_expand_array(struct domain *d, const struct evtchn_expand_array *e);
int evtchn_set_priority(struct domain *d, uint32_t port, uint32_t priority);

/*
 * From the hypervisor: raise a VIRQ (per vCPU; or global: to the vCPU it is bound on). Any
 * context, no lock above LOCK_EVTCHN held.
 */
void evtchn_send_virq(struct vcpu *v, uint32_t virq);
void evtchn_send_global_virq(struct domain *d, uint32_t virq);

/*
 * A port whose other end is the hypervisor (the console ring of a boot-time
 * server). `notify` is called, with no lock held, when the guest sends; the guest may close it at
 * any time. -ENOSPC, -ENOMEM.
 */
int evtchn_alloc_hv_port(struct domain *d, void (*notify)(struct domain *d, uint32_t port), uint32_t *port);
void evtchn_notify_hv_port(struct domain *d, uint32_t port);

/* Is `port` pending (for SCHEDOP_poll)? -EINVAL if it is no port of `d`. */
int evtchn_is_pending(struct domain *d, uint32_t port);

#endif
