/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What pv/ needs besides the frame table, a TLB that remembers every frame
 * that was ever mapped writable until it is flushed, and the recount.
 */
#include "pv_world.h"

#include "core/cmdline.h"
#include "core/crosscall.h"
#include "core/softirq.h"
#include "grant/grant.h"
#include "mem/fill.h"
#include "mem/heap.h"
#include "mem/hvmap.h"
#include "mem/isolate.h"
#include "platform/platform.h"
#include "x86/fpu.h"

#define PTES PTES_PER_TABLE

struct domain dom = {.id = 1, .refs = 1}, other = {.id = 2, .refs = 1};
struct vcpu vcpus[WORLD_CPUS];
struct frame *frames[FRAMES], *foreign[FOREIGN], *shared_page;
unsigned int held[FRAMES], held_foreign[FOREIGN];
_Thread_local unsigned int preempt_at, preempt_rate, random_state = 1;
unsigned int flushes;
uint64_t last_flush;

static struct pv_domain pv_dom;
static struct pv_vcpu pv_vcpus[WORLD_CPUS];
static const struct mem_range ram[] = {{1 << 20, 8 << 20}};
static bool in_tlb[FRAMES];

unsigned int rnd(unsigned int below)
{
    random_state = random_state * 1103515245u + 12345u;
    return (random_state >> 8) % below;
}

/* --- what pv/ needs --- */

void fpu_area_set_legacy(void *area, const void *fxsave) {}

void crosscall(uint64_t mask, void (*fn)(void *), void *arg)
{
    fn(arg);
}

int pv_get_device(struct domain *d, struct domain *owner, pte_t *e)
{
    return d->privileged ? 0 : -EPERM;
}

bool preempt_pending(void)
{
    if (preempt_at && --preempt_at == 0)
        return true;
    return preempt_rate && rnd(preempt_rate) == 0;
}

/* The clock and the filter as in core/crosscall.c, for one TLB. */
uint64_t tlb_flush_clock = 1;
static uint64_t tlb_flushed;

uint64_t tlb_filter(uint64_t mask, uint32_t stamp)
{
    return stamp && atomic_load(&tlb_flushed) <= (stamp & ~(1u << 31)) ? mask : 0;
}

void tlb_flush(uint64_t mask)
{
    if (!mask)
        return;
    atomic_store(&tlb_flushed, atomic_add(&tlb_flush_clock, 1));
    atomic_add(&flushes, 1);
    last_flush = mask;
    memset(in_tlb, 0, sizeof(in_tlb));
}

unsigned int crashes;
void domain_crash(struct domain *d, const char *fmt, ...)
{
    crashes++;
}

void domain_hold(struct domain *d)
{
    atomic_add(&d->refs, 1);
}
void domain_put(struct domain *d)
{
    assert_true(atomic_sub(&d->refs, 1) > 0);
}

static pte_t root[PTES_PER_TABLE];
pte_t *hv_root = root;
paddr_t hv_root_paddr(void)
{
    return paddr(0);
}

mfn_t hvmap_find(uint64_t va)
{
    return MFN_INVALID;
}

void hvmap_fill_root(pte_t *guest_root)
{
    for (unsigned int slot = HV_FIRST_SLOT; slot <= HV_LAST_SLOT; slot++)
        guest_root[slot] = 0x1000 * slot + PTE_P;
}

void hvmap_clear_root(pte_t *guest_root)
{
    isolate_forget(ptr_to_mfn(guest_root));
    for (unsigned int slot = HV_FIRST_SLOT; slot <= HV_LAST_SLOT; slot++)
        guest_root[slot] = 0;
}

void guest_load_cr3(struct guest_cpu *g)
{
    memset(in_tlb, 0, sizeof(in_tlb));
}
void tlb_note_flush(void)
{
    atomic_store(&tlb_flushed, atomic_add(&tlb_flush_clock, 1));
}

/* The rest of pv/domain.c, of which only relinquishing is tried here. */
const struct grant_host_ops pv_grant_ops;
pte_t guest_gdt_pte[NR_CPUS_MAX];
uint64_t guest_idle_cr3;
bool cmdline_flag(const char *name, bool def)
{
    abort();
}
void grant_set_host_ops(const struct grant_host_ops *ops) {}
void *heap_alloc(size_t size)
{
    abort();
}
void heap_free(void *p)
{
    abort();
}
uint64_t *desc_gdt_page(unsigned int cpu)
{
    abort();
}
int pv_area_alloc(struct vcpu *v)
{
    abort();
}
void pv_area_free(struct vcpu *v)
{
    abort();
}
int pv_set_gdt(struct vcpu *v, const mfn_t *f, unsigned int n)
{
    abort();
}
int pv_set_ldt(struct vcpu *v, uint64_t base, unsigned int n)
{
    abort();
}
void pv_drop_gdt(struct vcpu *v) {}
void pv_drop_ldt(struct vcpu *v) {}
void pv_set_trap(struct vcpu *v, unsigned int vector, const struct trap_info *t) {}
uint16_t pv_fix_selector(uint16_t sel)
{
    abort();
}
int pv_set_debugreg(struct vcpu *v, unsigned int reg, uint64_t value)
{
    abort();
}
void pv_set_cr4(struct vcpu *v, uint64_t value)
{
    abort();
}
void pv_dump_vcpu(struct vcpu *v)
{
    abort();
}
void guest_cpu_init(struct guest_cpu *g)
{
    abort();
}
size_t fpu_area_size(void)
{
    abort();
}

