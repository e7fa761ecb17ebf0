/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Version 2: wide entries, status frames, sub-page grants. */
#include "grants/grants.h"

#define REF 40

static u8 status_mapping[PAGE_SIZE] PAGE_ALIGNED;

static int status_frames(unsigned dom, unsigned frames, u64 *list)
{
    struct gnttab_get_status_frames op = {.dom = (domid_t)dom, .nr_frames = frames};

    set_xen_guest_handle(op.frame_list, list);
    CHECK_EQ(hv_grant_table_op(GNTTABOP_get_status_frames, &op, 1), 0);
    return op.status;
}

static long set_version(unsigned n)
{
    struct gnttab_set_version op = {.version = n};

    return hv_grant_table_op(GNTTABOP_set_version, &op, 1);
}

void test_version2(void)
{
    volatile union grant_entry_v2 *table2 = (volatile union grant_entry_v2 *)(volatile void *)table1;
    volatile grant_status_t *status = (volatile grant_status_t *)(void *)status_mapping;
    u64 *page = page_alloc(), *to = page_alloc(), list[4];
    struct gnttab_copy copy = {
        .source = {.domid = DOMID_SELF, .u.ref = REF},
        .len = 16,
        .flags = GNTCOPY_source_gref,
    };
    grant_handle_t h;
    long rc;

    CHECK_EQ(status_frames(DOMID_SELF, 1, list), GNTST_general_error); /* version 1 has none */
    for (unsigned i = 8; i < 64; i++)
        table1[i].flags = 0;
    rc = set_version(2);
    if (rc == -XEN_ENOSYS) { /* the hypervisor may have been told to offer version 1 alone */
        print("no grant table version 2 here\n");
        return;
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(status_frames(DOMID_SELF, 1, list), GNTST_okay);
    CHECK_EQ(status_frames(NOBODY, 1, list), GNTST_bad_domain);
    CHECK_EQ(status_frames(DOMID_SELF, 1000, list), GNTST_general_error);
    CHECK_EQ(hv_update_va_mapping((u64)status_mapping, list[0] << PAGE_SHIFT | PTE_TABLE, UVMF_INVLPG), 0);

    page[0] = 0x5678;
    page[1] = 0x9abc;
    table2[REF].full_page.hdr.domid = self_id;
    table2[REF].full_page.frame = virt_to_mfn(page);
    table2[REF].full_page.hdr.flags = GTF_permit_access;
    window_open();
    CHECK_EQ(map(REF, self_id, (u64)window, GNTMAP_host_map, &h), GNTST_okay);
    CHECK_EQ(*(volatile u64 *)window, 0x5678);
    CHECK_EQ(status[REF], GTF_reading | GTF_writing);
    CHECK_EQ(table2[REF].hdr.flags, GTF_permit_access); /* the flags are ours alone now */
    CHECK_EQ(set_version(1), -XEN_EBUSY);
    CHECK_EQ(unmap((u64)window, 0, h), GNTST_okay);
    CHECK_EQ(status[REF], 0);

    /* A part of a page: to be copied, not mapped. */
    table2[REF].hdr.flags = 0;
    table2[REF].sub_page.page_off = 8;
    table2[REF].sub_page.length = 16;
    table2[REF].hdr.flags = GTF_permit_access | GTF_sub_page;
    CHECK_EQ(map(REF, self_id, (u64)window, GNTMAP_host_map, &h), GNTST_general_error);
    copy.dest.domid = DOMID_SELF;
    copy.dest.u.gmfn = virt_to_mfn(to);
    copy.source.offset = 8;
    CHECK_EQ(hv_grant_table_op(GNTTABOP_copy, &copy, 1), 0);
    CHECK_EQ(copy.status, GNTST_okay);
    CHECK_EQ(to[0], 0x9abc);
    copy.source.offset = 16;
    CHECK_EQ(hv_grant_table_op(GNTTABOP_copy, &copy, 1), 0);
    CHECK_EQ(copy.status, GNTST_general_error);
    table2[REF].hdr.flags = 0;
    CHECK_EQ(set_version(1), -XEN_EBUSY); /* it would take away the frame that we map */
    CHECK_EQ(hv_update_va_mapping((u64)status_mapping, 0, UVMF_INVLPG), 0);
    CHECK_EQ(set_version(1), 0);
    CHECK(hv_update_va_mapping((u64)status_mapping, list[0] << PAGE_SHIFT | PTE_TABLE, UVMF_INVLPG) != 0);
    CHECK_EQ(set_version(2), 0);
    CHECK_EQ(status_frames(DOMID_SELF, 1, list), GNTST_okay);
    CHECK_EQ(hv_update_va_mapping((u64)status_mapping, list[0] << PAGE_SHIFT | PTE_TABLE, UVMF_INVLPG), 0);
    CHECK_EQ(status[REF], 0);
    CHECK_EQ(hv_update_va_mapping((u64)status_mapping, 0, UVMF_INVLPG), 0);
    CHECK_EQ(set_version(1), 0);
}
