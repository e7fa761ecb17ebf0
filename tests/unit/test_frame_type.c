/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every interleaving of a few CPUs that use one frame, as far as it can be told
 * apart: a search over all states of the type word, of the CPUs between two
 * steps of pv/pagetype.c's loops, and of two things that no word shows, the
 * references that tables hold and what is left in TLBs. In each state the
 * promises of mem/frame_type.h are checked, and that the frame can be freed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake.h"
#include "lib/string.h"
#include "mem/frame_type.h"

#define CPUS_MAX 3

enum step {
    IDLE,
    GETTING, /* the word was read, the exchange comes next */
    PUTTING,
    LOCKING,
    /* The lock bit is ours: */
    FLUSHING, /* a simple type: flush, then store */
    FLUSHING_VALIDATE,
    VALIDATING,
    FAILING,     /* an entry was refused: the others are undone */
    UNDOING_GET, /* an interrupted table on its way to another type */
    UNDOING_PUT,
    UNDOING_SWEEP, /* by nobody's wish: its domain dies */
    STAMPED,       /* all is undone, the stamp is taken but not yet in the frame */
    CHANGING,      /* mod_entry */
};

struct cpu {
    uint64_t w; /* as read */
    uint8_t step, undo, want, refs, type, own_ref, stamp;
};

/* No padding: compared and hashed as bytes. */
struct state {
    uint64_t word;
    struct cpu cpu[CPUS_MAX];
    uint8_t held;  /* entries that hold references: those below partial_next */
    uint8_t self;  /* total references of the frame on itself */
    uint8_t stamp; /* bit c: CPU c has not flushed since the stamp */
    uint8_t stale; /* bit c: CPU c's TLB may have it writable */
    uint8_t pad[4];
};

_Static_assert(sizeof(struct cpu) == 16 && sizeof(struct state) == 16 + 16 * CPUS_MAX, "no padding");

static unsigned int cpus, refs_max, entries, nr_types; /* entries of a table: the real one has 512 */

/* --- the set of states seen --- */

static struct state *seen;
static uint8_t *used;
static size_t slots, count, *queue;

static uint64_t hash(const struct state *s)
{
    const uint64_t *p = (const uint64_t *)s;
    uint64_t h = 0;

    for (size_t i = 0; i < sizeof(*s) / 8; i++)
        h = (h ^ p[i]) * 0x9e3779b97f4a7c15u, h ^= h >> 29;
    return h;
}

static void add(const struct state *s)
{
    size_t i = hash(s) & (slots - 1);

    for (; used[i]; i = (i + 1) & (slots - 1))
        if (memcmp(&seen[i], s, sizeof(*s)) == 0)
            return;
    assert_true(count < slots / 4 * 3);
    used[i] = 1;
    seen[i] = *s;
    queue[count++] = i;
}

/* --- promises --- */

#define ALL ((uint8_t)(BIT(cpus) - 1))

static bool locked_step(unsigned int step)
{
    return step >= FLUSHING;
}

/* The table at the top of frame_type.h: count (2: more), and flags of tables. */
static const struct combo {
    uint8_t count, validated, partial, locked;
} combos[] = {
    {0, 0, 0, 0}, {0, 0, 0, 1}, {0, 0, 1, 0}, {0, 0, 1, 1}, {1, 1, 0, 0}, {2, 1, 0, 0},
    {1, 1, 0, 1}, {2, 1, 0, 1}, {1, 0, 0, 1}, {1, 0, 1, 0}, {1, 0, 1, 1},
};
static bool reached[ARRAY_SIZE(combos)];

static bool known_combo(uint64_t w)
{
    struct combo c = {.count = (uint8_t)MIN(ft_count(w), 2u)};

    c.validated = !!(w & FT_VALIDATED);
    c.partial = !!(w & FT_PARTIAL);
    c.locked = !!(w & FT_LOCKED);
    for (size_t i = 0; i < ARRAY_SIZE(combos); i++)
        if (memcmp(&c, &combos[i], sizeof(c)) == 0)
            return reached[i] = true;
    return false;
}

