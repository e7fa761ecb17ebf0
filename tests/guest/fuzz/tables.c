/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations on page tables and descriptor tables, and the memory that they map. */
#include "fuzz/fuzz.h"
#include "lib/hypercall.h"

/* Through the hypercall itself or as the only or second entry of a multicall. */
static long call(unsigned nr, u64 a1, u64 a2, u64 a3, u64 a4)
{
    struct multicall_entry list[2] = {
        {.op = __HYPERVISOR_xen_version, .args = {0}},
        {.op = nr, .args = {a1, a2, a3, a4}},
    };
    long rc;

    if (chance(85))
        return hypercall(nr, a1, a2, a3, a4, 0);
    show("(multicall) ");
    rc = hv_multicall(list, 2);
    return rc ? rc : (long)list[1].result;
}

static unsigned random_domid(void)
{
    static const u16 odd[] = {DOMID_IO, DOMID_INVALID, DOMID_COW, 0x7fef, 0};

    return chance(92) ? DOMID_SELF : odd[pick(ARRAY_SIZE(odd))];
}

/* One to three entries; the level that the page is meant for decides what is written. */
static void update(void)
{
    static struct mmu_update req[3];
    unsigned count = chance(80) ? 1 : 1 + pick(3), domid = random_domid(), done = 77;

    show("mmu_update dom %x", domid);
    for (unsigned i = 0; i < count; i++) {
        unsigned level = 1 + pick(4);
        u64 at = random_mfn(level) << PAGE_SHIFT | slot_index[pick(SLOTS)] * 8UL;

        if (chance(2))
            at = random_mfn(4) << PAGE_SHIFT |
                 (256 + pick(16)) * 8UL; /* the hypervisor's own slots of a root */
        if (chance(15))
            at = window_entry(pick(WINDOW_PAGES));
        if (chance(3))
            at = (at & ~4095UL) | pick(4096);
        req[i].val = random_entry(level);
        req[i].ptr = (at & ~3UL) | (chance(70)   ? MMU_NORMAL_PT_UPDATE
                                    : chance(50) ? MMU_PT_UPDATE_PRESERVE_AD
                                    : chance(50) ? MMU_PT_UPDATE_NO_TRANSLATE
                                                 : MMU_NORMAL_PT_UPDATE);
        say_entry("at", req[i].ptr & ~3UL);
        say_entry("val", req[i].val);
    }
    answer(call(__HYPERVISOR_mmu_update, (u64)req, count, chance(90) ? (u64)&done : 0, domid));
    say("done", done);
}

/* The table from machine to guest frames: only of the pool, and put right again. */
static void machphys(void)
{
    unsigned page = any_page();
    u64 mfn = pool_mfn(page);

    if (!mfn)
        return;
    show("machphys %u", page);
    answer(mmu_write(mfn << PAGE_SHIFT, 0x1234 + page, MMU_MACHPHYS_UPDATE, random_domid()));
    say("m2p", machine_to_phys_mapping[mfn] == 0x1234 + page);
    mmu_write(mfn << PAGE_SHIFT, virt_to_pfn(pool_page(page)), MMU_MACHPHYS_UPDATE, DOMID_SELF);
}

static void extended(unsigned cmd, u64 arg1, u64 arg2)
{
    struct mmuext_op op[2] = {{.cmd = cmd, .arg1.linear_addr = arg1, .arg2.src_mfn = arg2},
                              {.cmd = MMUEXT_TLB_FLUSH_LOCAL}};
    unsigned done = 77, domid = random_domid();

    show("mmuext %u dom %x", cmd, domid);
    if (cmd == MMUEXT_SET_LDT) {
        say("address", arg1);
        say("entries", arg2);
    } else
        say_entry("mfn", arg1 << PAGE_SHIFT);
    answer(call(__HYPERVISOR_mmuext_op, (u64)op, chance(80) ? 1 : 2, (u64)&done, domid));
    say("done", done);
}

static void pin(void)
{
    unsigned level = 1 + pick(4);

    extended(MMUEXT_PIN_L1_TABLE + level - 1, random_mfn(chance(90) ? level : 1 + pick(4)), 0);
}

static void other_extended(void)
{
    switch (pick(8)) {
    case 0:
        return extended(MMUEXT_NEW_USER_BASEPTR, chance(20) ? 0 : random_mfn(4), 0);
    case 1:
        return extended(MMUEXT_CLEAR_PAGE, random_mfn(0), 0);
    case 2:
        return extended(MMUEXT_COPY_PAGE, random_mfn(0), random_mfn(pick(5)));
    case 3:
        return extended(MMUEXT_NEW_BASEPTR, window_entry(0) >> PAGE_SHIFT, 0); /* a level 1 table: never */
    case 4:
        return extended(MMUEXT_INVLPG_LOCAL, random_address(), 0);
    case 5:
        return extended(MMUEXT_SET_LDT, chance(80) ? WINDOW + pick(WINDOW_PAGES) * PAGE_SIZE : rnd(),
                        chance(80) ? pick(600) : rnd());
    case 6:
        return extended(MMUEXT_TLB_FLUSH_ALL + pick(4), random_address(), 0);
    default:
        return extended(15 + pick(8), random_mfn(pick(5)), 0);
    }
}

