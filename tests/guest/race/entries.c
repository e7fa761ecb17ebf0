/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of a live table change while it is linked, unlinked, pinned and unpinned; and lists that change as they are read. */
#include "race/race.h"

#define SLOT 400 /* of the level-2 table of the initial mapping: nothing is there */
#define AT   (VIRT_BASE + SLOT * 0x200000UL)

static u64 *l1, *page[4];
static u64 l2_entry; /* machine address of the entry at AT */

static u64 some_entry(u64 random)
{
    static const u64 flags[4] = {PTE_P, PTE_TABLE, PTE_TABLE | PTE_NX, 0};

    return pte(random & 0x700 ? page[random % 4] : l1, flags[(random >> 4) % 4]);
}

static void change_table(unsigned cpu, u64 random)
{
    u64 slot = (random >> 40) % 8, flush = random & 0x1000 ? (u64)UVMF_TLB_FLUSH | UVMF_ALL : (u64)UVMF_NONE;

    switch ((random >> 16) % 8) {
    case 0:
        expect(mmuext_mfn(MMUEXT_PIN_L1_TABLE, virt_to_mfn(l1)), ALLOWED(0, -XEN_EINVAL, -XEN_EBUSY), "pin");
        break;
    case 1:
        expect(mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(l1)), ALLOWED(0, -XEN_EINVAL), "unpin");
        break;
    case 2:
        expect(mmu_write(l2_entry, pte(l1, PTE_TABLE), 0, DOMID_SELF), ALLOWED(0, -XEN_EINVAL, -XEN_EBUSY),
               "link"); /* EBUSY: it maps itself writable */
        break;
    case 3:
        expect(mmu_write(l2_entry, 0, 0, DOMID_SELF), ALLOWED(0), "unlink");
        break;
    case 4:
        expect(mmu_write(entry_address(l1, (unsigned)slot), some_entry(random), 0, DOMID_SELF),
               ALLOWED(0, -XEN_EBUSY, -XEN_EINVAL), "mmu_update");
        break;
    default:
        expect(hv_update_va_mapping(AT + slot * PAGE_SIZE, some_entry(random), flush),
               ALLOWED(0, -XEN_EBUSY, -XEN_EINVAL), "update_va_mapping");
    }
}

static void make_pages(void)
{
    l1 = page_alloc();
    CHECK_EQ(page_protect(l1, false), 0);
    for (unsigned i = 0; i < 4; i++)
        page[i] = page_alloc();
    l2_entry = walk_entry_machine(AT, 2);
}

static void check_pages(void)
{
    mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(l1));
    check_free(l1, "the table");
    for (unsigned i = 0; i < 4; i++)
        check_free(page[i], "a page that it mapped");
}

void race_entries(void)
{
    make_pages();
    CHECK_EQ(walk_address(AT).levels, 3);
    race("entries of a table that comes and goes", change_table);
    CHECK_EQ(mmu_write(l2_entry, 0, 0, DOMID_SELF), 0);
    check_pages();
}

/* --- lists --- */

#define LIST 64
static struct mmu_update list[LIST];

static struct mmu_update some_update(u64 random)
{
    static const u64 odd[4] = {VIRT_BASE, ~0UL, 0x7, BIT(50)};
    struct mmu_update u = {.ptr = entry_address(l1, random % 16), .val = some_entry(random >> 8)};

    if (random % 97 == 0)
        u.ptr = odd[(random >> 16) % 4];
    if (random % 89 == 0)
        u.val = BIT(50) | PTE_P;
    return u;
}

static void use_list(unsigned cpu, u64 random)
{
    volatile struct mmu_update *u = &list[random % LIST];

    if (cpu == 0 || random % 16 == 0) {
        unsigned done = 0;

        expect(hv_mmu_update(list, LIST, &done, DOMID_SELF),
               ALLOWED(0, -XEN_EBUSY, -XEN_EINVAL, -XEN_ENOSYS, -XEN_EPERM), "the list");
        if (done > LIST)
            expect((long)done, ALLOWED(0), "more done than asked for");
        return;
    }
    *(struct mmu_update *)u = some_update(random >> 8);
    u->val ^= PTE_W;
    u->val ^= PTE_P;
}

void race_lists(void)
{
    make_pages();
    for (unsigned i = 0; i < LIST; i++)
        list[i] = (struct mmu_update){.ptr = entry_address(l1, i % 16), .val = 0};
    CHECK_EQ(mmuext_mfn(MMUEXT_PIN_L1_TABLE, virt_to_mfn(l1)), 0);
    race("a list that changes", use_list);
    check_pages();
}
