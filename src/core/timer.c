/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time and timers.
 *
 * System time is the TSC scaled by a 32-bit fraction and a shift, the same
 * arithmetic that PV guests do with the same numbers, so that both always
 * agree.
 *
 * Each CPU's timers are a pairing heap: a tree in which no timer expires
 * before its parent. All of it lies in struct timer, so arming one allocates
 * nothing and cannot fail. Arming is two comparisons; taking the first one out
 * pairs its children, a logarithmic number on average.
 */
#include "core/timer.h"

#include "core/panic.h"
#include "core/softirq.h"
#include "lib/bitmap.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/lapic.h"
#include "x86/spinlock.h"
#include "x86/upcalls.h"

/* --- time --- */

static struct time_base base;
static uint64_t tsc_khz;
static uint64_t wallclock_sec;
static uint32_t wallclock_nsec;

static stime_t scale(uint64_t ticks)
{
    ticks = base.shift < 0 ? ticks >> -base.shift : ticks << base.shift;
    return (stime_t)(((unsigned __int128)ticks * base.mul) >> 32);
}

/* 0 until time_init(). */
stime_t stime_now(void)
{
    uint64_t tsc = rdtsc();

    /* Another CPU's TSC may be a few ticks behind the one that set the base. */
    return tsc > base.tsc ? base.stime + scale(tsc - base.tsc) : base.stime;
}

void time_get_base(struct time_base *b)
{
    *b = base;
}

static bool tsc_unstable;

void time_set_tsc_unstable(void)
{
    tsc_unstable = true;
}

bool time_tsc_stable(void)
{
    return !tsc_unstable;
}

uint64_t time_tsc_khz(void)
{
    return tsc_khz;
}

/* mul / 2^32 * 2^shift = 10^9 / hz, with mul as large as 32 bits allow. */
void time_init(uint64_t tsc_hz)
{
    struct time_base b = {.tsc = rdtsc()};
    uint64_t hz = tsc_hz;

    ASSERT(tsc_hz >= 1000000);
    while (hz <= 1000000000) {
        hz <<= 1;
        b.shift++;
    }
    while (hz > 2000000000) {
        hz >>= 1;
        b.shift--;
    }
    b.mul = (uint32_t)(((1000000000ULL << 32) + hz / 2) / hz);
    base = b;
    tsc_khz = tsc_hz / 1000;
}

void time_set_wallclock(uint64_t sec, uint32_t nsec)
{
    wallclock_sec = sec;
    wallclock_nsec = nsec;
}

void time_get_wallclock(uint64_t *sec, uint32_t *nsec)
{
    *sec = wallclock_sec;
    *nsec = wallclock_nsec;
}

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

/* Program this CPU's APIC for its first timer. */
static void program_locked(const struct timer_cpu *c)
{
    stime_t delta;
    uint64_t ticks;

    if (!c->first || c->first->expires == STIME_NEVER) {
        lapic_timer_set(0);
        return;
    }
    delta = c->first->expires - stime_now();
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

void timer_set(struct timer *t, stime_t expires)
{
    struct timer_cpu *c = lock_timer(t);

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
