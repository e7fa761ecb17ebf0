/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grants, every way they can be used at small sizes: the code of grant/ and of
 * pv/ under it, searched whole (explore/engine.h). On one CPU a domain grants
 * a frame, ends that, uses the frame as a page table, gives it up, dies, or
 * writes its table as it must not; on the other a domain maps it, unmaps it,
 * overwrites the entry, maps it without a grant, and dies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "abi/errno.h"
#include "core/crosscall.h"
#include "explore/world.h"
#include "grant/table.h"
#include "lib/string.h"
#include "mem/heap.h"
#include "mem/page_alloc.h"
#include "x86/uaccess.h"

/* Frames, and the reference. */
enum { GRANTED = 1, TABLE = 2, REF = 8 };

enum op {
    GRANT_RO,
    GRANT_RW,
    END,
    SCRIBBLE,
    PIN,
    UNPIN,
    GIVE_UP,
    VERSION,
    A_DIES, /* by A, on CPU 0 */
    MAP_RO_0,
    MAP_RW_0,
    MAP_RW_1,
    MAP_BETWEEN,
    UNMAP_0,
    UNMAP_1,
    CLEAR_0,
    STEAL,
    B_DIES, /* by B, on CPU 1 */
    OPS
};

static const char *const names[OPS] = {
    "grants it read-only",
    "grants it",
    "ends the grant",
    "scribbles over the grant",
    "pins it as a page table",
    "unpins it",
    "gives it up",
    "asks for version 2",
    "dies",
    "maps it read-only at 0",
    "maps it at 0",
    "maps it at 1",
    "maps it between entries",
    "unmaps 0",
    "unmaps 1",
    "clears entry 0",
    "maps it without a grant",
    "dies",
};

static struct {
    uint32_t handle[WORLD_SLOTS];
    bool scribbled, dead[2];
} scene;

/* --- what grant/ needs beside explore/world.c --- */

static uint8_t arena[1 << 20] ALIGNED(64);
static size_t arena_used;

void *heap_alloc(size_t size)
{
    void *p = arena + arena_used;

    arena_used += ALIGN_UP(size, (size_t)64);
    return arena_used <= sizeof(arena) ? p : NULL;
}

void *heap_alloc_array(size_t n, size_t size)
{
    return heap_alloc(n * size);
}

void heap_free(void *p) {}

void *hv_page_alloc(void)
{
    return heap_alloc(PAGE_SIZE);
}

void hv_page_free(void *page) {}
void domain_share_hv_page(struct domain *d, void *page, bool writable) {}
void domain_unshare_hv_page(struct domain *d, void *page) {}

bool domain_hv_page_in_use(const void *page)
{
    return false;
}

int guest_copy_from(void *dst, uint64_t gva, size_t size)
{
    memcpy(dst, (const void *)gva, size);
    return 0;
}

int guest_copy_to(uint64_t gva, const void *src, size_t size)
{
    memcpy((void *)gva, src, size);
    return 0;
}

int guest_write_u64(uint64_t gva, uint64_t v)
{
    return guest_copy_to(gva, &v, sizeof(v));
}

struct domain *domain_get(domid_t id)
{
    domain_hold(DOMAIN_A);
    return DOMAIN_A;
}

struct domain *domain_get_for_caller(domid_t id, int *error)
{
    return domain_get(id);
}

/* --- the two domains --- */

static grant_entry_v1_t *entry(void)
{
    return grant_v1(DOMAIN_A->grant, REF);
}

static struct grant_pin pins(void)
{
    return grant_active(DOMAIN_A->grant, REF)->pin;
}

static bool b_reaches_it(void)
{
    return world_tlb_foreign(1, GRANTED);
}

/* As Linux does it: only if the entry is not in use, and that at one instant. The frame is A's alone then. */
static void end_grant(void)
{
    uint16_t flags = atomic_load(&entry()->flags);

    if (flags & (GTF_reading | GTF_writing))
        return;
    if (atomic_cas(&entry()->flags, &flags, (uint16_t)0) && !scene.scribbled)
        explore_expect(!b_reaches_it() && !pin_is_held(pins()));
}

static void grant(unsigned int flags)
{
    entry()->domid = DOMAIN_B->id;
    entry()->frame = GRANTED;
    atomic_store(&entry()->flags, (uint16_t)flags);
}

static void relinquish(struct domain *d)
{
    unsigned int rounds = 0;

    while (grant_module.relinquish(d) == -ERESTART)
        explore_expect(++rounds < 100);
}

