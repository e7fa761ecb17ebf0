/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pools of CPUs, each with a policy of its own. A CPU is in one pool or free; a group of units is in one.
 * Where a unit may run follows from its pool's mask of CPUs, which changes under the lock of the CPU's
 * queue: who has that lock knows who may be put there. Taking a CPU away clears its bit first, then all
 * that wait there are woken elsewhere, and what runs there goes at its next look.
 *
 * Pools lie in an array and are used again, so that a CPU may look at its own without a lock.
 */
#include "sched/policy.h"

#include "abi/errno.h"
#include "core/softirq.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "x86/cpu.h"

#define TSLICE_USUAL    MILLISECS(10)
#define RATELIMIT_USUAL MICROSECS(1000)
#define MIGRATE_USUAL   MICROSECS(500)

/* The limits that <xen/sysctl.h> sets. */
#define TSLICE_MIN_US    1000u
#define TSLICE_MAX_US    1000000u
#define RATELIMIT_MIN_US 100u
#define RATELIMIT_MAX_US 500000u
#define MIGRATE_MAX_US   100000u

spinlock_t sched_pools_lock = SPINLOCK_INIT(LOCK_SCHED_POOL);
/* CPUs enter pool 0 before its policy has been chosen by name. */
struct sched_pool sched_pools[NR_CPUS_MAX] = {
    [0] = {.policy = &sched_fair, .scheduler = SCHED_CREDIT2,
           .tslice = TSLICE_USUAL, .ratelimit = RATELIMIT_USUAL, .migrate = MIGRATE_USUAL},
};

/* One policy has the names of Xen's two proportional ones (docs/decisions). The first is the usual. */
static const struct { const char *name; uint32_t scheduler; const struct sched_policy *policy; } policies[] = {
    {"credit2", SCHED_CREDIT2, &sched_fair},
    {"credit", SCHED_CREDIT, &sched_fair},
    {"null", SCHED_NULL, &sched_null},
};

bool sched_choose_policy(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        if (strcmp(name, policies[i].name) == 0) {
            sched_pools[0].scheduler = policies[i].scheduler;
            sched_pools[0].policy = policies[i].policy;
            return true;
        }
    }
    return false;
}

static struct sched_pool *find_locked(uint32_t id)
{
    for (size_t i = 0; i < ARRAY_SIZE(sched_pools); i++)
        if (sched_pools[i].policy && sched_pools[i].id == id)
            return &sched_pools[i];
    return NULL;
}

static struct sched_pool *find_unused_locked(void)
{
    for (size_t i = 1; i < ARRAY_SIZE(sched_pools); i++)
        if (!sched_pools[i].policy)
            return &sched_pools[i];
    return NULL;
}

/* CPUs in no pool. */
static uint64_t free_cpus_locked(void)
{
    uint64_t cpus = cpus_online_mask;

    for (uint64_t m = cpus; m; m &= m - 1)
        if (sched_cpus[bit_lowest(m)].pool)
            cpus &= ~BIT(bit_lowest(m));
    return cpus;
}

uint64_t sched_free_cpus(void)
{
    uint64_t cpus;

    spin_lock(&sched_pools_lock);
    cpus = free_cpus_locked();
    spin_unlock(&sched_pools_lock);
    return cpus;
}

/* --- pools --- */

static int create_locked(size_t which, uint32_t *id)
{
    struct sched_pool *p = find_unused_locked();

    if (*id == SCHED_POOL_ANY)
        for (*id = 1; find_locked(*id); ++*id)
            ;
    else if (find_locked(*id))
        return -EEXIST;
    if (!p)
        return -ENOMEM;
    *p = (struct sched_pool){
        .id = *id, .scheduler = policies[which].scheduler, .policy = policies[which].policy,
        .tslice = TSLICE_USUAL, .ratelimit = RATELIMIT_USUAL, .migrate = MIGRATE_USUAL,
    };
    return 0;
}

