/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Grant tables, of both versions, with ourselves as the other side: map, unmap, copy, transfer, swap. */
#include "grants/grants.h"

const char guest_name[] = "grants";

domid_t self_id;
volatile struct grant_entry_v1 *table1;
u64 xen_mfn;
void *window;

u64 pte(const void *page, u64 flags)
{
    return virt_to_mfn(page) << PAGE_SHIFT | flags;
}

void grant1(unsigned ref, const void *page, u16 flags)
{
    table1[ref].flags = 0;
    table1[ref].domid = self_id;
    table1[ref].frame = (u32)virt_to_mfn(page);
    __asm__ volatile("" ::: "memory");
    table1[ref].flags = flags;
}

int map(unsigned ref, unsigned dom, u64 address, unsigned flags, grant_handle_t *handle)
{
    struct gnttab_map_grant_ref op = {.host_addr = address, .flags = flags, .ref = ref, .dom = (domid_t)dom};

    CHECK_EQ(hv_grant_table_op(GNTTABOP_map_grant_ref, &op, 1), 0);
    *handle = op.handle;
    return op.status;
}

int unmap(u64 address, u64 device, grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref op = {.host_addr = address, .dev_bus_addr = device, .handle = handle};

    CHECK_EQ(hv_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1), 0);
    return op.status;
}

void window_open(void)
{
    CHECK_EQ(hv_update_va_mapping((u64)window, 0, UVMF_INVLPG), 0);
}

void guest_main(void)
{
    xen_mfn = (((const u64 *)start_info->pt_base)[256] & PTE_ADDR) >> PAGE_SHIFT;
    window = page_alloc();
    self_id = guest_domid();
    CHECK_EQ(self_id == 0, guest_is_dom0());
    test_table();
    test_map();
    test_copy();
    test_version2();
}