static void run_a(enum op op)
{
    struct frame *f = world_frame(GRANTED);
    struct gnttab_set_version v = {.version = 2};

    switch (op) {
    case GRANT_RO:
    case GRANT_RW:
        grant(GTF_permit_access | (op == GRANT_RO ? GTF_readonly : 0));
        break;
    case END:
        end_grant();
        break;
    case SCRIBBLE:
        scene.scribbled = true;
        atomic_store(&entry()->flags, (uint16_t)0);
        break;
    case PIN:
        (void)pv_pin(DOMAIN_A, mfn(GRANTED), FRAME_L1);
        break;
    case UNPIN:
        (void)pv_unpin(DOMAIN_A, mfn(GRANTED));
        break;
    case GIVE_UP:
        if (atomic_and(&f->count, ~FC_ALLOCATED) & FC_ALLOCATED)
            frame_put(f);
        break;
    case VERSION:
        explore_expect(grant_set_version(&v) == -EBUSY);
        break;
    default:
        scene.dead[0] = true;
        relinquish(DOMAIN_A);
    }
}

static uint64_t address(unsigned int slot)
{
    return (uint64_t)TABLE * PAGE_SIZE + world_slot[slot] * sizeof(pte_t);
}

static void map(unsigned int slot, bool readonly, unsigned int off)
{
    struct gnttab_map_grant_ref op = {.dom = DOMAIN_A->id, .ref = REF, .host_addr = address(slot) + off};

    op.flags = GNTMAP_host_map | GNTMAP_contains_pte | (readonly ? GNTMAP_readonly : 0);
    explore_expect(grant_map(&op) == 0);
    explore_expect(off == 0 || op.status != GNTST_okay);
    if (op.status == GNTST_okay)
        scene.handle[slot] = op.handle;
}

static void unmap(unsigned int slot)
{
    struct gnttab_unmap_grant_ref op = {.host_addr = address(slot), .handle = scene.handle[slot]};
    unsigned int done;

    explore_expect(grant_unmap_batch((uint64_t)&op, 1, false, &done) == 0 && done == 1);
    if (op.status == GNTST_okay)
        scene.handle[slot] = HANDLE_NONE;
}

static void b_dies(void)
{
    scene.dead[1] = true;
    world_leave(1);
    relinquish(DOMAIN_B);
    scene.handle[0] = scene.handle[1] = HANDLE_NONE;
    world_relinquish(DOMAIN_B);
}

static void run_b(enum op op)
{
    pte_t steal = pte_make(mfn(GRANTED), PTE_P | PTE_RW | PTE_US);

    switch (op) {
    case MAP_RO_0:
    case MAP_RW_0:
        map(0, op == MAP_RO_0, 0);
        break;
    case MAP_RW_1:
        map(1, false, 0);
        break;
    case MAP_BETWEEN:
        map(0, false, 4);
        break;
    case UNMAP_0:
    case UNMAP_1:
        unmap(op == UNMAP_1);
        break;
    case CLEAR_0:
        (void)pv_mmu_update(DOMAIN_B, DOMAIN_B, address(0), 0, false);
        break;
    case STEAL:
        (void)pv_mmu_update(DOMAIN_B, DOMAIN_B, address(0), steal,
                            false); /* that nothing came of it is checked below */
        break;
    default:
        b_dies();
    }
}

static void run(unsigned int cpu, unsigned int op)
{
    cpu == 0 ? run_a((enum op)op) : run_b((enum op)op);
}

static bool may(unsigned int cpu, unsigned int op)
{
    if ((op <= A_DIES) != (cpu == 0) || scene.dead[cpu])
        return false;
    switch (op) {
    case GRANT_RO:
    case GRANT_RW:
        return entry()->flags == 0;
    case VERSION:
        return pin_is_held(pins()) && explore_op(1) == NO_OP; /* else it is allowed, and another story */
    case GIVE_UP:
        return (world_frame(GRANTED)->count & FC_ALLOCATED) != 0;
    case MAP_RO_0:
    case MAP_RW_0:
        return scene.handle[0] == HANDLE_NONE;
    case MAP_RW_1:
        return scene.handle[1] == HANDLE_NONE;
    case MAP_BETWEEN:
        return scene.handle[0] == HANDLE_NONE && scene.handle[1] == HANDLE_NONE;
    case UNMAP_0:
    case UNMAP_1:
        return scene.handle[op == UNMAP_1] != HANDLE_NONE;
    default:
        return true;
    }
}

static bool within(const volatile void *p, const void *at, size_t size)
{
    return (uintptr_t)p - (uintptr_t)at < size;
}

/* CPU 1 alone has to do with B's handles and B's table; references to A, of which there is always one, commute. */
static bool matters(const volatile void *p)
{
    return !within(p, DOMAIN_B->grant, sizeof(*DOMAIN_B->grant)) &&
           !within(p, world_frame(TABLE), sizeof(struct frame)) &&
           !within(p, mfn_to_ptr(mfn(TABLE)), PAGE_SIZE) && p != &DOMAIN_A->refs;
}

static const char *name(unsigned int cpu, unsigned int op)
{
    return names[op];
}

/* --- promises --- */

