/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine of sched_world.h. */
#include "sched_world.h"

#include "core/softirq.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct sim_unit sim_unit[SIM_UNITS];
struct sched_group sim_group[SIM_UNITS];
struct sched_unit *sim_current[NR_CPUS_MAX];
stime_t sim_now;
unsigned int sim_cpus, sim_switches, sim_timers, sim_ipis, sim_moves[CPU_DISTANCES];
void (*sim_point)(void);

static struct timer *timers[NR_CPUS_MAX];
static bool pending[NR_CPUS_MAX];
static void (*handler)(void);
static unsigned int held[NR_CPUS_MAX]; /* the highest lock level that a CPU holds, plus 1 */

/* --- core/ --- */

stime_t stime_now(void)
{
    return sim_now;
}

void timer_init(struct timer *t, void (*fn)(void *), void *data, unsigned int cpu)
{
    *t = (struct timer){.fn = fn, .data = data, .cpu = cpu};
    timers[cpu] = t;
}

void timer_set(struct timer *t, stime_t expires)
{
    assert_int_equal(t->cpu, fake_cpu); /* a CPU sets only its own */
    t->expires = expires;
    t->queued = true;
}

void timer_stop(struct timer *t)
{
    t->queued = false;
}

void softirq_set_handler(enum softirq nr, void (*fn)(void))
{
    handler = fn;
}

void softirq_raise_cpu(unsigned int cpu, enum softirq nr)
{
    if (!pending[cpu] && cpu != fake_cpu)
        sim_ipis++;
    pending[cpu] = true;
}

void softirq_raise(enum softirq nr)
{
    pending[fake_cpu] = true;
}

/* --- x86/spinlock.c: the order is checked, and a lock that is held lets others run --- */

static void point(void)
{
    if (sim_point)
        sim_point();
}

void spin_lock(spinlock_t *l)
{
    assert_true(held[fake_cpu] <= l->level); /* the order; two of a level are spin_lock_two's affair */
    point();
    while (l->owner) {
        assert_non_null(sim_point);
        assert_int_not_equal(l->owner, fake_cpu + 1);
        sim_point();
    }
    l->owner = (uint16_t)(fake_cpu + 1);
    l->next = (uint16_t)held[fake_cpu];
    held[fake_cpu] = l->level + 1u;
}

void spin_unlock(spinlock_t *l)
{
    assert_int_equal(l->owner, fake_cpu + 1);
    l->owner = 0;
    held[fake_cpu] = l->next;
    point();
}

void spin_lock_two(spinlock_t *a, spinlock_t *b)
{
    spinlock_t *first = a < b ? a : b, *second = a < b ? b : a;

    spin_lock(first);
    if (first == second)
        return;
    held[fake_cpu]--;
    spin_lock(second);
}

void spin_unlock_two(spinlock_t *a, spinlock_t *b)
{
    spinlock_t *first = a < b ? a : b, *second = a < b ? b : a;

    if (first != second) {
        spin_unlock(second);
        held[fake_cpu] = first->level + 1u;
    }
    spin_unlock(first);
}

/* --- units --- */

static struct sim_unit *of(struct sched_unit *u)
{
    return container_of(u, struct sim_unit, u);
}

static bool runnable(struct sched_unit *u)
{
    return of(u)->want;
}

static void switch_to(struct sched_unit *prev, struct sched_unit *next)
{
    assert_ptr_equal(sim_current[fake_cpu], prev);
    if (prev)
        prev->on_cpu = -1;
    if (next) {
        struct sim_unit *s = of(next);

        assert_int_equal(next->on_cpu, -1); /* CPUs take turns here, so none has to wait */
        assert_true(sched_allowed_cpus(next) & BIT(fake_cpu));
        next->on_cpu = (int32_t)fake_cpu;
        s->switches++;
        if (s->last >= 0 && s->last != (int)fake_cpu)
            sim_moves[cpu_distance((unsigned int)s->last, fake_cpu)]++;
        s->last = (int)fake_cpu;
        if (s->waits_since != STIME_NEVER) {
            s->latency_max = MAX(s->latency_max, sim_now - s->waits_since);
            s->latency_sum += sim_now - s->waits_since;
            s->waits_since = STIME_NEVER;
        }
    }
    sim_current[fake_cpu] = next;
    sim_switches++;
}

static const struct sched_ops ops = {.switch_to = switch_to, .runnable = runnable};
const struct sched_ops *sim_ops = &ops;

void sim_start(unsigned int cpus)
{
    fake_machine_init(cpus);
    memset(pending, 0, sizeof(pending));
    memset(held, 0, sizeof(held));
    memset(sim_current, 0, sizeof(sim_current));
    memset(sim_unit, 0, sizeof(sim_unit));
    memset(&sched_pools[1], 0, sizeof(sched_pools) - sizeof(sched_pools[0]));
    sched_pools[0] = (struct sched_pool){
        .policy = &sched_fair, .scheduler = SCHED_CREDIT2,
        .tslice = MILLISECS(10), .ratelimit = MICROSECS(1000), .migrate = MICROSECS(500),
    };
    sched_pools_lock.owner = 0;
    sched_idle_mask = sched_crowded_mask = 0;
    cpu_topology = (struct cpu_topology){{0, 6, 6}};
    sim_cpus = cpus;
    sim_now = MILLISECS(1);
    sched_init(sim_ops);
    for (unsigned int cpu = 0; cpu < NR_CPUS_MAX; cpu++)
        sched_cpus[cpu] = (struct sched_cpu){.lock = SPINLOCK_INIT(LOCK_SCHED)};
    for (fake_cpu = cpus; fake_cpu-- > 0;)
        sched_init_cpu();
    fake_cpu = 0;
    sim_settle();
    sim_reset_counts();
}

