/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables of a PV domain, case by case: trees are pinned and unpinned,
 * interrupted at every entry, taken up again or abandoned; entries of every
 * kind replace each other; linear tables. After every step all counts are
 * what the tables say.
 */
#include "mem/hvmap.h"
#include "mem/isolate.h"
#include "pv/l1.h"
#include "pv_world.h"
#include "x86/spec.h"
#include "x86/upcalls.h"

#define TREE (PTE_P | PTE_RW | PTE_US)
#define RO   (PTE_P | PTE_US)

/* A tree: frames 0 (L4), 1, 2 (L3), 3, 4 (L2), 5..8 (L1), which map 9..16. */
static void make_tree(void)
{
    static const uint16_t edges[][3] = {{0, 0, 1}, {0, 511, 2}, {1, 3, 3},   {2, 510, 4}, {2, 0, 3},
                                        {3, 0, 5}, {3, 1, 6},   {4, 100, 7}, {4, 511, 8}, {4, 7, 5}};

    clear_frames();
    for (unsigned int i = 0; i < ARRAY_SIZE(edges); i++)
        entries_of(frames[edges[i][0]])[edges[i][1]] = entry(frames[edges[i][2]], TREE);
    for (unsigned int i = 0; i < 8; i++)
        for (unsigned int slot = 0; slot < 512; slot += 100)
            entries_of(frames[5 + i % 4])[slot + i] = entry(frames[9 + i], i & 1 ? RO : TREE);
    entries_of(frames[5])[511] = entry(frames[0], RO); /* a table may be read */
}

static void test_pin_and_unpin(void **state)
{
    make_tree();
    assert_int_equal(op_pin(frames[0], FRAME_L4, true), 0);
    check_world();
    assert_int_equal(frame_type_of(frames[3]->type), FRAME_L2);
    assert_int_equal(ft_count(frames[3]->type), 2);
    assert_int_equal(op_pin(frames[0], FRAME_L4, true), -EINVAL);
    assert_int_equal(op_pin(frames[5], FRAME_L1, true), 0);
    assert_int_equal(op_pin(frames[5], FRAME_L2, true), -EINVAL);
    assert_int_equal(op_unpin(frames[0], true), 0);
    check_world();
    assert_int_equal(ft_count(frames[5]->type), 1);
    assert_int_equal(op_unpin(frames[5], true), 0);
    assert_int_equal(op_unpin(frames[5], true), -EINVAL);
    check_nothing_left();
}

/* Stop the N-th time that anybody asks, for all N. `after` sees the world with the operation interrupted. */
static void interrupt_everywhere(int (*op)(void), void (*before)(void), void (*after)(void))
{
    bool interrupted = true;
    unsigned int n;

    for (n = 1; interrupted; n++) {
        int rc;

        before();
        preempt_at = n;
        rc = op();
        check_world();
        interrupted = preempt_at == 0;
        preempt_at = 0;
        if (!interrupted)
            assert_int_equal(rc, 0);
        after();
    }
    assert_true(n > 9);
}

static int pin_root(void)
{
    return op_pin(frames[0], FRAME_L4, false);
}
static int unpin_root(void)
{
    return op_unpin(frames[0], false);
}

static void pinned_tree(void)
{
    make_tree();
    assert_int_equal(op_pin(frames[0], FRAME_L4, true), 0);
}

static void continue_pin(void)
{
    if (!(frames[0]->type & FT_PINNED))
        assert_int_equal(op_pin(frames[0], FRAME_L4, true), 0);
    check_world();
    assert_int_equal(op_unpin(frames[0], true), 0);
    check_nothing_left();
}

static void continue_unpin(void)
{
    finish_all();
    check_nothing_left();
}

/* What was begun is forgotten, and each frame asked to be something else. */
static void use_otherwise(void)
{
    if (frames[0]->type & FT_PINNED)
        assert_int_equal(op_unpin(frames[0], true), 0);
    finish_all();
    for (unsigned int i = 0; i < 9; i++) {
        int rc;

        while ((rc = pv_get_type(frames[i], FRAME_WRITABLE)) == -ERESTART)
            check_world();
        assert_int_equal(rc, 0);
        pv_put_simple_type(frames[i]);
        check_world();
    }
    check_nothing_left();
}

