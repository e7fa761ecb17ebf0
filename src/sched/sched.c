/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Credit scheduler. Each CPU has a run queue of its own, in order of credit.
 *
 * Credit is time. A unit that runs spends it, the faster the smaller its
 * weight; when the best one that waits on a queue has none left, all that wait
 * there get some. So the time that each gets is in proportion to its weight.
 * A unit that sleeps earns, up to CREDIT_MAX: one that runs seldom is therefore
 * in front of those that always run when an event wakes it, and need not wait
 * for the end of their slices. Time that nobody else wanted costs nothing.
 *
 * A unit wakes on the CPU it ran on last if that is idle, else on an idle one,
 * else where it was. A CPU with nothing to do takes a waiting unit from another;
 * at the end of a slice a CPU with more units than another gives one away, so
 * that three units on two CPUs take turns, if not with equal shares.
 *
 * A cap is a budget of time for each CAP_PERIOD; a unit that has used it up is
 * parked until the next one.
 */
#include "sched/sched.h"

#include "abi/errno.h"
#include "core/softirq.h"
#include "lib/bitmap.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/spinlock.h"

#define SLICE        MILLISECS(10)
#define CREDIT_MAX   MILLISECS(30)
#define CREDIT_ROUND MILLISECS(10)
#define CAP_PERIOD   MILLISECS(30)
#define WEIGHT_USUAL 256

static struct run_queue {
    spinlock_t lock;
    struct sched_unit *running; /* NULL: idle */
    struct list_head queue;     /* units that wait, best first */
    struct list_head parked;
    uint32_t waiting;   /* length of `queue`; read without the lock as a hint */
    int64_t given;      /* credit given to each waiting unit, in all rounds so far */
    struct timer timer; /* end of the slice, of the cap, or of the period */
} ALIGNED(64) run_queues[NR_CPUS_MAX];

static const struct sched_ops *sched_ops;
static uint64_t idle_mask; /* [atomic] CPUs whose queue has nothing: a hint */

static unsigned int queue_cpu(const struct run_queue *rq)
{
    return (unsigned int)(rq - run_queues);
}

/* The lock of the queue where `u` belongs, which may change until we have it. */
NO_LOCK_CHECK static struct run_queue *lock_unit(const struct sched_unit *u)
{
    for (;;) {
        uint32_t cpu = atomic_load(&u->cpu);

        spin_lock(&run_queues[cpu].lock);
        if (u->cpu == cpu)
            return &run_queues[cpu];
        spin_unlock(&run_queues[cpu].lock);
    }
}

/* The analysis of locks cannot see one behind a pointer that is returned: it looks past these two. */
NO_LOCK_CHECK static void unlock_unit(struct run_queue *rq)
{
    spin_unlock(&rq->lock);
}

/* What is in the middle of its slice stays in front of its equals. */
static int64_t rank(const struct sched_unit *u)
{
    return u->credit + u->slice_left;
}

static stime_t cap_budget(const struct sched_unit *u)
{
    return CAP_PERIOD * u->cap / 100;
}

/* Bring a capped unit's budget to the period of `now`; time overdrawn is paid back. */
static void refresh_cap(struct sched_unit *u, stime_t now)
{
    stime_t period = now / CAP_PERIOD, elapsed = period - u->cap_period, budget = cap_budget(u);

    if (!u->cap || elapsed <= 0)
        return;
    u->cap_period = period;
    u->cap_left = elapsed > 100 ? budget : MIN(budget, u->cap_left + elapsed * budget);
}

/* Account for the time that the running unit had until now: since `waiting` changed last, or longer. */
static void charge(const struct run_queue *rq, struct sched_unit *u, stime_t now)
{
    stime_t ran = MAX(now - u->since, 0);

    u->since = now;
    u->cpu_time += ran;
    if (rq->waiting)
        u->credit -= ran * WEIGHT_USUAL / u->weight;
    u->slice_left = MAX(u->slice_left - ran, 0);
    if (u->cap)
        u->cap_left -= ran;
    refresh_cap(u, now);
}

/* Time without the CPU is earned; at least what those who waited meanwhile were given. */
static void earn(const struct run_queue *rq, struct sched_unit *u, stime_t now)
{
    u->credit = MIN(u->credit + MAX(now - u->since, rq->given - u->given), CREDIT_MAX);
    refresh_cap(u, now);
}

static void set_timer(struct run_queue *rq, stime_t now)
{
    struct sched_unit *u = rq->running;
    stime_t when = STIME_NEVER;

    if (u && rq->waiting)
        when = u->since + u->slice_left;
    if (u && u->cap)
        when = MIN(when, u->since + MAX(u->cap_left, 0));
    if (!list_empty(&rq->parked))
        when = MIN(when, (now / CAP_PERIOD + 1) * CAP_PERIOD);
    if (when == STIME_NEVER)
        timer_stop(&rq->timer);
    else
        timer_set(&rq->timer, when);
}

