/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmu_update, update_va_mapping and linear page tables. */
#include "lib/hypercall.h"
#include "memory/memory.h"

#include <xen/version.h>

#define NOWHERE       0x1234567000UL
#define NON_CANONICAL 0x8000000000000000UL

static u64 *l1, *page;

/* Every bit of an entry, through a live pinned L1 that is mapped nowhere else. */
static void test_l1_entries(void)
{
    u64 at = entry_address(l1, 3);

    CHECK_EQ(mmu_write(at, pte(page, PTE_TABLE), MMU_NORMAL_PT_UPDATE, DOMID_SELF), 0);
    CHECK_EQ(guest_bits(l1[3]), guest_bits(pte(page, PTE_TABLE)));
    CHECK_EQ(mmu_write(at, pte(page, PTE_P), MMU_NORMAL_PT_UPDATE, DOMID_SELF), 0);
    CHECK_EQ(guest_bits(l1[3]), pte(page, PTE_P));
    CHECK_EQ(mmu_write(at, pte(page, PTE_P | PTE_A | PTE_D), MMU_NORMAL_PT_UPDATE, DOMID_SELF), 0);
    CHECK_EQ(mmu_write(at, pte(page, PTE_P | PTE_W), MMU_PT_UPDATE_PRESERVE_AD, DOMID_SELF), 0);
    CHECK_EQ(l1[3] & (PTE_A | PTE_D | PTE_W), PTE_A | PTE_D | PTE_W);
    CHECK_EQ(mmu_write(at, pte(page, PTE_P | PTE_W), MMU_NORMAL_PT_UPDATE, DOMID_SELF), 0);
    CHECK_EQ(l1[3] & (PTE_A | PTE_D), 0);
    CHECK_EQ(mmu_write(at, pte(page, PTE_P | PTE_W), MMU_PT_UPDATE_NO_TRANSLATE, DOMID_SELF), 0);
    CHECK_EQ(mmu_write(at, pte(l1, PTE_TABLE), MMU_NORMAL_PT_UPDATE, DOMID_SELF), -XEN_EBUSY);
    CHECK_EQ(l1[3] & PTE_ADDR, pte(page, 0)); /* a refusal leaves the old entry */
    CHECK_EQ(mmu_write(at, pte(l1, PTE_P), MMU_NORMAL_PT_UPDATE, DOMID_SELF), 0);
    CHECK_EQ(mmu_write(at, pte((void *)start_info->pt_base, PTE_TABLE), 0, DOMID_SELF), -XEN_EBUSY);
    CHECK_EQ(mmu_write(at, pte((void *)start_info->pt_base, PTE_P), 0, DOMID_SELF), 0);
    CHECK_EQ(mmu_write(at, xen_mfn << PAGE_SHIFT | PTE_P, 0, DOMID_SELF), -XEN_EBUSY);
    CHECK_EQ(mmu_write(at, NO_MFN << PAGE_SHIFT | PTE_P, 0, DOMID_SELF), -XEN_EINVAL);
    CHECK_EQ(mmu_write(at, pte(page, PTE_TABLE | PTE_G), 0, DOMID_SELF), 0);
    CHECK_EQ(mmu_write(at, start_info->shared_info | PTE_TABLE, 0, DOMID_SELF), 0);
    CHECK_EQ(mmu_write(at, 0x7ffffffffffffffe, 0, DOMID_SELF), 0);
    CHECK_EQ(l1[3], 0x7ffffffffffffffe);
    CHECK_EQ(mmu_write(at, 0, 0, DOMID_SELF), 0);
    CHECK_EQ(l1[3], 0);
}

static void test_addresses(void)
{
    u64 *plain = page_alloc();

    /* The low bits of an address are the command. There are but four. */
    CHECK_EQ(mmu_write(entry_address(l1, 3) | 4, pte(page, PTE_P), 0, DOMID_SELF), -XEN_ENOSYS);
    CHECK_EQ(mmu_write(xen_mfn << PAGE_SHIFT, 0, 0, DOMID_SELF), -XEN_EINVAL);
    CHECK_EQ(mmu_write(NO_MFN << PAGE_SHIFT, 0, 0, DOMID_SELF), -XEN_EINVAL);
    CHECK_EQ(mmu_write(entry_address(plain, 5), 0x1234567, 0, DOMID_SELF),
             0); /* a page of data is written as such */
    CHECK_EQ(plain[5], 0x1234567);
    CHECK_EQ(mmu_write(entry_address(plain, 5), ~0UL, 0, DOMID_SELF), 0);
    CHECK_EQ(plain[5], ~0UL);
    CHECK_EQ(mmu_write(start_info->shared_info + 0xff8, 0, 0, DOMID_SELF), 0);
}

