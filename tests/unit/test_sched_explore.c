/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler under every interleaving that chance finds. CPUs are coroutines; at every lock, and while
 * a switch waits for a unit to be handed over, another one may go on. They wake units, put them to sleep,
 * pin them, give them weights and caps, yield, move them and CPUs between pools of both policies, while
 * time goes by and timers fire. At every rest nothing may be in two places, none asleep that wants to run,
 * and none waiting beside an idle CPU.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <ucontext.h>
#include <cmocka.h>

#include "abi/errno.h"
#include "sched_world.h"
#include "x86/cpu.h"

#define CPUS   4
#define UNITS  9
#define GROUPS 3
#define STACK  (64 * 1024)
#define EVENTS 1000000u
#define ROUND  40 /* events between two rests */

static ucontext_t explorer, coroutine[CPUS];
static bool resting[CPUS]; /* at its top, with nothing to do */
static bool rest;          /* no new events */
static bool worked;        /* one has done something since it was last asked */
static uint64_t seed = 88172645463325252ULL;
static unsigned int events;
static unsigned int leaving; /* CPU + 1 that is to leave its pool */

static unsigned int dice(unsigned int sides)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned int)((seed >> 11) % sides);
}

/* Another CPU may come between. */
static void maybe_switch(void)
{
    unsigned int me = fake_cpu;

    if (dice(3) == 0) {
        swapcontext(&coroutine[me], &explorer);
        fake_cpu = me;
    }
}

static bool runnable(struct sched_unit *u)
{
    return __atomic_load_n(&container_of(u, struct sim_unit, u)->want, __ATOMIC_SEQ_CST);
}

static void switch_to(struct sched_unit *prev, struct sched_unit *next)
{
    unsigned int me = fake_cpu;

    if (sim_current[me] != prev || (prev && prev->on_cpu != (int32_t)me))
        abort(); /* not ours to give away */
    sim_current[me] = NULL;
    maybe_switch();
    if (prev)
        prev->on_cpu = -1;
    while (next && next->on_cpu != -1)
        maybe_switch();
    if (next)
        next->on_cpu = (int32_t)me;
    sim_current[me] = next;
}

static const struct sched_ops ops = {.switch_to = switch_to, .runnable = runnable};

/* --- events --- */

static void wish(unsigned int i, bool want)
{
    __atomic_store_n(&sim_unit[i].want, want, __ATOMIC_SEQ_CST);
    if (want)
        sched_wake(&sim_unit[i].u);
    else
        sched_sleep(&sim_unit[i].u);
}

static void move_cpu(void)
{
    if (!leaving)
        leaving = 1 + dice(CPUS);
    for (uint32_t pool = 0; pool < 3; pool++) {
        int ret = sched_pool_remove_cpu(pool, leaving - 1);

        if (ret == 0)
            (void)sched_pool_add_cpu(dice(3), leaving - 1);
        if (ret == 0 || ret == -EBUSY)
            leaving = 0;
        if (ret != -ENODEV)
            return;
    }
    leaving = 0; /* another CPU has just done it */
}

static void act(void)
{
    unsigned int i = dice(UNITS);

    events++;
    switch (dice(16)) {
    case 0 ... 4:
        wish(i, true);
        break;
    case 5 ... 7:
        wish(i, false);
        break;
    case 8:
        if (sched_current())
            wish((unsigned int)(container_of(sched_current(), struct sim_unit, u) - sim_unit), false);
        break;
    case 9:
        (void)sched_set_affinity(&sim_unit[i].u, dice(2) ? ~0ULL : 1 + dice(15));
        break;
    case 10:
        (void)sched_set_soft_affinity(&sim_unit[i].u, 1 + dice(15));
        break;
    case 11:
        (void)sched_group_set(&sim_group[dice(GROUPS)], 1 + dice(1000), dice(3) ? 0 : dice(150));
        break;
    case 12:
        if (dice(2))
            sched_give_up(&sim_unit[i].u);
        sched_yield();
        break;
    case 13:
        sim_now += dice(4) ? dice(100000) : dice(20000000);
        break;
    case 14:
        if (dice(8) == 0)
            (void)sched_pool_move_group(dice(3), &sim_group[dice(GROUPS)]);
        break;
    default:
        if (dice(8) == 0 || leaving)
            move_cpu();
    }
}

static void cpu_main(int cpu)
{
    unsigned int me = (unsigned int)cpu;

    for (;;) {
        fake_cpu = me;
        if (sim_timer(me) | sim_softirq(me)) {
            worked = true;
            continue;
        }
        if (!rest) {
            act();
            worked = true;
            maybe_switch();
            continue;
        }
        resting[me] = true;
        swapcontext(&coroutine[me], &explorer);
        resting[me] = false;
    }
}

/* --- what must hold --- */

