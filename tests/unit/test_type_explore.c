/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page types, every way they can be used at small sizes: the code of
 * pv/pagetype.c, entries.c and mmu.c on a handful of frames, searched whole
 * (explore/engine.h). One CPU alone does all sequences; several do all
 * interleavings. What is asked, some of it by way of attack: pin and unpin at
 * any level, entries that map data, tables and others' frames, read-only and
 * writable, superpages, tables of the same level; roots; frames given up and
 * had anew; and the processor writes to whatever a TLB says may be written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "abi/errno.h"
#include "core/crosscall.h"
#include "explore/world.h"

/* (Without the user bit a validation would complete it, and states would differ in that.) */
#define RO (PTE_P | PTE_US)
#define RW (PTE_P | PTE_US | PTE_RW)

enum kind { DO_PIN, DO_UNPIN, DO_ENTRY, DO_ROOT, DO_USER_ROOT, DO_STORE, DO_GIVE_UP, DO_HAVE };

struct act {
    enum kind kind;
    unsigned int frame;
    unsigned int slot; /* or the level to pin at */
    unsigned int to;   /* what the entry names; 0: nothing */
    uint64_t flags;
};

#define PIN(frame, level) \
    { \
        DO_PIN, frame, level, 0, 0 \
    }
#define UNPIN(frame) \
    { \
        DO_UNPIN, frame, 0, 0, 0 \
    }
#define ENTRY(frame, slot, to, flags) \
    { \
        DO_ENTRY, frame, slot, to, flags \
    }
#define CLEAR(frame, slot) \
    { \
        DO_ENTRY, frame, slot, 0, 0 \
    }
#define STORE(frame, slot, to, flags) \
    { \
        DO_STORE, frame, slot, to, flags \
    }
#define ROOT(frame) \
    { \
        DO_ROOT, frame, 0, 0, 0 \
    }
#define USER_ROOT(frame) \
    { \
        DO_USER_ROOT, frame, 0, 0, 0 \
    }
#define GIVE_UP(frame) \
    { \
        DO_GIVE_UP, frame, 0, 0, 0 \
    }
#define HAVE(frame, who) \
    { \
        DO_HAVE, frame, who, 0, 0 \
    }

static const struct act *act;
static uint64_t before[EXPLORE_CPUS]; /* what was visible when the operation began, of CPUs that work alone */
static bool alone;

static pte_t entry_of(const struct act *a)
{
    return a->to ? pte_make(mfn(a->to), a->flags) : 0;
}

static bool may(unsigned int cpu, unsigned int op)
{
    const struct act *a = &act[op];
    const struct frame *f = world_frame(a->frame);

    switch (a->kind) {
    case DO_STORE:
        return world_tlb_writes(cpu, a->frame) && *world_entry(a->frame, a->slot) != entry_of(a);
    case DO_GIVE_UP:
        return f->owner && (f->count & FC_ALLOCATED);
    case DO_HAVE:
        return !f->owner;
    default:
        return true;
    }
}

/* As the allocator and domain/ do it: the TLBs that may know it are flushed first. */
static int have(struct domain *d, struct frame *f)
{
    if (f->owner)
        return 0;
    tlb_flush(tlb_filter(~0ULL, f->flush_stamp));
    for (unsigned int i = 0; i < EXPLORE_CPUS; i++)
        explore_expect(!world_tlb_writes(i, (unsigned int)frame_to_mfn(f).v));
    f->flush_stamp = 0;
    f->owner = d;
    f->count = FC_ALLOCATED | 1;
    *world_entry((unsigned int)frame_to_mfn(f).v, 0) = *world_entry((unsigned int)frame_to_mfn(f).v, 1) = 0;
    return 0;
}

static int give_up(struct domain *d, struct frame *f)
{
    if (!d || !(atomic_and(&f->count, ~FC_ALLOCATED) & FC_ALLOCATED))
        return -EINVAL;
    frame_put(f);
    return 0;
}

