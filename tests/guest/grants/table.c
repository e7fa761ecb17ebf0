/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table itself: size, growth, version, and bad calls. */
#include "grants/grants.h"

static u8 mapping[PAGE_SIZE] PAGE_ALIGNED;

static int setup(unsigned dom, unsigned frames, xen_pfn_t *list)
{
    struct gnttab_setup_table op = {.dom = (domid_t)dom, .nr_frames = frames};

    set_xen_guest_handle(op.frame_list, list);
    CHECK_EQ(hv_grant_table_op(GNTTABOP_setup_table, &op, 1), 0);
    return op.status;
}

void test_table(void)
{
    static xen_pfn_t frames[64];
    struct gnttab_query_size size = {.dom = DOMID_SELF};
    struct gnttab_get_version version = {.dom = DOMID_SELF};
    struct gnttab_set_version set = {.version = 3};
    unsigned before;

    CHECK_EQ(hv_grant_table_op(GNTTABOP_query_size, &size, 1), 0);
    CHECK_EQ(size.status, GNTST_okay);
    print("grant frames: %u of at most %u\n", size.nr_frames, size.max_nr_frames);
    CHECK(size.max_nr_frames >= 32 && size.max_nr_frames <= 64);
    before = size.nr_frames;
    CHECK_EQ(setup(DOMID_SELF, 1, frames), GNTST_okay);
    CHECK_EQ(hv_update_va_mapping((u64)mapping, frames[0] << PAGE_SHIFT | PTE_TABLE, UVMF_INVLPG), 0);
    table1 = (volatile struct grant_entry_v1 *)(void *)mapping;
    CHECK_EQ(table1[8].flags, 0);
    CHECK_EQ(setup(DOMID_SELF, 2, frames), GNTST_okay); /* grows */
    CHECK(frames[0] != frames[1] && frames[1] != 0);
    CHECK_EQ(hv_grant_table_op(GNTTABOP_query_size, &size, 1), 0);
    CHECK_EQ(size.nr_frames, before > 2 ? before : 2);
    CHECK_EQ(setup(DOMID_SELF, size.max_nr_frames + 1, frames), GNTST_general_error);
    CHECK_EQ(setup(NOBODY, 1, frames), GNTST_bad_domain);
    struct gnttab_setup_table unwritable = {.dom = DOMID_SELF, .nr_frames = 1};
    set_xen_guest_handle(unwritable.frame_list, (xen_pfn_t *)NOWHERE);
    CHECK_EQ(hv_grant_table_op(GNTTABOP_setup_table, &unwritable, 1), 0);
    CHECK_EQ(unwritable.status, GNTST_bad_virt_addr);
    CHECK_EQ(hv_grant_table_op(GNTTABOP_setup_table, &unwritable, 2), -XEN_EINVAL); /* one at a time */
    size.dom = NOBODY;
    CHECK_EQ(hv_grant_table_op(GNTTABOP_query_size, &size, 1), 0);
    CHECK_EQ(size.status, GNTST_bad_domain);
    CHECK_EQ(hv_grant_table_op(GNTTABOP_get_version, &version, 1), 0);
    CHECK_EQ(version.version, 1);
    version.dom = NOBODY;
    CHECK_EQ(hv_grant_table_op(GNTTABOP_get_version, &version, 1), -XEN_ESRCH);
    CHECK_EQ(hv_grant_table_op(GNTTABOP_set_version, &set, 1), -XEN_EINVAL);
    CHECK_EQ(hv_grant_table_op(GNTTABOP_map_grant_ref, (void *)NOWHERE, 1), -XEN_EFAULT);
    CHECK_EQ(hv_grant_table_op(GNTTABOP_map_grant_ref, (void *)NOWHERE, 0), 0);
    CHECK_EQ(hv_grant_table_op(GNTTABOP_map_grant_ref, NULL, 0x80000000), -XEN_EINVAL);
    CHECK_EQ(hv_grant_table_op(99, NULL, 0), -XEN_ENOSYS);
    CHECK_EQ(hv_grant_table_op(GNTTABOP_dump_table, &size, 1), -XEN_ENOSYS);
}