static void check_unit(const struct sim_unit *s)
{
    const struct sched_unit *u = &s->u;
    bool runs = u->state == SCHED_RUNNING;

    assert_int_equal(s->want, u->state != SCHED_ASLEEP);
    for (unsigned int c = 0; c < CPUS; c++)
        assert_int_equal(sim_current[c] == u, runs && u->cpu == c);
    assert_int_equal(u->on_cpu, runs ? (int)u->cpu : -1);
    assert_int_equal(list_empty(&u->link), u->state == SCHED_ASLEEP || runs);
    if (u->state != SCHED_ASLEEP)
        assert_true(sched_allowed_cpus(u) & BIT(u->cpu));
    if (u->state == SCHED_WAITING && u->group->pool->policy == &sched_fair)
        assert_int_equal(sched_allowed_cpus(u) & sched_idle_cpus(), 0);
    if (runs && u->group->pool->policy == &sched_fair && (u->soft & sched_allowed_cpus(u)) && !(u->soft & BIT(u->cpu)))
        assert_int_equal(u->soft & sched_allowed_cpus(u) & sched_idle_cpus(), 0); /* it would rather be there */
    if (u->state == SCHED_WAITING && u->group->pool->policy == &sched_null)
        for (uint64_t m = sched_allowed_cpus(u); m; m &= m - 1)
            assert_non_null(sched_cpus[bit_lowest(m)].owner);
}

static void check_cpu(unsigned int cpu)
{
    struct sched_cpu *c = &sched_cpus[cpu];
    struct sched_unit *u;
    unsigned int waiting = 0;
    uint64_t weight = c->running && c->pool->policy->has_weights ? c->running->weight : 0;

    list_for_each_entry(u, &c->waiting, link) {
        assert_int_equal(u->state, SCHED_WAITING);
        assert_int_equal(u->cpu, cpu);
        weight += c->pool->policy->has_weights ? u->weight : 0;
        waiting++;
    }
    list_for_each_entry(u, &c->parked, link)
        assert_int_equal(u->state, SCHED_PARKED);
    assert_int_equal(c->nr_waiting, waiting);
    assert_int_equal(!waiting, !(sched_crowded_mask & BIT(cpu)));
    if (c->pool && c->pool->policy->has_weights)
        assert_int_equal(c->weight, weight);
    if (c->owner) {
        assert_int_equal(c->owner->cpu, cpu);
        assert_ptr_equal(c->owner->group->pool, c->pool);
        assert_false(c->owner->gives_up && c->owner->state == SCHED_ASLEEP);
    }
    assert_int_equal(!c->running, !!(sched_idle_cpus() & BIT(cpu)) || !c->pool);
    assert_false(c->between || c->lock.owner);
}

static void go_on(void)
{
    unsigned int cpu = dice(CPUS);

    swapcontext(&explorer, &coroutine[cpu]);
}

static bool all_resting(void)
{
    for (unsigned int c = 0; c < CPUS; c++)
        if (!resting[c])
            return false;
    return true;
}

/* Until none has anything to do: what one CPU does last may have told another that rested already. */
static void come_to_rest(void)
{
    unsigned int steps = 0;

    rest = true;
    do {
        worked = false;
        for (unsigned int c = 0; c < CPUS; c++)
            resting[c] = false;
        while (!all_resting()) {
            go_on();
            assert_true(steps++ < 100000); /* they wait for each other, or never have enough */
        }
    } while (worked);
    fake_cpu = 0;
    for (unsigned int i = 0; i < UNITS; i++)
        check_unit(&sim_unit[i]);
    for (unsigned int c = 0; c < CPUS; c++)
        check_cpu(c);
    rest = false;
}

static void test_explore(void **state)
{
    static char stack[CPUS][STACK];
    uint32_t id;

    sim_ops = &ops;
    sim_start(CPUS);
    for (unsigned int g = 0; g < GROUPS; g++)
        sched_group_init(&sim_group[g]);
    for (unsigned int i = 0; i < UNITS; i++)
        sim_add_to(i, i % GROUPS);
    for (id = 1; id < 3; id++)
        assert_int_equal(sched_pool_create(id == 1 ? SCHED_CREDIT : SCHED_NULL, &id), 0);
    sim_point = maybe_switch;
    for (unsigned int c = 0; c < CPUS; c++) {
        getcontext(&coroutine[c]);
        coroutine[c].uc_stack.ss_sp = stack[c];
        coroutine[c].uc_stack.ss_size = STACK;
        makecontext(&coroutine[c], (void (*)(void))cpu_main, 1, (int)c);
    }
    while (events < EVENTS) {
        unsigned int until = events + ROUND;

        while (events < until)
            go_on();
        come_to_rest();
    }
    sim_point = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_explore),
    };

    /* From a coroutine there is no way back to where a failed test is told: end there. */
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
