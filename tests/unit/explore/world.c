/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What pv/ and grant/ need around them, small enough to be part of a state.
 * A TLB is a pair of sets of frames for each CPU, those that it may write and
 * those of other domains: it takes up, at once, whatever the tables of the CPU's domain offer, and keeps it until flushed.
 */
#include "world.h"

#include "abi/errno.h"
#include "core/crosscall.h"
#include "core/panic.h"
#include "core/softirq.h"
#include "domain/rights.h"
#include "lib/string.h"
#include "fake.h"
#include "mem/hvmap.h"
#include "mem/hvmap_init.h"
#include "mem/isolate.h"
#include "mem/page_alloc.h"
#include "x86/spec.h"
#include "x86/uaccess.h"
#include "x86/upcalls.h"

#include <stdarg.h>
#include <stdio.h>

struct domain world_domain[2] = {{.id = 1}, {.id = 2}};
struct vcpu world_vcpu[EXPLORE_CPUS];
const unsigned int world_slot[WORLD_SLOTS] = {0, 300};

static struct pv_domain pv_domain[2];
static struct pv_vcpu pv_vcpu[EXPLORE_CPUS];
static struct cpu_local local[EXPLORE_CPUS];
static struct frame table[WORLD_FRAMES];
static uint8_t memory[WORLD_FRAMES][PAGE_SIZE] ALIGNED(4096);
static unsigned int cpus, frames;

static struct tlb {
    uint16_t foreign, writes; /* bit n: frame n */
    uint32_t flushed, idle;   /* idle: its guest is dead */
} tlb[EXPLORE_CPUS];

/* --- the machine --- */

uintptr_t fake_direct, fake_frames, fake_m2p;
_Thread_local unsigned int fake_cpu;
struct cpu_features cpu_features = {.phys_bits = 36};
uint64_t cpus_online_mask;
uint64_t tlb_flush_clock;
static pte_t root[PTES_PER_TABLE];
pte_t *hv_root = root;

struct cpu_local *cpu_local(void)
{
    return &local[explore_cpu];
}

bool preempt_pending(void)
{
    return explore_choice();
}

void fake_yield(void)
{
    explore_step(NULL);
}

void upcall_crosscall(void) {}

void spin_lock(spinlock_t *l)
{
    explore_step(l);
    while (l->owner)
        explore_step(NULL);
    l->owner = 1;
}

void spin_unlock(spinlock_t *l)
{
    l->owner = 0;
}

static NORETURN void end(const char *fmt, va_list args) PRINTF_LIKE(1, 0);
static NORETURN void end(const char *fmt, va_list args)
{
    static char text[200];

    vsnprintf(text, sizeof(text), fmt, args);
    explore_fail("panic: %s", text);
}

void panic(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    end(fmt, args);
}

void upcall_panic(struct cpu_user_regs *regs, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    end(fmt, args);
}

void assert_failed(const char *expr, const char *file, int line)
{
    explore_fail("%s:%d: %s does not hold", file, line, expr);
}

/* --- TLBs: the clock and the filter as in core/crosscall.c --- */

static void flush_one(unsigned int cpu)
{
    tlb[cpu].foreign = tlb[cpu].writes = 0;
    tlb[cpu].flushed = (uint32_t)++tlb_flush_clock;
}

static bool is_stale(unsigned int cpu, uint32_t stamp)
{
    return stamp && tlb[cpu].flushed <= (stamp & ~(1u << 31));
}

void tlb_flush(uint64_t mask)
{
    explore_step(NULL);
    for (unsigned int i = 0; i < cpus; i++)
        if (mask & BIT(i))
            flush_one(i);
}

uint64_t tlb_filter(uint64_t mask, uint32_t stamp)
{
    uint64_t stale = 0;

    for (unsigned int i = 0; i < cpus; i++)
        if ((mask & BIT(i)) && is_stale(i, stamp))
            stale |= BIT(i);
    return stale;
}

void tlb_note_flush(void)
{
    tlb[explore_cpu].flushed = (uint32_t)++tlb_flush_clock;
}

void guest_load_cr3(struct guest_cpu *g)
{
    tlb[explore_cpu].foreign = tlb[explore_cpu].writes = 0;
}

bool world_tlb_writes(unsigned int cpu, unsigned int n)
{
    return tlb[cpu].writes >> n & 1;
}

bool world_tlb_foreign(unsigned int cpu, unsigned int n)
{
    return tlb[cpu].foreign >> n & 1;
}

void world_leave(unsigned int cpu)
{
    tlb[cpu].idle = 1;
    flush_one(cpu);
}

/* --- the rest of the hypervisor --- */

