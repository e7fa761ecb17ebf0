/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rest of mmuext_op: roots, flushes, clear and copy, LDT; bad commands and lists. */
#include "lib/hypercall.h"
#include "memory/memory.h"

#define NOWHERE 0x1234567000UL

static long op_va(unsigned cmd, u64 va, const void *arg2)
{
    struct mmuext_op op = {.cmd = cmd, .arg1.linear_addr = va};

    op.arg2.vcpumask.p = (void *)arg2;
    return hv_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

static void test_roots(void)
{
    u64 *root = (u64 *)start_info->pt_base, *second = page_alloc(), *empty = page_alloc();

    for (unsigned i = 0; i < 512; i++) {
        if (i < 256 || i >= 272)
            second[i] = root[i];
    }
    make_readonly(second);
    make_readonly(empty);
    CHECK_EQ(mmuext_mfn(MMUEXT_NEW_BASEPTR, virt_to_mfn(second)), 0);
    CHECK_EQ(page_protect(second, true), -XEN_EBUSY);
    CHECK_EQ(mmuext_mfn(MMUEXT_NEW_BASEPTR, virt_to_mfn(root)), 0);
    check_no_type_left(second, "the root left");
    CHECK_EQ(mmuext_mfn(MMUEXT_NEW_BASEPTR, virt_to_mfn(page_alloc())), -XEN_EINVAL);
    CHECK_EQ(mmuext_mfn(MMUEXT_NEW_BASEPTR, NO_MFN), -XEN_EINVAL);
    CHECK_EQ(mmuext_mfn(MMUEXT_NEW_BASEPTR, xen_mfn), -XEN_EINVAL);
    CHECK_EQ(mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, virt_to_mfn(empty)), 0);
    CHECK_EQ(page_protect(empty, true), -XEN_EBUSY);
    CHECK_EQ(mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, virt_to_mfn(empty)), 0);
    CHECK_EQ(mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, virt_to_mfn(page_alloc())), -XEN_EINVAL);
    CHECK_EQ(mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, NO_MFN), -XEN_EINVAL);
    CHECK_EQ(mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, 0), 0); /* none */
    check_no_type_left(empty, "the user root left");
}

static void test_flushes(void)
{
    u64 cpus = ~0UL, here = (u64)page_alloc();

    CHECK_EQ(op_va(MMUEXT_TLB_FLUSH_LOCAL, 0, NULL), 0);
    CHECK_EQ(op_va(MMUEXT_INVLPG_LOCAL, here, NULL), 0);
    CHECK_EQ(op_va(MMUEXT_INVLPG_LOCAL, HYPERVISOR_VIRT_START, NULL), 0);
    CHECK_EQ(op_va(MMUEXT_INVLPG_LOCAL, 0x8000000000000000, NULL), 0);
    CHECK_EQ(op_va(MMUEXT_TLB_FLUSH_ALL, 0, NULL), 0);
    CHECK_EQ(op_va(MMUEXT_INVLPG_ALL, here, NULL), 0);
    CHECK_EQ(op_va(MMUEXT_TLB_FLUSH_MULTI, 0, &cpus), 0);
    CHECK_EQ(op_va(MMUEXT_INVLPG_MULTI, here, &cpus), 0);
    CHECK_EQ(op_va(MMUEXT_TLB_FLUSH_MULTI, 0, (void *)NOWHERE), -XEN_EINVAL);
    CHECK_EQ(op_va(MMUEXT_INVLPG_MULTI, here, (void *)NOWHERE), -XEN_EINVAL);
    /* Allowed to those who own I/O memory: dom0 does. */
    if (guest_is_dom0()) {
        CHECK_EQ(op_va(MMUEXT_FLUSH_CACHE, 0, NULL), 0);
        CHECK_EQ(op_va(MMUEXT_FLUSH_CACHE_GLOBAL, 0, NULL), 0);
    }
}

