/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt sources of devices: a line of an IO-APIC, or a message (MSI, MSI-X).
 * Each is a struct irq; while it is started it has a vector on one CPU. Whoever
 * starts it is its user and gets its interrupts; several may share a line by
 * being one user with a list (evtchn/pirq.c).
 *
 * Locks: [c] constant after irq_init(), [i] irq.irq_lock, [a] atomic, [u] the user's,
 * under irq_lock.
 */
#ifndef PLATFORM_IRQ_H
#define PLATFORM_IRQ_H

#include "core/timer.h"
#include "lib/list.h"
#include "x86/spinlock.h"

struct irq;

/* How a kind of source is programmed. All but `release` under irq_lock. */
struct irq_chip {
    void (*mask)(struct irq *irq);
    void (*unmask)(struct irq *irq);
    /* Tell the device its vector and its CPU's APIC id. For one that is live only the CPU has changed. */
    void (*route)(struct irq *irq, uint32_t apic_id);
    void (*release)(struct irq *irq); /* the last reference is gone; NULL: it lives for ever */
};

struct irq {
    const struct irq_chip *chip; /* [c] */
    spinlock_t irq_lock;
    uint32_t refs;           /* [a] */
    bool level;              /* [i] an interrupt masks the source until irq_answered() */
    uint8_t vector;          /* [i] 0: not started */
    uint16_t cpu, cpu_left;  /* [i] where it goes, and where one may still be on its way to (or the same) */
    uint16_t in_window;      /* [i] interrupts since `window` */
    bool held_back;          /* [i] masked because there were too many: hold_timer ends it */
    stime_t window;          /* [i] */
    struct timer hold_timer;
    void (*handle)(struct irq *irq); /* [i] the user's: called with irq_lock held, after the EOI */
    struct list_head users;  /* [u] */
    uint32_t unanswered;     /* [u] how many of them have not answered; level only */
};

/* Vectors for each CPU. Once, when all CPUs run. */
void irq_init(void);

/* A new one, with one reference. */
void irq_create(struct irq *irq, const struct irq_chip *chip);
void irq_put(struct irq *irq);

/*
 * Under irq_lock: give it a vector on `cpu` (or another one where there is room) and
 * let interrupts come. -ENOSPC: no vector is free, -ENODEV: it can name no CPU that has one.
 */
int irq_start(struct irq *irq, unsigned int cpu, void (*handle)(struct irq *irq));
/* Under irq_lock: none come any more, but for one that is being handled now. */
void irq_stop(struct irq *irq);
/* Under irq_lock: to another CPU, if its vector is free there; else it stays. */
void irq_move(struct irq *irq, unsigned int cpu);
/* All that come to `cpu` go elsewhere, where their vectors are free. No lock is held. */
void irq_leave_cpu(unsigned int cpu);
/* Under irq_lock: a level interrupt has been answered by all users. */
void irq_answered(struct irq *irq);

#endif
