/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proportional shares: sched=credit2, sched=credit.
 *
 * A unit has a virtual time, which runs while the unit does, the slower the larger its weight: at weight
 * 256 as fast as time. Who is furthest behind comes first, so those that always want to run get time in
 * proportion to their weights. A CPU's virtual time is the mean over those that want to run there, by
 * weight; it moves on by 256 / (sum of weights), whoever runs.
 *
 * What a unit is owed is the distance between the two, as time. It is kept while the unit sleeps, and its
 * share of that time is added, up to BONUS. One that sleeps just before its turn is over gains nothing.
 *
 * A unit that runs less than its share goes first when an event wakes it, in front of all virtual times and
 * for at most FRONT, so that it gets the CPU as soon as the ratelimit lets it. What it has `earned` says so,
 * and nothing but its own running and sleeping changes that: what it is owed moves with its neighbours.
 *
 * A unit wakes on the CPU where it was if that is idle, else on an idle one as near as possible, else
 * where it was; one that goes first, on the nearest where no other is about to. While it runs elsewhere than
 * it would like (its soft affinity), the CPUs that it would like call it when they fall idle.
 *
 * Between CPUs virtual times are comparable, too: a CPU whose own falls behind another's has too much to do,
 * and gives the other its first waiting unit. So three units on two CPUs get two thirds
 * each. A CPU that has nothing to give (they are all pinned, or there is but one) is forgiven its delay.
 */
#include "sched/policy.h"

#include "core/softirq.h"
#include "lib/bitmap.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/topology.h"

#define BONUS     MILLISECS(20)  /* a sleeper is owed at most so much */
#define DEBT      MILLISECS(100) /* and owes at most so much; so much may a unit bring to another CPU either way */
#define SLICE_MIN MILLISECS(1)
#define FRONT     MILLISECS(1)   /* so long a unit that wakes may run in front of all others */

static int64_t distance(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b);
}

/* Time as virtual time of `u`, and back. */
static int64_t to_virtual(stime_t t, const struct sched_unit *u)
{
    return t * SCHED_WEIGHT_USUAL / u->weight;
}
static stime_t to_time(int64_t v, const struct sched_unit *u)
{
    return v * u->weight / SCHED_WEIGHT_USUAL;
}

/* --- the mean of a queue --- */

/* Bring the mean up to date, after sched_charge(). */
static uint64_t mean(struct sched_cpu *c)
{
    if (c->weight) {
        int64_t step = c->sum / (int64_t)c->weight;

        c->vtime += (uint64_t)step;
        c->sum -= step * (int64_t)c->weight;
    }
    return c->vtime;
}

static void add(struct sched_cpu *c, const struct sched_unit *u)
{
    if (!c->weight) {
        c->vtime = u->vtime;
        c->sum = 0;
    }
    c->weight += u->weight;
    c->sum += distance(u->vtime, c->vtime) * u->weight;
}

static void subtract(struct sched_cpu *c, const struct sched_unit *u)
{
    c->sum -= distance(u->vtime, c->vtime) * u->weight;
    c->weight -= u->weight;
    if (!c->weight)
        c->sum = 0;
}

static void fair_charge(struct sched_cpu *c, struct sched_unit *u, stime_t ran)
{
    int64_t step = to_virtual(ran, u);
    stime_t most = MIN(ran, MILLISECS(1000));

    u->front -= most;
    if (u->weight != c->weight) /* alone it takes nothing from others */
        u->earned = MAX(u->earned - most + most * u->weight / (stime_t)c->weight, -BONUS);
    u->vtime += (uint64_t)step;
    c->sum += step * u->weight;
    c->charged = u->since;
    mean(c);
}

static stime_t owed(struct sched_cpu *c, const struct sched_unit *u)
{
    return to_time(distance(mean(c), u->vtime), u);
}

/* `u` comes on the queue's account, so that it is owed so much then: it moves the mean itself. */
static void add_owed(struct sched_cpu *c, struct sched_unit *u, stime_t owed)
{
    int64_t behind = to_virtual(owed, u);

    u->vtime = mean(c) - (uint64_t)(c->weight ? behind + behind * u->weight / (int64_t)c->weight : 0);
    add(c, u);
}

/* An empty queue's time has stood still: it may not make those that come debtors, nor creditors. */
static void catch_up(struct sched_cpu *c, stime_t now)
{
    uint64_t latest = atomic_load(&c->pool->vtime);

    if (!c->weight && distance(latest, c->vtime) > 0)
        c->vtime = latest;
    c->charged = now;
}

static void fair_join(struct sched_cpu *c, struct sched_unit *u, stime_t now)
{
    stime_t slept = MIN(MAX(now - u->since, 0), MILLISECS(1000));
    stime_t share = slept * u->weight / (stime_t)(c->weight + u->weight);

    catch_up(c, now);
    u->earned = MIN(u->earned + share, BONUS);
    u->front = MIN(u->earned, FRONT);
    c->urgent |= u->front > 0;
    add_owed(c, u, MIN(u->owed + share, BONUS));
}

