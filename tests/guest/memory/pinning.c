/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pin and unpin: what a page must be to become a table of each level. */
#include "lib/hypercall.h"
#include "memory/memory.h"

static const unsigned pin_command[5] = {
    0, MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE,
};

static long pin(unsigned level, const void *page)
{
    return mmuext_mfn(pin_command[level], virt_to_mfn(page));
}

static long unpin(const void *page)
{
    return mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(page));
}

static void test_one_level(unsigned level)
{
    u64 *table = page_alloc();

    CHECK_EQ(pin(level, table), -XEN_EINVAL); /* mapped writable */
    make_readonly(table);
    CHECK_EQ(unpin(table), -XEN_EINVAL);
    CHECK_EQ(pin(level, table), 0);
    CHECK_EQ(pin(level, table), -XEN_EINVAL); /* pinned already */
    for (unsigned other = 1; other <= 4; other++) {
        if (other != level)
            CHECK_EQ(pin(other, table), -XEN_EINVAL);
    }
    CHECK_EQ(page_protect(table, true), -XEN_EBUSY); /* no writable mapping of a table */
    make_readonly(table);
    CHECK_EQ(unpin(table), 0);
    CHECK_EQ(unpin(table), -XEN_EINVAL);
    make_writable(table);
    check_no_type_left(table, "pin and unpin");
}

/* An entry that must not be in a table of this level: the pin is refused and nothing stays behind. */
static void refuse(unsigned level, unsigned index, u64 entry, long code, const char *what)
{
    static u64 *table;
    long rc;

    if (!table)
        table = page_alloc();
    make_writable(table);
    memset(table, 0, PAGE_SIZE);
    table[index] = entry;
    make_readonly(table);
    rc = pin(level, table);
    CHECK_NAMED(what, rc, code);
    if (rc == 0)
        CHECK_NAMED(what, unpin(table), 0);
    make_writable(table);
    check_no_type_left(table, what);
}

static void test_entries_of_l1(void)
{
    u64 *page = page_alloc(), *l1 = page_alloc();
    long uncached = guest_is_dom0() ? 0 : -XEN_EINVAL; /* only who has devices may choose a cache type */

    refuse(1, 0, pte(page, PTE_P), 0, "L1: a page, read-only");
    refuse(1, 511, pte(page, PTE_TABLE), 0, "L1: a page, writable");
    refuse(1, 0, pte(page, PTE_TABLE | PTE_PS), uncached, "L1: the PAT bit");
    refuse(1, 0, pte(page, PTE_TABLE | PTE_G), 0, "L1: global");
    refuse(1, 0, pte(page, PTE_TABLE | PTE_PWT | PTE_PCD), uncached, "L1: uncached");
    refuse(1, 0, pte(page, PTE_TABLE | PTE_NX | 0xe00), 0, "L1: NX and the software's bits");
    refuse(1, 0, pte(page, PTE_TABLE | BIT(52)), 0, "L1: bit 52");
    refuse(1, 0, pte(page, PTE_TABLE | BIT(58)), 0, "L1: bit 58");
    refuse(1, 0, pte(page, 0xffe), 0, "L1: anything, not present");
    refuse(1, 0, 0x7ffffffffffffffe, 0, "L1: anything at all, not present");
    refuse(1, 0, xen_mfn << PAGE_SHIFT | PTE_P, -XEN_EBUSY, "L1: a frame of the hypervisor, read-only");
    refuse(1, 0, xen_mfn << PAGE_SHIFT | PTE_TABLE, -XEN_EBUSY, "L1: a frame of the hypervisor");
    refuse(1, 0, NO_MFN << PAGE_SHIFT | PTE_P, -XEN_EINVAL, "L1: a frame of no machine");
    make_readonly(l1);
    CHECK_EQ(pin(1, l1), 0);
    refuse(1, 0, pte(l1, PTE_P), 0, "L1: a table, read-only");
    refuse(1, 0, pte(l1, PTE_TABLE), -XEN_EBUSY, "L1: a table, writable");
    CHECK_EQ(unpin(l1), 0);
}