static void va_mapping(void)
{
    u64 va = chance(70) ? WINDOW + pick(WINDOW_PAGES) * PAGE_SIZE : random_address(), entry = random_entry(1);
    u64 flags = chance(70) ? UVMF_INVLPG | UVMF_LOCAL : chance(70) ? pick(3) | UVMF_ALL : rnd() & 7;
    unsigned page = any_page();

    if (va - (u64)pool_page(0) < POOL * PAGE_SIZE) { /* its own mapping stays, writable or not */
        va = (u64)pool_page(page);
        entry = pool_mfn(page) << PAGE_SHIFT | PTE_P | PTE_U | PTE_A | PTE_D | (chance(60) ? PTE_W : 0);
        if (!pool_mfn(page))
            return;
        flags = UVMF_INVLPG | UVMF_LOCAL;
    }
    show("va_mapping %lx flags %lx", va - (u64)pool_page(0) < POOL * PAGE_SIZE ? page : va, flags);
    say_entry("val", entry);
    if (chance(90))
        answer(call(__HYPERVISOR_update_va_mapping, va, entry, flags, 0));
    else
        answer(call(__HYPERVISOR_update_va_mapping_otherdomain, va, entry, flags, random_domid()));
}

/* --- memory touched by instructions --- */

static u64 touch_value;
static unsigned touch_kind;

static void touch_memory(void *arg)
{
    volatile u64 *at = arg;
    u64 old = touch_value;

    switch (touch_kind) {
    case 0:
        (void)*at;
        break;
    case 1:
        *at = touch_value;
        break;
    case 2:
        __asm__ volatile("lock cmpxchgq %2, %1" : "+a"(old), "+m"(*at) : "r"(touch_value) : "memory");
        break;
    case 3:
        __asm__ volatile("xchgq %0, %1" : "+r"(old), "+m"(*at) : : "memory");
        break;
    case 4:
        __asm__ volatile("lock orq %1, %0" : "+m"(*at) : "r"(touch_value & 2) : "memory");
        break;
    case 5:
        __asm__ volatile("lock andq %1, %0" : "+m"(*at) : "r"(~(touch_value & 2)) : "memory");
        break;
    default:
        __asm__ volatile("btsq $1, %0" : "+m"(*at) : : "memory");
    }
}

static u64 place(u64 va)
{
    u64 offset = va - (u64)pool_page(0);

    return offset < POOL * PAGE_SIZE ? offset : va;
}

void say_fault(const struct fault *f)
{
    say("vector", (u64)f->vector);
    if (f->vector < 0)
        return;
    say("error", f->error);
    if (f->vector == VEC_PF)
        say("cr2", place(f->cr2));
}

static void touch(void)
{
    u64 va = random_address();
    struct fault f;

    if (va - (u64)pool_page(0) < POOL * PAGE_SIZE &&
        !pool_mfn((unsigned)((va - (u64)pool_page(0)) / PAGE_SIZE)))
        return;
    touch_kind = pick(7);
    touch_value = random_entry(1 + pick(4));
    mmuext_mfn(MMUEXT_TLB_FLUSH_LOCAL, 0);
    show("touch %u at %lx", touch_kind, place(va));
    say_entry("val", touch_value);
    catch_fault(&f, touch_memory, (void *)va);
    say_fault(&f);
}

/* A tree of valid tables, written while the pages are writable, and perhaps hooked to the root or pinned. */
static void build(void)
{
    show("build");
    for (unsigned level = 1; level <= 3; level++) {
        u64 *table = pool_page(page_of_level(level));

        touch_kind = 1;
        for (unsigned i = 0; i < 3; i++) {
            struct fault f;

            touch_value = random_entry(level);
            catch_fault(&f, touch_memory, &table[slot_index[pick(SLOTS)]]);
            say("vector", (u64)f.vector);
        }
    }
}

static void hook(void)
{
    u64 at = (u64)start_info->pt_base;

    show("hook");
    at = (virt_to_mfn((void *)at) << PAGE_SHIFT) + HOOK_SLOT * 8;
    answer(mmu_write(at, chance(30) ? 0 : random_mfn(3) << PAGE_SHIFT | PTE_TABLE, 0, DOMID_SELF));
}

/* --- descriptor tables --- */

/* No call gates: Xen keeps them from the processor and emulates them, Hospes lets it have harmless ones. */
static u64 random_descriptor(void)
{
    static const u64 good[] = {0, 0x00cffa000000ffff, 0x00cff2000000ffff, 0x00affa000000ffff,
                               0x0000e20000000000};
    u64 d = good[pick(ARRAY_SIZE(good))];

    return chance(60) ? d : d ^ BIT(pick(64));
}

static void descriptor(void)
{
    u64 at = (random_mfn(0) << PAGE_SHIFT) + slot_index[pick(SLOTS)] * 8UL, value = random_descriptor();

    show("update_descriptor");
    say_entry("at", at);
    say("val", value);
    answer(HYPERVISOR(update_descriptor, at, value, 0, 0, 0));
}

static void set_gdt(void)
{
    static unsigned long frames[2];
    unsigned count = pick(4) ? 512 : pick(1100);

    frames[0] = random_mfn(0);
    frames[1] = random_mfn(0);
    show("set_gdt %u", count);
    say_entry("mfn", frames[0] << PAGE_SHIFT);
    answer(HYPERVISOR(set_gdt, frames, count, 0, 0, 0));
    if (chance(50))
        answer(HYPERVISOR(set_gdt, frames, 0, 0, 0, 0));
}

void do_tables(void)
{
    unsigned kind = pick(100);

    if (kind < 25)
        update();
    else if (kind < 40)
        pin();
    else if (kind < 50)
        extended(MMUEXT_UNPIN_TABLE, random_mfn(1 + pick(4)), 0);
    else if (kind < 62)
        other_extended();
    else if (kind < 75)
        va_mapping();
    else if (kind < 85)
        touch();
    else if (kind < 90)
        build();
    else if (kind < 93)
        hook();
    else if (kind < 95)
        machphys();
    else if (kind < 98)
        descriptor();
    else
        set_gdt();
}