/* An unpin was interrupted; the same frame is pinned before that is finished. */
static void pin_again(void)
{
    int rc;

    while ((rc = pv_pin(&dom, mfn_of(frames[0]), FRAME_L4)) == -ERESTART)
        ;
    assert_int_equal(rc, 0);
    check_world();
    finish_all();
    check_world();
    assert_int_equal(op_unpin(frames[0], true), 0);
    check_nothing_left();
}

static void test_interrupted_pin(void **state)
{
    interrupt_everywhere(pin_root, make_tree, continue_pin);
    interrupt_everywhere(pin_root, make_tree, relinquish);
    interrupt_everywhere(pin_root, make_tree, use_otherwise);
}

static void test_interrupted_unpin(void **state)
{
    interrupt_everywhere(unpin_root, pinned_tree, continue_unpin);
    interrupt_everywhere(unpin_root, pinned_tree, relinquish);
    interrupt_everywhere(unpin_root, pinned_tree, use_otherwise);
    interrupt_everywhere(unpin_root, pinned_tree, pin_again);
}

/* With an interruption everywhere at once. */
static void test_always_interrupted(void **state)
{
    preempt_rate = 1;
    make_tree();
    assert_int_equal(op_pin(frames[0], FRAME_L4, true), 0);
    check_world();
    assert_int_equal(op_unpin(frames[0], true), 0);
    check_nothing_left();
    assert_int_equal(op_pin(frames[0], FRAME_L4, true), 0);
    relinquish();
    preempt_rate = 0;
}

/* The very last entry of the tree is bad: whenever the undoing stops, nothing is left in the end. */
static int pin_bad(void)
{
    int rc = pin_root();

    assert_true(rc == -EINVAL || rc == -ERESTART);
    return preempt_at ? 0 : rc;
}

static void make_bad_tree(void)
{
    make_tree();
    entries_of(frames[0])[300] = entry(frames[2], TREE);
    entries_of(frames[0])[511] = entry(frames[2], TREE | PTE_PS);
}

static void test_refused(void **state)
{
    interrupt_everywhere(pin_bad, make_bad_tree, relinquish);
    interrupt_everywhere(pin_bad, make_bad_tree, use_otherwise);
    for (unsigned int level = 1; level <= 4; level++) {
        clear_frames();
        entries_of(frames[0])[2] = entry(frames[1], level == 1 ? RO : TREE);
        entries_of(frames[0])[3] = entry(foreign[0], RO);
        assert_true(op_pin(frames[0], (enum frame_type)(FRAME_L1 + level - 1), true) < 0);
        check_nothing_left();
    }
}

/* An interrupted undoing belongs to who drops it, also when another wants the table again and is refused. */
static void test_refused_while_undone(void **state)
{
    clear_frames();
    entries_of(frames[0])[5] = entry(frames[1], TREE);
    entries_of(frames[0])[6] = entry(frames[2], TREE);
    assert_int_equal(op_pin(frames[0], FRAME_L2, true), 0);
    preempt_at = 1;
    assert_int_equal(op_unpin(frames[0], false), -ERESTART);
    assert_true(frame_get(frames[2], &dom));
    assert_int_equal(pv_get_type(frames[2], FRAME_WRITABLE), 0);
    held[2] = 1;
    assert_int_equal(pv_pin(&dom, mfn_of(frames[0]), FRAME_L2), -EINVAL);
    check_world();
    assert_int_equal(ft_count(frames[0]->type), 1);
    assert_int_equal(pv_pin(&dom, mfn_of(frames[0]), FRAME_L3), -EINVAL);
    finish_all();
    held[2] = 0;
    pv_put_simple_type(frames[2]);
    frame_put(frames[2]);
    check_nothing_left();
}