static void check(const struct state *s)
{
    unsigned int refs = 0, lockers = 0;
    bool table = ft_is_table(frame_type_of(s->word));

    for (unsigned int i = 0; i < cpus; i++) {
        refs += s->cpu[i].refs;
        lockers += locked_step(s->cpu[i].step);
        if (s->cpu[i].refs > 0)
            assert_int_equal(s->cpu[i].type, frame_type_of(s->word));
        if (s->cpu[i].step == CHANGING)
            assert_true(frame_type_of(s->word) == s->cpu[i].want && (s->word & FT_VALIDATED));
        /* Whoever relies on the contents has the TLBs behind him. */
        if (s->cpu[i].step >= VALIDATING && s->cpu[i].step != STAMPED && table)
            assert_int_equal(s->stale, 0);
    }
    assert_int_equal(refs, ft_count(s->word));
    assert_int_equal(lockers, (s->word & FT_LOCKED) != 0);
    assert_true(known_combo(s->word));
    if (!table)
        assert_int_equal(s->held, 0);
    if (table && (s->word & FT_VALIDATED)) {
        assert_int_equal(s->held, entries);
        assert_int_equal(s->stale, 0);
    }
    if (ft_count(s->word) == 0 && !(s->word & (FT_LOCKED | FT_PARTIAL)))
        assert_int_equal(s->held, 0);
    if (!(s->word & FT_LOCKED))
        assert_int_equal(s->self, (s->word & FT_PARTIAL) && ft_count(s->word) == 0);
    assert_true(s->self <= 1);
}

/* --- the steps of pv/pagetype.c --- */

static void next_state(struct state *s)
{
    for (unsigned int i = 0; i < cpus; i++) {
        const struct cpu *c = &s->cpu[i];
        bool dropping =
            c->step == PUTTING || c->step == UNDOING_PUT || (c->step == STAMPED && c->undo == UNDOING_PUT);

        /* It may be used at any time; but the entry is gone before its reference is dropped. */
        if (c->refs > dropping && c->type == FRAME_WRITABLE)
            s->stale |= (uint8_t)BIT(i);
    }
}

static void idle(struct cpu *c)
{
    *c = (struct cpu){.refs = c->refs, .type = c->refs ? c->type : 0};
}

static void take_ref(struct cpu *c, uint64_t w)
{
    assert_int_equal(frame_type_of(w), c->want);
    c->refs++;
    c->type = c->want;
    idle(c);
}

static void flush_stale(struct state *s)
{
    s->stale &= (uint8_t)~s->stamp;
    s->stamp = 0;
}

static void leave_partial(struct state *s, struct cpu *c)
{
    if (ft_count(s->word) == 0 && !c->own_ref)
        s->self++;
    s->word = ft_interrupted(s->word);
    idle(c);
}

static void begin_undo(struct state *s, struct cpu *c, enum step step)
{
    c->step = (uint8_t)step;
    c->own_ref = (c->w & FT_PARTIAL) && ft_count(c->w) == 0;
    c->w = 0;
    if (step != UNDOING_GET)
        c->want = 0;
    (void)s;
}

static void exchange_get(struct state *s, struct cpu *c)
{
    uint64_t next;
    bool flush;

    switch (ft_get(c->w, c->want, &next, &flush)) {
    case FT_DONE:
        s->word = flush ? ft_word(c->want) | FT_LOCKED : next;
        if (flush)
            c->step = FLUSHING, c->w = 0;
        else
            take_ref(c, next);
        return;
    case FT_UNDO:
        s->word = next;
        begin_undo(s, c, UNDOING_GET);
        return;
    case FT_VALIDATE:
        s->word = next;
        c->own_ref = (c->w & FT_PARTIAL) && ft_count(c->w) == 0;
        if (!(c->w & FT_PARTIAL))
            assert_int_equal(s->held, 0);
        c->step = flush ? FLUSHING_VALIDATE : VALIDATING;
        c->w = 0;
        return;
    default:
        fail();
    }
}