static void enqueue(struct run_queue *rq, struct sched_unit *u, stime_t now)
{
    struct list_head *at = rq->queue.next;

    if (rq->running)
        charge(rq, rq->running, now);
    while (at != &rq->queue && rank(list_entry(at, struct sched_unit, link)) >= rank(u))
        at = at->next;
    list_add_tail(&u->link, at);
    atomic_store(&u->cpu, queue_cpu(rq));
    atomic_store(&u->state, SCHED_QUEUED);
    rq->waiting++;
}

static void dequeue(struct run_queue *rq, struct sched_unit *u, stime_t now)
{
    if (rq->running)
        charge(rq, rq->running, now);
    if (u->state == SCHED_QUEUED)
        rq->waiting--;
    list_del(&u->link);
}

static void fall_asleep(const struct run_queue *rq, struct sched_unit *u, stime_t now)
{
    u->since = now;
    u->given = rq->given;
    u->slice_left = 0;
    atomic_store(&u->state, SCHED_ASLEEP);
}

/* Queue `u`, which may go first at once if it is better than what runs. */
static void enqueue_and_tell(struct run_queue *rq, struct sched_unit *u, stime_t now)
{
    unsigned int cpu = queue_cpu(rq);

    enqueue(rq, u, now);
    atomic_and(&idle_mask, ~BIT(cpu));
    if (!rq->running || rank(u) > rank(rq->running))
        softirq_raise_cpu(cpu, SOFTIRQ_SCHEDULE);
    else if (rq->waiting == 1)
        set_timer(rq, now);
}

/* The allowed CPU with the fewest waiting units; `cpu` itself unless another has at least two fewer. */
static unsigned int least_loaded(uint64_t allowed, unsigned int cpu)
{
    unsigned int best = allowed & BIT(cpu) ? cpu : bit_lowest(allowed);
    uint32_t fewest = READ_ONCE(run_queues[best].waiting);

    if (best == cpu)
        fewest = fewest > 0 ? fewest - 1 : 0;
    for (; allowed && fewest > 0; allowed &= allowed - 1) {
        unsigned int other = bit_lowest(allowed);
        uint32_t waiting = READ_ONCE(run_queues[other].waiting);

        if (waiting < fewest) {
            best = other;
            fewest = waiting;
        }
    }
    return best;
}

static unsigned int choose_cpu(const struct sched_unit *u, unsigned int last)
{
    uint64_t allowed = READ_ONCE(u->affinity) & cpus_online_mask;
    uint64_t idle = allowed & atomic_load(&idle_mask);

    if (idle & BIT(last))
        return last;
    return idle ? bit_lowest(idle) : least_loaded(allowed, last);
}

void sched_wake(struct sched_unit *u)
{
    unsigned int from, to;

    for (;;) {
        from = atomic_load(&u->cpu);
        to = choose_cpu(u, from);
        spin_lock_two(&run_queues[from].lock, &run_queues[to].lock);
        if (u->cpu == from && (u->affinity & BIT(to)))
            break;
        spin_unlock_two(&run_queues[from].lock, &run_queues[to].lock);
    }
    if (u->state == SCHED_ASLEEP && sched_ops->runnable(u)) {
        stime_t now = stime_now();

        earn(&run_queues[from], u, now);
        enqueue_and_tell(&run_queues[to], u, now);
    }
    spin_unlock_two(&run_queues[from].lock, &run_queues[to].lock);
}

void sched_sleep(struct sched_unit *u)
{
    struct run_queue *rq = lock_unit(u);

    if (!sched_ops->runnable(u)) {
        if (u->state == SCHED_RUNNING) {
            softirq_raise_cpu(queue_cpu(rq), SOFTIRQ_SCHEDULE);
        } else if (u->state != SCHED_ASLEEP) {
            stime_t now = stime_now();

            dequeue(rq, u, now);
            fall_asleep(rq, u, now);
            set_timer(rq, now);
        }
    }
    unlock_unit(rq);
}

bool sched_on_cpu(struct sched_unit *u)
{
    /* In this order: a unit that stops leaves SCHED_RUNNING first and its CPU later. */
    return atomic_load(&u->state) == SCHED_RUNNING || atomic_load(&u->on_cpu) != -1;
}