bool rights_has(const struct domain *d, enum right what, uint64_t first, uint64_t last)
{
    return false;
}

void crosscall(uint64_t mask, void (*fn)(void *), void *arg)
{
    fn(arg);
}

void domain_hold(struct domain *d)
{
    atomic_add(&d->refs, 1);
}

void domain_put(struct domain *d)
{
    explore_expect(atomic_sub(&d->refs, 1) != UINT32_MAX);
}

paddr_t hv_root_paddr(void)
{
    return paddr(0);
}

mfn_t hvmap_find(uint64_t va)
{
    return MFN_INVALID;
}

void hvmap_fill_root(pte_t *guest_root) {}
void hvmap_clear_root(pte_t *guest_root) {}

/* A processor that needs nothing done about speculation: no roots of isolation follow the guests'. */
struct spec spec;
void isolate_follow(mfn_t root_table, unsigned int slot) {}

/* There are no devices, and no memory of any. */
int pv_get_device(struct domain *d, struct domain *owner, pte_t *e)
{
    return -EPERM;
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
    explore_fail("a domain is crashed: %s", fmt);
}

void hvmap_back_table(uint64_t start, uint64_t to, uint64_t flags, uint64_t fill, uint64_t alias_offset) {}

paddr_t ptr_to_paddr(const void *p)
{
    return paddr((uintptr_t)p - fake_direct);
}

/* The last reference of a domain's frame has gone: it is nobody's. */
static void release(struct frame *f)
{
    f->flush_stamp = tlb_stamp_now();
    f->type = 0;
    f->owner = NULL;
}

void page_free(struct frame *f, unsigned int order)
{
    explore_fail("frame %lu: freed without an owner", (unsigned long)frame_to_mfn(f).v);
}

/* --- the world --- */

static void own_frames(struct domain *const owner[])
{
    memset(table, 0, sizeof(table));
    memset(memory, 0, sizeof(memory));
    for (unsigned int n = 1; n < frames; n++) {
        table[n].owner = owner[n];
        table[n].count = owner[n] ? FC_ALLOCATED | 1 : 0;
        explore_region(&table[n], offsetof(struct frame, next));
        explore_region(&table[n].flush_stamp, sizeof(struct frame) - offsetof(struct frame, flush_stamp));
        for (unsigned int slot = 0; slot < WORLD_SLOTS; slot++)
            explore_region(world_entry(n, slot), sizeof(pte_t));
    }
}

void world_start(unsigned int nr_cpus, struct domain *const runs[], unsigned int nr_frames,
                 struct domain *const owner[])
{
    cpus = nr_cpus;
    frames = nr_frames;
    fake_frames = (uintptr_t)table;
    fake_direct = (uintptr_t)memory;
    frame_max = nr_frames;
    frame_blocks[0] = 1;
    cpus_online_mask = BIT(cpus) - 1;
    tlb_flush_clock = 1;
    memset(tlb, 0, sizeof(tlb));
    frame_set_release(release);
    own_frames(owner);
    for (unsigned int i = 0; i < 2; i++) {
        world_domain[i].refs = 1;
        world_domain[i].pv = &pv_domain[i];
        world_domain[i].dirty_cpus = 0;
        explore_region(&world_domain[i].refs, sizeof(world_domain[i].refs));
    }
    for (unsigned int i = 0; i < cpus; i++) {
        world_vcpu[i] = (struct vcpu){.domain = runs[i], .pv = &pv_vcpu[i]};
        pv_vcpu[i] = (struct pv_vcpu){.root_kernel = MFN_INVALID, .root_user = MFN_INVALID};
        runs[i]->dirty_cpus |= BIT(i);
        local[i] = (struct cpu_local){.id = i, .guest = &world_vcpu[i].cpu};
        explore_region(&pv_vcpu[i].root_kernel,
                       offsetof(struct pv_vcpu, area) - offsetof(struct pv_vcpu, root_kernel));
    }
    explore_region(tlb, sizeof(tlb));
    explore_region(&tlb_flush_clock, sizeof(tlb_flush_clock));
}

/* --- TLBs take up what tables offer --- */

static bool is_live_l1(const struct frame *f)
{
    return frame_type_of(f->type) == FRAME_L1 && (f->type & FT_VALIDATED);
}

