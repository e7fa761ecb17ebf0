/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's page tables.
 *
 * Every root holds the same 16 level-3 tables (layout.h), all of them made at
 * boot; whatever is mapped later appears below them, in every address space at
 * once. What is mapped for good (RAM, the image, the frame table, the M2P,
 * devices) is global, so that it survives the CR3 loads of the guests.
 *
 * Nothing is both writable and executable: the image is mapped section by
 * section, and the direct map's view of its text and constants is read-only.
 */
#include "mem/hvmap.h"

#include "abi/errno.h"
#include "lib/string.h"
#include "mem/early.h"
#include "mem/fill.h"
#include "mem/hvmap_init.h"
#include "mem/isolate.h"
#include "mem/layout.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/spec.h"
#include "x86/spinlock.h"

#define FLAGS_RW     (PTE_P | PTE_RW | PTE_NX | PTE_G | PTE_A | PTE_D)
#define FLAGS_RO     (PTE_P | PTE_NX | PTE_G | PTE_A)
#define FLAGS_GUEST_RO (PTE_P | PTE_NX | PTE_A | PTE_US) /* not global: their user mode must not see it (pv/mmu.c) */
#define FLAGS_RX     (PTE_P | PTE_G | PTE_A)
#define FLAGS_DEVICE (FLAGS_RW | PTE_PCD | PTE_PWT) /* uncached, whatever the MTRRs say */

static pte_t root[PTES_PER_TABLE] ALIGNED(PAGE_SIZE);
pte_t *hv_root = root;
static pte_t for_guests[PTES_PER_TABLE] ALIGNED(PAGE_SIZE); /* its slots 256 to 271: what guests' roots have there */
static pte_t *walked = root;                                /* by walk(): the other one in make_guests_slots() alone */

static spinlock_t lock = SPINLOCK_INIT(LOCK_HVMAP); /* guards what is below the level-3 tables, and: */
static uint64_t hvmap_next = HVMAP_START;           /* first address of HVMAP that is not in use */

extern const char image_start[], image_end[], text_start[], text_end[], rodata_start[], rodata_end[],
    data_start[], init_start[], init_end[], gate_data_start[], gate_data_end[];

paddr_t ptr_to_paddr(const void *p)
{
    uint64_t va = (uint64_t)p;

    return paddr(va >= DIRECT_START ? va - DIRECT_START : va - IMAGE_START);
}

paddr_t hv_root_paddr(void)
{
    return ptr_to_paddr(hv_root);
}

void hvmap_fill_root(pte_t *guest_root)
{
    memcpy(&guest_root[HV_FIRST_SLOT], &for_guests[HV_FIRST_SLOT],
           (HV_LAST_SLOT - HV_FIRST_SLOT + 1) * sizeof(pte_t));
}

void hvmap_clear_root(pte_t *guest_root)
{
    memset(&guest_root[HV_FIRST_SLOT], 0, (HV_LAST_SLOT - HV_FIRST_SLOT + 1) * sizeof(pte_t));
    isolate_forget(ptr_to_mfn(guest_root));
}

/* --- walking --- */

static void *new_table(void)
{
    void *table;

    if (!early_active)
        return hv_page_alloc();
    table = paddr_to_ptr(early_take(PAGE_SIZE));
    page_clear(table);
    return table;
}

/* Rights are restricted in the last level; only the guests' view of the M2P is open to them at all. */
static uint64_t table_flags(uint64_t va)
{
    return PTE_P | PTE_A | (va < M2P_RW_START ? PTE_US : PTE_RW);
}

/*
 * The entry for `va` at `level`; NULL if there is none (make: no memory for
 * the tables) or a large page covers `va`.
 */
static pte_t *walk(uint64_t va, unsigned int level, bool make)
{
    pte_t *table = walked;

    for (unsigned int l = 4; l > level; l--) {
        pte_t *e = &table[PT_INDEX(va, l)];

        if (*e & PTE_PS)
            return NULL;
        if (!(*e & PTE_P)) {
            void *below = make ? new_table() : NULL;

            if (!below)
                return NULL;
            WRITE_ONCE(*e, ptr_to_paddr(below).v | table_flags(va));
        }
        table = mfn_to_ptr(pte_mfn(*e));
    }
    return &table[PT_INDEX(va, level)];
}