void sched_yield(void)
{
    struct run_queue *rq = &run_queues[cpu_id()];

    spin_lock(&rq->lock);
    if (rq->running && rq->waiting) {
        struct sched_unit *u = rq->running, *first = list_first_entry(&rq->queue, struct sched_unit, link);

        charge(rq, u, stime_now());
        u->slice_left = 0;
        u->credit = MIN(u->credit, rank(first));
        softirq_raise(SOFTIRQ_SCHEDULE);
    }
    spin_unlock(&rq->lock);
}

/* The unit that ran leaves the CPU for now. True: it may no longer run here and must be woken elsewhere. */
static bool put_back(struct run_queue *rq, struct sched_unit *u, stime_t now)
{
    charge(rq, u, now);
    if (!sched_ops->runnable(u)) {
        fall_asleep(rq, u, now);
    } else if (!(u->affinity & BIT(queue_cpu(rq)))) {
        fall_asleep(rq, u, now);
        return true;
    } else if (u->cap && u->cap_left <= 0) {
        fall_asleep(rq, u, now);
        list_add_tail(&u->link, &rq->parked);
        atomic_store(&u->state, SCHED_PARKED);
    } else {
        enqueue(rq, u, now);
    }
    return false;
}

static void unpark(struct run_queue *rq, stime_t now)
{
    struct sched_unit *u, *next;

    list_for_each_entry_safe(u, next, &rq->parked, link) {
        refresh_cap(u, now);
        if (!u->cap || u->cap_left > 0) {
            list_del(&u->link);
            earn(rq, u, now);
            enqueue(rq, u, now);
        }
    }
}

/* The best one that waits has spent its credit: a round of it for all. One alone needs none. */
static void refill(struct run_queue *rq)
{
    int64_t best = list_first_entry(&rq->queue, struct sched_unit, link)->credit;
    int64_t amount = (-best / CREDIT_ROUND + 1) * CREDIT_ROUND;
    struct sched_unit *u;

    if (best > 0 || rq->waiting == 1)
        return;
    rq->given += amount;
    list_for_each_entry(u, &rq->queue, link)
        u->credit = MIN(u->credit + amount, CREDIT_MAX);
}

/* Move the best (or, from_end, the last) waiting unit of `from` that may run on `to`'s CPU. */
static struct sched_unit *move_one(struct run_queue *from, struct run_queue *to, bool from_end)
{
    struct list_head *l = from_end ? from->queue.prev : from->queue.next;

    for (; l != &from->queue; l = from_end ? l->prev : l->next) {
        struct sched_unit *u = list_entry(l, struct sched_unit, link);

        if (u->affinity & BIT(queue_cpu(to))) {
            dequeue(from, u, stime_now());
            return u;
        }
    }
    return NULL;
}

/* Nothing to do here: take a unit that waits elsewhere. */
static void steal(struct run_queue *rq)
{
    unsigned int cpu = queue_cpu(rq);

    for (unsigned int n = 1; n < NR_CPUS_MAX; n++) {
        unsigned int other = (cpu + n) % NR_CPUS_MAX;
        struct run_queue *from = &run_queues[other];
        struct sched_unit *u;

        if (!(cpus_online_mask & BIT(other)) || !READ_ONCE(from->waiting))
            continue;
        spin_lock_two(&rq->lock, &from->lock);
        u = move_one(from, rq, false);
        if (u)
            enqueue(rq, u, stime_now());
        spin_unlock_two(&rq->lock, &from->lock);
        if (u)
            return;
    }
}

/* A slice has ended here and units wait: give the last one to a CPU that has fewer. */
static void give_away(struct run_queue *rq)
{
    uint64_t others = cpus_online_mask & ~BIT(queue_cpu(rq));

    for (; others; others &= others - 1) {
        struct run_queue *to = &run_queues[bit_lowest(others)];
        struct sched_unit *u = NULL;

        if (READ_ONCE(to->waiting) >= READ_ONCE(rq->waiting))
            continue;
        spin_lock_two(&rq->lock, &to->lock);
        if (to->waiting < rq->waiting)
            u = move_one(rq, to, true);
        if (u)
            enqueue_and_tell(to, u, stime_now());
        spin_unlock_two(&rq->lock, &to->lock);
        if (u)
            return;
    }
}

/* Units wait: tell an idle CPU that may run one of them, and will steal it. */
static void call_idle(struct run_queue *rq)
{
    uint64_t idle = atomic_load(&idle_mask);
    struct sched_unit *u;

    if (!idle)
        return;
    list_for_each_entry(u, &rq->queue, link) {
        if (u->affinity & idle) {
            softirq_raise_cpu(bit_lowest(u->affinity & idle), SOFTIRQ_SCHEDULE);
            return;
        }
    }
}

/* Take the best waiting unit, or none. */
static struct sched_unit *pick(struct run_queue *rq, stime_t now)
{
    unsigned int cpu = queue_cpu(rq);
    struct sched_unit *u = NULL;