static void fill_tlbs(void)
{
    for (unsigned int n = 1; n < frames; n++) {
        if (!is_live_l1(&table[n]))
            continue;
        for (unsigned int slot = 0; slot < WORLD_SLOTS; slot++) {
            pte_t e = *world_entry(n, slot);

            for (unsigned int i = 0; (e & PTE_P) && i < cpus; i++)
                if (world_vcpu[i].domain == table[n].owner && !tlb[i].idle && pte_mfn(e).v < frames) {
                    tlb[i].foreign |=
                        (uint16_t)(table[pte_mfn(e).v].owner != table[n].owner ? BIT(pte_mfn(e).v) : 0);
                    tlb[i].writes |= (uint16_t)(e & PTE_RW ? BIT(pte_mfn(e).v) : 0);
                }
        }
    }
}

/*
 * All that clocks say is which CPUs have not flushed since which stamp. These sets lie within each other: stamps
 * become their ranks, and a CPU's clock that of the smallest set it is in.
 */
static void rank_clocks(void)
{
    uint32_t stamp[WORLD_FRAMES] = {0}, flushed[EXPLORE_CPUS];
    unsigned int in[WORLD_FRAMES] = {0}, ranks = 0;

    for (unsigned int n = 1; n < frames; n++)
        for (unsigned int i = 0; i < cpus; i++)
            in[n] += is_stale(i, table[n].flush_stamp);
    for (unsigned int i = 0; i < cpus; i++)
        flushed[i] = 0;
    for (unsigned int size = 1; size <= cpus; size++) {
        bool any = false;

        for (unsigned int n = 1; n < frames; n++) {
            if (in[n] != size)
                continue;
            any = true;
            stamp[n] = (ranks + 1) | 1u << 31;
            for (unsigned int i = 0; i < cpus; i++)
                if (flushed[i] == 0 && is_stale(i, table[n].flush_stamp))
                    flushed[i] = ranks + 1;
        }
        ranks += any;
    }
    for (unsigned int n = 1; n < frames; n++)
        table[n].flush_stamp = stamp[n];
    for (unsigned int i = 0; i < cpus; i++)
        tlb[i].flushed = flushed[i] ? flushed[i] : ranks + 1;
    tlb_flush_clock = ranks + 1;
}

void world_settle(void)
{
    fill_tlbs();
    rank_clocks();
}

bool world_type_matters(const volatile void *p)
{
    uintptr_t at = (uintptr_t)p - (uintptr_t)table, in = at % sizeof(struct frame);

    if ((uintptr_t)p - (uintptr_t)memory < sizeof(memory))
        return false;
    return at >= sizeof(table) ||
           (in != offsetof(struct frame, count) && in != offsetof(struct frame, owner));
}

/* --- promises --- */

static void check_l1_entry(const struct frame *t, pte_t e, uint64_t writable[])
{
    struct frame *f = &table[pte_mfn(e).v];

    explore_expect(pte_mfn(e).v < frames && (e & PTE_US) && !(e & PTE_G));
    explore_expect((f->count & FC_COUNT_MASK) > 0 && f->owner);
    if (!(e & PTE_RW))
        return;
    explore_expect(frame_type_of(f->type) == FRAME_WRITABLE);
    explore_expect(f->owner == t->owner || (f->type & FT_FOREIGN));
    writable[pte_mfn(e).v]++;
}

static void check_upper_entry(const struct frame *t, pte_t e)
{
    struct frame *f = &table[pte_mfn(e).v];

    explore_expect(pte_mfn(e).v < frames && !(e & (PTE_PS | PTE_G)) && (e & PTE_US));
    explore_expect(f->owner == t->owner);
    if (f == t || frame_type_of(f->type) == frame_type_of(t->type))
        explore_expect(!(e & PTE_RW));
    else
        explore_expect(frame_type_of(f->type) == frame_type_of(t->type) - 1);
    explore_expect(f == t || ft_count(f->type) > 0);
}

void world_check(void)
{
    uint64_t writable[WORLD_FRAMES] = {0};

    for (unsigned int n = 1; n < frames; n++) {
        struct frame *f = &table[n];

        if (!ft_is_table(frame_type_of(f->type)) || !(f->type & FT_VALIDATED))
            continue;
        for (unsigned int slot = 0; slot < WORLD_SLOTS; slot++) {
            pte_t e = *world_entry(n, slot);

            if ((e & PTE_P) && frame_type_of(f->type) == FRAME_L1)
                check_l1_entry(f, e, writable);
            else if (e & PTE_P)
                check_upper_entry(f, e);
        }
        for (unsigned int i = 0; i < cpus; i++)
            explore_expect(!world_tlb_writes(i, n));
    }
    for (unsigned int n = 1; n < frames; n++) {
        struct frame *f = &table[n];

        explore_expect(ft_count(f->type) >= writable[n] || frame_type_of(f->type) != FRAME_WRITABLE);
        if (f->type & FT_PARTIAL)
            for (unsigned int i = 0; i < cpus; i++)
                explore_expect(!world_tlb_writes(i, n));
    }
}

