/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Units from state to state. Each CPU has a queue of its own with a lock of its own; which unit goes
 * where, which comes first and for how long is the policy's affair (policy.h).
 *
 * A CPU looks for something to do, schedule(), when it is told to: because what runs there wants to
 * sleep or must go, because somebody better has come, or because its timer says that a slice is over.
 * A CPU with one unit sets no timer, an idle one neither.
 *
 * No unit waits while a CPU where it may run is idle. A CPU that finds its queue empty first says that
 * it is idle and then looks at the queues of others; who puts a unit on a queue looks afterwards who is
 * idle. One of the two sees the other, so no moment is lost in between.
 */
#include "sched/policy.h"

#include "abi/errno.h"
#include "core/softirq.h"
#include "lib/bitmap.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/topology.h"

#define TURN_MIN MICROSECS(50)

struct sched_cpu sched_cpus[NR_CPUS_MAX];
uint64_t sched_idle_mask, sched_crowded_mask;
static uint64_t astray_mask; /* [a] CPUs whose unit would rather run on another */

static const struct sched_ops *sched_ops;

static const struct sched_policy *policy_of(const struct sched_cpu *c)
{
    return c->pool->policy;
}

uint64_t sched_allowed_cpus(const struct sched_unit *u)
{
    uint64_t pool = READ_ONCE(u->group->pool)->cpus, both = READ_ONCE(u->affinity) & pool;

    return both ? both : pool;
}

static bool allowed_on(const struct sched_unit *u, const struct sched_cpu *c)
{
    return sched_allowed_cpus(u) & BIT(sched_cpu_number(c));
}

/* The queue of the CPU where `u` belongs, which may change until we have the lock. */
NO_LOCK_CHECK struct sched_cpu *sched_lock_unit(const struct sched_unit *u)
{
    for (;;) {
        uint32_t cpu = atomic_load(&u->cpu);

        spin_lock(&sched_cpus[cpu].lock);
        if (u->cpu == cpu)
            return &sched_cpus[cpu];
        spin_unlock(&sched_cpus[cpu].lock);
    }
}

/* The analysis of locks cannot see one behind a pointer that is returned: it looks past these two. */
NO_LOCK_CHECK void sched_unlock_unit(struct sched_cpu *c)
{
    spin_unlock(&c->lock);
}

/* --- queues --- */

void sched_tell(struct sched_cpu *c)
{
    unsigned int cpu = sched_cpu_number(c);

    atomic_and(&sched_idle_mask, ~BIT(cpu));
    softirq_raise_cpu(cpu, SOFTIRQ_SCHEDULE);
}

void sched_charge(struct sched_cpu *c, stime_t now)
{
    struct sched_unit *u = c->running;
    stime_t ran = u ? now - u->since : 0;

    if (ran <= 0)
        return;
    u->since = now;
    u->cpu_time += ran;
    u->cap_left -= u->group->cap ? ran : 0;
    if (policy_of(c)->charge)
        policy_of(c)->charge(c, u, ran);
}

static void insert(struct sched_cpu *c, struct sched_unit *u)
{
    struct list_head *at = c->waiting.prev;

    while (at != &c->waiting && policy_of(c)->before(u, list_entry(at, struct sched_unit, link)))
        at = at->prev;
    list_add(&u->link, at);
    atomic_store(&u->cpu, sched_cpu_number(c));
    atomic_store(&u->state, SCHED_WAITING);
    if (c->nr_waiting++ == 0)
        atomic_or(&sched_crowded_mask, BIT(sched_cpu_number(c)));
}

static void take_off(struct sched_cpu *c, struct sched_unit *u)
{
    list_del(&u->link);
    if (u->state == SCHED_WAITING && --c->nr_waiting == 0)
        atomic_and(&sched_crowded_mask, ~BIT(sched_cpu_number(c)));
}

/* `u` ran or waited here and sleeps from now on, or is parked. */
static void stop(struct sched_cpu *c, struct sched_unit *u, stime_t now, enum sched_state state)
{
    if (u->state != SCHED_PARKED)
        policy_of(c)->leave(c, u);
    u->since = now;
    if (state == SCHED_PARKED)
        list_add_tail(&u->link, &c->parked);
    atomic_store(&u->state, state);
}