static void test_pages(void)
{
    u64 *a = page_alloc(), *b = page_alloc(), *l1 = page_alloc();
    struct mmuext_op op = {.cmd = MMUEXT_CLEAR_PAGE};

    for (unsigned i = 0; i < 512; i++)
        a[i] = i;
    op.cmd = MMUEXT_COPY_PAGE;
    op.arg1.mfn = virt_to_mfn(b);
    op.arg2.src_mfn = virt_to_mfn(a);
    CHECK_EQ(hv_mmuext_op(&op, 1, NULL, DOMID_SELF), 0);
    CHECK_EQ(b[511], 511);
    CHECK_EQ(mmuext_mfn(MMUEXT_CLEAR_PAGE, virt_to_mfn(b)), 0);
    CHECK_EQ(b[511], 0);
    op.arg2.src_mfn = xen_mfn;
    CHECK_EQ(hv_mmuext_op(&op, 1, NULL, DOMID_SELF), -XEN_EINVAL);
    op.arg1.mfn = xen_mfn;
    op.arg2.src_mfn = virt_to_mfn(a);
    CHECK_EQ(hv_mmuext_op(&op, 1, NULL, DOMID_SELF), -XEN_EINVAL);
    CHECK_EQ(mmuext_mfn(MMUEXT_CLEAR_PAGE, xen_mfn), -XEN_EINVAL);
    CHECK_EQ(mmuext_mfn(MMUEXT_CLEAR_PAGE, NO_MFN), -XEN_EINVAL);
    make_readonly(l1);
    CHECK_EQ(mmuext_mfn(MMUEXT_PIN_L1_TABLE, virt_to_mfn(l1)), 0);
    CHECK_EQ(mmuext_mfn(MMUEXT_CLEAR_PAGE, virt_to_mfn(l1)), -XEN_EINVAL); /* a table is not writable */
    op.arg1.mfn = virt_to_mfn(l1);
    CHECK_EQ(hv_mmuext_op(&op, 1, NULL, DOMID_SELF), -XEN_EINVAL);
    op.arg1.mfn = virt_to_mfn(b);
    op.arg2.src_mfn = virt_to_mfn(l1);
    CHECK_EQ(hv_mmuext_op(&op, 1, NULL, DOMID_SELF), 0); /* but may be read */
    CHECK_EQ(mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(l1)), 0);
}