struct sums {
    uint64_t type[WORLD_FRAMES], count[WORLD_FRAMES], linear[WORLD_FRAMES], uses[WORLD_FRAMES];
};

static void count_entry(unsigned int n, pte_t e, struct sums *s)
{
    uint64_t to = pte_mfn(e).v;
    enum frame_type t = frame_type_of(table[n].type);

    s->count[to]++;
    if (t == FRAME_L1) {
        s->type[to] += (e & PTE_RW) != 0;
    } else if (to != n) {
        s->type[to]++;
        if (frame_type_of(table[to].type) == t) {
            s->linear[to]++;
            s->uses[n]++;
        }
    }
}

static void count_frame(unsigned int n, struct sums *s)
{
    const struct frame *f = &table[n];
    unsigned int end = f->type & FT_VALIDATED ? PTES_PER_TABLE : f->type & FT_PARTIAL ? f->partial_next : 0;

    explore_expect(!(f->type & FT_LOCKED));
    s->count[n] += (f->type & FT_PARTIAL) && ft_count(f->type) == 0 ? 1 : 0;
    s->count[n] += f->count & FC_ALLOCATED ? 1 : 0;
    if (f->type & FT_PINNED) {
        s->type[n]++;
        s->count[n]++;
    }
    if (ft_is_table(frame_type_of(f->type)))
        for (unsigned int slot = 0; slot < WORLD_SLOTS; slot++)
            if (world_slot[slot] < end && (*world_entry(n, slot) & PTE_P))
                count_entry(n, *world_entry(n, slot), s);
}

static void count_held(uint64_t n, struct sums *s)
{
    s->type[n]++;
    s->count[n]++;
}

void world_recount(const uint64_t more_type[WORLD_FRAMES], const uint64_t more_count[WORLD_FRAMES])
{
    struct sums s = {{0}, {0}, {0}, {0}};

    for (unsigned int n = 1; n < frames; n++) {
        s.type[n] += more_type ? more_type[n] : 0;
        s.count[n] += more_count ? more_count[n] : 0;
        count_frame(n, &s);
    }
    for (unsigned int i = 0; i < cpus; i++) {
        if (!mfn_eq(pv_vcpu[i].root_kernel, MFN_INVALID))
            count_held(pv_vcpu[i].root_kernel.v, &s);
        if (!mfn_eq(pv_vcpu[i].root_user, MFN_INVALID))
            count_held(pv_vcpu[i].root_user.v, &s);
        if (pv_vcpu[i].unfinished)
            count_held(frame_to_mfn(pv_vcpu[i].unfinished).v, &s);
    }
    for (unsigned int n = 1; n < frames; n++) {
        explore_expect(ft_count(table[n].type) == s.type[n]);
        explore_expect((table[n].count & FC_COUNT_MASK) == s.count[n]);
        explore_expect(table[n].linear_count == s.linear[n] && table[n].linear_uses == s.uses[n]);
    }
}

static bool may_go_on(unsigned int *rounds)
{
    explore_expect(++*rounds < 1000);
    return true;
}

void world_relinquish(struct domain *d)
{
    unsigned int rounds = 0, caller = explore_cpu;

    for (explore_cpu = 0; explore_cpu < cpus; explore_cpu++)
        while (world_vcpu[explore_cpu].domain == d && pv_drop_roots(&world_vcpu[explore_cpu]))
            may_go_on(&rounds);
    explore_cpu = caller;
    for (unsigned int n = 1; n < frames; n++) {
        struct frame *f = &table[n];

        if (f->owner != d)
            continue;
        if (pv_take_pin(f))
            while (pv_put_frame_and_type(f))
                may_go_on(&rounds);
        while (pv_undo_partial(f))
            may_go_on(&rounds);
    }
}

/* Not counts, which world_recount() derives from the rest: a validation that had stopped half-way may have been undone. */
uint64_t world_visible(void)
{
    uint64_t h = 0;

    for (unsigned int n = 1; n < frames; n++) {
        bool kept =
            table[n].count & FC_ALLOCATED; /* a frame that was given up goes when nothing holds it any more */
        uint64_t words[4] = {(table[n].type & FT_PINNED) | kept, kept ? (uintptr_t)table[n].owner : 0,
                             *world_entry(n, 0), *world_entry(n, 1)};

        for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
            h = (h ^ words[i]) * 0x9e3779b97f4a7c15u, h ^= h >> 31;
    }
    for (unsigned int i = 0; i < cpus; i++)
        h = h * 31 + pv_vcpu[i].root_kernel.v * 5 + pv_vcpu[i].root_user.v;
    return h;
}