/* Whether `va` is mapped, by a page of any size. */
static bool is_mapped(uint64_t va)
{
    for (unsigned int level = 1; level <= 3; level++) {
        const pte_t *e = walk(va, level, false);

        if (e && (*e & PTE_P) && (level == 1 || (*e & PTE_PS)))
            return true;
    }
    return false;
}

mfn_t hvmap_find(uint64_t va)
{
    for (unsigned int level = 1; level <= 3; level++) {
        const pte_t *e = walk(va, level, false);

        if (e && (*e & PTE_P) && (level == 1 || (*e & PTE_PS)))
            return mfn_add(pte_mfn(*e), (va & (BIT(PAGE_SHIFT + 9 * (level - 1)) - 1)) >> PAGE_SHIFT);
    }
    return MFN_INVALID;
}

static uint64_t level_size(unsigned int level)
{
    return BIT(PAGE_SHIFT + 9 * (level - 1));
}

/* Map [pa, pa+size) at va with the largest pages up to `max_level`. *done: bytes that were mapped, also on error. */
static int map_range(uint64_t va, uint64_t pa, uint64_t size, uint64_t flags, unsigned int max_level,
                     uint64_t *done)
{
    for (*done = 0; *done < size;) {
        uint64_t v = va + *done, p = pa + *done;
        unsigned int level = max_level;
        pte_t *e;

        while (level > 1 && (((v | p) & (level_size(level) - 1)) != 0 || size - *done < level_size(level)))
            level--;
        if (is_mapped(v))
            return -EEXIST;
        e = walk(v, level, true);
        if (e && level > 1 && (*e & PTE_P)) { /* a table of smaller pages from before */
            level = 1;
            e = walk(v, level, true);
        }
        if (!e)
            return -ENOMEM;
        WRITE_ONCE(*e, p | flags | (level > 1 ? PTE_PS : 0));
        *done += level_size(level);
    }
    return 0;
}

static void unmap_locked(uint64_t va, uint64_t pages)
{
    for (uint64_t end = va + (pages << PAGE_SHIFT); va < end; va += PAGE_SIZE) {
        pte_t *e = walk(va, 2, false);

        if (!e || !(*e & PTE_PS))
            e = walk(va, 1, false);
        if (e) {
            WRITE_ONCE(*e, 0);
            invlpg(va);
        }
    }
}

int hvmap_map(uint64_t va, mfn_t m, uint64_t pages, uint64_t flags)
{
    uint64_t done;
    int rc;

    spin_lock(&lock);
    rc = map_range(va, mfn_to_paddr(m).v, pages << PAGE_SHIFT, flags | PTE_P, 2, &done);
    if (rc)
        unmap_locked(va, done >> PAGE_SHIFT);
    spin_unlock(&lock);
    return rc;
}

void hvmap_unmap(uint64_t va, uint64_t pages)
{
    spin_lock(&lock);
    unmap_locked(va, pages);
    spin_unlock(&lock);
}

pte_t *hvmap_pte(uint64_t va)
{
    pte_t *e;

    spin_lock(&lock);
    e = walk(va, 1, true);
    spin_unlock(&lock);
    return e;
}

/* Map machine addresses at the next free place of HVMAP, a page left open behind it. NULL if impossible. */
static void *map_anywhere(uint64_t p, size_t size, uint64_t flags)
{
    uint64_t first = ALIGN_DOWN(p, (uint64_t)PAGE_SIZE), end, va;
    uint64_t limit = cpu_features.phys_bits ? BIT(cpu_features.phys_bits) : BIT(36);
    int rc;

    if (size == 0 || p >= limit || size > limit - p)
        return NULL;
    end = ALIGN_UP(p + size, (uint64_t)PAGE_SIZE);
    spin_lock(&lock);
    va = hvmap_next;
    rc = end - first < HVMAP_END - va - PAGE_SIZE ? 0 : -ENOMEM;
    if (!rc)
        hvmap_next += end - first + PAGE_SIZE;
    spin_unlock(&lock);
    if (!rc)
        rc = hvmap_map(va, paddr_to_mfn(paddr(first)), (end - first) >> PAGE_SHIFT, flags);
    return rc ? NULL : (void *)(va + (p - first));
}

