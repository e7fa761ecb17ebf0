/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables and memory: what may become a table, what an entry may hold, and
 * the exact code of each refusal. (As Xen 4.17 answers to dom0; where a domU
 * differs a comment says so.)
 */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include "memory/memory.h"

const char guest_name[] = "memory";
u64 xen_mfn;

u64 pte(const void *page, u64 flags)
{
    return virt_to_mfn(page) << PAGE_SHIFT | flags;
}

u64 guest_bits(u64 entry)
{
    return entry & PTE_P ? entry & ~(PTE_U | PTE_G | BIT(52)) : entry;
}

u64 entry_address(const u64 *table, unsigned i)
{
    return (virt_to_mfn(table) << PAGE_SHIFT) + i * 8UL;
}

void make_readonly(void *page)
{
    CHECK_EQ(page_protect(page, false), 0);
}

void make_writable(void *page)
{
    CHECK_EQ(page_protect(page, true), 0);
}

void check_no_type_left(void *page, const char *what)
{
    CHECK_NAMED(what, page_protect(page, true), 0);
    memset(page, 0, PAGE_SIZE);
    CHECK_NAMED(what, page_protect(page, false), 0);
    CHECK_NAMED(what, mmuext_mfn(MMUEXT_PIN_L1_TABLE, virt_to_mfn(page)), 0);
    CHECK_NAMED(what, mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(page)), 0);
    CHECK_NAMED(what, page_protect(page, true), 0);
}

void guest_main(void)
{
    const u64 *l4 = (const u64 *)start_info->pt_base;

    xen_mfn = (l4[256] & PTE_ADDR) >> PAGE_SHIFT;
    CHECK(xen_mfn != 0);
    CHECK_EQ(hv_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), 0);
    test_pinning();
    test_mmu_update();
    test_va_mapping();
    test_linear_tables();
    test_emulated_writes();
    test_mmuext();
    test_reservation();
}