static void fair_leave(struct sched_cpu *c, struct sched_unit *u)
{
    u->owed = MIN(MAX(owed(c, u), -DEBT), BONUS);
    subtract(c, u);
}

static void fair_reweigh(struct sched_cpu *c, struct sched_unit *u, uint16_t weight)
{
    mean(c);
    subtract(c, u);
    u->weight = weight;
    add(c, u);
}

/* --- order --- */

/* Those in front in the order in which they woke, the others by their virtual times. */
static bool fair_before(const struct sched_unit *u, const struct sched_unit *other)
{
    if (u->front > 0 || other->front > 0)
        return other->front <= 0;
    return distance(u->vtime, other->vtime) < 0;
}

static bool fair_preempts(const struct sched_cpu *c, const struct sched_unit *u)
{
    return u->front > 0 || fair_before(u, c->running);
}

/* The first; the second, if the first steps aside. Standing aside for ever is not saved up. */
static struct sched_unit *fair_choose(struct sched_cpu *c)
{
    struct sched_unit *u = list_first_entry(&c->waiting, struct sched_unit, link);
    struct sched_unit *second = c->nr_waiting > 1 ? list_entry(u->link.next, struct sched_unit, link) : NULL;

    c->urgent = second && second->front > 0;
    if (u != c->aside || !second)
        return u;
    if (owed(c, u) > BONUS) {
        subtract(c, u);
        add_owed(c, u, BONUS);
    }
    return second;
}

/* Three time slices for all together, but not too short. */
static stime_t fair_slice(const struct sched_cpu *c)
{
    stime_t share = 3 * c->pool->tslice / (c->nr_waiting + 1);

    return MAX(MAX(MIN(share, c->pool->tslice), SLICE_MIN), c->pool->ratelimit);
}

/* --- places --- */

/* The nearest of `cpus` to `to`, whole cores that are idle first. */
static unsigned int nearest(uint64_t cpus, unsigned int to)
{
    uint64_t idle = atomic_load(&sched_idle_mask);
    unsigned int best = bit_lowest(cpus), least = ~0u;

    if (cpus & BIT(to))
        return to;
    for (; cpus; cpus &= cpus - 1) {
        unsigned int cpu = bit_lowest(cpus), cost = 2 * cpu_distance(cpu, to);

        if (cpu_topology.shift[CPU_SAME_CORE] && (cpu_neighbours(cpu, CPU_SAME_CORE) & ~idle))
            cost += 3;
        if (cost < least) {
            least = cost;
            best = cpu;
        }
    }
    return best;
}

/* The CPU of `cpus` where least weighs; `last` if `u` makes it no worse than that. */
static unsigned int lightest(uint64_t cpus, const struct sched_unit *u, unsigned int last)
{
    unsigned int best = bit_lowest(cpus);

    for (uint64_t m = cpus; m; m &= m - 1)
        if (READ_ONCE(sched_cpus[bit_lowest(m)].weight) < READ_ONCE(sched_cpus[best].weight))
            best = bit_lowest(m);
    if ((cpus & BIT(last)) && READ_ONCE(sched_cpus[last].weight) <= READ_ONCE(sched_cpus[best].weight) + u->weight)
        return last;
    return best;
}

/* The nearest of `cpus` to `to` where nobody waits who goes first; -1: there is none. */
static int nearest_calm(uint64_t cpus, unsigned int to)
{
    uint64_t calm = 0;

    if ((cpus & BIT(to)) && !READ_ONCE(sched_cpus[to].urgent))
        return (int)to;
    for (; cpus; cpus &= cpus - 1)
        if (!READ_ONCE(sched_cpus[bit_lowest(cpus)].urgent))
            calm |= BIT(bit_lowest(cpus));
    return calm ? (int)nearest(calm, to) : -1;
}

static unsigned int fair_place(const struct sched_unit *u, uint64_t allowed)
{
    unsigned int last = READ_ONCE(u->cpu);
    uint64_t idle = allowed & atomic_load(&sched_idle_mask), soft = allowed & READ_ONCE(u->soft);
    int calm;

    if (idle)
        return nearest(idle & soft ? idle & soft : idle, last);
    if (soft)
        allowed = soft;
    calm = READ_ONCE(u->earned) > 0 ? nearest_calm(allowed, last) : -1;
    return calm >= 0 ? (unsigned int)calm : lightest(allowed, u, last);
}

static uint64_t fair_takers(const struct sched_unit *u, uint64_t allowed)
{
    return allowed & atomic_load(&sched_idle_mask);
}

static bool likes(const struct sched_unit *u, const struct sched_cpu *c)
{
    return (u->soft & BIT(sched_cpu_number(c))) || !(u->soft & sched_allowed_cpus(u));
}

