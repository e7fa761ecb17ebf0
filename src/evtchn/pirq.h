/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain's physical interrupts: numbers of its own (pirqs) for interrupt
 * sources that it may use, each bound to an event channel at most. Public
 * <xen/physdev.h> and <xen/event_channel.h> have the interface.
 */
#ifndef EVTCHN_PIRQ_H
#define EVTCHN_PIRQ_H

#include "evtchn/evtchn.h"
#include "platform/msi.h"

extern const struct domain_module pirq_module;

/* One past the highest number that `d` may use. */
uint32_t pirq_count(const struct domain *d);

/*
 * Make *pirq (negative: one that is free, or that the line has) stand for a line of an
 * IO-APIC, or for a message of a device. -EINVAL: no such line or number; -EPERM: no
 * right to the line; -EEXIST: the number stands for another; -ENOSPC, -ENOMEM; and msi_create()'s.
 */
int pirq_map_gsi(struct domain *d, uint32_t gsi, int *pirq);
int pirq_map_msi(struct domain *d, const struct msi_request *request, int *pirq);
/* -EINVAL: it stands for nothing. A port that is bound to it hears nothing more. */
int pirq_unmap(struct domain *d, uint32_t pirq);
/* A number that nothing else gets: for lines (from below) or messages (from above). -ENOSPC, -ENOMEM. */
int pirq_reserve(struct domain *d, bool for_msi, uint32_t *pirq);

/*
 * EVTCHNOP_bind_pirq. -EINVAL: no such number; -EPERM: it stands for nothing;
 * -EEXIST: bound already; -EBUSY: others use the line and somebody does not share.
 */
int pirq_bind(struct domain *d, uint32_t pirq, bool shares, uint32_t *port);
/* For evtchn.c: close a port in the state PORT_PIRQ. -EAGAIN: it was in another. */
int pirq_close(struct domain *d, uint32_t port);
/* For evtchn.c: its events go to `vcpu` now, so the interrupt goes to the CPU where that is. */
void pirq_follow(struct domain *d, uint32_t pirq, const struct vcpu *vcpu);

/* PHYSDEVOP_eoi: served. -EINVAL: it stands for nothing. */
int pirq_answer(struct domain *d, uint32_t pirq);
/* XENIRQSTAT_* of it, which need not stand for anything. -EINVAL: no such number. */
int pirq_query(struct domain *d, uint32_t pirq, uint32_t *flags);
/*
 * PHYSDEVOP_pirq_eoi_gmfn: frame `g` says which need an answer. `unmasks`: an answer also
 * unmasks the port. -EINVAL: no frame that it may write; -EBUSY: it has one.
 */
int pirq_set_eoi_page(struct domain *d, gfn_t g, bool unmasks);

#endif