volatile void *hvmap_device(paddr_t p, size_t size)
{
    return map_anywhere(p.v, size, FLAGS_DEVICE);
}

const void *hvmap_firmware(paddr_t p, size_t size)
{
    bool direct = size > 0 && p.v < DIRECT_SIZE && size <= DIRECT_SIZE - p.v;

    for (uint64_t a = ALIGN_DOWN(p.v, (uint64_t)PAGE_SIZE); direct && a < p.v + size; a += PAGE_SIZE)
        direct = is_mapped(DIRECT_START + a);
    return direct ? paddr_to_ptr(p) : map_anywhere(p.v, size, FLAGS_RO);
}

/* --- start-up: errors are impossible, for early_take() panics --- */

void hvmap_back_table(uint64_t start, uint64_t end, uint64_t flags, uint64_t fill, uint64_t alias_offset)
{
    uint64_t chunk = level_size(2), done;

    for (uint64_t va = ALIGN_DOWN(start, chunk); va < end; va += chunk) {
        uint64_t p;

        if (is_mapped(va))
            continue;
        p = early_take(chunk).v;
        map_range(va, p, chunk, flags | FLAGS_RO, 2, &done);
        if (fill != 0)
            fill_words((void *)va, fill, chunk);
        else
            clear_fresh((void *)va, chunk);
        if (alias_offset)
            map_range(va + alias_offset, p, chunk, FLAGS_GUEST_RO, 2, &done);
    }
}

void hvmap_make_tables(uint64_t start, uint64_t end)
{
    for (uint64_t va = start; va < end; va += level_size(2))
        walk(va, 1, true);
}

static uint64_t image_flags(const char *page)
{
    if ((page >= text_start && page < text_end) || (page >= init_start && page < init_end))
        return FLAGS_RX;
    return page < data_start ? FLAGS_RO : FLAGS_RW;
}

/* All of [start, end) writable, except what is constant in the image. */
static void map_direct(uint64_t start, uint64_t end)
{
    uint64_t ro_start = ptr_to_paddr(text_start).v, ro_end = ptr_to_paddr(data_start).v, done;
    unsigned int max_level = cpu_features.page1gb ? 3 : 2;

    if (start < ro_start && end > ro_start) {
        map_direct(start, ro_start);
        start = ro_start;
    }
    if (start < ro_end && end > ro_end) {
        map_direct(ro_end, end);
        end = ro_end;
    }
    map_range(DIRECT_START + start, start, end - start,
              start >= ro_start && start < ro_end ? FLAGS_RO : FLAGS_RW, max_level, &done);
}

/* Of the image: `start` to `end`, which are page-aligned, in guests' roots at the same addresses. */
static void show_guests(const char *start, const char *end, uint64_t flags)
{
    uint64_t done;

    map_range((uint64_t)start, ptr_to_paddr(start).v, (uint64_t)(end - start), flags, 1, &done);
}

/* What guests' roots have in the hypervisor's slots: all, or with page-table isolation (isolate.c) what they need. */
static void make_guests_slots(void)
{
    static const uint64_t shown[] = {M2P_RO_START, VCPU_AREA_START};

    memcpy(for_guests, hv_root, PAGE_SIZE);
    if (!spec_on(SPEC_XPTI))
        return;
    memset(for_guests, 0, PAGE_SIZE);
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
        for_guests[PT_INDEX(shown[i], 4)] = hv_root[PT_INDEX(shown[i], 4)];
    walked = for_guests;
    show_guests(text_start, text_end, FLAGS_RX);
    show_guests(gate_data_start, gate_data_end, FLAGS_RW);
    walked = hv_root;
}

void hvmap_init(const struct mem_range *ram, size_t n)
{
    uint64_t done;

    for (unsigned int slot = HV_FIRST_SLOT; slot <= HV_LAST_SLOT; slot++)
        walk(HV_START + ((uint64_t)(slot - HV_FIRST_SLOT) << 39), 3, true);
    for (const char *page = image_start; page < image_end; page += PAGE_SIZE)
        map_range((uint64_t)page, ptr_to_paddr(page).v, PAGE_SIZE, image_flags(page), 1, &done);
    for (size_t i = 0; i < n; i++)
        map_direct(ram[i].start, ram[i].end);
    make_guests_slots();
    write_cr3(hv_root_paddr().v);
}