/* --- tables that would wait for themselves --- */

static void test_own_frame(void **state)
{
    clear_frames();
    entries_of(frames[0])[5] = entry(frames[0], TREE);
    assert_int_equal(op_pin(frames[0], FRAME_L1, true), -EBUSY); /* maps itself writable */
    for (unsigned int t = FRAME_L2; t <= FRAME_L4; t++)
        assert_int_equal(op_pin(frames[0], (enum frame_type)t, true), -EINVAL);
    check_nothing_left();

    clear_frames(); /* L4 -> L3 -> L2 -> L1, which maps each of the others writable, in turn */
    for (unsigned int top = 0; top < 3; top++) {
        for (unsigned int i = 0; i < 3; i++)
            entries_of(frames[i])[0] = entry(frames[i + 1], TREE);
        entries_of(frames[3])[0] = entry(frames[top], TREE);
        assert_int_equal(op_pin(frames[0], FRAME_L4, true), -EBUSY);
        check_nothing_left();
    }
    entries_of(frames[3])[0] = 0;
    entries_of(frames[1])[0] = entry(frames[0], TREE); /* L4 -> L3 -> the L4 */
    assert_int_equal(op_pin(frames[0], FRAME_L4, true), -EINVAL);
    entries_of(frames[1])[0] = entry(frames[1], TREE); /* an L3 that is its own L2 */
    assert_int_equal(op_pin(frames[0], FRAME_L4, true), -EINVAL);
    check_nothing_left();
}

/*
 * A half-validated L4 alone holds the L3 that is being changed, and is to become a table below it: it cannot
 * be undone while the L3 is locked, so the change is refused, and not begun again for ever.
 */
static void test_partial_above(void **state)
{
    clear_frames();
    entries_of(frames[0])[0] = entry(frames[1], TREE);
    entries_of(frames[0])[1] = entry(frames[2], TREE);
    preempt_at = 2;
    assert_int_equal(pin_root(), -ERESTART);
    assert_int_equal(ft_count(frames[1]->type), 1);
    assert_int_equal(op_update(&dom, frames[1], 0, entry(frames[0], TREE), true), -EINVAL);
    check_world();
    assert_int_equal(op_update(&dom, frames[1], 0, entry(frames[3], TREE), false), 0);
    assert_int_equal(op_pin(frames[0], FRAME_L2, true), 0); /* not in the way of anything else */
    relinquish();
}

/* --- entries --- */

/* Each of these in turn replaces each other, in a table of each level; what is refused changes nothing. */
static pte_t sample(unsigned int level, unsigned int kind)
{
    const pte_t l1[] = {0,
                        0xffe,
                        entry(frames[20], RO),
                        entry(frames[20], TREE),
                        entry(frames[21], TREE),
                        entry(frames[20], TREE | PTE_A | PTE_D),
                        entry(frames[20], TREE | PTE_G | PTE_PCD),
                        entry(frames[2], TREE),
                        entry(frames[2], RO),
                        entry(foreign[0], TREE),
                        entry(shared_page, TREE),
                        entry(shared_page, RO),
                        pte_make(mfn(0x90000), TREE),
                        pte_make(mfn(1ULL << 39), RO)};
    const pte_t upper[] = {0,
                           0xffe,
                           entry(frames[22], TREE),
                           entry(frames[23], TREE),
                           entry(frames[22], RO),
                           entry(frames[22], TREE | PTE_NX),
                           entry(frames[22], TREE | PTE_PS),
                           entry(frames[22], TREE | PTE_G),
                           entry(frames[1], RO),
                           entry(frames[1], TREE),
                           entry(frames[24], RO),
                           entry(frames[24], TREE),
                           entry(foreign[0], TREE),
                           pte_make(mfn(0x90000), TREE)};

    _Static_assert(ARRAY_SIZE(l1) == ARRAY_SIZE(upper), "");
    return kind < ARRAY_SIZE(l1) ? level == 1 ? l1[kind] : upper[kind] : ~0ULL;
}