static void put_to_sleep(struct sched_cpu *c, struct sched_unit *u)
{
    stime_t now = stime_now();

    sched_charge(c, now);
    take_off(c, u);
    stop(c, u, now, SCHED_ASLEEP);
}

bool sched_displace(struct sched_cpu *c, struct sched_unit *u)
{
    if (!c->pool) /* then it sleeps */
        return false;
    if (u->state == SCHED_RUNNING)
        sched_tell(c); /* it looks where it is */
    else if (!allowed_on(u, c) && policy_of(c)->forget)
        policy_of(c)->forget(c, u);
    if (u->state == SCHED_RUNNING || u->state == SCHED_ASLEEP)
        return false;
    put_to_sleep(c, u);
    return true;
}

bool sched_move_one(struct sched_cpu *from, struct sched_cpu *to, bool to_idle)
{
    struct sched_unit *u = from->pool && from->pool == to->pool ? policy_of(from)->give(from, to, to_idle) : NULL;

    if (!u)
        return false;
    sched_charge(from, stime_now());
    sched_charge(to, stime_now());
    take_off(from, u);
    policy_of(to)->moved(from, to, u);
    insert(to, u);
    return true;
}

/* An idle CPU that would take `u` from `c`, -1: none. */
static int idle_for(const struct sched_cpu *c, const struct sched_unit *u)
{
    uint64_t idle = atomic_load(&sched_idle_mask) ? policy_of(c)->takers(u, sched_allowed_cpus(u)) : 0;

    return idle ? (int)bit_lowest(idle) : -1;
}

/* The CPUs where `u`, which has `c`, would rather run. */
static uint64_t wishes(const struct sched_cpu *c, const struct sched_unit *u)
{
    if (likely(u->soft & BIT(sched_cpu_number(c))) || !policy_of(c)->has_weights)
        return 0;
    return u->soft & sched_allowed_cpus(u);
}

/* Is one of them idle? */
static bool could_go(const struct sched_cpu *c, const struct sched_unit *u)
{
    uint64_t to = wishes(c, u);

    return to && policy_of(c)->takers(u, to);
}

/* `u` has `c` from now on, or still: a CPU that falls idle has to know whether it is astray here. */
static void note_astray(const struct sched_cpu *c, const struct sched_unit *u)
{
    uint64_t me = BIT(sched_cpu_number(c)), is = u && wishes(c, u) ? me : 0;

    if (!is && !(atomic_load(&astray_mask) & me))
        return;
    atomic_and(&astray_mask, ~me);
    atomic_or(&astray_mask, is);
    if (is && could_go(c, u))
        softirq_raise(SOFTIRQ_SCHEDULE); /* one fell idle meanwhile */
}

/* Units wait: tell an idle CPU that may run one of them, and will steal it. */
static void call_idle(const struct sched_cpu *c)
{
    const struct sched_unit *u;

    if (!atomic_load(&sched_idle_mask))
        return;
    list_for_each_entry(u, &c->waiting, link) {
        int cpu = idle_for(c, u);

        if (cpu >= 0) {
            sched_tell(&sched_cpus[cpu]);
            return;
        }
    }
}

/*
 * How long the running unit may go on. The ratelimit is also how long who comes before it may have to wait: a
 * sixteenth is for the switch and the timer's delay. Two that come before each other do not change places for ever.
 */
static stime_t turn(const struct sched_cpu *c)
{
    stime_t ratelimit = READ_ONCE(c->pool->ratelimit);

    return c->better ? MAX(ratelimit - ratelimit / 16, TURN_MIN) : policy_of(c)->slice(c);
}

/* An early timer does no harm, and one that stays is cheaper than one set anew at every change. */
static void set_timer(struct sched_cpu *c, stime_t now)
{
    struct sched_unit *u = c->running;
    stime_t when = STIME_NEVER;

    if (u && c->nr_waiting) {
        stime_t slice = turn(c);

        when = slice == STIME_NEVER ? slice : u->started + slice;
    }
    if (u && u->group->cap)
        when = MIN(when, u->since + MAX(u->cap_left, 0));
    if (!list_empty(&c->parked))
        when = MIN(when, sched_cap_next(now));
    if (when < c->timer_at) {
        c->timer_at = when;
        timer_set(&c->timer, when);
    }
}

