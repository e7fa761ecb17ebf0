/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of sched/: a CPU's queue, a pool, and what a policy decides.
 *
 * sched.c moves units from state to state; a policy says where a unit goes, which comes first, and for
 * how long. Locks, in this order: the pools' (LOCK_SCHED_POOL), queues' (LOCK_SCHED; two at once with
 * spin_lock_two), a group's budget (LOCK_SCHED_CAP).
 */
#ifndef SCHED_POLICY_H
#define SCHED_POLICY_H

#include "sched/sched.h"

/* [q] its lock, [o] only this CPU. */
struct sched_cpu {
    spinlock_t lock;
    struct sched_pool *pool;     /* [q] NULL: in none */
    struct sched_unit *running;  /* [q] NULL: idle */
    struct sched_unit *aside;    /* [q] it has yielded, or makes room: another goes first, once */
    struct list_head waiting;    /* [q] best first */
    struct list_head parked;     /* [q] */
    uint32_t nr_waiting;         /* [q] read without as a hint */
    bool better;                 /* [q] somebody waits who comes before the running unit */
    bool between;                /* [q] to set, [a] to clear: schedule() is under way */
    stime_t balanced;            /* [o] when it last looked how others do */
    struct timer timer;          /* end of the slice, of the cap, or of the cap's period */
    stime_t timer_at;            /* [o] when it is set to fire; STIME_NEVER: not */
    stime_t idle_since;          /* [q] while it is idle */
    stime_t idle_time;           /* [q] */

    /* fair.c */
    uint64_t vtime;              /* [q] mean of the virtual times, by weight, of those that want to run here */
    int64_t sum;                 /* [q] ... less this, in weight times virtual time */
    uint64_t weight;             /* [q] of all of them */
    stime_t charged;             /* [q] when `vtime` was true */
    bool urgent;                 /* [q] one waits that goes first; read without as a hint */
    /* null.c */
    struct sched_unit *owner;    /* [q] the unit that has this CPU for itself */
} ALIGNED(64);
extern struct sched_cpu sched_cpus[NR_CPUS_MAX];

struct sched_policy {
    const char *name;
    bool has_weights;
    /* Where a unit that wakes should be queued, of `allowed`. No lock is held: a good guess. */
    unsigned int (*place)(const struct sched_unit *u, uint64_t allowed);
    /* Idle CPUs of `allowed` that would take `u`, if told, from where it waits or runs. */
    uint64_t (*takers)(const struct sched_unit *u, uint64_t allowed);
    /* All others: the queue's lock is held, or both. `u` begins and ends to want CPU `c`. */
    void (*join)(struct sched_cpu *c, struct sched_unit *u, stime_t now);
    void (*leave)(struct sched_cpu *c, struct sched_unit *u);
    /* `u` has run for so long; its weight changes. NULL: no matter. */
    void (*charge)(struct sched_cpu *c, struct sched_unit *u, stime_t ran);
    void (*reweigh)(struct sched_cpu *c, struct sched_unit *u, uint16_t weight);
    /* Does `u` come before `other` on the list of waiting units? Should it have the CPU now? */
    bool (*before)(const struct sched_unit *u, const struct sched_unit *other);
    bool (*preempts)(const struct sched_cpu *c, const struct sched_unit *u);
    /* Of those that wait, whom to run; NULL: none. */
    struct sched_unit *(*choose)(struct sched_cpu *c);
    /* How long the running unit may go on while others wait. */
    stime_t (*slice)(const struct sched_cpu *c);
    /* A unit that waits on `from` and should go to `to`, or NULL; and when it goes, instead of leave and join. */
    struct sched_unit *(*give)(struct sched_cpu *from, struct sched_cpu *to, bool to_idle);
    void (*moved)(struct sched_cpu *from, struct sched_cpu *to, struct sched_unit *u);
    /* Once a time slice, on a CPU where units wait. No lock is held. NULL: nothing to do. */
    void (*balance)(struct sched_cpu *c);
    /* `u` goes away for good or to another pool. NULL: no matter. */
    void (*forget)(struct sched_cpu *c, struct sched_unit *u);
};
extern const struct sched_policy sched_fair, sched_null;

struct sched_pool {
    uint32_t id, scheduler;          /* [p] */
    const struct sched_policy *policy; /* [p] NULL: no such pool; constant while it has CPUs */
    uint64_t cpus;                   /* [p] and, bit n, CPU n's queue lock to change; read by anybody */
    uint32_t groups;                 /* [p] */
    stime_t tslice, ratelimit, migrate; /* [a] */
    uint64_t vtime;                  /* [a] fair.c: the latest virtual time of a CPU where units wait */
};

/* --- sched.c --- */
static inline unsigned int sched_cpu_number(const struct sched_cpu *c)
{
    return (unsigned int)(c - sched_cpus);
}
extern uint64_t sched_idle_mask;    /* [a] CPUs that run nothing and have not been told of anything */
extern uint64_t sched_crowded_mask; /* [a] CPUs where units wait */

/* Charge what runs on `c` for its time until now. */
void sched_charge(struct sched_cpu *c, stime_t now);
/* Lock the queue where `u` is. */
struct sched_cpu *sched_lock_unit(const struct sched_unit *u);
void sched_unlock_unit(struct sched_cpu *c);
/* Off its queue, to be placed anew by sched_wake(); what runs is told to look instead. True: to be woken. */
bool sched_displace(struct sched_cpu *c, struct sched_unit *u);
/* With both locks: a unit that waits on `from` goes to wait on `to`. False: none may. */
bool sched_move_one(struct sched_cpu *from, struct sched_cpu *to, bool to_idle);
void sched_tell(struct sched_cpu *c);

/* --- group.c --- */
/* Time of the group's budget for `u` to run, into u->cap_left; false: it has to be parked. */
bool sched_cap_take(struct sched_unit *u, stime_t now);
/* `u` stops: what is left of it, or was overdrawn. */
void sched_cap_return(struct sched_unit *u);
/* Has the group anything for those that are parked? */
bool sched_cap_refill(struct sched_group *g, stime_t now);
stime_t sched_cap_next(stime_t now);

/* --- pool.c --- */
extern spinlock_t sched_pools_lock;
extern struct sched_pool sched_pools[NR_CPUS_MAX];

#endif