static void try_pair(struct frame *table, unsigned int level, pte_t a, pte_t b)
{
    unsigned int slot = rnd(256);
    int rc;

    rc = op_update(&dom, table, slot, a, true);
    check_world();
    if (rc)
        assert_int_equal(entries_of(table)[slot], 0);
    else
        assert_true(entries_of(table)[slot] == pv_entry_flags(level, a));
    rc = op_update(&dom, table, slot, b, true);
    check_world();
    if (rc == 0)
        assert_true(entries_of(table)[slot] == pv_entry_flags(level, b));
    assert_int_equal(op_update(&dom, table, slot, 0, true), 0);
    check_world();
}

/* The short way of mmu_update, for level-1 tables of one's own: the same counts and entries, and the same refusals. */
static void test_short_way(void **state)
{
    struct frame *t = frames[1];
    pte_t a, b;

    clear_frames();
    assert_int_equal(op_pin(t, FRAME_L1, true), 0);
    assert_int_equal(op_pin(frames[2], FRAME_L1, true), 0);
    for (unsigned int mapped = 0; mapped < 4; mapped++) {
        /* So often is it mapped writable elsewhere. */
        if (mapped)
            assert_int_equal(op_update(&dom, frames[2], mapped, entry(frames[20], TREE), true), 0);
        for (unsigned int i = 0; (a = sample(1, i)) != ~0ULL; i++) {
            for (unsigned int j = 0; (b = sample(1, j)) != ~0ULL; j++) {
                pte_t before;
                int64_t rc;
                int expected;

                op_update(&dom, t, 3, a, true);
                expected = op_update(&dom, t, 3, b, true);
                op_update(&dom, t, 3, 0, true);
                op_update(&dom, t, 3, a, true);
                before = entries_of(t)[3];
                if (before & PTE_P)
                    before = entries_of(t)[3] |= PTE_A;
                rc = pv_update_l1(&dom, slot_of(t, 3) | MMU_PT_UPDATE_PRESERVE_AD, b);
                check_world();
                assert_true(rc == expected);
                assert_true(entries_of(t)[3] == (rc ? before : pv_entry_flags(1, b) | (before & (PTE_A | PTE_D))));
                op_update(&dom, t, 3, 0, true);
            }
        }
    }
    /* Of no table, and of another's. */
    assert_true(pv_update_l1(&dom, slot_of(frames[20], 3), entry(frames[21], TREE)) == -ERESTART);
    assert_true(pv_update_l1(&dom, slot_of(foreign[0], 3), entry(frames[21], TREE)) == -ERESTART);
    assert_true(pv_update_l1(&dom, ~0ULL << 12 | MMU_PT_UPDATE_PRESERVE_AD, entry(frames[21], TREE)) == -ERESTART);
    assert_int_equal(op_unpin(t, true), 0);
    assert_int_equal(op_unpin(frames[2], true), 0);
    check_nothing_left();
}

static void test_every_change_of_an_entry(void **state)
{
    for (unsigned int level = 1; level <= 4; level++) {
        for (unsigned int privileged = 0; privileged < 2; privileged++) {
            clear_frames();
            dom.privileged = privileged;
            assert_int_equal(op_pin(frames[1], (enum frame_type)(FRAME_L1 + level - 1), true), 0);
            assert_int_equal(op_pin(frames[2], FRAME_L1, true), 0);
            assert_int_equal(op_pin(frames[24], (enum frame_type)(FRAME_L1 + level - 1), true), 0);
            for (unsigned int i = 0; sample(level, i) != ~0ULL; i++)
                for (unsigned int j = 0; sample(level, j) != ~0ULL; j++)
                    try_pair(frames[1], level, sample(level, i), sample(level, j));
            assert_int_equal(op_unpin(frames[1], true), 0);
            assert_int_equal(op_unpin(frames[2], true), 0);
            assert_int_equal(op_unpin(frames[24], true), 0);
            check_nothing_left();
        }
    }
    dom.privileged = false;
}

