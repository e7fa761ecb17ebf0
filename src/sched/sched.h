/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler: which unit each CPU runs. Knows nothing of domains. A unit is embedded in a vCPU, a
 * group of units in a domain; the layer above supplies what happens at a switch. A group belongs to a
 * pool of CPUs, and the pool has a policy.
 *
 * A unit runs on a CPU, waits on one CPU's queue, is parked there until its group's cap lets it run
 * again, or sleeps. It changes state only under the lock of the queue of its CPU, `cpu`.
 *
 * Hand-over: the state of a unit belongs to CPU `on_cpu` from the moment that CPU's switch_to() takes it
 * to the moment its next switch_to() has let go of it, which is later than the unit leaves
 * SCHED_RUNNING. Who owns it at every instant of a switch from A to B on CPU x:
 *
 *   schedule(), under the lock     A RUNNING -> WAITING or ASLEEP, B WAITING -> RUNNING; A.on_cpu == x
 *   after the lock                 others may pick A and wait for it; x alone touches A's registers
 *   switch_to() lets go of A       A.on_cpu = -1: whoever picked A meanwhile goes on
 *   switch_to() waits for B        until B.on_cpu == -1: B may still be leaving another CPU
 *   switch_to() takes B            B.on_cpu = x
 *
 * Letting go comes before waiting, so no two CPUs wait for each other.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "core/timer.h"
#include "lib/list.h"
#include "x86/spinlock.h"

enum sched_state { SCHED_ASLEEP, SCHED_WAITING, SCHED_PARKED, SCHED_RUNNING };

#define SCHED_WEIGHT_USUAL 256
#define SCHED_POOL_ANY     0xffffffffu /* as XEN_SYSCTL_CPUPOOL_PAR_ANY */

/* The policies' numbers in the interface, XEN_SCHEDULER_* of <xen/domctl.h>. */
enum { SCHED_CREDIT = 5, SCHED_CREDIT2 = 6, SCHED_NULL = 9 };

struct sched_pool;

/* Locks: [q] the queue's of `cpu`, [p] the pools', [a] atomic, [c] constant. */
struct sched_unit {
    struct sched_group *group; /* [c] */
    struct list_head member;   /* [p] in group.units */
    struct list_head link;     /* [q] on a CPU's list of waiting or parked units */
    uint32_t state;            /* [q] enum sched_state */
    uint32_t cpu;              /* [q] whose queue it is on or runs on, or last did */
    int32_t on_cpu;            /* [a] CPU that owns its state, or -1: see hand-over above */
    uint16_t weight;           /* [q] the group's */
    bool gives_up;             /* [q] sched_give_up() since it last woke */
    uint64_t affinity, soft;   /* [q] CPUs where it may run, and among them where it would rather */
    stime_t since;             /* [q] when it was last charged for the CPU, or fell asleep */
    stime_t started;           /* [q] when it got the CPU */
    stime_t cpu_time;          /* [q] ns run so far, up to `since` if it runs */
    stime_t cap_left;          /* [q] ns of its group's budget that it holds while it runs */
    uint64_t vtime;            /* [q] proportional policy: its virtual time, while it does not sleep */
    stime_t owed;              /* [q] ... and what it was behind its due when it fell asleep */
    stime_t earned;            /* [q] ... its share of the time slept, less what it has run beyond its share */
    stime_t front;             /* [q] ... so long it may run in front of all others, if positive */
};

struct sched_group {
    struct sched_pool *pool;  /* [p] to change; read by anybody */
    struct list_head units;   /* [p] */
    uint32_t nr_units;        /* [p] to change */
    uint16_t weight;          /* [p] to change: 1..65535 */
    uint16_t cap;             /* [p] to change: percent of one CPU for all units together; 0: no limit */
    spinlock_t lock;          /* LOCK_SCHED_CAP */
    stime_t left;             /* [lock] of this period's budget */
    stime_t period;           /* [lock] number of the period that `left` is for */
};

/* Supplied once by domain/. */
struct sched_ops {
    /*
     * Called by the SCHEDULE softirq with no lock held, prev != next; NULL: idle. Does
     * not return. It obeys the hand-over rule above.
     */
    void (*switch_to)(struct sched_unit *prev, struct sched_unit *next);
    /* Has `u` no reason to sleep? Asked under the queue's lock. */
    bool (*runnable)(struct sched_unit *u);
};
/*
 * Pool 0's policy by its name, credit2 (the usual one), credit or null, before any unit is made;
 * false: there is no such.
 */
bool sched_choose_policy(const char *name);
void sched_init(const struct sched_ops *ops);
/* This CPU, once; it comes into pool 0. */
void sched_init_cpu(void);

