/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups: what the units of one server have in common, weight and cap.
 *
 * A cap is a budget of time for each PERIOD, for all units of the group together. A unit that gets a CPU
 * takes a part of what is left, and gives back what it has not used, or owes what it has used too much.
 * Who finds nothing left is parked until the next period.
 */
#include "sched/policy.h"

#include "abi/errno.h"
#include "lib/bitmap.h"
#include "x86/atomic.h"

#define PERIOD   MILLISECS(10)
#define BURST    4 /* periods whose budgets may be saved up: a late timer takes nothing away */
#define PART_MIN MICROSECS(250) /* a unit takes at least so much at a time */

static void refill_locked(struct sched_group *g, stime_t now)
{
    stime_t budget = PERIOD * g->cap / 100, period = now / PERIOD, passed = MIN(period - g->period, 1000);

    if (passed <= 0)
        return;
    g->period = period;
    g->left = MIN(BURST * budget, g->left + passed * budget);
}

bool sched_cap_refill(struct sched_group *g, stime_t now)
{
    bool any;

    spin_lock(&g->lock);
    refill_locked(g, now);
    any = !g->cap || g->left > 0;
    spin_unlock(&g->lock);
    return any;
}

bool sched_cap_take(struct sched_unit *u, stime_t now)
{
    struct sched_group *g = u->group;

    spin_lock(&g->lock);
    refill_locked(g, now);
    if (g->left > 0) {
        stime_t part = MIN(g->left, MAX(g->left / MAX(g->nr_units, 1u), PART_MIN));

        g->left -= part;
        u->cap_left += part;
    }
    spin_unlock(&g->lock);
    return u->cap_left > 0;
}

void sched_cap_return(struct sched_unit *u)
{
    struct sched_group *g = u->group;

    if (!u->cap_left)
        return;
    spin_lock(&g->lock);
    g->left += u->cap_left;
    u->cap_left = 0;
    spin_unlock(&g->lock);
}

stime_t sched_cap_next(stime_t now)
{
    return (now / PERIOD + 1) * PERIOD;
}

/* --- parameters --- */

static void set_cap(struct sched_group *g, uint16_t cap)
{
    spin_lock(&g->lock);
    g->cap = cap;
    g->period = stime_now() / PERIOD;
    g->left = PERIOD * cap / 100;
    spin_unlock(&g->lock);
}

/* A unit that runs has to look at its cap, one that is parked may be free. */
static void apply(struct sched_group *g, struct sched_unit *u)
{
    struct sched_cpu *c = sched_lock_unit(u);

    if (u->state == SCHED_RUNNING || u->state == SCHED_WAITING) {
        sched_charge(c, stime_now());
        if (c->pool->policy->reweigh)
            c->pool->policy->reweigh(c, u, g->weight);
    }
    u->weight = g->weight;
    if (!g->cap)
        u->cap_left = 0;
    if (u->state == SCHED_RUNNING || u->state == SCHED_PARKED)
        sched_tell(c);
    sched_unlock_unit(c);
}

int sched_group_set(struct sched_group *g, unsigned int weight, unsigned int cap)
{
    struct sched_unit *u;
    int ret = 0;

    if (weight > UINT16_MAX || cap > UINT16_MAX)
        return -EINVAL;
    spin_lock(&sched_pools_lock);
    if (!g->pool->policy->has_weights) {
        ret = -EOPNOTSUPP;
    } else {
        if (weight)
            g->weight = (uint16_t)weight;
        if (cap != SCHED_CAP_KEEP)
            set_cap(g, (uint16_t)cap);
        list_for_each_entry(u, &g->units, member)
            apply(g, u);
    }
    spin_unlock(&sched_pools_lock);
    return ret;
}

/* --- life --- */

void sched_group_init(struct sched_group *g)
{
    *g = (struct sched_group){.weight = SCHED_WEIGHT_USUAL, .lock = SPINLOCK_INIT(LOCK_SCHED_CAP)};
    list_init(&g->units);
    spin_lock(&sched_pools_lock);
    g->pool = &sched_pools[0];
    g->pool->groups++;
    spin_unlock(&sched_pools_lock);
}

void sched_group_remove(struct sched_group *g)
{
    spin_lock(&sched_pools_lock);
    if (g->pool)
        g->pool->groups--;
    g->pool = NULL;
    spin_unlock(&sched_pools_lock);
}

void sched_unit_init(struct sched_unit *u, struct sched_group *g)
{
    *u = (struct sched_unit){.group = g, .affinity = ~0ULL, .soft = ~0ULL, .on_cpu = -1};
    list_init(&u->link);
    spin_lock(&sched_pools_lock);
    u->weight = g->weight;
    u->cpu = g->pool->policy->place(u, g->pool->cpus);
    u->since = stime_now();
    g->nr_units++;
    list_add_tail(&u->member, &g->units);
    spin_unlock(&sched_pools_lock);
}

void sched_unit_remove(struct sched_unit *u)
{
    struct sched_cpu *c;

    spin_lock(&sched_pools_lock);
    list_del(&u->member);
    u->group->nr_units--;
    c = sched_lock_unit(u);
    if (c->pool && c->pool->policy->forget)
        c->pool->policy->forget(c, u);
    sched_unlock_unit(c);
    spin_unlock(&sched_pools_lock);
}

uint32_t sched_group_pool(const struct sched_group *g)
{
    return READ_ONCE(g->pool)->id;
}
