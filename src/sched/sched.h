/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler: which unit each CPU runs. Knows nothing of domains. A unit is
 * embedded in a vCPU; the layer above supplies what happens at a switch.
 *
 * A unit runs on a CPU, is queued on one CPU's run queue, is parked there until
 * its cap lets it run again, or sleeps. It changes state only under the lock of
 * the run queue of `cpu`.
 *
 * Hand-over: the state of a unit belongs to CPU `on_cpu` from the moment that
 * CPU's switch_to() takes it to the moment its next switch_to() has let go of
 * it, which is later than the unit leaves SCHED_RUNNING. A unit that is wanted
 * elsewhere in between may be queued and picked; the CPU that picked it waits
 * in switch_to() until on_cpu is -1. switch_to() lets go of `prev` before it
 * waits for `next`, so that no two CPUs wait for each other.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "core/timer.h"
#include "lib/list.h"

enum sched_state { SCHED_ASLEEP, SCHED_QUEUED, SCHED_PARKED, SCHED_RUNNING };

struct sched_unit {
    struct list_head link; /* [run queue's lock] */
    uint32_t state;        /* [run queue's lock] enum sched_state */
    uint32_t cpu;          /* [run queue's lock] whose queue it is on or runs on, or last did */
    int32_t on_cpu;        /* [atomic] CPU that owns its state, or -1: see hand-over above */
    uint16_t weight;       /* [run queue's lock] 1..65535, 256 is usual */
    uint16_t cap;          /* [run queue's lock] percent of a CPU; 0: no limit */
    uint64_t affinity;     /* [run queue's lock] CPUs where it may run */
    int64_t credit;        /* [run queue's lock] ns that it may still run before others, at weight 256 */
    int64_t given;         /* [run queue's lock] run_queue.given when it fell asleep */
    stime_t slice_left;    /* [run queue's lock] of the slice that it was in when another came between */
    stime_t cap_left;      /* [run queue's lock] ns until its cap stops it */
    stime_t cap_period;    /* [run queue's lock] number of the period that cap_left is for */
    stime_t since;         /* [run queue's lock] when it got the CPU, or fell asleep */
    stime_t cpu_time;      /* [run queue's lock] ns run so far, up to `since` if it runs */
};

/* Supplied once by domain/. */
struct sched_ops {
    /*
     * Called by the SCHEDULE softirq with no lock held, prev != next; NULL: idle. Does
     * not return. It obeys the hand-over rule above.
     */
    void (*switch_to)(struct sched_unit *prev, struct sched_unit *next);
    /* Has `u` no reason to sleep? Asked under the run queue's lock. */
    bool (*runnable)(struct sched_unit *u);
};
void sched_init(const struct sched_ops *ops);
void sched_init_cpu(void);

/* Asleep; weight 1..65535. */
void sched_unit_init(struct sched_unit *u, uint64_t affinity, unsigned int weight);

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
/* Is it on a CPU, or is its state not yet handed over? False stays so while it is not runnable. */
bool sched_on_cpu(struct sched_unit *u);
/* The running unit lets others go first. */
void sched_yield(void);

int sched_set_affinity(struct sched_unit *u, uint64_t mask); /* -EINVAL: no online CPU in it */
/* -EINVAL: weight 0 or above 65535. */
int sched_set_params(struct sched_unit *u, unsigned int weight, unsigned int cap);
stime_t sched_cpu_time(struct sched_unit *u);

/* CPUs that have nothing to run. */
uint64_t sched_idle_cpus(void);

/* The unit that runs on this CPU; NULL: idle. */
struct sched_unit *sched_current(void);

#endif
