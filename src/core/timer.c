/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers. Each CPU's timers are a pairing heap: a tree in which no timer expires
 * before its parent. All of it lies in struct timer, so arming one allocates
 * nothing and cannot fail. Arming is two comparisons; taking the first one out
 * pairs its children, a logarithmic number on average.
 */
#include "core/timer.h"

#include "core/hwerror.h"
#include "core/panic.h"
#include "core/softirq.h"
#include "core/watchdog.h"
#include "lib/bitmap.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/lapic.h"
#include "x86/spinlock.h"
#include "x86/upcalls.h"

/* --- the heap: `prev` is the left sibling, or for a first child the parent; NULL for the root --- */

/* Joins two heaps (either may be NULL): the later root becomes the first child of the earlier. */
static struct timer *heap_join(struct timer *a, struct timer *b)
{
    struct timer *first = a, *second = b;

    if (!a || !b)
        return a ? a : b;
    if (b->expires < a->expires) {
        first = b;
        second = a;
    }
    second->prev = first;
    second->next = first->child;
    if (second->next)
        second->next->prev = second;
    first->child = second;
    first->next = NULL;
    first->prev = NULL;
    return first;
}

/* Joins a list of siblings into one heap: pairs from the left, then the pairs from the right. */
static struct timer *heap_join_list(struct timer *list)
{
    struct timer *pairs = NULL, *result = NULL;

    while (list) {
        struct timer *a = list, *b = list->next;

        list = b ? b->next : NULL;
        a->next = NULL;
        if (b)
            b->next = NULL;
        a = heap_join(a, b);
        a->prev = NULL;
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        struct timer *a = pairs;

        pairs = a->next;
        a->next = NULL;
        result = heap_join(result, a);
    }
    return result;
}

static struct timer *heap_remove(struct timer *root, struct timer *t)
{
    struct timer *children = heap_join_list(t->child);

    if (t != root) {
        if (t->prev->child == t)
            t->prev->child = t->next;
        else
            t->prev->next = t->next;
        if (t->next)
            t->next->prev = t->prev;
        children = heap_join(root, children);
    }
    t->child = NULL;
    t->next = NULL;
    t->prev = NULL;
    return children;
}

/* --- timers --- */

static struct timer_cpu {
    spinlock_t lock;
    struct timer *first;   /* root of the heap; guarded by lock */
    struct timer *running; /* atomic: whose handler runs now */
} ALIGNED(64) timer_cpu[NR_CPUS_MAX];

/* At most so many handlers before other softirqs have their turn. */
#define TIMERS_A_ROUND 32

/* Program this CPU's APIC for its first timer, but for no more than a second; so, too, if the watchdog asks for it. */
static void program_locked(const struct timer_cpu *c)
{
    stime_t expires = c->first ? c->first->expires : STIME_NEVER, delta;
    uint64_t ticks;

    if (!watchdog_needs_look(expires != STIME_NEVER)) {
        lapic_timer_set(0);
        return;
    }
    delta = expires - stime_now();
    if (delta <= 0) {
        softirq_raise(SOFTIRQ_TIMER);
        return;
    }
    /* A second at most: the counter has 32 bits. Too early is put right by the softirq. */
    ticks = (uint64_t)MIN(delta, MILLISECS(1000)) * (lapic_timer_hz / 1000) / 1000000 + 1;
    lapic_timer_set((uint32_t)MIN(ticks, (uint64_t)UINT32_MAX));
}

/* The lock of the CPU where `t` belongs, which may change until we have it. */
NO_LOCK_CHECK static struct timer_cpu *lock_timer(const struct timer *t)
{
    for (;;) {
        uint32_t cpu = READ_ONCE(t->cpu);

        spin_lock(&timer_cpu[cpu].lock);
        if (t->cpu == cpu)
            return &timer_cpu[cpu];
        spin_unlock(&timer_cpu[cpu].lock);
    }
}

NO_LOCK_CHECK static void unlock_timer(struct timer_cpu *c)
{
    spin_unlock(&c->lock);
}

static void dequeue_locked(struct timer_cpu *c, struct timer *t)
{
    if (t->queued)
        c->first = heap_remove(c->first, t);
    t->queued = false;
}