void sim_add(unsigned int i, unsigned int weight, unsigned int cap)
{
    struct sim_unit *s = &sim_unit[i];

    *s = (struct sim_unit){.group = &sim_group[i], .wake_at = STIME_NEVER, .waits_since = STIME_NEVER, .last = -1};
    sched_group_init(s->group);
    sched_unit_init(&s->u, s->group);
    assert_int_equal(sched_group_set(s->group, weight, cap), 0);
}

void sim_add_to(unsigned int i, unsigned int of)
{
    struct sim_unit *s = &sim_unit[i];

    *s = (struct sim_unit){.group = &sim_group[of], .wake_at = STIME_NEVER, .waits_since = STIME_NEVER, .last = -1};
    sched_unit_init(&s->u, s->group);
}

void sim_remove(unsigned int i)
{
    sim_sleep(i);
    assert_false(sched_on_cpu(&sim_unit[i].u));
    sched_unit_remove(&sim_unit[i].u);
    sim_unit[i].group = NULL;
    sim_settle();
}

void sim_wake(unsigned int i)
{
    struct sim_unit *s = &sim_unit[i];

    s->want = true;
    s->burst_left = s->burst;
    s->wake_at = STIME_NEVER;
    s->waits_since = sim_now;
    s->wakes++;
    sched_wake(&s->u);
    sim_settle();
}

void sim_sleep(unsigned int i)
{
    sim_unit[i].want = false;
    sim_unit[i].waits_since = STIME_NEVER;
    sched_sleep(&sim_unit[i].u);
    sim_settle();
}

void sim_reset_counts(void)
{
    sim_switches = sim_timers = sim_ipis = 0;
    memset(sim_moves, 0, sizeof(sim_moves));
    for (unsigned int i = 0; i < SIM_UNITS; i++) {
        sim_unit[i].ran = sim_unit[i].latency_max = sim_unit[i].latency_sum = 0;
        sim_unit[i].switches = sim_unit[i].wakes = 0;
    }
}

/* --- the clock --- */

bool sim_softirq(unsigned int cpu)
{
    if (!pending[cpu])
        return false;
    fake_cpu = cpu;
    pending[cpu] = false;
    handler();
    return true;
}

bool sim_timer(unsigned int cpu)
{
    struct timer *t = timers[cpu];

    if (!t || !t->queued || t->expires > sim_now)
        return false;
    fake_cpu = cpu;
    t->queued = false;
    sim_timers++;
    t->fn(t->data);
    return true;
}

void sim_settle(void)
{
    unsigned int caller = fake_cpu, rounds = 0;
    bool any;

    do {
        any = false;
        for (unsigned int cpu = 0; cpu < sim_cpus; cpu++)
            any |= sim_softirq(cpu);
        assert_true(rounds++ < 1000);
    } while (any);
    fake_cpu = caller;
}

static stime_t next_event(stime_t end)
{
    for (unsigned int cpu = 0; cpu < sim_cpus; cpu++) {
        struct sim_unit *s = sim_current[cpu] ? of(sim_current[cpu]) : NULL;

        if (timers[cpu] && timers[cpu]->queued)
            end = MIN(end, MAX(timers[cpu]->expires, sim_now));
        if (s && s->burst)
            end = MIN(end, sim_now + s->burst_left);
    }
    for (unsigned int i = 0; i < SIM_UNITS; i++)
        if (sim_unit[i].group)
            end = MIN(end, sim_unit[i].wake_at);
    return end;
}

void sim_pass(stime_t t)
{
    for (stime_t end = sim_now + t; sim_now < end;) {
        stime_t step = next_event(end) - sim_now;

        sim_now += step;
        for (unsigned int cpu = 0; cpu < sim_cpus; cpu++) {
            struct sim_unit *s = sim_current[cpu] ? of(sim_current[cpu]) : NULL;

            if (!s)
                continue;
            s->ran += step;
            s->burst_left -= step;
            if (s->burst && s->burst_left <= 0) {
                s->want = false;
                s->wake_at = sim_now + s->pause;
                fake_cpu = cpu;
                sched_sleep(&s->u);
            }
        }
        for (unsigned int i = 0; i < SIM_UNITS; i++) {
            fake_cpu = i % sim_cpus;
            if (sim_unit[i].group && sim_unit[i].wake_at <= sim_now)
                sim_wake(i);
        }
        for (unsigned int cpu = 0; cpu < sim_cpus; cpu++)
            (void)sim_timer(cpu);
        fake_cpu = 0;
        sim_settle();
    }
}