static int perform(struct vcpu *v, const struct act *a)
{
    struct domain *d = v->domain;
    struct frame *f = world_frame(a->frame);
    uint64_t at = (uint64_t)a->frame * PAGE_SIZE + world_slot[a->slot & 1] * sizeof(pte_t);

    if (a->kind == DO_STORE) {
        *world_entry(a->frame, a->slot) = entry_of(a);
        return 0;
    }
    if (a->kind == DO_GIVE_UP)
        return give_up(f->owner, f);
    if (a->kind == DO_HAVE)
        return have(&world_domain[a->slot], f);
    switch (a->kind) {
    case DO_PIN:
        return pv_pin(d, mfn(a->frame), (enum frame_type)(FRAME_L1 + a->slot - 1));
    case DO_UNPIN:
        return pv_unpin(d, mfn(a->frame));
    case DO_ROOT:
        return pv_set_root(v, mfn(a->frame));
    case DO_USER_ROOT:
        return pv_set_user_root(v, mfn(a->frame));
    default:
        return pv_mmu_update(d, d, at, entry_of(a), false);
    }
}

static void run(unsigned int cpu, unsigned int op)
{
    struct vcpu *v = &world_vcpu[cpu];
    int rc;

    if (act[op].kind < DO_STORE && pv_finish(v))
        return; /* what an earlier operation has left to do comes first */
    before[cpu] = alone ? world_visible() : 0;
    rc = perform(v, &act[op]);
    /* A refusal has changed nothing; nor has an interruption, unless it left something to be finished. */
    if (alone && rc < 0 && rc != -ERESTART)
        explore_expect(world_visible() == before[cpu]);
    before[cpu] = 0;
}

static const char *name(unsigned int cpu, unsigned int op)
{
    static const char *const kinds[] = {"pin",       "unpin", "entry",   "root",
                                        "user root", "store", "give up", "have"};
    static char text[64];
    const struct act *a = &act[op];

    snprintf(text, sizeof(text), "%s %u %s %u -> %u%s%s", kinds[a->kind], a->frame,
             a->kind == DO_PIN ? "level" : "slot", a->slot, a->to, a->flags & PTE_RW ? " writable" : "",
             a->flags & PTE_PS ? " superpage" : "");
    return text;
}

/* At rest: counts are exact, and all can be given back. */
static void quiet(void)
{
    world_recount(NULL, NULL);
    world_relinquish(DOMAIN_A);
    world_relinquish(DOMAIN_B);
    for (unsigned int n = 1; n < WORLD_FRAMES; n++) {
        const struct frame *f = world_frame(n);

        explore_expect((f->type & ~(FT_TYPE_MASK | FT_FOREIGN)) == 0);
        explore_expect(f->owner ? f->count == (FC_ALLOCATED | 1) || !(f->count & FC_ALLOCATED)
                                : f->count == 0);
    }
}

/* Frames: 1 a level-2 table 2 a level-1 table, 3 data; 4 belongs to another. */
static struct domain *const owners[] = {NULL, DOMAIN_A, DOMAIN_A, DOMAIN_A, DOMAIN_B};
static struct domain *const only_a[] = {DOMAIN_A, DOMAIN_A, DOMAIN_A};

struct search {
    const char *what;
    unsigned int cpus, frames;
    bool alone; /* one operation after the other */
    struct domain *const *runs;
    const struct act *first, *acts; /* done beforehand; tried */
    unsigned int nr_first, nr_acts;
};

static void search(const struct search *s)
{
    struct explore_world w = {.cpus = s->cpus,
                              .ops = s->nr_acts,
                              .alone = s->alone,
                              .writes_only = true,
                              .matters = world_type_matters,
                              .may = may,
                              .run = run,
                              .name = name,
                              .settle = world_settle,
                              .check = world_check,
                              .quiet = quiet};

    alone = s->alone;
    world_start(s->cpus, s->runs, s->frames + 1, owners);
    act = s->first;
    for (unsigned int i = 0; i < s->nr_first; i++)
        run(0, i);
    act = s->acts;
    explore_region(before, sizeof(before));
    print_message("%s, %u CPUs, %u frames, %u operations: ", s->what, s->cpus, s->frames, s->nr_acts);
    (void)explore(&w, 4000000);
}