/* Also tells the CPU if its first timer is a new one. */
static void enqueue_locked(struct timer_cpu *c, struct timer *t)
{
    c->first = heap_join(c->first, t);
    t->queued = true;
    if (c->first != t)
        return;
    if (t->cpu == cpu_id())
        program_locked(c);
    else
        softirq_raise_cpu(t->cpu, SOFTIRQ_TIMER);
}

void timer_init(struct timer *t, void (*fn)(void *), void *data, unsigned int cpu)
{
    *t = (struct timer){.fn = fn, .data = data, .cpu = cpu};
}

/* The same, but a timer of a CPU that is not online is brought to the boot CPU. */
NO_LOCK_CHECK static struct timer_cpu *lock_timer_online(struct timer *t)
{
    for (;;) {
        struct timer_cpu *c = lock_timer(t);

        if (likely(READ_ONCE(cpus_online_mask) & BIT(t->cpu)))
            return c;
        unlock_timer(c);
        timer_migrate(t, 0);
    }
}

void timer_set(struct timer *t, stime_t expires)
{
    struct timer_cpu *c = lock_timer_online(t);

    dequeue_locked(c, t);
    if (!t->dead) {
        t->expires = expires;
        enqueue_locked(c, t);
    }
    unlock_timer(c);
}

void timer_stop(struct timer *t)
{
    struct timer_cpu *c = lock_timer(t);

    dequeue_locked(c, t);
    unlock_timer(c);
}

void timer_kill(struct timer *t)
{
    struct timer_cpu *c = lock_timer(t);

    dequeue_locked(c, t);
    t->dead = true;
    unlock_timer(c);

    /* It may have been moved while its handler ran on the CPU before. */
    for (unsigned int cpu = 0; cpu < NR_CPUS_MAX; cpu++) {
        while (atomic_load(&timer_cpu[cpu].running) == t) {
            upcall_crosscall();
            cpu_relax();
        }
    }
}

void timer_migrate(struct timer *t, unsigned int cpu)
{
    struct timer_cpu *from, *to = &timer_cpu[cpu];
    bool queued;

    for (;;) {
        uint32_t old = READ_ONCE(t->cpu);

        from = &timer_cpu[old];
        spin_lock_two(&from->lock, &to->lock);
        if (t->cpu == old)
            break;
        spin_unlock_two(&from->lock, &to->lock);
    }
    queued = t->queued;
    if (from != to) {
        dequeue_locked(from, t);
        t->cpu = cpu;
        if (queued)
            enqueue_locked(to, t);
    }
    spin_unlock_two(&from->lock, &to->lock);
}

void timer_set_here(struct timer *t, stime_t expires)
{
    if (t->cpu != cpu_id())
        timer_migrate(t, cpu_id());
    timer_set(t, expires);
}

void timer_leave_cpu(unsigned int to)
{
    struct timer_cpu *from = &timer_cpu[cpu_id()], *other = &timer_cpu[to];

    spin_lock_two(&from->lock, &other->lock);
    while (from->first) {
        struct timer *t = from->first;

        dequeue_locked(from, t);
        t->cpu = to;
        enqueue_locked(other, t);
    }
    program_locked(from);
    spin_unlock_two(&from->lock, &other->lock);
}

/* Runs what has expired by now; what handlers arm for the past meanwhile comes in another round. */
static void timer_softirq(void)
{
    struct timer_cpu *c = &timer_cpu[cpu_id()];
    stime_t now = stime_now();

    spin_lock(&c->lock);
    for (unsigned int i = 0; i < TIMERS_A_ROUND && c->first && c->first->expires <= now; i++) {
        struct timer *t = c->first;

        dequeue_locked(c, t);
        atomic_store(&c->running, t);
        spin_unlock(&c->lock);
        t->fn(t->data);
        spin_lock(&c->lock);
        atomic_store(&c->running, NULL);
    }
    program_locked(c);
    spin_unlock(&c->lock);
    time_watch(now);
    hwerror_look(now);
    watchdog_beat(now);
}

void upcall_timer(void)
{
    softirq_raise(SOFTIRQ_TIMER);
}

void timer_init_cpu(void)
{
    spin_init(&timer_cpu[cpu_id()].lock, LOCK_TIMERS);
    softirq_init_cpu();
    softirq_set_handler(SOFTIRQ_TIMER, timer_softirq);
}