/* What the flags of an entry become; what is kept; an entry that is not as expected. */
static void test_entry_flags(void **state)
{
    struct frame *t = frames[1];
    pte_t expect;

    assert_int_equal(op_pin(t, FRAME_L1, true), 0);
    assert_int_equal(op_update(&dom, t, 0, entry(frames[9], PTE_P | PTE_PCD), true), -EINVAL);
    assert_int_equal(op_update(&dom, t, 0, entry(frames[9], PTE_P | PTE_PAT), true), -EINVAL);
    assert_int_equal(op_update(&dom, t, 0, entry(frames[9], PTE_P | PTE_G | PTE_NX), true), 0);
    assert_int_equal(op_update(&dom, t, 0, entry(frames[9], PTE_P | PTE_NX | PTE_PWT), true), -EINVAL);
    assert_true(entries_of(t)[0] == entry(frames[9], PTE_P | PTE_US | PTE_NX));
    dom.privileged = true;
    assert_int_equal(op_update(&dom, t, 0, entry(frames[9], PTE_P | PTE_G | PTE_PCD), true), 0);
    assert_true(entries_of(t)[0] == entry(frames[9], PTE_P | PTE_US | PTE_PCD));
    dom.privileged = false;

    entries_of(t)[0] |= PTE_A | PTE_D; /* as the processor does */
    assert_int_equal(pv_mmu_update(&dom, &dom, slot_of(t, 0), entry(frames[9], TREE), true), 0);
    assert_true(entries_of(t)[0] == entry(frames[9], TREE | PTE_A | PTE_D));
    check_world();

    assert_true(pv_lock_table(t, FRAME_L1));
    expect = entry(frames[9], TREE);
    assert_int_equal(pv_exchange_l1e(&dom, &dom, t, 0, entry(frames[10], TREE), &expect), -EAGAIN);
    assert_true(expect == entry(frames[9], TREE | PTE_A | PTE_D));
    assert_int_equal(pv_exchange_l1e(&dom, &dom, t, 0, entry(frames[10], TREE), &expect), 0);
    pv_unlock_table(t);
    check_world();
    assert_false(pv_lock_table(t, FRAME_L2));
    assert_int_equal(op_unpin(t, true), 0);
    assert_false(pv_lock_table(t, FRAME_L1));
    check_nothing_left();
}

/* The hypervisor's slots of a root: nobody else's, there while it is one. */
static void test_reserved_slots(void **state)
{
    clear_frames();
    entries_of(frames[0])[256] = entry(foreign[0], TREE);
    entries_of(frames[0])[272] = entry(frames[1], TREE);
    assert_int_equal(op_pin(frames[0], FRAME_L4, true), 0);
    assert_true(entries_of(frames[0])[256] == 0x100000 + PTE_P);
    assert_int_equal(op_update(&dom, frames[0], 271, 0, true), -EINVAL);
    assert_int_equal(op_update(&dom, frames[0], 272, 0, true), 0);
    assert_int_equal(op_unpin(frames[0], true), 0);
    for (unsigned int slot = 0; slot < 512; slot++)
        assert_true(entries_of(frames[0])[slot] == 0);
    check_nothing_left();
}

/* --- linear tables --- */