/* What CPU i may do when it exchanges the word, which is still as it was read. */
static void exchange(struct state *s, struct cpu *c)
{
    uint64_t next;

    if (c->step == GETTING) {
        exchange_get(s, c);
    } else if (c->step == LOCKING) {
        assert_int_equal(ft_lock(c->w, c->want, &next), FT_DONE);
        s->word = next;
        c->w = 0;
        c->step = CHANGING;
    } else if (ft_put(c->w, &next) == FT_DONE) {
        s->word = next;
        c->refs--;
        idle(c);
    } else {
        s->word = next;
        begin_undo(s, c, UNDOING_PUT);
    }
}

static void finish_undo(struct state *s, struct cpu *c)
{
    c->undo = c->step;
    c->step = STAMPED;
    c->stamp = ALL;
}

/* The stamp goes into the frame, and then the word: nobody looks at the stamp while the word is locked. */
static void store_undone(struct state *s, struct cpu *c)
{
    s->stamp = c->stamp;
    s->word = ft_undone(s->word);
    s->self = (uint8_t)(s->self - c->own_ref);
    if (c->undo == UNDOING_PUT)
        c->refs--;
    idle(c);
}

enum choice { GO_ON, INTERRUPT, FAIL, CHOICES };

/* CPU i, in the middle of something, takes a step. False: it cannot, or has not this choice. */
static bool step(struct state *s, unsigned int i, enum choice choice)
{
    struct cpu *c = &s->cpu[i];
    bool undoing =
        c->step == UNDOING_GET || c->step == UNDOING_PUT || c->step == UNDOING_SWEEP || c->step == FAILING;

    if (choice == INTERRUPT && c->step != VALIDATING && !(undoing && ft_is_table(frame_type_of(s->word))))
        return false;
    if (choice == FAIL && c->step != VALIDATING)
        return false;
    switch (c->step) {
    case IDLE:
        return false;
    case GETTING:
    case PUTTING:
    case LOCKING:
        if (s->word == c->w)
            exchange(s, c);
        else
            idle(c); /* reads again: to begin anew is the same */
        return true;
    case FLUSHING:
        flush_stale(s);
        s->word = ft_word(c->want) | FT_VALIDATED | 1;
        take_ref(c, s->word);
        return true;
    case FLUSHING_VALIDATE:
        flush_stale(s);
        c->step = VALIDATING;
        return true;
    case VALIDATING:
        if (choice == INTERRUPT || (choice == FAIL && ft_count(s->word) > 0)) {
            leave_partial(s, c);
        } else if (choice == FAIL) {
            c->step = FAILING;
        } else if (s->held < entries) {
            s->held++;
        } else {
            s->word = ft_validated(s->word);
            s->self = (uint8_t)(s->self - c->own_ref);
            take_ref(c, s->word);
        }
        return true;
    case STAMPED:
        store_undone(s, c);
        return true;
    case CHANGING:
        s->word &= ~FT_LOCKED;
        idle(c);
        return true;
    default:
        if (choice == INTERRUPT)
            leave_partial(s, c);
        else if (ft_is_table(frame_type_of(s->word)) && s->held > 0)
            s->held--;
        else if (c->step == FAILING) { /* was never valid: no new stamp */
            s->word = ft_undone(s->word);
            s->self = (uint8_t)(s->self - c->own_ref);
            idle(c);
        } else
            finish_undo(s, c);
        return true;
    }
}

/* --- beginnings: the word is read, and what ft_*() says decides --- */

