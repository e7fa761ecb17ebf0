/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Softirqs: work of one CPU done on its way back to a guest or to idle, with
 * no lock held, on an empty stack. SCHEDULE comes last and may not return.
 */
#ifndef CORE_SOFTIRQ_H
#define CORE_SOFTIRQ_H

enum softirq {
    SOFTIRQ_TIMER,
    SOFTIRQ_HWERROR,
    SOFTIRQ_WORK,
    SOFTIRQ_CONSOLE,
    SOFTIRQ_PARK,
    SOFTIRQ_SCHEDULE,
    SOFTIRQ_COUNT
};

void softirq_set_handler(enum softirq nr, void (*fn)(void));

/* By timer_init_cpu(), before others may raise softirqs on this CPU. */
void softirq_init_cpu(void);

/* On this CPU; on another (with a wake IPI if it may be in a guest or halted). Any context. */
void softirq_raise(enum softirq nr);
void softirq_raise_cpu(unsigned int cpu, enum softirq nr);

/* Is anything pending here? Long operations ask this and return -ERESTART; it also opens an interrupt window,
 * so the caller holds no lock. */
bool preempt_pending(void);

/*
 * Nothing is pending: wait for the interrupt that brings something. Where the CPU can watch a word of
 * memory, others wake it by raising a softirq, and need no interrupt for it.
 */
void softirq_rest(void);

/* preempt_pending() without the window: may be asked under locks. */
bool softirq_is_pending(void);

#endif