static void test_linear(void **state)
{
    struct frame *a = frames[0], *b = frames[1], *c = frames[2];

    for (enum frame_type t = FRAME_L2; t <= FRAME_L4; t++) {
        clear_frames();
        entries_of(a)[7] = entry(a, RO);
        assert_int_equal(op_pin(a, t, true), 0); /* itself, while it is made */
        assert_int_equal(op_pin(b, t, true), 0);
        assert_int_equal(op_pin(c, t, true), 0);
        assert_int_equal(op_update(&dom, a, 8, entry(b, TREE), true), -EINVAL);
        assert_int_equal(op_update(&dom, a, 8, entry(b, RO), true), 0);
        assert_int_equal(op_update(&dom, a, 9, entry(b, RO), true), 0);
        assert_int_equal(op_update(&dom, b, 0, entry(b, RO), true), 0);
        assert_int_equal(op_update(&dom, b, 0, entry(c, RO), true), -EINVAL); /* a chain, from its end */
        assert_int_equal(op_update(&dom, c, 0, entry(a, RO), true), -EINVAL); /* and from its beginning */
        assert_int_equal(op_update(&dom, b, 1, entry(a, RO), true), -EINVAL); /* and a circle */
        check_world();
        assert_int_equal(op_unpin(b, true), 0); /* a's entries keep it */
        assert_int_equal(frame_type_of(b->type), t);
        preempt_rate = 1;
        assert_int_equal(op_update(&dom, a, 8, 0, true), 0);
        assert_int_equal(op_update(&dom, a, 9, entry(c, RO), false),
                         1); /* b's last use: stopped in the middle */
        check_world();
        finish_all();
        preempt_rate = 0;
        assert_int_equal(ft_count(b->type), 0);
        assert_int_equal(a->linear_uses, 1);
        assert_int_equal(op_unpin(a, true), 0);
        check_world();
        assert_int_equal(op_update(&dom, c, 0, entry(c, RO), true), 0);
        relinquish();
    }
}

static void test_linear_refused(void **state)
{
    clear_frames();
    pv_linear_allowed = false;
    assert_int_equal(op_pin(frames[0], FRAME_L4, true), 0);
    assert_int_equal(op_update(&dom, frames[0], 0, entry(frames[0], RO), true), -EINVAL);
    pv_linear_allowed = true;
    relinquish();
}

/* The counters of linear uses do not wrap. */
static void test_linear_counters(void **state)
{
    clear_frames();
    assert_int_equal(op_pin(frames[0], FRAME_L3, true), 0);
    assert_int_equal(op_pin(frames[1], FRAME_L3, true), 0);
    frames[1]->linear_count = 1u << 31;
    assert_int_equal(op_update(&dom, frames[0], 0, entry(frames[1], RO), true), -EINVAL);
    assert_int_equal(frames[1]->linear_count, 1u << 31);
    frames[1]->linear_count = 0;
    relinquish();
}

/* --- roots --- */

static void test_roots(void **state)
{
    for (unsigned int rate = 0; rate < 2; rate++) {
        preempt_rate = rate;
        make_tree();
        assert_int_equal(op_root(frames[0], false, true), 0);
        assert_int_equal(op_root(frames[17], false, true), 0); /* the tree goes */
        check_world();
        assert_int_equal(op_root(frames[0], true, true), 0);
        assert_int_equal(op_root(frames[9], true, true), -EINVAL);
        assert_int_equal(op_root(frames[0], false, true), 0);
        assert_int_equal(op_root(NULL, true, true), 0);
        finish_all();
        check_world();
        assert_int_equal(ft_count(frames[0]->type), 1);
        relinquish();
    }
    preempt_rate = 0;
}

/* --- flushes, and the end of a frame --- */

static void test_flush_at_change_of_type(void **state)
{
    unsigned int before;

    clear_frames();
    dom.dirty_cpus = 5;
    assert_int_equal(pv_get_type(frames[30], FRAME_WRITABLE), 0);
    pv_put_simple_type(frames[30]);
    before = flushes;
    assert_int_equal(pv_get_type(frames[30], FRAME_WRITABLE), 0);
    pv_put_simple_type(frames[30]);
    assert_int_equal(flushes, before); /* the same type */
    assert_int_equal(op_pin(frames[30], FRAME_L1, true), 0);
    assert_int_equal(flushes, before + 1);
    assert_int_equal(last_flush, 5);
    assert_int_equal(op_unpin(frames[30], true), 0);
    assert_int_equal(op_pin(frames[30], FRAME_L1, true), 0);
    assert_int_equal(op_unpin(frames[30], true), 0);
    assert_int_equal(flushes, before + 1);
    assert_int_equal(pv_get_type(frames[30], FRAME_WRITABLE), 0); /* entries that lead through it */
    assert_int_equal(flushes, before + 2);
    pv_put_simple_type(frames[30]);
    check_nothing_left();

    /* Mapped writable by another domain: any CPU may still have it. */
    assert_int_equal(op_pin(frames[1], FRAME_L1, true), 0);
    assert_int_equal(op_update(&other, frames[1], 0, entry(foreign[0], TREE), true), 0);
    assert_int_equal(op_update(&dom, frames[1], 0, 0, true), 0);
    check_world();
    assert_int_equal(pv_get_type(foreign[0], FRAME_L1), 0);
    assert_int_equal(last_flush, cpus_online_mask);
    assert_false(foreign[0]->type & FT_FOREIGN);
    while (pv_put_type(foreign[0]))
        ;
    assert_int_equal(op_unpin(frames[1], true), 0);
    dom.dirty_cpus = 1;
}