static void check(void)
{
    struct grant_pin p = pins();

    world_check();
    /* Of the dead no CPU has page tables loaded. */
    for (unsigned int slot = 0; slot < WORLD_SLOTS && !scene.dead[1]; slot++) {
        pte_t e = *world_entry(TABLE, slot);

        if ((e & PTE_P) && frame_type_of(world_frame(TABLE)->type) == FRAME_L1)
            explore_expect(e & PTE_RW ? p.host_write > 0 : pin_is_held(p));
    }
    explore_expect(!b_reaches_it() || pin_is_held(p));
    explore_expect(!world_tlb_writes(1, GRANTED) || p.host_write > 0);
    /* The granter is told, if it has not overwritten that. */
    if (!scene.scribbled && !scene.dead[0])
        explore_expect((pin_status(p) & ~(entry()->flags & (GTF_reading | GTF_writing))) == 0);
}

static void quiet(void)
{
    struct grant_pin p = pins();
    uint64_t type[WORLD_FRAMES] = {0}, count[WORLD_FRAMES] = {0};
    unsigned int handles =
        (scene.handle[0] != HANDLE_NONE ? 1u : 0u) + (scene.handle[1] != HANDLE_NONE ? 1u : 0u);

    type[GRANTED] = p.host_write;
    count[GRANTED] = (uint64_t)p.host_read + p.host_write;
    world_recount(type, count);
    explore_expect(DOMAIN_A->refs == 1 + handles && p.host_read + 0u + p.host_write == handles);
    if (!scene.scribbled && !scene.dead[0])
        explore_expect((entry()->flags & (GTF_reading | GTF_writing)) == pin_status(p));
    if (!scene.dead[1])
        b_dies();
    world_relinquish(DOMAIN_A);
    explore_expect(DOMAIN_A->refs == 1 && !pin_is_held(pins()));
    for (unsigned int n = 1; n <= TABLE; n++) {
        const struct frame *f = world_frame(n);

        explore_expect((f->type & ~(FT_TYPE_MASK | FT_FOREIGN)) == 0);
        explore_expect(f->count == (f->owner ? FC_ALLOCATED | 1 : 0));
    }
}

/* --- the search --- */

static void prepare_table(struct domain *d)
{
    struct domain_config c = {.max_grant_frames = 1, .max_maptrack_frames = 1};

    if (grant_module.create(d, &c) != 0)
        abort();
    explore_region(d->grant, offsetof(struct grant_domain, shared));
    explore_region(&d->grant->map_lock, sizeof(*d->grant) - offsetof(struct grant_domain, map_lock));
}

/* Two handles are left of the chunk, its last. */
#define LAST (MAPTRACK_PER_FRAME - 1)

static void prepare_handles(void)
{
    struct grant_domain *t = DOMAIN_B->grant;

    explore_cpu = 1;
    grant(GTF_permit_access);
    map(0, false, 0);
    unmap(0);
    *entry() = (grant_entry_v1_t){0};
    t->free_handle = t->relinquished = LAST - 1;
    t->maptrack[0][LAST - 1] = (struct maptrack){.ref = LAST};
    t->maptrack[0][LAST] = (struct maptrack){.ref = HANDLE_NONE};
    explore_region(&t->maptrack[0][LAST - 1], 2 * sizeof(struct maptrack));
}

static void search(const char *what, bool alone)
{
    static struct domain *const runs[] = {DOMAIN_A, DOMAIN_B}, *const owners[] = {NULL, DOMAIN_A, DOMAIN_B};
    static const struct explore_world sequences = {.cpus = 2,
                                                   .ops = OPS,
                                                   .alone = true,
                                                   .writes_only = true,
                                                   .matters = matters,
                                                   .may = may,
                                                   .run = run,
                                                   .name = name,
                                                   .settle = world_settle,
                                                   .check = check,
                                                   .quiet = quiet};
    struct explore_world w = sequences;

    w.alone = alone;
    arena_used = 0;
    memset(arena, 0, sizeof(arena));
    memset(&scene, 0, sizeof(scene));
    scene.handle[0] = scene.handle[1] = HANDLE_NONE;
    world_start(2, runs, 3, owners);
    grant_set_host_ops(&pv_grant_ops);
    prepare_table(DOMAIN_A);
    prepare_table(DOMAIN_B);
    if (pv_pin(DOMAIN_B, mfn(TABLE), FRAME_L1) != 0)
        abort();
    prepare_handles();
    explore_region(&scene, sizeof(scene));
    explore_region(entry(), sizeof(*entry()));
    explore_region(grant_active(DOMAIN_A->grant, REF), sizeof(struct active));
    print_message("%s: ", what);
    (void)explore(&w, 5000000);
}

static void test_sequences(void **state)
{
    search("all sequences", true);
}

static void test_interleavings(void **state)
{
    search("all interleavings", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_interleavings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
