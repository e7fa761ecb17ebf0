/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pool: pages that become page tables of every level, or data, and are
 * always readable through the initial mapping unless they have no frame. Only
 * eight entries of each are used, so that operations meet. Beside them there
 * is a window of addresses whose table is ours and stays.
 */
#include "fuzz/fuzz.h"
#include "lib/hypercall.h"

#define FRAMES_MAX  (1UL << 20)
#define NOT_OF_POOL 0xff

static u8 pool[POOL][PAGE_SIZE] PAGE_ALIGNED;
static u64 mfn_of[POOL];
static u8 page_of[FRAMES_MAX]; /* by machine frame: number of the page + 1 */
static u64 window_table;       /* machine address */
static u64 *window_entries;
static u64 root_mfn;

u64 *pool_page(unsigned page)
{
    return (u64 *)pool[page];
}

u64 pool_mfn(unsigned page)
{
    return mfn_of[page];
}

void pool_set_mfn(unsigned page, u64 mfn)
{
    if (mfn_of[page])
        page_of[mfn_of[page]] = 0;
    mfn_of[page] = mfn;
    if (mfn >= FRAMES_MAX)
        guest_panic("frame %lx is too high for the fuzzer\n", mfn);
    if (mfn)
        page_of[mfn] = (u8)(page + 1);
}

void pages_init(void)
{
    u64 *l1 = page_alloc();
    /* WINDOW lies in the 1 GB whose L2 table user_init() has made. */
    u64 l2_entry = (walk_address(WINDOW).table[2] << PAGE_SHIFT) + ((WINDOW >> 21) & 511) * 8;

    for (unsigned i = 0; i < POOL; i++)
        pool_set_mfn(i, virt_to_mfn(pool[i]));
    root_mfn = virt_to_mfn((void *)start_info->pt_base);
    window_entries = l1;
    window_table = virt_to_mfn(l1) << PAGE_SHIFT;
    if (page_protect(l1, false) || mmu_write(l2_entry, window_table | PTE_TABLE, 0, DOMID_SELF))
        guest_panic("no window\n");
}

u64 window_entry(unsigned n)
{
    return window_table + n * 8;
}

unsigned any_page(void)
{
    return pick(POOL);
}

unsigned page_of_level(unsigned level)
{
    static const u8 first[] = {DATA_FIRST, L1_FIRST, L2_FIRST, L3_FIRST, L4_FIRST};
    static const u8 end[] = {CHANGING_FIRST, DATA_FIRST, L1_FIRST, L2_FIRST, L3_FIRST};

    return chance(85) ? first[level] + pick(end[level] - first[level]) : pick(CHANGING_FIRST);
}

u64 random_mfn(unsigned level)
{
    /* VGA memory, the firmware, I/O APIC, HPET, local APIC, messages, no memory, above all addresses. */
    static const u64 odd[] = {0xa0,    0xb8,    0xf0,     0xfec00,  0xfed00,
                              0xfee00, 0xfee05, 0x3fffff, 1UL << 27, (1UL << 40) - 1};

    if (chance(95))
        return pool_mfn(page_of_level(level));
    return odd[pick(ARRAY_SIZE(odd))];
}

u64 random_entry(unsigned level)
{
    u64 flags = PTE_P | PTE_U | PTE_A | PTE_D | (chance(level == 1 ? 60 : 80) ? PTE_W : 0);

    if (chance(12))
        return 0;
    if (chance(20)) {
        unsigned bit = pick(27); /* 0 to 11, and 49 to 63 */

        flags ^= BIT(bit < 12 ? bit : bit + 37);
    }
    if (chance(2))
        return (chance(50) ? window_table : root_mfn << PAGE_SHIFT) | flags;
    return random_mfn(level - 1) << PAGE_SHIFT | flags;
}