/* Given up while it is a pinned table, the frame is the domain's until the pin goes. */
static void test_released_while_typed(void **state)
{
    struct frame *f = domain_alloc_frames(&dom, 0, 0);
    uint64_t pages = dom.tot_pages;

    assert_int_equal(op_pin(f, FRAME_L2, true), 0);
    assert_true(frame_get(f, &dom));
    assert_int_equal(domain_release_frame(&dom, f), 0);
    assert_int_equal(domain_release_frame(&dom, f), -EINVAL);
    assert_int_equal(domain_steal_frame(&dom, f), -EBUSY);
    frame_put(f);
    assert_int_equal(dom.tot_pages, pages);
    assert_int_equal(op_update(&dom, f, 0, entry(frames[0], TREE), true), 0);
    assert_int_equal(op_unpin(f, true), 0);
    assert_int_equal(dom.tot_pages, pages - 1);
    assert_int_equal(f->count, 0);
    check_nothing_left();
    assert_int_equal(domain_steal_frame(&dom, foreign[1]), -EBUSY); /* another's */
}

/* What CPU `cpu` would see in `slot` of a root, were it loaded there. */
static pte_t seen_by(unsigned int cpu, const struct frame *r, bool kernel, unsigned int slot)
{
    uint64_t cr3;

    fake_cpu = cpu;
    cr3 = upcall_whole_root(mfn_to_paddr(mfn_of(r)).v, kernel);
    fake_cpu = 0;
    return ((const pte_t *)paddr_to_ptr(paddr(cr3)))[slot];
}

/* With page-table isolation each CPU has copies of the roots that it loads: they follow each change. */
static void test_copies_of_roots(void **state)
{
    struct frame *r = frames[0], *l3 = frames[1], *other_root = frames[2];
    pte_t first;

    clear_frames();
    spec.on = SPEC_BIT(SPEC_XPTI);
    for (fake_cpu = 0; fake_cpu < 2; fake_cpu++)
        isolate_init_cpu();
    fake_cpu = 0;
    entries_of(r)[5] = first = entry(l3, TREE);
    assert_int_equal(op_pin(r, FRAME_L4, true), 0);
    assert_int_equal(op_pin(other_root, FRAME_L4, true), 0);
    assert_true(seen_by(0, r, true, 5) == entries_of(r)[5]);
    assert_true(seen_by(1, r, false, 5) == entries_of(r)[5]);
    assert_true(seen_by(0, r, true, 300) == 0);
    assert_true(seen_by(0, r, true, HV_FIRST_SLOT) == hv_root[HV_FIRST_SLOT]); /* not the guest's view */
    assert_int_equal(op_update(&dom, r, 300, entry(l3, TREE), true), 0);
    assert_true(seen_by(0, r, true, 300) == entries_of(r)[300]);
    assert_true(seen_by(1, r, false, 300) == entries_of(r)[300]);
    assert_int_equal(op_update(&dom, r, 5, 0, true), 0);
    assert_true(seen_by(0, r, true, 5) == 0);
    assert_true(seen_by(1, r, false, 5) == 0);
    assert_true(seen_by(1, other_root, false, 300) == 0); /* another root in its place */
    assert_int_equal(op_update(&dom, r, 300, 0, true), 0);
    assert_true(seen_by(1, other_root, false, 300) == 0);
    /* It was a root, then memory, and is one again, of another content. */
    assert_int_equal(op_unpin(r, true), 0);
    entries_of(r)[5] = first;
    assert_int_equal(op_pin(r, FRAME_L4, true), 0);
    assert_true(seen_by(0, r, true, 5) == entries_of(r)[5]);
    assert_int_equal(op_unpin(r, true), 0);
    assert_int_equal(op_unpin(other_root, true), 0);
    spec.on = 0;
    check_nothing_left();
}

