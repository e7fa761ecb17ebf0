/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ticket locks: who comes first is served first. In debug builds each CPU
 * keeps the list of locks it holds, in cpu_local, and the lock that would
 * break the order is named before it can deadlock.
 */
#include "x86/spinlock.h"

#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/upcalls.h"

static const char *const level_name[LOCK_LEVELS] = {
    [LOCK_DOMLIST] = "DOMLIST",
    [LOCK_DOMAIN] = "DOMAIN",
    [LOCK_BUILDER] = "BUILDER",
    [LOCK_PV_MM] = "PV_MM",
    [LOCK_GRANT] = "GRANT",
    [LOCK_HYPERCALL] = "HYPERCALL",
    [LOCK_PIRQ] = "PIRQ",
    [LOCK_PCI] = "PCI",
    [LOCK_IRQ] = "IRQ",
    [LOCK_EVTCHN] = "EVTCHN",
    [LOCK_EVTCHN_FIFO] = "EVTCHN_FIFO",
    [LOCK_VCPU_TIMER] = "VCPU_TIMER",
    [LOCK_SCHED_POOL] = "SCHED_POOL",
    [LOCK_SCHED] = "SCHED",
    [LOCK_SCHED_CAP] = "SCHED_CAP",
    [LOCK_PAGELIST] = "PAGELIST",
    [LOCK_HVMAP] = "HVMAP",
    [LOCK_HEAP] = "HEAP",
    [LOCK_FRAMES] = "FRAMES",
    [LOCK_RIGHTS] = "RIGHTS",
    [LOCK_VECTORS] = "VECTORS",
    [LOCK_DEVICE] = "DEVICE",
    [LOCK_TIMERS] = "TIMERS",
    [LOCK_CROSSCALL] = "CROSSCALL",
    [LOCK_WORK] = "WORK",
    [LOCK_CONSOLE] = "CONSOLE",
    [LOCK_LOG] = "LOG",
};

const char *spin_level_name(const spinlock_t *l)
{
    return l->level < LOCK_LEVELS && level_name[l->level] ? level_name[l->level] : "?";
}

#if HOSPES_DEBUG
/* `same`: a lock of the level of one that is held is what the caller wants (spin_lock_two). */
static void check_order(const spinlock_t *l, bool same)
{
    const struct cpu_local *c = cpu_local();

    for (uint32_t i = 0; i < c->locks_held; i++) {
        const spinlock_t *h = c->held[i];

        if (h->level > l->level || (h->level == l->level && (!same || h == l)))
            upcall_panic(NULL, "lock order: %s (%p) wanted while %s (%p) is held", level_name[l->level],
                         (const void *)l, level_name[h->level], (const void *)h);
    }
}

static void note_held(const spinlock_t *l)
{
    struct cpu_local *c = cpu_local();

    if (c->locks_held == LOCKS_HELD_MAX)
        upcall_panic(NULL, "lock order: %s (%p) would be lock %u on this CPU", level_name[l->level],
                     (const void *)l, LOCKS_HELD_MAX + 1);
    c->held[c->locks_held++] = l;
}

static void note_released(const spinlock_t *l)
{
    struct cpu_local *c = cpu_local();
    uint32_t i = c->locks_held;

    while (i > 0 && c->held[i - 1] != l)
        i--;
    if (i == 0)
        upcall_panic(NULL, "lock order: %s (%p) released, but this CPU has not got it", level_name[l->level],
                     (const void *)l);
    for (; i < c->locks_held; i++)
        c->held[i - 1] = c->held[i];
    c->locks_held--;
}

bool spin_held(const spinlock_t *l)
{
    const struct cpu_local *c = cpu_local();

    for (uint32_t i = 0; i < c->locks_held; i++) {
        if (c->held[i] == l)
            return true;
    }
    return false;
}
#else
static void check_order(const spinlock_t *l, bool same) {}
static void note_held(const spinlock_t *l) {}
static void note_released(const spinlock_t *l) {}
bool spin_held(const spinlock_t *l) { return true; }
#endif

/* Out of line: the usual lock is free. `place` wants it. The holder may be waiting for us to serve its cross-call. */
static __attribute__((noinline)) void lock_wait(const spinlock_t *l, uint16_t ticket, const void *place)
{
    for (uint32_t round = 1; __atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket; round++) {
        upcall_crosscall();
        if (unlikely(round % LOCK_WAIT_ROUNDS == 0))
            upcall_lock_wait(l, round / LOCK_WAIT_ROUNDS, place);
        cpu_relax();
    }
}

static ALWAYS_INLINE void take(spinlock_t *l, const void *place)
{
    uint16_t ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_ACQUIRE);

    if (unlikely(__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket))
        lock_wait(l, ticket, place);
    note_held(l);
}

NO_LOCK_CHECK void spin_lock(spinlock_t *l)
{
    check_order(l, false);
    take(l, __builtin_return_address(0));
}

NO_LOCK_CHECK void spin_unlock(spinlock_t *l)
{
    note_released(l);
    __atomic_store_n(&l->owner, (uint16_t)(l->owner + 1), __ATOMIC_RELEASE);
}

NO_LOCK_CHECK void spin_lock_two(spinlock_t *a, spinlock_t *b)
{
    spinlock_t *first = a < b ? a : b, *second = a < b ? b : a;

    spin_lock(first);
    if (first != second) {
        check_order(second, true);
        take(second, __builtin_return_address(0));
    }
}

NO_LOCK_CHECK void spin_unlock_two(spinlock_t *a, spinlock_t *b)
{
    spin_unlock(a);
    if (a != b)
        spin_unlock(b);
}