static void test_domains(void)
{
    u64 at = entry_address(l1, 3), entry = pte(page, PTE_P);

    CHECK_EQ(mmu_write(at, entry, 0, 0x1234), -XEN_ESRCH);
    /* Who may name these: its own page is not theirs. */
    CHECK_EQ(mmu_write(at, entry, 0, DOMID_XEN), guest_is_dom0() ? -XEN_EBUSY : -XEN_EPERM);
    CHECK_EQ(mmu_write(at, entry, 0, DOMID_IO), -XEN_EBUSY);
    CHECK_EQ(mmu_write(at, entry, 0, DOMID_INVALID), -XEN_ESRCH);
    CHECK_EQ(mmu_write(at, entry, 0, DOMID_COW), -XEN_ESRCH);
    CHECK_EQ(mmu_write(at, entry, 0, DOMID_SELF), 0);
    CHECK_EQ(mmu_write(at, 0, 0, DOMID_SELF), 0);
}

static void test_machphys(void)
{
    u64 mfn = virt_to_mfn(page), pfn = virt_to_pfn(page);

    CHECK_EQ(mmu_write(mfn << PAGE_SHIFT, pfn + 7, MMU_MACHPHYS_UPDATE, DOMID_SELF), 0);
    CHECK_EQ(mfn_to_pfn(mfn), pfn + 7);
    CHECK_EQ(mmu_write(mfn << PAGE_SHIFT | 0xff0, pfn, MMU_MACHPHYS_UPDATE, DOMID_SELF), 0);
    CHECK_EQ(mfn_to_pfn(mfn), pfn);
    CHECK_EQ(mmu_write(xen_mfn << PAGE_SHIFT, pfn, MMU_MACHPHYS_UPDATE, DOMID_SELF), -XEN_EINVAL);
    CHECK_EQ(mmu_write(NO_MFN << PAGE_SHIFT, pfn, MMU_MACHPHYS_UPDATE, DOMID_SELF), -XEN_EINVAL);
}

/* Lists: how many were done is told; the first refusal ends the list. */
static void test_lists(void)
{
    struct mmu_update list[4];
    unsigned done = 99;

    for (unsigned i = 0; i < 4; i++)
        list[i] = (struct mmu_update){.ptr = entry_address(l1, i), .val = pte(page, PTE_P)};
    CHECK_EQ(hv_mmu_update(list, 4, &done, DOMID_SELF), 0);
    CHECK_EQ(done, 4);
    list[2].val = pte(l1, PTE_TABLE);
    done = 99;
    CHECK_EQ(hv_mmu_update(list, 4, &done, DOMID_SELF), -XEN_EBUSY);
    CHECK_EQ(done, 2);
    done = 99;
    CHECK_EQ(hv_mmu_update(list, 0, &done, DOMID_SELF), 0);
    CHECK_EQ(done, 0);
    CHECK_EQ(hv_mmu_update((void *)NOWHERE, 0, NULL, DOMID_SELF), 0);
    CHECK_EQ(hv_mmu_update((void *)NOWHERE, 1, &done, DOMID_SELF), -XEN_EFAULT);
    CHECK_EQ(done, 0);
    list[2].val = 0;
    for (unsigned i = 0; i < 4; i++)
        list[i].val = 0;
    CHECK_EQ(hv_mmu_update(list, 4, (unsigned *)NOWHERE, DOMID_SELF),
             0); /* a bad place for the count is no error */
    CHECK_EQ(l1[0] | l1[1] | l1[2] | l1[3], 0);
}