int sched_pool_create(uint32_t scheduler, uint32_t *id)
{
    int ret = -EINVAL;

    spin_lock(&sched_pools_lock);
    for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
        if (policies[i].scheduler == scheduler)
            ret = create_locked(i, id);
    spin_unlock(&sched_pools_lock);
    return ret;
}

int sched_pool_destroy(uint32_t id)
{
    struct sched_pool *p;
    int ret = 0;

    spin_lock(&sched_pools_lock);
    p = find_locked(id);
    if (!p)
        ret = -ENOENT;
    else if (id == 0 || p->cpus || p->groups)
        ret = -EBUSY;
    else
        p->policy = NULL;
    spin_unlock(&sched_pools_lock);
    return ret;
}

int sched_pool_get_info(uint32_t id, bool next, struct sched_pool_info *info)
{
    struct sched_pool *found = NULL;

    spin_lock(&sched_pools_lock);
    for (size_t i = 0; i < ARRAY_SIZE(sched_pools); i++) {
        struct sched_pool *p = &sched_pools[i];

        if (p->policy && (next ? p->id >= id : p->id == id) && (!found || p->id < found->id))
            found = p;
    }
    if (found)
        *info = (struct sched_pool_info){.id = found->id, .scheduler = found->scheduler,
                                         .groups = found->groups, .cpus = found->cpus};
    spin_unlock(&sched_pools_lock);
    return found ? 0 : -ENOENT;
}

bool sched_pool_answers(uint32_t id, uint32_t scheduler)
{
    const struct sched_pool *p;
    bool answers = false;

    spin_lock(&sched_pools_lock);
    p = find_locked(id);
    for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
        if (p && p->policy == policies[i].policy && policies[i].scheduler == scheduler)
            answers = true;
    spin_unlock(&sched_pools_lock);
    return answers;
}

int sched_pool_get_params(uint32_t id, struct sched_pool_params *params)
{
    const struct sched_pool *p;

    spin_lock(&sched_pools_lock);
    p = find_locked(id);
    if (p)
        *params = (struct sched_pool_params){.tslice_us = (uint32_t)(p->tslice / MICROSECS(1)),
                                             .ratelimit_us = (uint32_t)(p->ratelimit / MICROSECS(1)),
                                             .migrate_us = (uint32_t)(p->migrate / MICROSECS(1))};
    spin_unlock(&sched_pools_lock);
    return p ? 0 : -ENOENT;
}

int sched_pool_set_params(uint32_t id, const struct sched_pool_params *params)
{
    struct sched_pool *p;

    if (params->tslice_us < TSLICE_MIN_US || params->tslice_us > TSLICE_MAX_US ||
        (params->ratelimit_us != 0 && params->ratelimit_us < RATELIMIT_MIN_US) ||
        params->ratelimit_us > MIN(params->tslice_us, RATELIMIT_MAX_US) || params->migrate_us > MIGRATE_MAX_US)
        return -EINVAL;
    spin_lock(&sched_pools_lock);
    p = find_locked(id);
    if (p) {
        WRITE_ONCE(p->tslice, MICROSECS(params->tslice_us));
        WRITE_ONCE(p->ratelimit, MICROSECS(params->ratelimit_us));
        WRITE_ONCE(p->migrate, MICROSECS(params->migrate_us));
    }
    spin_unlock(&sched_pools_lock);
    return p ? 0 : -ENOENT;
}

/* --- CPUs of a pool --- */

static struct sched_unit *find_misplaced(struct sched_cpu *c)
{
    struct list_head *const lists[] = {&c->waiting, &c->parked};
    struct sched_unit *u;

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        list_for_each_entry(u, lists[i], link)
            if (!(sched_allowed_cpus(u) & BIT(sched_cpu_number(c))))
                return u;
    return NULL;
}

/* The pool's CPUs have changed: what waits on `c` and may no longer is woken elsewhere; what runs there looks. */
static void evict(struct sched_cpu *c)
{
    struct sched_unit *u;

    do {
        spin_lock(&c->lock);
        u = find_misplaced(c);
        if (u)
            (void)sched_displace(c, u);
        softirq_raise_cpu(sched_cpu_number(c), SOFTIRQ_SCHEDULE);
        spin_unlock(&c->lock);
        if (u)
            sched_wake(u);
    } while (u);
}