/* In pool 0, with the usual weight. */
void sched_group_init(struct sched_group *g);
/* All its units have been removed. */
void sched_group_remove(struct sched_group *g);
/* Asleep, allowed everywhere. */
void sched_unit_init(struct sched_unit *u, struct sched_group *g);
/* It sleeps, is on no CPU and will not be woken: it gives up what it holds. */
void sched_unit_remove(struct sched_unit *u);

/*
 * The reason to sleep has gone (runnable() says so): queue it where it runs soonest. Any context;
 * nothing if it is awake.
 */
void sched_wake(struct sched_unit *u);
/*
 * There is a reason to sleep (runnable() says no): it is taken off its queue,
 * or its CPU is told; it may still be on that CPU for a while.
 */
void sched_sleep(struct sched_unit *u);
/*
 * It sleeps, or is about to, and is not to be woken soon: what it keeps while it sleeps, its CPU under the
 * static policy, is free for others until it wakes.
 */
void sched_give_up(struct sched_unit *u);
/* Is it on a CPU, or is its state not yet handed over? False stays so while it is not runnable. */
bool sched_on_cpu(struct sched_unit *u);
/* The running unit lets others go first, once. */
void sched_yield(void);

/* The CPUs where it may run now: its affinity within its pool, or all of the pool if there is none. */
uint64_t sched_allowed_cpus(const struct sched_unit *u);
/* -EINVAL: no CPU of its pool in it. */
int sched_set_affinity(struct sched_unit *u, uint64_t mask);
/* Only a wish: what is not in the pool or not in the affinity has no effect. -EINVAL: empty. */
int sched_set_soft_affinity(struct sched_unit *u, uint64_t mask);

/* --- parameters: group.c --- */

/*
 * Weight 1..65535, 0: leave it; cap in percent of one CPU, 0: none, SCHED_CAP_KEEP: leave it.
 * -EOPNOTSUPP: the pool's policy has no such parameters.
 */
#define SCHED_CAP_KEEP 0xffffu
int sched_group_set(struct sched_group *g, unsigned int weight, unsigned int cap);

/* ns that it has run; that the CPU has been idle. */
stime_t sched_cpu_time(struct sched_unit *u);
stime_t sched_idle_time(unsigned int cpu);
/* CPUs that have nothing to run. */
uint64_t sched_idle_cpus(void);
/* The unit that runs on this CPU; NULL: idle. */
struct sched_unit *sched_current(void);

/* --- pools: pool.c --- */

struct sched_pool_info {
    uint32_t id, scheduler; /* scheduler: SCHED_CREDIT2 ... */
    uint32_t groups;
    uint64_t cpus;
};
/* A pool's: tslice 1..1000 ms; ratelimit 0 or 100 us..500 ms and no more than tslice; migrate up to 100 ms. */
struct sched_pool_params {
    uint32_t tslice_us, ratelimit_us, migrate_us;
};

/* `scheduler`: SCHED_CREDIT2 ... *id in: the number, or SCHED_POOL_ANY; out: the number. -EINVAL, -EEXIST, -ENOMEM. */
int sched_pool_create(uint32_t scheduler, uint32_t *id);
/* -ENOENT; -EBUSY: it has CPUs or groups, or is pool 0. */
int sched_pool_destroy(uint32_t id);
/* The pool `id`, or (`next`) the first one from `id` on. -ENOENT. */
int sched_pool_get_info(uint32_t id, bool next, struct sched_pool_info *info);
/* `cpu` may be SCHED_POOL_ANY. -ENOENT; -EINVAL: no such CPU; -ENODEV: not free. */
int sched_pool_add_cpu(uint32_t id, uint32_t cpu);
/*
 * -ENODEV: not in this pool; -EBUSY: the last one, with groups; -ERESTART: what runs there has been told
 * to go and has not yet: come again, from a place where the calling CPU schedules in between.
 */
int sched_pool_remove_cpu(uint32_t id, uint32_t cpu);
/* -ENOENT; -EINVAL: a pool without CPUs. */
int sched_pool_move_group(uint32_t id, struct sched_group *g);
uint64_t sched_free_cpus(void);
/* Does the pool answer to SCHED_...? credit and credit2 are names of one policy. */
bool sched_pool_answers(uint32_t id, uint32_t scheduler);
int sched_pool_get_params(uint32_t id, struct sched_pool_params *p);
int sched_pool_set_params(uint32_t id, const struct sched_pool_params *p);
uint32_t sched_group_pool(const struct sched_group *g);

#endif
