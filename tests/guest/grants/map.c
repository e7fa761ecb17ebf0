/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Map and unmap: by virtual address and by table entry, the status bits, the refusals. */
#include "grants/grants.h"

#define REF 20

static void test_right_use(void)
{
    u64 *page = page_alloc();
    u64 at = (u64)window;
    grant_handle_t h, h2;

    page[0] = 0xabcd;
    grant1(REF, page, GTF_permit_access);
    window_open();
    CHECK_EQ(map(REF, self_id, at, GNTMAP_host_map | GNTMAP_readonly, &h), GNTST_okay);
    CHECK_EQ(*(volatile u64 *)window, 0xabcd);
    CHECK_EQ(walk_address(at).entry[1] & PTE_W, 0);
    CHECK_EQ(table1[REF].flags, GTF_permit_access | GTF_reading);
    CHECK_EQ(unmap(at, 0, h), GNTST_okay);
    CHECK_EQ(walk_address(at).present, false);
    CHECK_EQ(table1[REF].flags, GTF_permit_access);
    CHECK_EQ(unmap(at, 0, h), GNTST_bad_handle);

    CHECK_EQ(map(REF, self_id, at, GNTMAP_host_map, &h), GNTST_okay);
    *(volatile u64 *)window = 0x1212;
    CHECK_EQ(page[0], 0x1212);
    CHECK_EQ(table1[REF].flags, GTF_permit_access | GTF_reading | GTF_writing);
    CHECK_EQ(unmap((u64)image_start, 0, h), GNTST_general_error); /* not where it is */
    CHECK_EQ(unmap(at, 0, h), GNTST_okay);

    /* Twice at once: two pins, the bits go with the last. */
    u64 second = (u64)page_alloc();
    CHECK_EQ(hv_update_va_mapping(second, 0, UVMF_INVLPG), 0);
    CHECK_EQ(map(REF, self_id, at, GNTMAP_host_map, &h), GNTST_okay);
    CHECK_EQ(map(REF, self_id, second, GNTMAP_host_map | GNTMAP_readonly, &h2), GNTST_okay);
    CHECK_EQ(unmap(at, 0, h), GNTST_okay);
    CHECK_EQ(table1[REF].flags, GTF_permit_access | GTF_reading);
    CHECK_EQ(unmap(second, 0, h2), GNTST_okay);
    CHECK_EQ(table1[REF].flags, GTF_permit_access);
}

/* The entry given instead of the address. */
static void test_contains_pte(void)
{
    u64 *page = page_alloc(), entry = walk_entry_machine((u64)window, 1);
    grant_handle_t h;

    page[0] = 0x9876;
    grant1(REF, page, GTF_permit_access);
    window_open();
    CHECK_EQ(map(REF, self_id, entry, GNTMAP_host_map | GNTMAP_contains_pte, &h), GNTST_okay);
    CHECK_EQ(*(volatile u64 *)window, 0x9876);
    CHECK_EQ(unmap(entry, 0, h), GNTST_okay);
    CHECK_EQ(walk_address((u64)window).present, false);
    CHECK_EQ(map(REF, self_id, entry | 4, GNTMAP_host_map | GNTMAP_contains_pte, &h), GNTST_general_error);
    CHECK_EQ(map(REF, self_id, xen_mfn << PAGE_SHIFT, GNTMAP_host_map | GNTMAP_contains_pte, &h),
             GNTST_general_error);
    CHECK_EQ(map(REF, self_id, pte(page, 0), GNTMAP_host_map | GNTMAP_contains_pte, &h), GNTST_general_error);
    /* The software's bits of the entry can be asked for. */
    CHECK_EQ(map(REF, self_id, (u64)window, GNTMAP_host_map | 1u << 16, &h), GNTST_okay);
    CHECK_EQ(walk_address((u64)window).entry[1] & 0xe00, 0x200);
    CHECK_EQ(unmap((u64)window, 0, h), GNTST_okay);
}

static void test_device_map(void)
{
    u64 *page = page_alloc();
    struct gnttab_map_grant_ref op = {.flags = GNTMAP_device_map, .ref = REF, .dom = self_id};

    grant1(REF, page, GTF_permit_access);
    CHECK_EQ(hv_grant_table_op(GNTTABOP_map_grant_ref, &op, 1), 0);
    CHECK_EQ(op.status, GNTST_okay);
    CHECK_EQ(op.dev_bus_addr, pte(page, 0));
    CHECK_EQ(unmap(0, op.dev_bus_addr + PAGE_SIZE, op.handle), GNTST_bad_dev_addr);
    CHECK_EQ(unmap(0, op.dev_bus_addr, op.handle), GNTST_okay);
}