    if (list_empty(&rq->queue)) {
        atomic_or(&idle_mask, BIT(cpu));
    } else {
        refill(rq);
        u = list_first_entry(&rq->queue, struct sched_unit, link);
        dequeue(rq, u, now);
        atomic_store(&u->state, SCHED_RUNNING);
        u->since = now;
        if (u->slice_left <= 0)
            u->slice_left = SLICE;
        atomic_and(&idle_mask, ~BIT(cpu));
        call_idle(rq);
    }
    rq->running = u;
    set_timer(rq, now);
    return u;
}

static void schedule(void)
{
    struct run_queue *rq = &run_queues[cpu_id()];
    bool slice_over, elsewhere = false;
    struct sched_unit *prev, *next;
    stime_t now;

    spin_lock(&rq->lock);
    now = stime_now();
    prev = rq->running;
    rq->running = NULL;
    if (prev)
        elsewhere = put_back(rq, prev, now);
    slice_over = prev && prev->state == SCHED_QUEUED && !prev->slice_left;
    unpark(rq, now);
    if (list_empty(&rq->queue)) {
        spin_unlock(&rq->lock);
        steal(rq);
        spin_lock(&rq->lock);
    }
    next = pick(rq, now);
    spin_unlock(&rq->lock);
    if (elsewhere)
        sched_wake(prev);
    if (slice_over && READ_ONCE(rq->waiting))
        give_away(rq);
    if (next != prev)
        sched_ops->switch_to(prev, next);
}

static void slice_end(void *data)
{
    softirq_raise(SOFTIRQ_SCHEDULE);
}

void sched_init(const struct sched_ops *ops)
{
    sched_ops = ops;
    softirq_set_handler(SOFTIRQ_SCHEDULE, schedule);
}

void sched_init_cpu(void)
{
    struct run_queue *rq = &run_queues[cpu_id()];

    *rq = (struct run_queue){.lock = SPINLOCK_INIT(LOCK_SCHED)};
    list_init(&rq->queue);
    list_init(&rq->parked);
    timer_init(&rq->timer, slice_end, NULL, cpu_id());
    atomic_or(&idle_mask, BIT(cpu_id()));
}

void sched_unit_init(struct sched_unit *u, uint64_t affinity, unsigned int weight)
{
    *u = (struct sched_unit){.affinity = affinity, .weight = (uint16_t)weight, .on_cpu = -1};
    u->cpu = bit_lowest(affinity & cpus_online_mask ? affinity & cpus_online_mask : cpus_online_mask);
    u->since = stime_now();
    list_init(&u->link);
}

int sched_set_affinity(struct sched_unit *u, uint64_t mask)
{
    struct run_queue *rq;
    bool moves = false;

    if (!(mask & cpus_online_mask))
        return -EINVAL;
    rq = lock_unit(u);
    u->affinity = mask;
    if (u->state == SCHED_RUNNING) {
        if (!(mask & BIT(queue_cpu(rq))))
            softirq_raise_cpu(queue_cpu(rq), SOFTIRQ_SCHEDULE);
    } else if (u->state == SCHED_QUEUED || (u->state == SCHED_PARKED && !(mask & BIT(queue_cpu(rq))))) {
        /* Off its queue, to be placed anew. */
        dequeue(rq, u, stime_now());
        fall_asleep(rq, u, stime_now());
        moves = true;
    }
    unlock_unit(rq);
    if (moves)
        sched_wake(u);
    return 0;
}

int sched_set_params(struct sched_unit *u, unsigned int weight, unsigned int cap)
{
    struct run_queue *rq;

    if (weight < 1 || weight > UINT16_MAX || cap > UINT16_MAX)
        return -EINVAL;
    rq = lock_unit(u);
    u->weight = (uint16_t)weight;
    u->cap = (uint16_t)cap;
    u->cap_left = cap_budget(u);
    u->cap_period = stime_now() / CAP_PERIOD;
    if (rq->running == u || u->state == SCHED_PARKED)
        softirq_raise_cpu(queue_cpu(rq), SOFTIRQ_SCHEDULE); /* for its timer, or out of the park */
    unlock_unit(rq);
    return 0;
}

stime_t sched_cpu_time(struct sched_unit *u)
{
    struct run_queue *rq = lock_unit(u);
    stime_t t = u->cpu_time;

    if (u->state == SCHED_RUNNING)
        t += MAX(stime_now() - u->since, 0);
    unlock_unit(rq);
    return t;
}

uint64_t sched_idle_cpus(void)
{
    return atomic_load(&idle_mask);
}

struct sched_unit *sched_current(void)
{
    return run_queues[cpu_id()].running;
}