static bool begin_get(struct state *s, unsigned int i, enum frame_type t)
{
    struct cpu *c = &s->cpu[i];
    uint64_t next;
    bool flush;
    enum ft_verdict verdict = ft_get(s->word, t, &next, &flush);
    uint64_t quick;

    /* The shortcut for WRITABLE is taken in no other state, and goes to no other. */
    if (t == FRAME_WRITABLE && ft_get_writable(s->word, &quick))
        assert_true(verdict == FT_DONE && !flush && quick == next);
    if (c->step != IDLE || c->refs >= refs_max || verdict == FT_WAIT || verdict == FT_REFUSE)
        return false;
    c->step = GETTING;
    c->w = s->word;
    c->want = (uint8_t)t;
    return true;
}

static bool begin_put(struct state *s, unsigned int i)
{
    struct cpu *c = &s->cpu[i];
    uint64_t next;

    if (c->step != IDLE || c->refs == 0)
        return false;
    assert_int_not_equal(ft_put(s->word, &next), FT_REFUSE);
    if (ft_put(s->word, &next) == FT_WAIT)
        return false;
    c->step = PUTTING;
    c->w = s->word;
    return true;
}

static bool begin_lock(struct state *s, unsigned int i, enum frame_type t)
{
    struct cpu *c = &s->cpu[i];
    uint64_t next;

    assert_int_equal(ft_may_lock(s->word, t), ft_lock(s->word, t, &next) == FT_DONE);
    if (c->step != IDLE || ft_lock(s->word, t, &next) != FT_DONE)
        return false;
    c->step = LOCKING;
    c->w = s->word;
    c->want = (uint8_t)t;
    return true;
}

/* pv_undo_partial() */
static bool begin_sweep(struct state *s, unsigned int i)
{
    struct cpu *c = &s->cpu[i];

    if (c->step != IDLE || !(s->word & FT_PARTIAL) || ft_count(s->word) > 0 || (s->word & FT_LOCKED))
        return false;
    c->w = s->word;
    s->word |= FT_LOCKED;
    begin_undo(s, c, UNDOING_SWEEP);
    return true;
}

static bool flush_cpu(struct state *s, unsigned int i)
{
    uint8_t keep = (uint8_t)~BIT(i);

    s->stale &= keep;
    s->stamp &= keep;
    for (unsigned int j = 0; j < cpus; j++)
        s->cpu[j].stamp &= keep;
    return true;
}

/* --- the search --- */

static void add_if(bool done, struct state *s)
{
    if (done) {
        next_state(s);
        check(s);
        add(s);
    }
}

static void expand(const struct state *from)
{
    static const enum frame_type types[] = {FRAME_WRITABLE, FRAME_L1, FRAME_L2};
    struct state s;

    for (unsigned int i = 0; i < cpus; i++) {
        for (enum choice choice = GO_ON; choice < CHOICES; choice++) {
            s = *from;
            add_if(step(&s, i, choice), &s);
        }
        for (size_t t = 0; t < nr_types; t++) {
            s = *from;
            add_if(begin_get(&s, i, types[t]), &s);
            s = *from;
            add_if(begin_lock(&s, i, types[t]), &s);
        }
        s = *from;
        add_if(begin_put(&s, i), &s);
        s = *from;
        add_if(begin_sweep(&s, i), &s);
        s = *from;
        add_if(flush_cpu(&s, i), &s);
    }
}

/* Everybody finishes what he is at and drops what he has: the frame becomes free. */
static void check_can_be_freed(struct state s)
{
    unsigned int steps;

    for (steps = 0; steps < 200; steps++) {
        unsigned int busy = 0;

        for (unsigned int i = 0; i < cpus; i++) {
            struct cpu *c = &s.cpu[i];

            busy += c->step != IDLE || c->refs > 0;
            if (!step(&s, i, GO_ON))
                (void)begin_put(&s, i);
            check(&s);
        }
        if (!busy && !(s.word & FT_PARTIAL))
            break;
        if (!busy)
            assert_true(begin_sweep(&s, 0));
    }
    assert_true(steps < 200);
    assert_int_equal(s.word & ~FT_TYPE_MASK, 0);
    assert_int_equal(s.held + s.self, 0);
}

