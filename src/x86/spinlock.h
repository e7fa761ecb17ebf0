/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ticket spinlocks with an order.
 *
 * Interrupts are off whenever a lock is held (the hypervisor enables them only
 * in explicit windows), so there is no irqsave form. A CPU that waits serves
 * cross-calls meanwhile (upcalls.h), or two CPUs could wait for each other.
 *
 * Locks are taken in increasing level; two of one level only by a function
 * that says in which order. Debug builds check this at run time and panic.
 */
#ifndef X86_SPINLOCK_H
#define X86_SPINLOCK_H

#ifdef __clang__
#define CAPABILITY(x)     __attribute__((capability(x)))
#define GUARDED_BY(x)     __attribute__((guarded_by(x)))
#define REQUIRES(...)     __attribute__((requires_capability(__VA_ARGS__)))
#define ACQUIRES(...)     __attribute__((acquire_capability(__VA_ARGS__)))
#define RELEASES(...)     __attribute__((release_capability(__VA_ARGS__)))
#define TRY_ACQUIRES(...) __attribute__((try_acquire_capability(__VA_ARGS__)))
#define NO_LOCK_CHECK     __attribute__((no_thread_safety_analysis))
#else
#define CAPABILITY(x)
#define GUARDED_BY(x)
#define REQUIRES(...)
#define ACQUIRES(...)
#define RELEASES(...)
#define TRY_ACQUIRES(...)
#define NO_LOCK_CHECK
#endif

/* THE lock order: a lock may be taken while holding only locks above it here. */
enum lock_level {
    LOCK_DOMLIST,    /* domain: the list of domains */
    LOCK_DOMAIN,     /* domain: life, pause, vCPU creation */
    LOCK_BUILDER,    /* builder: the boot-time servers */
    LOCK_PV_MM,      /* pv: page-table updates of one domain */
    LOCK_GRANT,      /* grant: a domain's table; two in order of domid */
    LOCK_HYPERCALL,  /* hypercall: what is kept for a domain */
    LOCK_PIRQ,       /* evtchn: a domain's physical interrupts */
    LOCK_PCI,        /* platform: the lists of PCI functions and of messages */
    LOCK_IRQ,        /* platform: one source of interrupts */
    LOCK_EVTCHN,     /* evtchn: a domain's ports; two in order of domid */
    LOCK_EVTCHN_FIFO, /* evtchn: one FIFO queue of a vCPU */
    LOCK_VCPU_TIMER, /* domain: a vCPU's timers and time areas */
    LOCK_SCHED_POOL, /* sched: pools, and which groups and CPUs are in them */
    LOCK_SCHED,      /* sched: a CPU's queue; two in order of CPU */
    LOCK_SCHED_CAP,  /* sched: a group's budget */
    LOCK_PAGELIST,   /* domain: a domain's list of frames */
    LOCK_RIGHTS,     /* domain: what of the machine a domain may use */
    LOCK_HVMAP,      /* mem: hypervisor address space */
    LOCK_HEAP,       /* mem: small objects */
    LOCK_FRAMES,     /* mem: free frames */
    LOCK_VECTORS,    /* platform: a CPU's vectors; two in order of CPU */
    LOCK_DEVICE,     /* platform: registers that are reached in two steps */
    LOCK_TIMERS,     /* core: a CPU's timers */
    LOCK_CROSSCALL,  /* core */
    LOCK_WORK,       /* core: deferred work */
    LOCK_CONSOLE,    /* platform/builder: console input and output */
    LOCK_LOG,        /* core: the log; taken last of all */
    LOCK_LEVELS
};

struct CAPABILITY("lock") spinlock {
    uint16_t next, owner;
    uint8_t level;
};
typedef struct spinlock spinlock_t;

#define SPINLOCK_INIT(lvl) { .level = (lvl) }

static inline void spin_init(spinlock_t *l, enum lock_level level)
{
    *l = (spinlock_t){.level = (uint8_t)level};
}

void spin_lock(spinlock_t *l) ACQUIRES(*l);
void spin_unlock(spinlock_t *l) RELEASES(*l);

/* Debug: is the lock held by this CPU? (Always true in release builds.) */
bool spin_held(const spinlock_t *l);

/* The name of its level in the order. */
const char *spin_level_name(const spinlock_t *l);

/* Two locks of one level, lower address first; equal addresses are taken once. */
void spin_lock_two(spinlock_t *a, spinlock_t *b) ACQUIRES(*a, *b);
void spin_unlock_two(spinlock_t *a, spinlock_t *b) RELEASES(*a, *b);

#endif