#define BEGINS(...) \
    .first = (const struct act[]){__VA_ARGS__}, .nr_first = ARRAY_SIZE(((const struct act[]){__VA_ARGS__}))
#define TRIES(...) \
    .acts = (const struct act[]){__VA_ARGS__}, .nr_acts = ARRAY_SIZE(((const struct act[]){__VA_ARGS__}))

static void test_sequences(void **state)
{
    search(&(struct search){
        "all sequences", 1, 4, true, only_a,
        TRIES(PIN(1, 2), PIN(1, 1), PIN(2, 1), PIN(3, 1), UNPIN(1), UNPIN(2), UNPIN(3), ENTRY(1, 0, 2, RO),
              CLEAR(1, 0), ENTRY(1, 0, 2, RW | PTE_PS), ENTRY(1, 0, 2, RO | PTE_PS), ENTRY(1, 0, 2, RW),
              ENTRY(1, 1, 2, RO), ENTRY(1, 1, 1, RO), ENTRY(1, 1, 1, RW), ENTRY(1, 1, 3, RO), CLEAR(1, 1),
              ENTRY(2, 0, 3, RO), ENTRY(2, 0, 3, RW), ENTRY(2, 0, 2, RO), ENTRY(2, 0, 2, RW), CLEAR(2, 0),
              ENTRY(2, 1, 1, RO), ENTRY(2, 1, 1, RW), ENTRY(2, 1, 4, RW), CLEAR(2, 1), STORE(3, 0, 2, RO),
              STORE(3, 0, 1, RW), STORE(2, 0, 4, RO), STORE(1, 0, 2, RW))});
}

/* Roots, which may be each other's tables; and frames that go from one domain to the other. */
static void test_roots_and_owners(void **state)
{
    search(&(struct search){"roots, frames given up and had anew", 1, 3, true, only_a,
                            TRIES(ROOT(1), ROOT(2), USER_ROOT(1), USER_ROOT(0), PIN(1, 4), PIN(2, 4),
                                  UNPIN(1), UNPIN(2), ENTRY(1, 0, 1, RO), ENTRY(1, 0, 2, RO), CLEAR(1, 0),
                                  ENTRY(2, 1, 1, RO), ENTRY(2, 1, 1, RW), CLEAR(2, 1), PIN(3, 1), UNPIN(3),
                                  ENTRY(3, 0, 1, RW), CLEAR(3, 0), GIVE_UP(1), GIVE_UP(3), HAVE(1, 0),
                                  HAVE(1, 1), HAVE(3, 0), HAVE(3, 1))});
}

/* CPUs and one frame that is to be a table, or to be mapped writable by a table that stays one. */
static void test_one_table(void **state)
{
    search(&(struct search){
        "one table", 2, 2, false, only_a, BEGINS(PIN(1, 1)),
        TRIES(PIN(2, 1), UNPIN(2), ENTRY(1, 0, 2, RW), CLEAR(1, 0), ENTRY(2, 0, 2, RO), CLEAR(2, 0))});
    search(&(struct search){"one table", 3, 2, false, only_a, BEGINS(PIN(1, 1)),
                            TRIES(PIN(2, 1), UNPIN(2), ENTRY(1, 0, 2, RW), CLEAR(1, 0))});
}

/* Two CPUs and a table of tables: interrupted, taken up and undone by either. */
static void test_two_levels(void **state)
{
    search(&(struct search){"two levels", 2, 2, false, only_a, BEGINS(ENTRY(1, 0, 2, RO), ENTRY(1, 1, 2, RO)),
                            TRIES(PIN(1, 2), UNPIN(1), PIN(1, 1), CLEAR(1, 1))});
    search(&(struct search){"two levels, mapped writable", 2, 3, false, only_a,
                            BEGINS(ENTRY(1, 0, 2, RO), PIN(3, 1)),
                            TRIES(PIN(1, 2), UNPIN(1), ENTRY(3, 0, 2, RW), CLEAR(3, 0))});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_roots_and_owners),
        cmocka_unit_test(test_one_table),
        cmocka_unit_test(test_two_levels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
