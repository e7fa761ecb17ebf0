/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers, by system time (core/time.h). They are per CPU, in a heap; handlers run in the
 * TIMER softirq of their CPU, with no lock held. A handler may arm its own timer
 * again, but what holds it must live until timer_kill() has returned.
 */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include "core/time.h"

struct timer {
    stime_t expires;
    void (*fn)(void *data);
    void *data;
    struct timer *child, *next, *prev; /* its place in the CPU's heap */
    uint32_t cpu;                      /* where it is or will be queued */
    bool queued, dead;
};

void timer_init(struct timer *t, void (*fn)(void *), void *data, unsigned int cpu);

/* (Re)arm for `expires`; from any CPU. In the past: fires at once. */
void timer_set(struct timer *t, stime_t expires);
/* Not queued afterwards, though the handler may be running on its CPU. */
void timer_stop(struct timer *t);
/* Stop for good and wait until the handler is not running. The caller is not the handler. */
void timer_kill(struct timer *t);
void timer_migrate(struct timer *t, unsigned int cpu);
/* As timer_set(), on this CPU. */
void timer_set_here(struct timer *t, stime_t expires);
/* This CPU has left cpus_online_mask: its timers, and those that are set on it later, go to another. */
void timer_leave_cpu(unsigned int to);

/* Each CPU, once; also makes its softirqs known to the others. */
void timer_init_cpu(void);

#endif