static void test_entries_of_upper(unsigned level)
{
    u64 *lower = page_alloc(), *same = page_alloc(), *plain = page_alloc();
    char what[48];

    make_readonly(lower);
    make_readonly(same);
    guest_snprintf(what, sizeof(what), "L%u: ", level);
    CHECK_EQ(pin(level, same), 0);
    refuse(level, 0, pte(lower, PTE_TABLE), 0, "upper: a page that can become a table of the level below");
    CHECK_EQ(pin(level - 1, lower), 0);
    refuse(level, 0, pte(lower, PTE_TABLE), 0, "upper: a table of the level below");
    refuse(level, 0, pte(lower, PTE_P), 0, "upper: read-only");
    refuse(level, 0, pte(lower, PTE_TABLE | PTE_NX), 0, "upper: NX");
    refuse(level, 0, pte(lower, PTE_TABLE | PTE_PCD | PTE_PWT), -XEN_EINVAL, "upper: uncached");
    refuse(level, 0, pte(lower, PTE_TABLE | PTE_PS), -XEN_EINVAL, "upper: superpage");
    refuse(level, 0, pte(lower, PTE_TABLE | PTE_G), -XEN_EINVAL, "upper: global");
    refuse(level, 0, pte(lower, PTE_TABLE | 0xe00), 0, "upper: software's bits");
    refuse(level, 0, pte(lower, PTE_TABLE | BIT(52)), 0, "upper: bit 52");
    refuse(level, 0, pte(same, PTE_TABLE), -XEN_EINVAL, "upper: a table of its own level, writable");
    refuse(level, 0, pte(plain, PTE_TABLE), -XEN_EINVAL, "upper: a page that is mapped writable");
    refuse(level, 0, xen_mfn << PAGE_SHIFT | PTE_TABLE, -XEN_EINVAL, "upper: a frame of the hypervisor");
    refuse(level, 0, NO_MFN << PAGE_SHIFT | PTE_TABLE, -XEN_EINVAL, "upper: a frame of no machine");
    refuse(level, 0, 0x7ffffffffffffffe, 0, "upper: anything, not present");
    CHECK_EQ(unpin(lower), 0);
    CHECK_EQ(unpin(same), 0);
    check_no_type_left(lower, what);
    check_no_type_left(same, what);
}

/* The hypervisor's own slots of a root: whatever stands there is replaced, not looked at. */
static void test_reserved_slots(void)
{
    u64 *l3 = page_alloc();

    make_readonly(l3);
    CHECK_EQ(pin(3, l3), 0);
    refuse(4, 256, pte(l3, PTE_TABLE), 0, "L4: slot 256");
    refuse(4, 271, pte(l3, PTE_TABLE), 0, "L4: slot 271");
    refuse(4, 272, pte(l3, PTE_TABLE), 0, "L4: slot 272, the first above");
    CHECK_EQ(unpin(l3), 0);
}

static void test_bad_frames(void)
{
    for (unsigned level = 1; level <= 4; level++) {
        CHECK_EQ(mmuext_mfn(pin_command[level], NO_MFN), -XEN_EINVAL);
        CHECK_EQ(mmuext_mfn(pin_command[level], ~0UL), -XEN_EINVAL);
        CHECK_EQ(mmuext_mfn(pin_command[level], xen_mfn), -XEN_EINVAL);
    }
    CHECK_EQ(mmuext_mfn(MMUEXT_UNPIN_TABLE, NO_MFN), -XEN_EINVAL);
    CHECK_EQ(mmuext_mfn(MMUEXT_UNPIN_TABLE, ~0UL), -XEN_EINVAL);
    CHECK_EQ(mmuext_mfn(MMUEXT_UNPIN_TABLE, xen_mfn), -XEN_EINVAL);
}

void test_pinning(void)
{
    for (unsigned level = 1; level <= 4; level++)
        test_one_level(level);
    test_entries_of_l1();
    for (unsigned level = 2; level <= 4; level++)
        test_entries_of_upper(level);
    test_reserved_slots();
    test_bad_frames();
}
