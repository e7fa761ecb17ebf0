/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EVENTS_EVENTS_H
#define EVENTS_EVENTS_H

#include "lib/guest.h"
#include "lib/hypercall.h"
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

/* How often the upcall was entered, and each port seen pending by it (two-level). */
extern unsigned upcalls, port_count[64];
void events_open(void); /* unmask, and take what is pending */
void events_close(void);
bool port_pending(unsigned port);
void port_clear(unsigned port);
void port_mask(unsigned port, bool masked);
/* System time in ns. */
u64 time_now(void);
/* Waits until *value is at least `want`, 2 s at most. */
bool wait_for(const volatile unsigned *value, unsigned want);

/* Thin calls. The out parameter of the bind_*() is the port, or the negative error. */
long alloc_unbound(unsigned dom, unsigned remote);
long bind_interdomain(unsigned dom, unsigned port);
long bind_virq(unsigned virq, unsigned vcpu);
long bind_ipi(unsigned vcpu);
long port_close(unsigned port);
long port_send(unsigned port);
long port_unmask(unsigned port);
long port_status(unsigned dom, unsigned port, struct evtchn_status *status);

void test_channels(void);
void test_upcalls(void);
void test_timers(void);
void test_vcpus(void);
void test_fifo(void);

#endif