/* Through the pool's own mapping, the window, or tables of the pool below the root. */
u64 random_address(void)
{
    unsigned slot = slot_index[pick(SLOTS)];
    u64 va;

    switch (pick(8)) {
    case 0:
    case 1:
    case 2:
        return (u64)&pool_page(any_page())[slot];
    case 3:
    case 4:
        return WINDOW + pick(WINDOW_PAGES) * PAGE_SIZE + slot * 8;
    case 5:
    case 6:
        va = (u64)HOOK_SLOT << 39;
        for (unsigned level = 1; level <= 3; level++)
            va |= (u64)slot_index[pick(SLOTS)] << (3 + 9 * level);
        return va + slot * 8;
    default: {
        static const u64 odd[] = {0,
                                  0x8000000000000000,
                                  0x7ffffffffff8,
                                  0xffff800000000000,
                                  0xffff820000000000,
                                  0xffff830000000000,
                                  0xffff87fffffffff8,
                                  0xfffffffffffffff8};
        return odd[pick(ARRAY_SIZE(odd))];
    }
    }
}

/*
 * An entry as it is compared: a page of the pool instead of its frame; without
 * what the processor may set, since it depends on what the TLB still knew, and
 * without G and bit 52, with which Xen marks entries (docs/abi-status.md).
 */
static u64 comparable(u64 entry)
{
    u64 number = entry & (PTE_ADDR ^ 7UL << 49),
        mfn = number >> PAGE_SHIFT; /* bits 49 to 51 are turned over at random */

    if (mfn == root_mfn || mfn == window_table >> PAGE_SHIFT)
        entry = (entry ^ number) | (mfn == root_mfn ? 0xf00000000 : 0xf10000000);
    else if (mfn < FRAMES_MAX && page_of[mfn])
        entry = (entry ^ number) | 0xe00000000 | (u64)(page_of[mfn] - 1) << PAGE_SHIFT;
    return entry & ~(PTE_A | PTE_D | (entry & PTE_P ? PTE_G | BIT(52) : 0));
}

void say_entry(const char *name, u64 entry)
{
    say(name, comparable(entry));
}

/* Every entry is compared; the shown stream has those that are not what they were. */
void pages_say(void)
{
    static u64 last[POOL][SLOTS], last_window[WINDOW_PAGES];

    for (unsigned i = 0; i < POOL; i++) {
        for (unsigned k = 0; k < SLOTS && mfn_of[i]; k++) {
            u64 now = comparable(pool_page(i)[slot_index[k]]);

            if (now == last[i][k])
                continue;
            last[i][k] = now;
            show(" %u[%u]", i, slot_index[k]);
            say("", i << 8 | k);
            say("", now);
        }
    }
    for (unsigned i = 0; i < WINDOW_PAGES; i++) {
        u64 now = comparable(window_entries[i]);

        if (now == last_window[i])
            continue;
        last_window[i] = now;
        show(" window[%u]", i);
        say("", i);
        say("", now);
    }
}

/* No page is a page table any more, unless the window has it. */
void pages_release(void)
{
    mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, 0);
    mmu_write((root_mfn << PAGE_SHIFT) + HOOK_SLOT * 8, 0, 0, DOMID_SELF);
    for (unsigned i = 0; i < POOL; i++)
        mmuext_mfn(MMUEXT_UNPIN_TABLE, pool_mfn(i));
}

/*
 * Nothing refers to anything any more: then every page can be written again.
 * One that cannot has been leaked.
 */
void pages_reset(void)
{
    for (unsigned i = 0; i <= CHANGING_WINDOW; i++)
        hv_update_va_mapping(WINDOW + i * PAGE_SIZE, 0, 0);
    for (unsigned i = 0; i < POOL; i++) {
        long rc = page_protect(pool_page(i), true);

        if (rc) {
            say("left", i);
            answer(rc);
            continue;
        }
        memset(pool_page(i), 0, PAGE_SIZE);
        /* Nothing else can write it, or it could not become a table. */
        page_protect(pool_page(i), false);
        rc = mmuext_mfn(MMUEXT_PIN_L1_TABLE, pool_mfn(i));
        if (rc) {
            say("held", i);
            answer(rc);
        }
        mmuext_mfn(MMUEXT_UNPIN_TABLE, pool_mfn(i));
        page_protect(pool_page(i), true);
    }
    mmuext_mfn(MMUEXT_TLB_FLUSH_LOCAL, 0);
    pages_say();
}