/* Entries of our own live upper tables. */
static void test_upper_entries(void)
{
    u64 root = virt_to_mfn((void *)start_info->pt_base) << PAGE_SHIFT;
    u64 *l3 = page_alloc(), *l2 = page_alloc();

    make_readonly(l3);
    make_readonly(l2);
    CHECK_EQ(mmu_write(root + 256 * 8, 0, 0, DOMID_SELF), -XEN_EINVAL);
    CHECK_EQ(mmu_write(root + 271 * 8, 0, 0, DOMID_SELF), -XEN_EINVAL);
    CHECK_EQ(mmu_write(root + 5 * 8, pte(l3, PTE_TABLE), 0, DOMID_SELF), 0);
    CHECK_EQ(page_protect(l3, true), -XEN_EBUSY);
    CHECK_EQ(mmu_write(entry_address(l3, 0), pte(l2, PTE_TABLE), 0, DOMID_SELF), 0);
    CHECK_EQ(mmu_write(entry_address(l2, 0), pte(l1, PTE_TABLE), 0, DOMID_SELF), 0);
    CHECK_EQ(mmu_write(entry_address(l2, 1), pte(l1, PTE_TABLE | PTE_PS), 0, DOMID_SELF), -XEN_EINVAL);
    CHECK_EQ(mmu_write(entry_address(l2, 1), pte(l3, PTE_TABLE), 0, DOMID_SELF), -XEN_EINVAL);
    CHECK_EQ(mmu_write(entry_address(l3, 1), pte(l1, PTE_TABLE), 0, DOMID_SELF), -XEN_EINVAL);
    CHECK_EQ(mmu_write(entry_address(l1, 0), pte(page, PTE_TABLE), 0, DOMID_SELF), 0);
    page[0] = 0x5151;
    CHECK_EQ(*(u64 *)(5UL << 39), 0x5151); /* the new branch is live at once */
    CHECK_EQ(mmu_write(entry_address(l1, 0), 0, 0, DOMID_SELF), 0);
    CHECK_EQ(mmu_write(root + 5 * 8, 0, 0, DOMID_SELF), 0);
    check_no_type_left(l3, "a branch taken away");
    check_no_type_left(l2, "a branch taken away");
}

void test_mmu_update(void)
{
    l1 = page_alloc();
    page = page_alloc();
    make_readonly(l1);
    CHECK_EQ(mmuext_mfn(MMUEXT_PIN_L1_TABLE, virt_to_mfn(l1)), 0);
    test_l1_entries();
    test_addresses();
    test_domains();
    test_machphys();
    test_lists();
    test_upper_entries();
    CHECK_EQ(mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(l1)), 0);
    check_no_type_left(l1, "mmu_update");
}

void test_va_mapping(void)
{
    u64 va = (u64)page_alloc(), old = walk_address(va).entry[1], cpus = 1;
    u64 *other = page_alloc();

    CHECK_EQ(hv_update_va_mapping(va, pte(other, PTE_TABLE), UVMF_INVLPG | UVMF_LOCAL), 0);
    other[0] = 0x4242;
    CHECK_EQ(*(volatile u64 *)va, 0x4242);
    CHECK_EQ(hv_update_va_mapping(va + 0x123, old, UVMF_INVLPG | UVMF_ALL), 0);
    CHECK_EQ(*(volatile u64 *)va, 0);
    CHECK_EQ(hv_update_va_mapping(va, old, UVMF_NONE), 0);
    CHECK_EQ(hv_update_va_mapping(va, old, UVMF_TLB_FLUSH | UVMF_LOCAL), 0);
    CHECK_EQ(hv_update_va_mapping(va, old, UVMF_TLB_FLUSH | UVMF_ALL), 0);
    CHECK_EQ(hv_update_va_mapping(va, old, UVMF_TLB_FLUSH | UVMF_MULTI | (u64)&cpus), 0);
    CHECK_EQ(hv_update_va_mapping(va, old, UVMF_INVLPG | UVMF_MULTI | (u64)&cpus), 0);
    CHECK_EQ(hv_update_va_mapping(va, old, UVMF_INVLPG | UVMF_MULTI | NOWHERE), -XEN_EFAULT);
    CHECK_EQ(hv_update_va_mapping(va, old, UVMF_TLB_FLUSH | UVMF_MULTI | NOWHERE), -XEN_EFAULT);
    CHECK_EQ(hv_update_va_mapping(va, old, 3), 0); /* both kinds of flush at once */
    CHECK_EQ(hv_update_va_mapping(va, 0, UVMF_INVLPG), 0);
    CHECK_EQ(walk_address(va).present, false);
    CHECK_EQ(hv_update_va_mapping(va, pte((void *)start_info->pt_base, PTE_TABLE), 0), -XEN_EBUSY);
    CHECK_EQ(hv_update_va_mapping(va, xen_mfn << PAGE_SHIFT | PTE_P, 0), -XEN_EBUSY);
    CHECK_EQ(hv_update_va_mapping(va, NO_MFN << PAGE_SHIFT | PTE_P, 0), -XEN_EINVAL);
    CHECK_EQ(hv_update_va_mapping(va, old, UVMF_INVLPG), 0);
    CHECK_EQ(hv_update_va_mapping(NOWHERE, old, 0), -XEN_EINVAL);
    CHECK_EQ(hv_update_va_mapping(NON_CANONICAL, old, 0), -XEN_EINVAL);
    CHECK_EQ(hv_update_va_mapping(HYPERVISOR_VIRT_START, old, 0), -XEN_EINVAL);
    CHECK_EQ(hv_update_va_mapping(0xffff830000000000, old, 0), -XEN_EINVAL);
    CHECK_EQ(hv_update_va_mapping(0xffff82c000000000, old, 0), -XEN_EINVAL);
    CHECK_EQ(hv_update_va_mapping_otherdomain(va, old, 0, DOMID_SELF), 0);
    CHECK_EQ(hv_update_va_mapping_otherdomain(va, old, 0, 0x1234), -XEN_ESRCH);
    if (!guest_is_dom0()) {
        CHECK_EQ(hv_update_va_mapping_otherdomain(va, old, 0, DOMID_XEN), -XEN_EPERM);
        CHECK_EQ(hv_update_va_mapping_otherdomain(va, old, 0, DOMID_IO), -XEN_EPERM);
    }
}

