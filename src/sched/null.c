/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One unit for each CPU: sched=null.
 *
 * A unit that wakes for the first time gets a CPU that nobody has, and keeps it, asleep or awake, until it
 * ends, gives up (as vCPUs that go down do), leaves the pool, or is no longer allowed there. Nothing is ever
 * counted or compared, no timer is set. Units for which there is no CPU wait, on some queue, until one is
 * given back.
 */
#include "sched/policy.h"

#include "lib/bitmap.h"
#include "x86/atomic.h"

static bool may_own(const struct sched_cpu *c, const struct sched_unit *u)
{
    const struct sched_unit *owner = atomic_load(&c->owner);

    return owner == u || !owner;
}

static unsigned int null_place(const struct sched_unit *u, uint64_t allowed)
{
    unsigned int last = READ_ONCE(u->cpu);
    uint64_t soft = allowed & READ_ONCE(u->soft);

    if ((allowed & BIT(last)) && atomic_load(&sched_cpus[last].owner) == u)
        return last;
    for (uint64_t m = soft ? soft : allowed; m; m &= m - 1)
        if (may_own(&sched_cpus[bit_lowest(m)], u))
            return bit_lowest(m);
    for (uint64_t m = allowed; m; m &= m - 1)
        if (may_own(&sched_cpus[bit_lowest(m)], u))
            return bit_lowest(m);
    return allowed & BIT(last) ? last : bit_lowest(allowed);
}

/* One that has a CPU goes nowhere. */
static uint64_t null_takers(const struct sched_unit *u, uint64_t allowed)
{
    uint64_t takers = 0;

    if (atomic_load(&sched_cpus[READ_ONCE(u->cpu)].owner) == u)
        return 0;
    for (uint64_t m = allowed; m; m &= m - 1)
        if (!atomic_load(&sched_cpus[bit_lowest(m)].owner))
            takers |= BIT(bit_lowest(m));
    return takers;
}

static void null_join(struct sched_cpu *c, struct sched_unit *u, stime_t now)
{
    u->gives_up = false;
    if (!c->owner)
        atomic_store(&c->owner, u);
}

static void null_forget(struct sched_cpu *c, struct sched_unit *u)
{
    if (c->owner == u) {
        atomic_store(&c->owner, NULL);
        sched_tell(c); /* it looks for one that waits */
    }
}

static void null_leave(struct sched_cpu *c, struct sched_unit *u)
{
    if (c->owner == u && (u->gives_up || !(sched_allowed_cpus(u) & BIT(sched_cpu_number(c)))))
        null_forget(c, u);
}

static bool null_before(const struct sched_unit *u, const struct sched_unit *other)
{
    return false;
}

static bool null_preempts(const struct sched_cpu *c, const struct sched_unit *u)
{
    return false;
}

static struct sched_unit *null_choose(struct sched_cpu *c)
{
    if (!c->owner)
        atomic_store(&c->owner, list_first_entry(&c->waiting, struct sched_unit, link));
    return c->owner->state == SCHED_WAITING && c->owner->cpu == sched_cpu_number(c) ? c->owner : NULL;
}

static stime_t null_slice(const struct sched_cpu *c)
{
    return STIME_NEVER;
}

/* Only a CPU that nobody has takes one that waits for a CPU. */
static struct sched_unit *null_give(struct sched_cpu *from, struct sched_cpu *to, bool to_idle)
{
    struct sched_unit *u;

    if (to->owner)
        return NULL;
    list_for_each_entry(u, &from->waiting, link)
        if (u != from->owner && (sched_allowed_cpus(u) & BIT(sched_cpu_number(to))))
            return u;
    return NULL;
}

static void null_moved(struct sched_cpu *from, struct sched_cpu *to, struct sched_unit *u)
{
    atomic_store(&to->owner, u);
}

const struct sched_policy sched_null = {
    .name = "null",
    .place = null_place,
    .takers = null_takers,
    .join = null_join,
    .leave = null_leave,
    .before = null_before,
    .preempts = null_preempts,
    .choose = null_choose,
    .slice = null_slice,
    .give = null_give,
    .moved = null_moved,
    .forget = null_forget,
};
