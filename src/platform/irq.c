/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts of devices, from vector to source.
 *
 * Each CPU has a table of its vectors. A source keeps its vector for as long as
 * it is started, also when it moves to another CPU: then one word of the device
 * changes, which is atomic, and an EOI still finds its line. As interrupts may
 * be on their way while a source moves, the table of the CPU that it has left
 * names it until it moves again. Vectors are given out in turn, so that two
 * sources have the same one only where there are more sources than vectors.
 *
 * An edge or a message is acknowledged at once. A level line is masked first,
 * and stays so until its users have answered; a user who never does keeps his
 * line silent and nothing else. A source that interrupts more often than
 * WINDOW_MAX times in a WINDOW is masked for the rest of it: a device gone wild,
 * or a guest that answers without serving, takes a share of the CPU at most.
 */
#include "platform/irq.h"

#include "abi/errno.h"
#include "mem/heap.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/lapic.h"
#include "x86/upcalls.h"

#define VECTORS    (VEC_LAST_DYN + 1 - VEC_FIRST_DYN)
#define WINDOW     MILLISECS(10)
#define WINDOW_MAX 1000

struct irq_cpu {
    spinlock_t vectors_lock;
    struct irq *source[VECTORS]; /* [vectors_lock] of vector VEC_FIRST_DYN + n */
};

static struct irq_cpu *irq_cpu[NR_CPUS_MAX]; /* [c] */

void irq_init(void)
{
    for (unsigned int cpu = 0; cpu < cpus_online; cpu++) {
        irq_cpu[cpu] = heap_alloc(sizeof(*irq_cpu[cpu]));
        if (irq_cpu[cpu])
            spin_init(&irq_cpu[cpu]->vectors_lock, LOCK_VECTORS);
    }
}

/* --- vectors --- */

static bool claim_slot(struct irq *irq, unsigned int cpu, uint8_t vector)
{
    struct irq_cpu *c = irq_cpu[cpu];
    struct irq **slot;
    bool mine;

    if (!c)
        return false;
    slot = &c->source[vector - VEC_FIRST_DYN];
    spin_lock(&c->vectors_lock);
    mine = *slot == NULL || *slot == irq;
    if (mine)
        *slot = irq;
    spin_unlock(&c->vectors_lock);
    return mine;
}

static void free_slot(unsigned int cpu, uint8_t vector)
{
    struct irq_cpu *c = irq_cpu[cpu];

    spin_lock(&c->vectors_lock);
    c->source[vector - VEC_FIRST_DYN] = NULL;
    spin_unlock(&c->vectors_lock);
}

/* Can IO-APICs and messages name this CPU? They have 8 bits for it. */
static bool cpu_can_be_named(unsigned int cpu)
{
    return cpu < cpus_online && (cpus_online_mask & BIT(cpu)) && cpu_apic_id[cpu] < 0xff;
}

/* A vector that is free on `cpu`, now the source's; false: none. */
static bool claim_vector(struct irq *irq, unsigned int cpu)
{
    static uint32_t turn; /* [a] */

    for (unsigned int i = 0; i < VECTORS; i++) {
        unsigned int vector = VEC_FIRST_DYN + atomic_add(&turn, 1) % VECTORS;

        if (vector == VEC_INT80 || vector == VEC_CONSOLE || !claim_slot(irq, cpu, (uint8_t)vector))
            continue;
        irq->vector = (uint8_t)vector;
        irq->cpu = irq->cpu_left = (uint16_t)cpu;
        return true;
    }
    return false;
}

/* --- an interrupt --- */

static void end_hold(void *data)
{
    struct irq *irq = data;

    spin_lock(&irq->irq_lock);
    irq->held_back = false;
    if (irq->vector != 0 && irq->unanswered == 0) {
        irq->chip->unmask(irq);
        if (!irq->level)
            irq->handle(irq); /* an edge in the meantime is lost to the IO-APIC */
    }
    spin_unlock(&irq->irq_lock);
}