static bool on_hospes(void)
{
    static struct xen_compile_info info;

    return hv_xen_version(XENVER_compile_info, &info) == 0 && memcmp(info.compile_by, "hospes", 7) == 0;
}

/*
 * Through a root that is used as a level-3 table too, slots 257 to 271 of it would lead the hypervisor itself, when
 * it reads an argument, to its own tables and all memory. (Xen 4.17 reads there: it is not asked.)
 */
static void check_no_way_into_hypervisor(void)
{
    for (u64 i = 256; on_hospes() && i < 272; i++) {
        CHECK_EQ(hv_mmu_update((void *)((7UL << 39) + (i << 30)), 1, NULL, DOMID_SELF), -XEN_EFAULT);
        CHECK_EQ(hv_mmu_update((void *)((7UL << 39) + (7UL << 30) + (i << 21)), 1, NULL, DOMID_SELF), -XEN_EFAULT);
        CHECK_EQ(hv_mmu_update((void *)((7UL << 39) + (7UL << 30) + (7UL << 21) + (i << 12)), 1, NULL, DOMID_SELF),
                 -XEN_EFAULT);
    }
}

/* A table that maps itself, read-only: what NetBSD and Mini-OS's older kernels live by. */
void test_linear_tables(void)
{
    u64 *root = (u64 *)start_info->pt_base, *l3 = page_alloc(), *l2 = page_alloc();
    u64 at = virt_to_mfn(root) << PAGE_SHIFT;
    volatile u64 *linear = (volatile u64 *)((7UL << 39) + (7UL << 30) + (7UL << 21) + (7UL << 12));

    CHECK_EQ(mmu_write(at + 7 * 8, pte(root, PTE_TABLE), 0, DOMID_SELF), -XEN_EINVAL);
    CHECK_EQ(mmu_write(at + 7 * 8, pte(root, PTE_P | PTE_U | PTE_A), 0, DOMID_SELF), 0);
    CHECK_EQ(linear[511], root[511]);
    check_no_way_into_hypervisor();
    CHECK_EQ(mmu_write(at + 7 * 8, pte(root, PTE_TABLE), 0, DOMID_SELF), -XEN_EINVAL);
    CHECK_EQ(mmu_write(at + 7 * 8, 0, 0, DOMID_SELF), 0);

    /* At the other levels, of itself and of a sister. */
    make_readonly(l3);
    make_readonly(l2);
    CHECK_EQ(mmuext_mfn(MMUEXT_PIN_L3_TABLE, virt_to_mfn(l3)), 0);
    CHECK_EQ(mmuext_mfn(MMUEXT_PIN_L2_TABLE, virt_to_mfn(l2)), 0);
    CHECK_EQ(mmu_write(entry_address(l3, 0), pte(l3, PTE_P), 0, DOMID_SELF), 0);
    CHECK_EQ(mmu_write(entry_address(l2, 0), pte(l2, PTE_P), 0, DOMID_SELF), 0);
    CHECK_EQ(mmu_write(entry_address(l3, 1), pte(l3, PTE_TABLE), 0, DOMID_SELF), -XEN_EINVAL);
    CHECK_EQ(mmu_write(entry_address(l2, 1), pte(l2, PTE_TABLE), 0, DOMID_SELF), -XEN_EINVAL);
    CHECK_EQ(mmu_write(entry_address(l3, 1),
                       pte((u64 *)pfn_to_virt(mfn_to_pfn(walk_address(VIRT_BASE).table[3])), PTE_P), 0,
                       DOMID_SELF),
             0);
    CHECK_EQ(mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(l3)), 0);
    CHECK_EQ(mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(l2)), 0);
    check_no_type_left(l3, "linear L3");
    check_no_type_left(l2, "linear L2");
}