static void explore(unsigned int n, unsigned int each, unsigned int types, unsigned int table_size)
{
    struct state start = {.word = 0};

    cpus = n;
    refs_max = each;
    nr_types = types;
    entries = table_size;
    slots = 1u << 21;
    seen = calloc(slots, sizeof(*seen));
    used = calloc(slots, 1);
    queue = calloc(slots, sizeof(*queue));
    count = 0;
    memset(reached, 0, sizeof(reached));
    add(&start);
    for (size_t i = 0; i < count; i++) {
        struct state s = seen[queue[i]];

        check_can_be_freed(s);
        expand(&s);
    }
    print_message("%u CPUs, %u references each: %zu states\n", n, each, count);
    for (size_t i = 0; i < ARRAY_SIZE(reached); i++)
        assert_true(reached[i] || combos[i].count > n * each);
    free(seen);
    free(used);
    free(queue);
}

static void test_two_cpus(void **state)
{
    explore(2, 2, 3, 2);
}

static void test_three_cpus(void **state)
{
    explore(3, 1, 2, 1);
}

/* The edges of the counts. */
static void test_full_count(void **state)
{
    uint64_t full = ft_word(FRAME_L1) | FT_VALIDATED | FT_COUNT_MASK, next;
    bool flush;

    assert_int_equal(ft_get(full, FRAME_L1, &next, &flush), FT_REFUSE);
    assert_int_equal(ft_get(full - 1, FRAME_L1, &next, &flush), FT_DONE);
    assert_true(next == full);
    assert_int_equal(ft_put(ft_word(FRAME_L1), &next), FT_REFUSE);
    assert_int_equal(ft_put(ft_word(FRAME_WRITABLE) | FT_PARTIAL, &next), FT_REFUSE);
}

/* A pin goes with the last count, the memory of foreign mappings with the type. */
static void test_flags(void **state)
{
    uint64_t w = ft_word(FRAME_WRITABLE) | FT_VALIDATED | FT_FOREIGN | 1, next;
    bool flush;

    assert_int_equal(ft_put(w, &next), FT_UNDO);
    next = ft_undone(next);
    assert_true(next == (ft_word(FRAME_WRITABLE) | FT_FOREIGN));
    assert_int_equal(ft_get(next, FRAME_WRITABLE, &w, &flush), FT_DONE);
    assert_false(flush);
    assert_true(w == (ft_word(FRAME_WRITABLE) | FT_VALIDATED | FT_FOREIGN | 1));
    assert_int_equal(ft_get(next, FRAME_L1, &w, &flush), FT_VALIDATE);
    assert_true(flush);
    assert_true(w == (ft_word(FRAME_L1) | FT_LOCKED));
    assert_int_equal(ft_get(0, FRAME_WRITABLE, &w, &flush), FT_DONE);
    assert_false(flush); /* a new frame: the allocator has flushed */
    assert_true(ft_undone(ft_word(FRAME_L4) | FT_PINNED | FT_LOCKED | 1) == ft_word(FRAME_L4));
}

/* What is locked as one type is refused as another: nobody waits for himself. */
static void test_no_waiting_in_a_circle(void **state)
{
    uint64_t next;
    bool flush;

    for (enum frame_type is = FRAME_L1; is <= FRAME_WRITABLE; is++)
        for (enum frame_type want = FRAME_L1; want <= FRAME_WRITABLE; want++) {
            assert_int_equal(ft_get(ft_word(is) | FT_LOCKED, want, &next, &flush),
                             is == want ? FT_WAIT : FT_REFUSE);
            assert_int_equal(ft_get(ft_word(is) | FT_LOCKED | FT_PARTIAL, want, &next, &flush),
                             is == want ? FT_WAIT : FT_REFUSE);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_count),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_no_waiting_in_a_circle),
        cmocka_unit_test(test_two_cpus),
        cmocka_unit_test(test_three_cpus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
