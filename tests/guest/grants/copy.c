/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copy, swap, transfer, cache flush. */
#include "grants/grants.h"

#define REF  30
#define REF2 31

static int copy(struct gnttab_copy op)
{
    CHECK_EQ(hv_grant_table_op(GNTTABOP_copy, &op, 1), 0);
    return op.status;
}

static void test_right_use(u64 *from, u64 *to)
{
    struct gnttab_copy op = {
        .source = {.domid = DOMID_SELF, .u.ref = REF, .offset = 8},
        .dest = {.domid = DOMID_SELF, .u.ref = REF2, .offset = 16},
        .len = 24,
        .flags = GNTCOPY_source_gref | GNTCOPY_dest_gref,
    };

    CHECK_EQ(copy(op), GNTST_okay);
    CHECK_EQ(to[2], from[1]);
    CHECK_EQ(to[4], from[3]);
    CHECK_EQ(to[5], 0);
    CHECK_EQ(table1[REF].flags, GTF_permit_access);
    memset(to, 0, PAGE_SIZE);
    op.flags = GNTCOPY_dest_gref; /* from a frame of ours */
    op.source.u.gmfn = virt_to_mfn(from);
    CHECK_EQ(copy(op), GNTST_okay);
    CHECK_EQ(to[2], from[1]);
    memset(to, 0, PAGE_SIZE);
    op.flags = 0;
    op.dest.u.gmfn = virt_to_mfn(to);
    CHECK_EQ(copy(op), GNTST_okay); /* no grant on either side */
    op.flags = GNTCOPY_source_gref;
    op.source.u.ref = REF;
    CHECK_EQ(copy(op), GNTST_okay);
    CHECK_EQ(to[2], from[1]);
    op.len = 0;
    CHECK_EQ(copy(op), GNTST_okay);
}

static void test_refusals(u64 *from)
{
    const struct gnttab_copy good = {
        .source = {.domid = DOMID_SELF, .u.ref = REF},
        .dest = {.domid = DOMID_SELF, .u.ref = REF2},
        .len = 8,
        .flags = GNTCOPY_source_gref | GNTCOPY_dest_gref,
    };
    struct gnttab_copy op = good;

    op.source.offset = PAGE_SIZE - 4;
    CHECK_EQ(copy(op), GNTST_bad_copy_arg);
    op = good;
    op.len = PAGE_SIZE + 1;
    CHECK_EQ(copy(op), GNTST_bad_copy_arg);
    op = good;
    op.dest.offset = 0xffff;
    CHECK_EQ(copy(op), GNTST_bad_copy_arg);
    op = good;
    op.source.u.ref = 99999;
    CHECK_EQ(copy(op), GNTST_bad_gntref);
    op = good;
    op.source.u.ref = REF + 5;
    CHECK_EQ(copy(op), GNTST_general_error);
    op = good;
    op.source.domid = NOBODY;
    CHECK_EQ(copy(op), GNTST_bad_domain);
    op = good;
    op.source.domid = DOMID_XEN;
    CHECK_EQ(copy(op), GNTST_bad_domain);
    op = good;
    op.flags = GNTCOPY_dest_gref;
    op.source.u.gmfn = xen_mfn;
    CHECK_EQ(copy(op), GNTST_bad_page);
    op.source.u.gmfn = ~0UL;
    CHECK_EQ(copy(op), GNTST_bad_page);
    op = good;
    op.flags = GNTCOPY_source_gref;
    op.dest.u.gmfn = virt_to_mfn((void *)start_info->pt_base);
    CHECK_EQ(copy(op), GNTST_general_error); /* a table is not written */
    grant1(REF2, from, GTF_permit_access | GTF_readonly);
    CHECK_EQ(copy(good), GNTST_general_error);
    CHECK_EQ(hv_grant_table_op(GNTTABOP_copy, (void *)NOWHERE, 1), -XEN_EFAULT);
}

static void test_swap(void)
{
    struct gnttab_swap_grant_ref op = {.ref_a = REF, .ref_b = REF2};
    u32 frame = table1[REF].frame;

    CHECK_EQ(hv_grant_table_op(GNTTABOP_swap_grant_ref, &op, 1), 0);
    CHECK_EQ(op.status, GNTST_okay);
    CHECK_EQ(table1[REF2].frame, frame);
    op.ref_b = 99999;
    CHECK_EQ(hv_grant_table_op(GNTTABOP_swap_grant_ref, &op, 1), 0);
    CHECK_EQ(op.status, GNTST_bad_gntref);
}

/* To ourselves is not allowed, nor to nobody. (Xen may have taken the page away when it says so.) */
static int transfer(u64 mfn, domid_t to)
{
    struct gnttab_transfer op = {.mfn = mfn, .domid = to, .ref = REF};

    CHECK_EQ(hv_grant_table_op(GNTTABOP_transfer, &op, 1), 0);
    return op.status;
}

static void test_transfer(void)
{
    u64 *first = page_alloc(), *second = page_alloc();

    CHECK_EQ(hv_update_va_mapping((u64)first, 0, UVMF_INVLPG), 0);
    CHECK_EQ(hv_update_va_mapping((u64)second, 0, UVMF_INVLPG), 0);
    CHECK_EQ(transfer(virt_to_mfn(first), self_id), GNTST_general_error);
    CHECK_EQ(transfer(virt_to_mfn(second), NOBODY), GNTST_bad_domain);
    CHECK_EQ(transfer((1UL << 40) - 1, NOBODY), GNTST_bad_page);
    CHECK_EQ(transfer(xen_mfn, NOBODY), GNTST_bad_page);
}

static void test_cache_flush(void)
{
    u64 *page = page_alloc();
    struct gnttab_cache_flush op = {.a.dev_bus_addr = pte(page, 0), .length = 64, .op = GNTTAB_CACHE_CLEAN};

    CHECK_EQ(hv_grant_table_op(GNTTABOP_cache_flush, &op, 1), 0);
    op.op = 0;
    CHECK_EQ(hv_grant_table_op(GNTTABOP_cache_flush, &op, 1), 0);
    op.op = GNTTAB_CACHE_CLEAN;
    op.offset = 4000;
    op.length = 200;
    CHECK_EQ(hv_grant_table_op(GNTTABOP_cache_flush, &op, 1), -XEN_EINVAL);
    op = (struct gnttab_cache_flush){
        .a.dev_bus_addr = xen_mfn << PAGE_SHIFT, .length = 64, .op = GNTTAB_CACHE_CLEAN};
    CHECK_EQ(hv_grant_table_op(GNTTABOP_cache_flush, &op, 1), -XEN_EPERM);
    /* By reference: not built in Xen either. */
    for (u32 what = GNTTAB_CACHE_CLEAN; what <= (GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL); what++) {
        op = (struct gnttab_cache_flush){.a.ref = 8, .length = 64, .op = what | GNTTAB_CACHE_SOURCE_GREF};
        CHECK_EQ(hv_grant_table_op(GNTTABOP_cache_flush, &op, 1), -XEN_EINVAL);
    }
}

void test_copy(void)
{
    u64 *from = page_alloc(), *to = page_alloc();

    for (unsigned i = 0; i < 512; i++)
        from[i] = 0x1000 + i;
    grant1(REF, from, GTF_permit_access | GTF_readonly);
    table1[REF].flags = GTF_permit_access;
    grant1(REF2, to, GTF_permit_access);
    test_right_use(from, to);
    test_refusals(from);
    test_swap();
    test_transfer();
    test_cache_flush();
    table1[REF].flags = table1[REF2].flags = 0;
}