/* `u` has come to wait here: who must know? */
static void announce(struct sched_cpu *c, struct sched_unit *u, stime_t now)
{
    int cpu;

    if (!c->running) {
        sched_tell(c);
        return;
    }
    if (policy_of(c)->preempts(c, u))
        c->better = true;
    cpu = idle_for(c, u);
    if (cpu >= 0)
        sched_tell(&sched_cpus[cpu]); /* it went idle since we chose */
    else if (idle_for(c, c->running) >= 0)
        c->aside = c->running; /* which can go there and make room */
    if (!c->better && !c->aside && c->nr_waiting > 1)
        return; /* with others waiting already, its timer is set */
    if (sched_cpu_number(c) == cpu_id() && !c->aside && now - c->running->started < turn(c))
        set_timer(c, now); /* it would only stay */
    else
        softirq_raise_cpu(sched_cpu_number(c), SOFTIRQ_SCHEDULE);
}

/* --- what others ask for --- */

void sched_wake(struct sched_unit *u)
{
    struct sched_cpu *from, *to;

    for (;;) {
        uint32_t last = atomic_load(&u->cpu);
        uint64_t allowed = sched_allowed_cpus(u);
        unsigned int cpu = READ_ONCE(u->group->pool)->policy->place(u, allowed);

        from = &sched_cpus[last];
        to = &sched_cpus[cpu];
        spin_lock_two(&from->lock, &to->lock);
        if (u->cpu == last && allowed_on(u, to))
            break;
        spin_unlock_two(&from->lock, &to->lock);
    }
    if (u->state == SCHED_ASLEEP && sched_ops->runnable(u)) {
        stime_t now = stime_now();

        if (from != to && from->pool && policy_of(from)->forget)
            policy_of(from)->forget(from, u); /* its pool or its affinity has changed while it slept */
        sched_charge(to, now);
        policy_of(to)->join(to, u, now);
        insert(to, u);
        announce(to, u, now);
    }
    spin_unlock_two(&from->lock, &to->lock);
}

void sched_sleep(struct sched_unit *u)
{
    struct sched_cpu *c = sched_lock_unit(u);

    if (!sched_ops->runnable(u)) {
        if (u->state == SCHED_RUNNING)
            sched_tell(c);
        else if (u->state != SCHED_ASLEEP)
            put_to_sleep(c, u);
    }
    sched_unlock_unit(c);
}

void sched_give_up(struct sched_unit *u)
{
    struct sched_cpu *c = sched_lock_unit(u);

    u->gives_up = true;
    if ((u->state == SCHED_ASLEEP || u->state == SCHED_PARKED) && c->pool && policy_of(c)->forget)
        policy_of(c)->forget(c, u);
    sched_unlock_unit(c);
}

bool sched_on_cpu(struct sched_unit *u)
{
    /* In this order: a unit that stops leaves SCHED_RUNNING first and its CPU later. */
    return atomic_load(&u->state) == SCHED_RUNNING || atomic_load(&u->on_cpu) != -1;
}

void sched_yield(void)
{
    struct sched_cpu *c = &sched_cpus[cpu_id()];

    spin_lock(&c->lock);
    if (c->running && c->nr_waiting) {
        c->aside = c->running;
        softirq_raise(SOFTIRQ_SCHEDULE);
    }
    spin_unlock(&c->lock);
}

int sched_set_affinity(struct sched_unit *u, uint64_t mask)
{
    struct sched_cpu *c;
    bool moves;

    if (!(mask & READ_ONCE(u->group->pool)->cpus))
        return -EINVAL;
    c = sched_lock_unit(u);
    WRITE_ONCE(u->affinity, mask);
    moves = sched_displace(c, u);
    sched_unlock_unit(c);
    if (moves)
        sched_wake(u);
    return 0;
}

