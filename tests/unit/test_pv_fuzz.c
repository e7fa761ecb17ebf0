/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables changed at random: by one CPU with all counts worked out again
 * after each step, and by several at once, with the same at the end. Frames
 * have a level that they are mostly used for, or few tables would ever be
 * valid; entries stand in few slots, so that they often replace others.
 */
#define sched_yield libc_sched_yield /* the name is ours */
#include <pthread.h>
#undef sched_yield

#include "pv_world.h"

#define STEPS  12000
#define SEEDS  6
#define ROUNDS 20000 /* of each of several CPUs */

static const struct range {
    uint8_t first, count;
} range[5] = {{28, 20}, {0, 12}, {12, 8}, {20, 5}, {25, 3}};
static const uint16_t slots[] = {0, 1, 2, 200, 255, 272, 510, 511};

static struct frame *frame_of_level(unsigned int level)
{
    return frames[range[level].first + rnd(range[level].count)];
}

static unsigned int level_of_frame(const struct frame *f)
{
    unsigned int i = 0;

    while (frames[i] != f)
        i++;
    for (unsigned int level = 1; level <= 4; level++)
        if (i >= range[level].first && i < range[level].first + range[level].count)
            return level;
    return 0;
}

static struct frame *any_frame(void)
{
    return frames[rnd(FRAMES)];
}

/* Mostly what its level says, now and then anything. */
static pte_t random_entry(unsigned int level, struct domain **owner)
{
    uint64_t flags = PTE_P | PTE_US | (rnd(3) ? PTE_RW : 0) | (rnd(8) ? 0 : PTE_NX);
    unsigned int kind = rnd(20);

    *owner = &dom;
    if (rnd(4) == 0)
        return rnd(2) ? 0 : (pte_t)rnd(1 << 20) << 1;
    if (kind == 0)
        return entry(any_frame(), flags);
    if (kind == 1)
        return entry(any_frame(), flags | (rnd(2) ? PTE_G : PTE_PS));
    if (kind < 6 && level > 1)
        return entry(frame_of_level(level), flags & ~PTE_RW);
    if (kind == 2) {
        *owner = &other;
        return entry(foreign[rnd(FOREIGN)], flags);
    }
    if (kind == 3)
        return entry(shared_page, flags);
    return entry(frame_of_level(level > 0 ? level - 1 : 0), flags);
}

static int update(bool finish)
{
    unsigned int level = 1 + rnd(4);
    struct frame *f = rnd(30) ? frame_of_level(level) : any_frame();
    struct domain *owner;
    pte_t e = random_entry(level, &owner);

    return op_update(owner, f, slots[rnd(ARRAY_SIZE(slots))], e, finish);
}

/* The processor sets A and D as it likes. */
static void set_accessed(void)
{
    struct frame *f = frame_of_level(1);
    pte_t *e = &entries_of(f)[slots[rnd(ARRAY_SIZE(slots))]];

    if (frame_type_of(atomic_load(&f->type)) == FRAME_L1 && (f->type & FT_VALIDATED) &&
        (READ_ONCE(*e) & PTE_P))
        atomic_or(e, PTE_A | (READ_ONCE(*e) & PTE_RW ? PTE_D : 0));
}

static void hold(void)
{
    unsigned int i = rnd(FRAMES);

    if (held[i] == 0 && pv_get_type(frames[i], FRAME_WRITABLE) == 0) {
        frame_get_known(frames[i]);
        held[i]++;
    } else if (held[i]) {
        held[i]--;
        pv_put_simple_type(frames[i]);
        frame_put(frames[i]);
    }
}

static void drop_held(void)
{
    for (unsigned int i = 0; i < FRAMES; i++)
        if (held[i]) {
            held[i]--;
            pv_put_simple_type(frames[i]);
            frame_put(frames[i]);
        }
}

static void random_step(bool alone)
{
    bool finish = rnd(4) != 0;
    unsigned int level = 1 + rnd(4);
    struct frame *f = rnd(30) ? frame_of_level(level) : any_frame();
    int rc = 0;

    switch (rnd(16)) {
    case 0:
    case 1:
    case 2:
        rc = op_pin(f, (enum frame_type)(FRAME_L1 + level - 1), finish);
        break;
    case 3:
    case 4:
        rc = op_unpin(f, finish);
        break;
    case 5:
        rc = op_root(rnd(5) ? frame_of_level(4) : NULL, rnd(2), finish);
        break;
    case 6:
        set_accessed();
        break;
    case 7:
        if (alone)
            hold();
        break;
    default:
        rc = update(finish);
    }
    assert_true(rc == 0 || rc == 1 || rc == -EINVAL || rc == -ERESTART || rc == -EBUSY || rc == -EPERM ||
                rc == -EAGAIN);
}

static unsigned int tables_valid(void)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < FRAMES; i++)
        n += (frames[i]->type & FT_VALIDATED) && level_of_frame(frames[i]) > 1 &&
             frame_type_of(frames[i]->type) == FRAME_L1 + level_of_frame(frames[i]) - 1;
    return n;
}

static void test_one_cpu(void **state)
{
    uint64_t valid = 0;

    for (unsigned int seed = 1; seed <= SEEDS; seed++) {
        random_state = seed;
        preempt_rate = (unsigned int[]){1, 3, 20}[seed % 3];
        for (unsigned int step = 0; step < STEPS; step++) {
            fake_cpu = rnd(2);
            random_step(true);
            fake_cpu = 0;
            check_world();
            valid += tables_valid();
            if (step % 3000 == 2999)
                relinquish();
        }
        drop_held();
        relinquish();
        clear_frames();
    }
    print_message("%u steps, %.1f upper tables valid at a time\n", SEEDS * STEPS,
                  (double)valid / (SEEDS * STEPS));
    assert_true(valid > 2 * SEEDS * STEPS);
    preempt_rate = 0;
}

static void *one_of_several(void *arg)
{
    fake_cpu = (unsigned int)(uintptr_t)arg;
    random_state = 1000 + fake_cpu;
    preempt_rate = 10;
    for (unsigned int i = 0; i < ROUNDS; i++)
        random_step(false);
    preempt_rate = 0;
    return NULL;
}

static void test_several_cpus(void **state)
{
    pthread_t thread[WORLD_CPUS];

    for (uintptr_t i = 0; i < WORLD_CPUS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, one_of_several, (void *)i), 0);
    for (unsigned int i = 0; i < WORLD_CPUS; i++)
        pthread_join(thread[i], NULL);
    check_world();
    finish_all();
    check_world();
    relinquish();
}

static int set_up(void **state)
{
    world_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_cpu),
        cmocka_unit_test(test_several_cpus),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