static long set_ldt(u64 base, u64 entries)
{
    struct mmuext_op op = {
        .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = base, .arg2.nr_ents = (unsigned)entries};

    return hv_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

static void load_es(void *arg)
{
    __asm__ volatile("mov %w0, %%es" : : "r"((u64)arg));
}

static void test_descriptor_tables(void)
{
    u64 *ldt = page_alloc(), *gdt = page_alloc(), frame;
    struct fault f;

    /* A flat data segment of DPL 3, one of DPL 0, an LDT's own descriptor. */
    ldt[1] = 0x00cff3000000ffff;
    CHECK_EQ(set_ldt((u64)ldt + 8, 2), -XEN_EINVAL);
    CHECK_EQ(set_ldt((u64)ldt, 8193), -XEN_EINVAL);
    CHECK_EQ(set_ldt(0x8000000000000000, 2), -XEN_EINVAL);
    CHECK_EQ(set_ldt(HYPERVISOR_VIRT_START, 2), -XEN_EINVAL);
    CHECK_EQ(set_ldt(0, 0), 0);
    make_readonly(ldt);
    CHECK_EQ(set_ldt((u64)ldt, 2), 0);
    catch_fault(&f, load_es, (void *)(8UL | 4 | 3));
    CHECK_EQ(f.vector, -1);
    CHECK_EQ(page_protect(ldt, true), -XEN_EBUSY); /* the first use made it a descriptor page */
    catch_fault(&f, load_es, (void *)(16UL | 4 | 3));
    CHECK_EQ(f.vector, VEC_GP);
    CHECK_EQ(f.error, 16 | 4);
    catch_fault(&f, load_es, NULL);
    CHECK_EQ(set_ldt(0, 0), 0);
    make_writable(ldt);

    frame = virt_to_mfn(gdt);
    gdt[1] = 0x00cff3000000ffff;
    CHECK_EQ(HYPERVISOR(set_gdt, &frame, 512, 0, 0, 0), -XEN_EINVAL); /* mapped writable */
    make_readonly(gdt);
    CHECK_EQ(HYPERVISOR(set_gdt, &frame, 512, 0, 0, 0), 0);
    CHECK_EQ(page_protect(gdt, true), -XEN_EBUSY);
    catch_fault(&f, load_es, (void *)(8UL | 3));
    CHECK_EQ(f.vector, -1);
    catch_fault(&f, load_es, NULL);
    CHECK_EQ(HYPERVISOR(update_descriptor, entry_address(gdt, 2), 0x00cff3000000ffff, 0, 0, 0), 0);
    catch_fault(&f, load_es, (void *)(16UL | 3));
    CHECK_EQ(f.vector, -1);
    catch_fault(&f, load_es, NULL);
    CHECK_EQ(HYPERVISOR(update_descriptor, entry_address(gdt, 2) + 4, 0, 0, 0, 0), -XEN_EINVAL);
    CHECK_EQ(HYPERVISOR(update_descriptor, entry_address(gdt, 3), 0x0000890000000067, 0, 0, 0),
             -XEN_EINVAL); /* TSS */
    CHECK_EQ(HYPERVISOR(update_descriptor, entry_address(gdt, 3), 0x00008c0000000000, 0, 0, 0),
             0); /* call gate */
    CHECK_EQ(HYPERVISOR(update_descriptor, entry_address(gdt, 3), 0x00cf93000000ffff, 0, 0, 0),
             0); /* DPL 0: mended */
    CHECK_EQ(gdt[3], 0x00cff3000000ffff);
    CHECK_EQ(HYPERVISOR(update_descriptor, xen_mfn << PAGE_SHIFT, 0, 0, 0, 0), -XEN_EINVAL);
    CHECK_EQ(HYPERVISOR(update_descriptor, NO_MFN << PAGE_SHIFT, 0, 0, 0, 0), -XEN_EINVAL);
    CHECK_EQ(HYPERVISOR(update_descriptor, pte((void *)start_info->pt_base, 0), 0, 0, 0, 0), -XEN_EINVAL);
    CHECK_EQ(HYPERVISOR(set_gdt, &frame, FIRST_RESERVED_GDT_ENTRY + 1, 0, 0, 0), -XEN_EINVAL);
    CHECK_EQ(HYPERVISOR(set_gdt, NOWHERE, 512, 0, 0, 0), -XEN_EFAULT);
    frame = xen_mfn;
    CHECK_EQ(HYPERVISOR(set_gdt, &frame, 512, 0, 0, 0), -XEN_EINVAL);
    CHECK_EQ(HYPERVISOR(set_gdt, &frame, 0, 0, 0, 0), 0);
    make_writable(gdt);
    check_no_type_left(gdt, "the GDT taken back");
}

static void test_lists(void)
{
    struct mmuext_op ops[3] = {
        {.cmd = MMUEXT_TLB_FLUSH_LOCAL},
        {.cmd = 99},
        {.cmd = MMUEXT_TLB_FLUSH_LOCAL},
    };
    unsigned done = 99;

    CHECK_EQ(hv_mmuext_op(ops, 3, &done, DOMID_SELF), -XEN_ENOSYS);
    CHECK_EQ(done, 1);
    ops[1].cmd = MMUEXT_TLB_FLUSH_LOCAL;
    CHECK_EQ(hv_mmuext_op(ops, 3, &done, DOMID_SELF), 0);
    CHECK_EQ(done, 3);
    CHECK_EQ(hv_mmuext_op(ops, 0, &done, DOMID_SELF), 0);
    CHECK_EQ(done, 0);
    CHECK_EQ(hv_mmuext_op((void *)NOWHERE, 1, &done, DOMID_SELF), -XEN_EFAULT);
    CHECK_EQ(hv_mmuext_op(ops, 1, &done, 0x1234), -XEN_ESRCH);
    CHECK_EQ(mmuext_mfn(14, 0), -XEN_ENOSYS);
    CHECK_EQ(mmuext_mfn(MMUEXT_MARK_SUPER, 0), -XEN_EOPNOTSUPP);
    CHECK_EQ(mmuext_mfn(MMUEXT_UNMARK_SUPER, 0), -XEN_EOPNOTSUPP);
}

void test_mmuext(void)
{
    test_roots();
    test_flushes();
    test_pages();
    test_descriptor_tables();
    test_lists();
}