int sched_set_soft_affinity(struct sched_unit *u, uint64_t mask)
{
    struct sched_cpu *c;

    if (!mask)
        return -EINVAL;
    c = sched_lock_unit(u);
    u->soft = mask;
    if (u->state == SCHED_RUNNING)
        sched_tell(c);
    sched_unlock_unit(c);
    return 0;
}

stime_t sched_cpu_time(struct sched_unit *u)
{
    struct sched_cpu *c = sched_lock_unit(u);
    stime_t t = u->cpu_time;

    if (u->state == SCHED_RUNNING)
        t += MAX(stime_now() - u->since, 0);
    sched_unlock_unit(c);
    return t;
}

stime_t sched_idle_time(unsigned int cpu)
{
    struct sched_cpu *c = &sched_cpus[cpu];
    stime_t t;

    spin_lock(&c->lock);
    t = c->idle_time;
    if (!c->running)
        t += MAX(stime_now() - c->idle_since, 0);
    spin_unlock(&c->lock);
    return t;
}

uint64_t sched_idle_cpus(void)
{
    return atomic_load(&sched_idle_mask);
}

struct sched_unit *sched_current(void)
{
    return sched_cpus[cpu_id()].running;
}

/* --- the change of units --- */

static void timer_fires(void *data)
{
    struct sched_cpu *c = data;

    c->timer_at = STIME_NEVER;
    softirq_raise(SOFTIRQ_SCHEDULE);
}

static bool may_stay(struct sched_cpu *c, struct sched_unit *u, stime_t now)
{
    stime_t ran = now - u->started;

    if (!sched_ops->runnable(u) || c->aside || !allowed_on(u, c) || could_go(c, u))
        return false;
    if (u->group->cap && u->cap_left <= 0 && !sched_cap_take(u, now))
        return false;
    return !c->nr_waiting || ran < turn(c);
}

/* The unit that ran leaves the CPU for now. True: it may not or need not run here and must be woken elsewhere. */
static bool put_back(struct sched_cpu *c, struct sched_unit *u, stime_t now)
{
    bool runnable = sched_ops->runnable(u), here = allowed_on(u, c) && !could_go(c, u);

    sched_cap_return(u);
    if (runnable && here)
        insert(c, u);
    else
        stop(c, u, now, SCHED_ASLEEP);
    return runnable && !here;
}

static void unpark(struct sched_cpu *c, stime_t now)
{
    struct sched_unit *u, *next;

    list_for_each_entry_safe(u, next, &c->parked, link) {
        if (sched_cap_refill(u->group, now)) {
            list_del(&u->link);
            policy_of(c)->join(c, u, now);
            insert(c, u);
            call_idle(c);
        }
    }
}

/* Take the first of those that wait, or none and be idle. */
static struct sched_unit *pick(struct sched_cpu *c, stime_t now)
{
    uint64_t me = BIT(sched_cpu_number(c));
    struct sched_unit *u;

    while ((u = c->nr_waiting ? policy_of(c)->choose(c) : NULL) && u->group->cap && !sched_cap_take(u, now)) {
        take_off(c, u);
        stop(c, u, now, SCHED_PARKED);
    }
    c->aside = NULL;
    c->better = false;
    c->running = u;
    if (u) {
        take_off(c, u);
        c->better = c->nr_waiting && policy_of(c)->preempts(c, list_first_entry(&c->waiting, struct sched_unit, link));
        atomic_store(&u->state, SCHED_RUNNING);
        u->since = u->started = now;
        if (c->idle_since != STIME_NEVER)
            c->idle_time += now - c->idle_since;
        c->idle_since = STIME_NEVER;
        atomic_and(&sched_idle_mask, ~me);
    } else {
        if (c->idle_since == STIME_NEVER)
            c->idle_since = now;
        atomic_or(&sched_idle_mask, me);
    }
    note_astray(c, u);
    set_timer(c, now);
    if (c->nr_waiting)
        call_idle(c);
    return u;
}