static void test_refusals(void)
{
    u64 *page = page_alloc(), at = (u64)window;
    grant_handle_t h;

    window_open();
    grant1(REF, page, GTF_permit_access);
    CHECK_EQ(map(REF, DOMID_SELF, at, GNTMAP_host_map, &h), GNTST_bad_domain); /* by number only */
    CHECK_EQ(map(REF, NOBODY, at, GNTMAP_host_map, &h), GNTST_bad_domain);
    CHECK_EQ(map(100000, self_id, at, GNTMAP_host_map, &h), GNTST_bad_gntref);
    CHECK_EQ(map(~0u, self_id, at, GNTMAP_host_map, &h), GNTST_bad_gntref);
    CHECK_EQ(map(REF + 1, self_id, at, GNTMAP_host_map, &h), GNTST_general_error); /* not granted */
    CHECK_EQ(map(REF, self_id, at, 0, &h), GNTST_bad_gntref); /* neither host nor device */
    CHECK_EQ(map(REF, self_id, NOWHERE, GNTMAP_host_map, &h), GNTST_general_error);
    CHECK_EQ(map(REF, self_id, 0x8000000000000000, GNTMAP_host_map, &h), GNTST_general_error);
    CHECK_EQ(map(REF, self_id, HYPERVISOR_VIRT_START, GNTMAP_host_map, &h), GNTST_general_error);
    CHECK_EQ(table1[REF].flags, GTF_permit_access); /* failures leave nothing behind */
    grant1(REF, page, GTF_permit_access | GTF_readonly);
    CHECK_EQ(map(REF, self_id, at, GNTMAP_host_map, &h), GNTST_general_error);
    CHECK_EQ(map(REF, self_id, at, GNTMAP_host_map | GNTMAP_readonly, &h), GNTST_okay);
    CHECK_EQ(unmap(at, 0, h), GNTST_okay);
    grant1(REF, page, GTF_accept_transfer);
    CHECK_EQ(map(REF, self_id, at, GNTMAP_host_map, &h), GNTST_general_error);
    grant1(REF, page, GTF_permit_access);
    table1[REF].domid = NOBODY;
    CHECK_EQ(map(REF, self_id, at, GNTMAP_host_map, &h), GNTST_general_error);
    grant1(REF, page, 0);
    table1[REF].frame = (u32)xen_mfn;
    table1[REF].flags = GTF_permit_access;
    CHECK_EQ(map(REF, self_id, at, GNTMAP_host_map, &h), GNTST_bad_page);
    table1[REF].frame = 0xffffffff;
    CHECK_EQ(map(REF, self_id, at, GNTMAP_host_map, &h), GNTST_bad_page);
    grant1(REF, (void *)start_info->pt_base, GTF_permit_access); /* a page table, to be written */
    CHECK_EQ(map(REF, self_id, at, GNTMAP_host_map, &h), GNTST_general_error);
    CHECK_EQ(map(REF, self_id, at, GNTMAP_host_map | GNTMAP_readonly, &h), GNTST_okay);
    CHECK_EQ(unmap(at, 0, h), GNTST_okay);
    CHECK_EQ(unmap(at, 0, 12345), GNTST_bad_handle);
    CHECK_EQ(unmap(at, 0, ~0u), GNTST_bad_handle);
    table1[REF].flags = 0;
}

/* A list ends nowhere: each element has its own status. */
static void test_list(void)
{
    u64 *page = page_alloc();
    struct gnttab_map_grant_ref ops[3];
    struct gnttab_unmap_grant_ref un = {.host_addr = (u64)window};

    window_open();
    grant1(REF, page, GTF_permit_access);
    for (unsigned i = 0; i < 3; i++) {
        ops[i] = (struct gnttab_map_grant_ref){
            .host_addr = (u64)window,
            .flags = GNTMAP_host_map,
            .ref = i == 1 ? REF : 99999,
            .dom = self_id,
        };
    }
    CHECK_EQ(hv_grant_table_op(GNTTABOP_map_grant_ref, ops, 3), 0);
    CHECK_EQ(ops[0].status, GNTST_bad_gntref);
    CHECK_EQ(ops[1].status, GNTST_okay);
    CHECK_EQ(ops[2].status, GNTST_bad_gntref);
    un.handle = ops[1].handle;
    CHECK_EQ(hv_grant_table_op(GNTTABOP_unmap_grant_ref, &un, 1), 0);
    CHECK_EQ(un.status, GNTST_okay);
}

/* Unmap, and put in its place what another address maps. */
static void test_replace(void)
{
    u64 *page = page_alloc(), *other = page_alloc();
    struct gnttab_unmap_and_replace op = {.host_addr = (u64)window, .new_addr = (u64)other};
    grant_handle_t h;

    other[0] = 0x3434;
    window_open();
    grant1(REF, page, GTF_permit_access);
    CHECK_EQ(map(REF, self_id, (u64)window, GNTMAP_host_map, &h), GNTST_okay);
    op.handle = h;
    CHECK_EQ(hv_grant_table_op(GNTTABOP_unmap_and_replace, &op, 1), 0);
    CHECK_EQ(op.status, GNTST_okay);
    CHECK_EQ(*(volatile u64 *)window, 0x3434);
    CHECK_EQ(walk_address((u64)other).present, false);
    CHECK_EQ(hv_update_va_mapping((u64)other, pte(other, PTE_TABLE), UVMF_INVLPG), 0);
}

/* A mapping that the guest itself overwrites is not thereby unmapped. */
static void test_overwritten(void)
{
    u64 *page = page_alloc();
    grant_handle_t h;

    window_open();
    grant1(REF, page, GTF_permit_access);
    CHECK_EQ(map(REF, self_id, (u64)window, GNTMAP_host_map, &h), GNTST_okay);
    window_open();
    CHECK_EQ(table1[REF].flags, GTF_permit_access | GTF_reading | GTF_writing);
    CHECK_EQ(unmap((u64)window, 0, h), GNTST_general_error);
    CHECK_EQ(unmap(0, 0, h), GNTST_okay); /* without an address nothing is unmapped */
    CHECK_EQ(table1[REF].flags, GTF_permit_access | GTF_reading | GTF_writing);
    CHECK_EQ(hv_update_va_mapping((u64)window, pte(page, PTE_TABLE), UVMF_INVLPG), 0);
    CHECK_EQ(unmap((u64)window, 0, h), GNTST_okay); /* the frame is there again */
    CHECK_EQ(table1[REF].flags, GTF_permit_access);
}

void test_map(void)
{
    test_right_use();
    test_contains_pte();
    test_device_map();
    test_refusals();
    test_list();
    test_replace();
    test_overwritten();
}
