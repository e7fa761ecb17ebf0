/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine for the scheduler alone: a clock that moves from event to event, CPUs that run units, units
 * that always run or run a while and sleep a while. In the place of core/ and x86/spinlock.c.
 */
#ifndef SCHED_WORLD_H
#define SCHED_WORLD_H

#include "fake.h"
#include "lib/bitmap.h"
#include "sched/policy.h"
#include "x86/topology.h"

#define SIM_UNITS 128

struct sim_unit {
    struct sched_unit u;
    struct sched_group *group;
    bool want;               /* runnable */
    stime_t ran;             /* as the test counts it */
    stime_t burst, pause;    /* runs so long, then sleeps so long; burst 0: always runs */
    stime_t burst_left, wake_at;
    stime_t waits_since;     /* a wake-up that has not got the CPU: STIME_NEVER if there is none */
    stime_t latency_max, latency_sum;
    unsigned int wakes, switches;
    int last;                /* the CPU that it had; -1: none */
};
extern struct sim_unit sim_unit[SIM_UNITS];
extern struct sched_group sim_group[SIM_UNITS];
extern struct sched_unit *sim_current[NR_CPUS_MAX];
extern stime_t sim_now;
extern unsigned int sim_cpus, sim_switches, sim_timers, sim_ipis;
extern unsigned int sim_moves[CPU_DISTANCES]; /* units that got a CPU other than the last, by the distance */

/* CPUs in pool 0, all of one cache; no units. */
void sim_start(unsigned int cpus);
/* Unit i, alone in group i, of that weight and cap. */
void sim_add(unsigned int i, unsigned int weight, unsigned int cap);
/* Unit i, in the group of unit `of`. */
void sim_add_to(unsigned int i, unsigned int of);
void sim_remove(unsigned int i);
void sim_wake(unsigned int i);
void sim_sleep(unsigned int i);
/* Every CPU does what it has been told to, until none has anything to do. */
void sim_settle(void);
void sim_pass(stime_t t);
/* Forget what has been measured. */
void sim_reset_counts(void);

/*
 * For the explorer: called wherever another CPU may come between (before a lock is taken, after it is
 * given up, while it is waited for). NULL: CPUs take turns.
 */
extern void (*sim_point)(void);
/* CPU `cpu` does its pending softirqs, once; false: there were none. */
bool sim_softirq(unsigned int cpu);
/* Has the timer of `cpu` expired? Fire it. */
bool sim_timer(unsigned int cpu);
extern const struct sched_ops *sim_ops; /* to be replaced before sim_start() */

#endif