int sched_pool_add_cpu(uint32_t id, uint32_t cpu)
{
    struct sched_pool *p;
    struct sched_cpu *c;
    uint64_t unused;
    int ret = 0;

    spin_lock(&sched_pools_lock);
    p = find_locked(id);
    unused = free_cpus_locked();
    if (cpu == SCHED_POOL_ANY && unused)
        cpu = bit_lowest(unused);
    if (!p) {
        ret = -ENOENT;
    } else if (cpu >= NR_CPUS_MAX) {
        ret = cpu == SCHED_POOL_ANY ? -ENODEV : -EINVAL;
    } else if (!(unused & BIT(cpu))) {
        ret = cpus_online_mask & BIT(cpu) ? -ENODEV : -EINVAL;
    } else {
        c = &sched_cpus[cpu];
        spin_lock(&c->lock);
        c->pool = p;
        p->cpus |= BIT(cpu);
        spin_unlock(&c->lock);
        /* The new one looks whether somebody waits elsewhere; elsewhere may be who was there for want of it. */
        for (uint64_t m = p->cpus; m; m &= m - 1)
            evict(&sched_cpus[bit_lowest(m)]);
    }
    spin_unlock(&sched_pools_lock);
    return ret;
}

static int remove_cpu_locked(struct sched_pool *p, struct sched_cpu *c)
{
    unsigned int cpu = sched_cpu_number(c);
    bool busy;

    if (p->groups && (p->cpus & ~BIT(cpu)) == 0)
        return -EBUSY;
    spin_lock(&c->lock);
    p->cpus &= ~BIT(cpu);
    spin_unlock(&c->lock);
    evict(c);

    spin_lock(&c->lock);
    busy = c->running || c->between || !list_empty(&c->waiting) || !list_empty(&c->parked);
    if (busy) {
        softirq_raise_cpu(cpu, SOFTIRQ_SCHEDULE);
    } else {
        c->pool = NULL;
        c->owner = NULL;
        atomic_and(&sched_idle_mask, ~BIT(cpu));
        timer_stop(&c->timer);
        c->timer_at = STIME_NEVER;
    }
    spin_unlock(&c->lock);
    return busy ? -ERESTART : 0;
}

int sched_pool_remove_cpu(uint32_t id, uint32_t cpu)
{
    struct sched_pool *p;
    int ret;

    spin_lock(&sched_pools_lock);
    p = find_locked(id);
    if (p && cpu == SCHED_POOL_ANY && p->cpus)
        cpu = bit_highest(p->cpus);
    if (!p)
        ret = -ENOENT;
    else if (cpu >= NR_CPUS_MAX || !(cpus_online_mask & BIT(cpu)))
        ret = -EINVAL;
    else if (sched_cpus[cpu].pool != p)
        ret = -ENODEV;
    else
        ret = remove_cpu_locked(p, &sched_cpus[cpu]);
    spin_unlock(&sched_pools_lock);
    return ret;
}

/* --- groups of a pool --- */

static void move_unit(struct sched_unit *u)
{
    struct sched_cpu *c = sched_lock_unit(u);
    bool moves = sched_displace(c, u);

    u->owed = 0;
    sched_unlock_unit(c);
    if (moves)
        sched_wake(u);
}

int sched_pool_move_group(uint32_t id, struct sched_group *g)
{
    struct sched_unit *u;
    struct sched_pool *p;
    int ret = 0;

    spin_lock(&sched_pools_lock);
    p = find_locked(id);
    if (!p) {
        ret = -ENOENT;
    } else if (!p->cpus) {
        ret = -EINVAL;
    } else if (p != g->pool) {
        g->pool->groups--;
        p->groups++;
        if (!p->policy->has_weights)
            WRITE_ONCE(g->cap, 0);
        atomic_store(&g->pool, p);
        list_for_each_entry(u, &g->units, member)
            move_unit(u);
    }
    spin_unlock(&sched_pools_lock);
    return ret;
}