/* Against its wish a unit goes only from a busy CPU to an idle one; where it is next anyway, only to an idle one. */
static struct sched_unit *fair_give(struct sched_cpu *from, struct sched_cpu *to, bool to_idle)
{
    struct sched_unit *u, *second = NULL;

    list_for_each_entry(u, &from->waiting, link) {
        if (!(sched_allowed_cpus(u) & BIT(sched_cpu_number(to))) || (u->front > 0 && !to_idle))
            continue;
        if (likes(u, to) || !likes(u, from))
            return u;
        if (!second)
            second = u;
    }
    return to_idle && from->running ? second : NULL;
}

static void fair_moved(struct sched_cpu *from, struct sched_cpu *to, struct sched_unit *u)
{
    mean(from);
    subtract(from, u);
    if (to->weight) {
        int64_t most = to_virtual(DEBT, u), behind = distance(mean(to), u->vtime);

        u->vtime = to->vtime - (uint64_t)MIN(MAX(behind, -most), most);
    }
    add(to, u);
    to->charged = from->charged;
}

/* --- between CPUs --- */

/* What a CPU's virtual time is now, as far as it can be seen without its lock. */
static uint64_t guess(const struct sched_cpu *c, stime_t now)
{
    uint64_t weight = READ_ONCE(c->weight);
    stime_t since = MAX(now - READ_ONCE(c->charged), 0);

    return READ_ONCE(c->vtime) + (weight ? (uint64_t)since * SCHED_WEIGHT_USUAL / weight : 0);
}

/* Forgive a whole queue its delay: all move on together, their order stays. */
static void shift(struct sched_cpu *c, int64_t by)
{
    struct sched_unit *u;

    mean(c);
    c->vtime += (uint64_t)by;
    if (c->running)
        c->running->vtime += (uint64_t)by;
    list_for_each_entry(u, &c->waiting, link)
        u->vtime += (uint64_t)by;
}

/* So far a CPU may be behind another at that distance before units move: a slice in one cache, two slices from far. */
static int64_t tolerance(const struct sched_cpu *c, enum cpu_distance d)
{
    uint64_t weight = MAX(READ_ONCE(c->weight) / (READ_ONCE(c->nr_waiting) + 1), 1u);

    return (fair_slice(c) * (1 + (int64_t)d) / 2 + c->pool->migrate) * SCHED_WEIGHT_USUAL / (int64_t)weight;
}

static void forgive(struct sched_cpu *c, uint64_t vtime, stime_t now)
{
    spin_lock(&c->lock);
    sched_charge(c, now);
    if (c->weight && distance(vtime, mean(c)) > 0)
        shift(c, distance(vtime, c->vtime));
    spin_unlock(&c->lock);
}

static bool give_to(struct sched_cpu *c, struct sched_cpu *to)
{
    bool gone = false;

    spin_lock_two(&c->lock, &to->lock);
    if (to->running && c->nr_waiting)
        gone = sched_move_one(c, to, false);
    if (gone) {
        to->better = true;
        softirq_raise_cpu(sched_cpu_number(to), SOFTIRQ_SCHEDULE);
    }
    spin_unlock_two(&c->lock, &to->lock);
    return gone;
}

static void fair_balance(struct sched_cpu *c)
{
    stime_t now = stime_now();
    uint64_t mine = guess(c, now), best_vtime = mine, idle = atomic_load(&sched_idle_mask);
    unsigned int me = sched_cpu_number(c);
    struct sched_cpu *best = NULL;

    if (distance(mine, atomic_load(&c->pool->vtime)) > 0)
        atomic_store(&c->pool->vtime, mine);
    for (uint64_t m = c->pool->cpus & ~BIT(me) & ~idle; m; m &= m - 1) {
        struct sched_cpu *other = &sched_cpus[bit_lowest(m)];
        int64_t ahead = distance(guess(other, now), mine), limit = tolerance(c, cpu_distance(me, bit_lowest(m)));

        if (ahead > limit && distance(mine + (uint64_t)ahead, best_vtime) > 0) {
            best = other;
            best_vtime = mine + (uint64_t)ahead;
        } else if (-ahead > limit && !READ_ONCE(other->nr_waiting) && READ_ONCE(other->weight) > c->weight) {
            forgive(other, mine, now);
        }
    }
    if (best && !give_to(c, best))
        forgive(c, best_vtime, now);
}

const struct sched_policy sched_fair = {
    .name = "credit2",
    .has_weights = true,
    .place = fair_place,
    .takers = fair_takers,
    .join = fair_join,
    .leave = fair_leave,
    .charge = fair_charge,
    .reweigh = fair_reweigh,
    .before = fair_before,
    .preempts = fair_preempts,
    .choose = fair_choose,
    .slice = fair_slice,
    .give = fair_give,
    .moved = fair_moved,
    .balance = fair_balance,
};