/* `from` has units that wait, and none may run on `to`. If what runs there may, it makes room for them. */
static void ask_for_room(struct sched_cpu *from, const struct sched_cpu *to)
{
    if (from->nr_waiting && from->running && from->pool == to->pool &&
        (policy_of(from)->takers(from->running, sched_allowed_cpus(from->running)) & BIT(sched_cpu_number(to)))) {
        from->aside = from->running;
        softirq_raise_cpu(sched_cpu_number(from), SOFTIRQ_SCHEDULE);
    }
}

/* Nothing waits that may run on `c`, which is idle: what runs elsewhere and would rather run here, may come. */
static void call_astray(const struct sched_cpu *c)
{
    for (uint64_t m = atomic_load(&astray_mask); m; m &= m - 1) {
        struct sched_cpu *from = &sched_cpus[bit_lowest(m)];

        spin_lock(&from->lock);
        if (from->running && (wishes(from, from->running) & BIT(sched_cpu_number(c))))
            softirq_raise_cpu(bit_lowest(m), SOFTIRQ_SCHEDULE);
        spin_unlock(&from->lock);
    }
}

/* Nothing to do here: take a unit that waits elsewhere, the nearer the better. */
static struct sched_unit *steal(struct sched_cpu *c)
{
    unsigned int me = sched_cpu_number(c);
    uint64_t crowded = atomic_load(&sched_crowded_mask) & ~BIT(me), todo;
    struct sched_unit *u = NULL;

    for (int d = 0; crowded && d < CPU_DISTANCES; d++) {
        for (todo = crowded; todo && !u; todo &= todo - 1) {
            struct sched_cpu *from = &sched_cpus[bit_lowest(todo)];

            if (cpu_distance(me, bit_lowest(todo)) != (enum cpu_distance)d)
                continue;
            spin_lock_two(&c->lock, &from->lock);
            u = c->nr_waiting ? pick(c, stime_now()) : NULL; /* somebody was faster */
            /* What comes here may have to be parked; then another one. */
            while (!u && !c->nr_waiting && sched_move_one(from, c, true))
                u = pick(c, stime_now());
            if (!u)
                ask_for_room(from, c);
            spin_unlock_two(&c->lock, &from->lock);
        }
        if (u)
            break;
    }
    if (!u)
        call_astray(c);
    return u;
}

static void balance(struct sched_cpu *c, stime_t now)
{
    c->balanced = now;
    policy_of(c)->balance(c);
}

static void schedule(void)
{
    struct sched_cpu *c = &sched_cpus[cpu_id()];
    struct sched_unit *prev, *next;
    bool elsewhere;
    stime_t now;

    spin_lock(&c->lock);
    now = stime_now();
    sched_charge(c, now);
    unpark(c, now);
    prev = c->running;
    if (prev && may_stay(c, prev, now)) {
        note_astray(c, prev);
        set_timer(c, now);
        spin_unlock(&c->lock);
        return;
    }
    c->between = true;
    c->running = NULL;
    elsewhere = prev && put_back(c, prev, now);
    next = pick(c, now);
    spin_unlock(&c->lock);
    if (elsewhere)
        sched_wake(prev);
    if (!next)
        next = steal(c);
    else if (c->nr_waiting && policy_of(c)->balance && now - c->balanced >= c->pool->tslice)
        balance(c, now);
    atomic_store(&c->between, false);
    if (next != prev)
        sched_ops->switch_to(prev, next);
}

/* --- beginnings --- */

void sched_init(const struct sched_ops *ops)
{
    sched_ops = ops;
    softirq_set_handler(SOFTIRQ_SCHEDULE, schedule);
    for (uint64_t m = sched_pools[0].cpus; m; m &= m - 1)
        softirq_raise_cpu(bit_lowest(m), SOFTIRQ_SCHEDULE); /* who came before could not say that it is idle */
}

void sched_init_cpu(void)
{
    struct sched_cpu *c = &sched_cpus[cpu_id()];

    *c = (struct sched_cpu){.lock = SPINLOCK_INIT(LOCK_SCHED), .timer_at = STIME_NEVER};
    list_init(&c->waiting);
    list_init(&c->parked);
    timer_init(&c->timer, timer_fires, c, cpu_id());
    c->idle_since = stime_now();
    (void)sched_pool_add_cpu(0, cpu_id());
}