/* --- the world --- */

static struct frame *frame_for(struct domain *d)
{
    struct frame *f = domain_alloc_frames(d, 0, 0);

    assert_non_null(f);
    return f;
}

static void init_domain(struct domain *d)
{
    spin_init(&d->page_lock, LOCK_PAGELIST);
    frame_list_init(&d->pages);
    frame_list_init(&d->hv_pages);
    d->max_pages = 1000;
    d->dirty_cpus = 1;
}

void world_init(void)
{
    void *page;

    fake_machine_init(WORLD_CPUS);
    fake_memory_init(ram, ARRAY_SIZE(ram));
    cpu_features.phys_bits = 40;
    domain_init_memory();
    init_domain(&dom);
    init_domain(&other);
    dom.pv = &pv_dom;
    dom.max_vcpus = WORLD_CPUS;
    for (unsigned int i = 0; i < WORLD_CPUS; i++) {
        dom.vcpu[i] = &vcpus[i];
        vcpus[i] = (struct vcpu){.domain = &dom, .pv = &pv_vcpus[i]};
        pv_vcpus[i].root_kernel = pv_vcpus[i].root_user = MFN_INVALID;
        fake_cpu = i;
        cpu_local()->guest = &vcpus[i].cpu;
    }
    fake_cpu = 0;
    for (unsigned int i = 0; i < FRAMES; i++)
        frames[i] = frame_for(&dom);
    for (unsigned int i = 0; i < FOREIGN; i++)
        foreign[i] = frame_for(&other);
    page = hv_page_alloc();
    shared_page = mfn_to_frame(ptr_to_mfn(page));
    domain_share_hv_page(&dom, page, true);
}

/* --- operations --- */

/* An operation is begun again this often at most: whatever else is half done, each round gets further. */
#define ROUNDS_MAX 5000

static bool again(unsigned int *rounds, bool wanted)
{
    assert_true(!wanted || ++*rounds < ROUNDS_MAX);
    return wanted;
}

static struct vcpu *me(void)
{
    return current_vcpu();
}

int op_pin(struct frame *f, enum frame_type t, bool finish)
{
    unsigned int rounds = 0;
    int rc;

    do
        rc = pv_finish(me()) ? -ERESTART : pv_pin(&dom, mfn_of(f), t);
    while (again(&rounds, finish && rc == -ERESTART));
    return rc;
}

int op_unpin(struct frame *f, bool finish)
{
    int rc = pv_finish(me()) ? -ERESTART : pv_unpin(&dom, mfn_of(f));
    unsigned int rounds = 0;

    /* Done, or never begun: that is for pv_finish(). */
    while (again(&rounds, finish && me()->pv->unfinished))
        rc = pv_finish(me());
    return rc;
}

int op_update(struct domain *owner, struct frame *f, unsigned int slot, pte_t e, bool finish)
{
    unsigned int rounds = 0;
    int rc;

    do
        rc = pv_finish(me()) ? -ERESTART : pv_mmu_update(&dom, owner, slot_of(f, slot), e, false);
    while (again(&rounds, finish && rc == -ERESTART));
    while (again(&rounds, finish && rc == 1))
        rc = pv_finish(me()) ? 1 : 0;
    return rc;
}

int op_root(struct frame *f, bool user, bool finish)
{
    mfn_t m = f ? mfn_of(f) : mfn(0);
    unsigned int rounds = 0;
    int rc;

    do
        rc = pv_finish(me()) ? -ERESTART : user ? pv_set_user_root(me(), m) : pv_set_root(me(), m);
    while (again(&rounds, finish && rc == -ERESTART));
    return rc;
}

void finish_all(void)
{
    for (fake_cpu = 0; fake_cpu < WORLD_CPUS; fake_cpu++)
        while (pv_finish(me()))
            ;
    fake_cpu = 0;
}

/* --- the recount --- */

static struct want {
    uint64_t type, count;
    uint32_t linear_count, linear_uses;
} want[8 << 8];

static struct want *want_of(mfn_t m)
{
    assert_true(m.v < ARRAY_SIZE(want));
    return &want[m.v];
}

static void expect_both(mfn_t m)
{
    want_of(m)->type++;
    want_of(m)->count++;
}

static void count_l1_entry(pte_t e)
{
    mfn_t m = pte_mfn(e);
    struct frame *f = mfn_to_frame(m);

    assert_true((e & (PTE_US | PTE_G)) == PTE_US);
    if (!mfn_valid(m))
        return;
    want_of(m)->count++;
    if (!(e & PTE_RW) || f == shared_page)
        return;
    want_of(m)->type++;
    assert_int_equal(frame_type_of(f->type), FRAME_WRITABLE);
    assert_true(f->owner == &dom || (f->type & FT_FOREIGN));
}

