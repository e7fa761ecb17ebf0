/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Grants that are held: what their entry says now, and whether they can be held once more. */
#include "answers/answers.h"
#include <xen/grant_table.h>

#define REF 8

static u8 table_page[PAGE_SIZE] PAGE_ALIGNED, granted[PAGE_SIZE] PAGE_ALIGNED, other[PAGE_SIZE] PAGE_ALIGNED,
    first[PAGE_SIZE] PAGE_ALIGNED, second[PAGE_SIZE] PAGE_ALIGNED;
static volatile grant_entry_v1_t *entry;
static domid_t self;

static bool set_up(void)
{
    static unsigned long frame;
    struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 1};

    set_xen_guest_handle(setup.frame_list, &frame);
    if (hv_grant_table_op(GNTTABOP_setup_table, &setup, 1) || setup.status)
        return false;
    hv_update_va_mapping((u64)table_page, (u64)frame << PAGE_SHIFT | PTE_TABLE, UVMF_INVLPG);
    entry = (volatile grant_entry_v1_t *)table_page + REF;
    return true;
}

static int map(void *where, u32 flags, grant_handle_t *handle)
{
    struct gnttab_map_grant_ref op = {
        .dom = self, .ref = REF, .flags = GNTMAP_host_map | flags, .host_addr = (u64)where};

    hv_grant_table_op(GNTTABOP_map_grant_ref, &op, 1);
    *handle = op.handle;
    return op.status;
}

static int unmap(void *where, grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref op = {.handle = handle, .host_addr = (u64)where};

    hv_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1);
    return op.status;
}

static int copy_from(void)
{
    struct gnttab_copy op = {.len = 8, .flags = GNTCOPY_source_gref};

    op.source.u.ref = REF;
    op.source.domid = DOMID_SELF;
    op.dest.u.gmfn = virt_to_mfn(other);
    op.dest.domid = DOMID_SELF;
    hv_grant_table_op(GNTTABOP_copy, &op, 1);
    return op.status;
}

/* Held as `hold` says; then the granter writes `flags`, and it is held again as `again` says. */
static void ask_again(u32 hold, u32 again, u16 flags, domid_t who, bool moved)
{
    grant_handle_t h1 = 0, h2 = 0;
    u16 after_map, after_copy;
    int s1, s2, s3, s4 = 77, s5;

    entry->flags = 0;
    entry->frame = (u32)virt_to_mfn(granted);
    entry->domid = self;
    entry->flags = GTF_permit_access;
    s1 = map(first, hold, &h1);
    entry->domid = who == DOMID_SELF ? self : who;
    if (moved)
        entry->frame = (u32)virt_to_mfn(other);
    entry->flags = flags;
    s2 = map(second, again, &h2);
    after_map = entry->flags;
    s3 = copy_from();
    after_copy = entry->flags;
    if (s2 == GNTST_okay)
        s4 = unmap(second, h2);
    u16 after_unmap = entry->flags;
    s5 = unmap(first, h1);
    ask("held grant", "%x again %x entry %x of %x moved %u: %d %d flags %x copy %d flags %x unmap %d flags %x %d flags %x",
        hold, again, flags, who, moved, s1, s2, after_map, s3, after_copy, s4, after_unmap, s5, entry->flags);
    entry->flags = 0;
}

void ask_held(void)
{
    static const u16 flags[] = {GTF_permit_access,
                                GTF_permit_access | GTF_readonly,
                                0,
                                GTF_accept_transfer,
                                GTF_transitive,
                                GTF_readonly,
                                GTF_permit_access | GTF_reading,
                                GTF_reading,
                                GTF_reading | GTF_writing,
                                GTF_permit_access | GTF_sub_page};

    self = guest_domid();
    if (!set_up())
        return;
    hv_update_va_mapping((u64)first, 0, UVMF_INVLPG);
    hv_update_va_mapping((u64)second, 0, UVMF_INVLPG);
    for (u32 hold = 0; hold <= GNTMAP_readonly; hold += GNTMAP_readonly)
        for (u32 again = 0; again <= GNTMAP_readonly; again += GNTMAP_readonly)
            for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
                ask_again(hold, again, flags[i], DOMID_SELF, false);
                ask_again(hold, again, flags[i], 5, false);
                if (i < 3)
                    ask_again(hold, again, flags[i], DOMID_SELF, true);
            }
}