/* Count it; too many: no more until the window ends. */
static void limit(struct irq *irq)
{
    stime_t now = stime_now();

    if (now - irq->window > WINDOW) {
        irq->window = now;
        irq->in_window = 0;
    }
    if (++irq->in_window < WINDOW_MAX || irq->held_back)
        return;
    irq->held_back = true;
    irq->chip->mask(irq);
    timer_set(&irq->hold_timer, irq->window + WINDOW);
}

void upcall_irq(unsigned int vector)
{
    struct irq_cpu *c = irq_cpu[cpu_id()];
    struct irq *irq = NULL;

    if (c) {
        spin_lock(&c->vectors_lock);
        irq = c->source[vector - VEC_FIRST_DYN];
        if (irq)
            atomic_add(&irq->refs, 1);
        spin_unlock(&c->vectors_lock);
    }
    if (!irq) { /* nobody's any more */
        lapic_eoi();
        return;
    }
    spin_lock(&irq->irq_lock);
    if (irq->level)
        irq->chip->mask(irq);
    lapic_eoi();
    if (irq->vector == vector) {
        limit(irq);
        irq->handle(irq);
    }
    spin_unlock(&irq->irq_lock);
    irq_put(irq);
}

/* --- its life --- */

void irq_create(struct irq *irq, const struct irq_chip *chip)
{
    irq->chip = chip;
    irq->refs = 1;
    spin_init(&irq->irq_lock, LOCK_IRQ);
    list_init(&irq->users);
    timer_init(&irq->hold_timer, end_hold, irq, 0);
}

void irq_put(struct irq *irq)
{
    if (atomic_sub(&irq->refs, 1) == 0 && irq->chip->release)
        irq->chip->release(irq);
}

int irq_start(struct irq *irq, unsigned int cpu, void (*handle)(struct irq *irq))
{
    bool found = cpu_can_be_named(cpu) && claim_vector(irq, cpu), named = cpu_can_be_named(cpu);

    for (unsigned int other = 0; !found && other < cpus_online; other++) {
        if (!cpu_can_be_named(other))
            continue;
        named = true;
        found = claim_vector(irq, other);
    }
    if (!found)
        return named ? -ENOSPC : -ENODEV;
    irq->handle = handle;
    irq->unanswered = 0;
    irq->chip->route(irq, cpu_apic_id[irq->cpu]);
    irq->chip->unmask(irq);
    return 0;
}

void irq_stop(struct irq *irq)
{
    if (irq->vector == 0)
        return;
    irq->chip->mask(irq);
    free_slot(irq->cpu, irq->vector);
    free_slot(irq->cpu_left, irq->vector);
    irq->vector = 0;
    irq->unanswered = 0;
}

void irq_move(struct irq *irq, unsigned int cpu)
{
    unsigned int before = irq->cpu_left;

    if (irq->vector == 0 || cpu == irq->cpu || !cpu_can_be_named(cpu) || !claim_slot(irq, cpu, irq->vector))
        return;
    irq->cpu_left = irq->cpu;
    irq->cpu = (uint16_t)cpu;
    irq->chip->route(irq, cpu_apic_id[cpu]);
    if (before != irq->cpu_left && before != cpu)
        free_slot(before, irq->vector);
}

static void leave_locked(struct irq *irq, unsigned int cpu)
{
    for (unsigned int to = 0; irq->vector != 0 && irq->cpu == cpu && to < cpus_online; to++)
        if (to != cpu)
            irq_move(irq, to);
}

void irq_leave_cpu(unsigned int cpu)
{
    struct irq_cpu *c = irq_cpu[cpu];

    for (size_t i = 0; c && i < ARRAY_SIZE(c->source); i++) {
        struct irq *irq;

        spin_lock(&c->vectors_lock);
        irq = c->source[i];
        if (irq)
            atomic_add(&irq->refs, 1);
        spin_unlock(&c->vectors_lock);
        if (!irq)
            continue;
        spin_lock(&irq->irq_lock);
        leave_locked(irq, cpu);
        spin_unlock(&irq->irq_lock);
        irq_put(irq);
    }
}

void irq_answered(struct irq *irq)
{
    if (irq->vector != 0 && !irq->held_back)
        irq->chip->unmask(irq);
}