static void count_entry(const struct frame *table, enum frame_type t, pte_t e)
{
    struct frame *f = mfn_to_frame(pte_mfn(e));

    if (t == FRAME_L1) {
        count_l1_entry(e);
        return;
    }
    assert_true((e & (PTE_US | PTE_G | PTE_PS)) == PTE_US);
    want_of(pte_mfn(e))->count++;
    if (f == table) {
        assert_false(e & PTE_RW);
        return;
    }
    want_of(pte_mfn(e))->type++;
    if (frame_type_of(f->type) == t) {
        assert_false(e & PTE_RW);
        want_of(pte_mfn(e))->linear_count++;
        want_of(mfn_of(table))->linear_uses++;
    } else {
        assert_int_equal(frame_type_of(f->type), t - 1);
    }
}

static void count_table(struct frame *f)
{
    enum frame_type t = frame_type_of(f->type);
    unsigned int end = f->type & FT_VALIDATED ? PTES : f->type & FT_PARTIAL ? f->partial_next : 0;

    assert_false(f->type & FT_LOCKED);
    if ((f->type & FT_PARTIAL) && ft_count(f->type) == 0)
        want_of(mfn_of(f))->count++;
    if (f->type & FT_PINNED)
        expect_both(mfn_of(f));
    if (!ft_is_table(t)) {
        assert_false(f->type & FT_PARTIAL);
        return;
    }
    for (unsigned int slot = 0; slot < end; slot++)
        if (pv_slot_is_guest(t - FRAME_L1 + 1u, slot) && (entries_of(f)[slot] & PTE_P))
            count_entry(f, t, entries_of(f)[slot]);
}

static void count_vcpu(const struct pv_vcpu *v)
{
    if (!mfn_eq(v->root_kernel, MFN_INVALID))
        expect_both(v->root_kernel);
    if (!mfn_eq(v->root_user, MFN_INVALID))
        expect_both(v->root_user);
    if (v->unfinished)
        expect_both(mfn_of(v->unfinished));
}

static void compare(const struct frame *f)
{
    const struct want *w = want_of(mfn_of(f));

    assert_int_equal(ft_count(f->type), w->type);
    assert_int_equal(f->count & FC_COUNT_MASK, w->count + (f->count & FC_ALLOCATED ? 1 : 0));
    assert_int_equal(f->linear_count, w->linear_count);
    assert_int_equal(f->linear_uses, w->linear_uses);
    assert_false(f->linear_count && f->linear_uses);
    assert_int_equal((f->type & FT_VALIDATED) != 0, w->type > 0 && !(f->type & FT_PARTIAL));
}

static void check_tlb(void)
{
    for (unsigned int i = 0; i < FRAMES; i++) {
        enum frame_type t = frame_type_of(frames[i]->type);

        if (t == FRAME_WRITABLE && ft_count(frames[i]->type))
            in_tlb[i] = true;
        if (ft_is_table(t) && (frames[i]->type & (FT_VALIDATED | FT_PARTIAL)))
            assert_false(in_tlb[i]);
    }
}

void check_world(void)
{
    memset(want, 0, sizeof(want));
    for (unsigned int i = 0; i < FRAMES; i++) {
        count_table(frames[i]);
        want_of(mfn_of(frames[i]))->type += held[i];
        want_of(mfn_of(frames[i]))->count += held[i];
    }
    for (unsigned int i = 0; i < WORLD_CPUS; i++)
        count_vcpu(&pv_vcpus[i]);
    for (unsigned int i = 0; i < FRAMES; i++)
        compare(frames[i]);
    for (unsigned int i = 0; i < FOREIGN; i++) {
        want_of(mfn_of(foreign[i]))->type += held_foreign[i];
        want_of(mfn_of(foreign[i]))->count += held_foreign[i];
        compare(foreign[i]);
    }
    assert_int_equal(shared_page->count & FC_COUNT_MASK, 1 + want_of(mfn_of(shared_page))->count);
    check_tlb();
}

void check_nothing_left(void)
{
    check_world();
    for (unsigned int i = 0; i < FRAMES; i++) {
        assert_int_equal(frames[i]->type & ~(FT_TYPE_MASK | FT_FOREIGN),
                         held[i] ? FT_VALIDATED | held[i] : 0);
        assert_int_equal(frames[i]->count, (FC_ALLOCATED | 1) + held[i]);
    }
}

void relinquish(void)
{
    unsigned int rounds = 0;

    pv_dom.step = 0;
    while (pv_guest_ops.domain_relinquish(&dom))
        assert_true(++rounds < 100000);
    assert_null(pv_dom.dropping);
    check_nothing_left();
}

void clear_frames(void)
{
    for (unsigned int i = 0; i < FRAMES; i++)
        page_clear(frame_to_ptr(frames[i]));
}