/* On a processor with L1TF an absent entry may not name memory, in whatever way it comes to be. */
static void test_absent_entries(void **state)
{
    struct frame *l1 = frames[5], *l2 = frames[3];
    pte_t names = entry(frames[9], 0), safe = names ^ PTE_ADDR, *e = entries_of(l1), expect;

    clear_frames();
    spec.l1tf_safe = BIT(45);
    spec.on = SPEC_BIT(SPEC_L1TF_DOMU) | SPEC_BIT(SPEC_L1TF);
    e[7] = names;
    assert_int_equal(op_pin(l1, FRAME_L1, true), -EINVAL);
    assert_int_equal(crashes, 1);
    e[7] = safe;
    entries_of(l2)[0] = entry(l1, TREE);
    assert_int_equal(op_pin(l2, FRAME_L2, true), 0);
    assert_int_equal(op_update(&dom, l1, 8, safe, true), 0);
    assert_int_equal(op_update(&dom, l1, 8, 0x0ff0, true), 0); /* no address */
    assert_int_equal(op_update(&dom, l2, 9, safe, true), 0);
    assert_int_equal(crashes, 1);
    assert_int_equal(op_update(&dom, l1, 8, names, true), -EINVAL);
    assert_int_equal(crashes, 2);
    assert_int_equal(op_update(&dom, l2, 9, names, true), -EINVAL);
    assert_int_equal(crashes, 3);
    /* The quick ways leave it to the others. */
    assert_int_equal(pv_update_own_entry(&dom, l1, &e[8], names, false), -ERESTART);
    assert_int_equal(crashes, 3);
    assert_true(pv_lock_table(l1, FRAME_L1));
    expect = e[8];
    assert_int_equal(pv_exchange_l1e(&dom, &dom, l1, 8, names, &expect), -EINVAL);
    pv_unlock_table(l1);
    assert_int_equal(crashes, 4);
    assert_true(e[8] == 0x0ff0);
    spec.on = SPEC_BIT(SPEC_L1TF_DOM0) | SPEC_BIT(SPEC_L1TF); /* for another kind of domain */
    assert_int_equal(op_update(&dom, l1, 8, names, true), 0);
    spec.on = 0;
    assert_int_equal(op_update(&dom, l2, 9, names, true), 0);
    assert_int_equal(op_unpin(l2, true), 0);
    check_nothing_left();
}

static int set_up(void **state)
{
    world_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pin_and_unpin),
        cmocka_unit_test(test_interrupted_pin),
        cmocka_unit_test(test_interrupted_unpin),
        cmocka_unit_test(test_always_interrupted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_while_undone),
        cmocka_unit_test(test_own_frame),
        cmocka_unit_test(test_partial_above),
        cmocka_unit_test(test_every_change_of_an_entry),
        cmocka_unit_test(test_short_way),
        cmocka_unit_test(test_entry_flags),
        cmocka_unit_test(test_reserved_slots),
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_linear_refused),
        cmocka_unit_test(test_linear_counters),
        cmocka_unit_test(test_roots),
        cmocka_unit_test(test_flush_at_change_of_type),
        cmocka_unit_test(test_released_while_typed),
        cmocka_unit_test(test_copies_of_roots),
        cmocka_unit_test(test_absent_entries),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
