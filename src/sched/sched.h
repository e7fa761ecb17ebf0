/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler: which unit each CPU runs. Knows nothing of domains. A unit is
 * embedded in a vCPU; the layer above supplies what happens at a switch.
 *
 * Hand-over: a unit is in one of three states: running on a CPU, queued on one
 * CPU's run queue, or asleep. Under the run queue's lock it goes from one to
 * another; between leaving the lock and guest_switch() its state is owned by
 * the CPU that picked it. A unit that last ran elsewhere is picked only after
 * that CPU has unloaded its registers (guest_cpu.running_on).
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "core/timer.h"
#include "lib/list.h"

enum sched_state { SCHED_ASLEEP, SCHED_QUEUED, SCHED_RUNNING };

struct sched_unit {
    struct list_head link;  /* [run queue's lock] */
    uint32_t state;         /* [run queue's lock] enum sched_state */
    uint32_t cpu;           /* [run queue's lock] whose queue it is on or runs on, or last did */
    uint64_t affinity;      /* [run queue's lock] CPUs where it may run */
    uint16_t weight;        /* 1..65535, 256 is usual */
    uint16_t cap;           /* percent of a CPU; 0: no limit */
    int64_t credit;         /* [run queue's lock] */
    bool boosted;           /* [run queue's lock] woke by an event: goes first once */
    bool wake_pending;      /* [run queue's lock] */
    stime_t run_since;      /* [run queue's lock] when it got the CPU */
    stime_t cpu_time;       /* [run queue's lock] ns run so far, up to run_since */
};

/* Supplied once by domain/: called by the SCHEDULE softirq of this CPU with no lock held; does not return. NULL: idle. */
struct sched_ops {
    void (*switch_to)(struct sched_unit *prev, struct sched_unit *next);
    /* May `u` sleep (nothing pending)? Asked under the run queue's lock by sched_block(). */
    bool (*may_sleep)(struct sched_unit *u);
};
void sched_init(const struct sched_ops *ops);
void sched_init_cpu(void);

void sched_unit_init(struct sched_unit *u, uint64_t affinity, unsigned int weight);
/* Take it out of the scheduler; it is asleep and stays so. */
void sched_unit_remove(struct sched_unit *u);

/* Make it runnable (nothing if it is). Any context. */
void sched_wake(struct sched_unit *u);
/* Stop it: not runnable when this returns though it may still be on its CPU (see domain/vcpu.h vcpu_pause_sync). */
void sched_sleep(struct sched_unit *u);
/* The running unit gives up the CPU until woken, unless may_sleep says no. */
void sched_block(void);
/* The running unit lets others of its priority go first. */
void sched_yield(void);

int sched_set_affinity(struct sched_unit *u, uint64_t mask);   /* -EINVAL: no online CPU in it */
int sched_set_params(struct sched_unit *u, unsigned int weight, unsigned int cap);
stime_t sched_cpu_time(struct sched_unit *u);

/* The unit that runs on this CPU; NULL: idle. */
struct sched_unit *sched_current(void);

#endif
