/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory_op: the balloon, exchange, the machine-to-phys table, maps; most answer with how much was done. */
#include "lib/hypercall.h"
#include "memory/memory.h"
#include <xen/memory.h>

#define NOWHERE 0x1234567000UL

static xen_pfn_t frames[8];
static u64 first_pfn; /* of frames of ours that are mapped nowhere */

static long reserve(unsigned op, unsigned count, unsigned order, u64 flags, unsigned domid)
{
    struct xen_memory_reservation r = {
        .nr_extents = count,
        .extent_order = order,
        .mem_flags = (unsigned)flags,
        .domid = (domid_t)domid,
    };

    set_xen_guest_handle(r.extent_start, frames);
    return hv_memory_op(op, &r);
}

static void fill_mfns(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        frames[i] = pfn_to_mfn(first_pfn + i);
}

static void set_p2m(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ((u64 *)start_info->mfn_list)[first_pfn + i] = frames[i];
}

static long current_reservation(void)
{
    domid_t self = DOMID_SELF;

    return hv_memory_op(XENMEM_current_reservation, &self);
}

static void test_balloon(void)
{
    long before = current_reservation();
    u64 *mapped = page_alloc();

    CHECK_EQ(before, start_info->nr_pages);
    fill_mfns(4);
    CHECK_EQ(reserve(XENMEM_decrease_reservation, 4, 0, 0, DOMID_SELF), 4);
    CHECK_EQ(current_reservation(), before - 4);
    CHECK_EQ(reserve(XENMEM_decrease_reservation, 4, 0, 0, DOMID_SELF), 0); /* no longer ours */
    CHECK_EQ(reserve(XENMEM_increase_reservation, 2, 0, 0, DOMID_SELF), 2);
    CHECK_EQ(current_reservation(), before - 2);
    CHECK(frames[0] != frames[1]);
    CHECK_EQ(mmu_write(frames[0] << PAGE_SHIFT, first_pfn, MMU_MACHPHYS_UPDATE, DOMID_SELF), 0);
    CHECK_EQ(mmu_write(frames[1] << PAGE_SHIFT, first_pfn + 1, MMU_MACHPHYS_UPDATE, DOMID_SELF), 0);
    set_p2m(2);
    frames[0] = first_pfn + 2;
    frames[1] = first_pfn + 3;
    CHECK_EQ(reserve(XENMEM_populate_physmap, 2, 0, 0, DOMID_SELF), 2);
    CHECK_EQ(mfn_to_pfn(frames[0]), first_pfn + 2); /* populate sets the m2p itself */
    CHECK_EQ(mfn_to_pfn(frames[1]), first_pfn + 3);
    ((u64 *)start_info->mfn_list)[first_pfn + 2] = frames[0];
    ((u64 *)start_info->mfn_list)[first_pfn + 3] = frames[1];
    CHECK_EQ(current_reservation(), before);

    /* A frame that is still mapped goes when its last mapping does. */
    frames[0] = virt_to_mfn(mapped);
    CHECK_EQ(reserve(XENMEM_decrease_reservation, 1, 0, 0, DOMID_SELF), 1);
    mapped[0] = 1;
    CHECK_EQ(current_reservation(), before);
    CHECK_EQ(hv_update_va_mapping((u64)mapped, 0, UVMF_INVLPG), 0);
    CHECK_EQ(current_reservation(), before - 1);
    frames[0] = virt_to_pfn(mapped);
    CHECK_EQ(reserve(XENMEM_populate_physmap, 1, 0, 0, DOMID_SELF), 1);
    ((u64 *)start_info->mfn_list)[virt_to_pfn(mapped)] = frames[0];
    make_writable(mapped);
    CHECK(mapped[0] <= 1); /* what it holds is its own past, or nothing */
}

static void test_balloon_refusals(void)
{
    frames[0] = xen_mfn;
    CHECK_EQ(reserve(XENMEM_decrease_reservation, 1, 0, 0, DOMID_SELF), 0);
    frames[0] = NO_MFN;
    CHECK_EQ(reserve(XENMEM_decrease_reservation, 1, 0, 0, DOMID_SELF), 0);
    frames[0] = virt_to_mfn((void *)start_info->pt_base); /* pinned: the pin is dropped, the use stays */
    CHECK_EQ(reserve(XENMEM_decrease_reservation, 1, 20, 0, DOMID_SELF), 0);
    CHECK_EQ(reserve(XENMEM_increase_reservation, 1, 0, 0, 0x1234), 0);
    CHECK_EQ(reserve(XENMEM_decrease_reservation, 1, 0, 0, 0x1234), 0);
    CHECK_EQ(reserve(XENMEM_populate_physmap, 0, 0, 0, DOMID_SELF), 0);
    frames[0] = first_pfn;
    CHECK_EQ(reserve(XENMEM_populate_physmap, 1, 0, XENMEMF_populate_on_demand, DOMID_SELF), 0);
    CHECK_EQ(reserve(XENMEM_populate_physmap, 1, 60, 0, DOMID_SELF), 0);
    CHECK_EQ(hv_memory_op(XENMEM_increase_reservation, (void *)NOWHERE), 0);
    CHECK_EQ(hv_memory_op(XENMEM_populate_physmap, NULL), 0);
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
    set_xen_guest_handle(r.extent_start, (xen_pfn_t *)NOWHERE);
    CHECK_EQ(hv_memory_op(XENMEM_decrease_reservation, &r), 0);
    CHECK_EQ(hv_memory_op(XENMEM_populate_physmap, &r), 0);
    set_xen_guest_handle(r.extent_start, (xen_pfn_t *)HYPERVISOR_VIRT_START);
    CHECK_EQ(hv_memory_op(XENMEM_decrease_reservation, &r), 0);
    r.nr_extents = ~0UL;
    set_xen_guest_handle(r.extent_start, frames);
    CHECK_EQ(hv_memory_op(XENMEM_decrease_reservation, &r), 0);
}

static long exchange(unsigned in_count, unsigned in_order, unsigned out_count, unsigned out_order, u64 *done)
{
    static xen_pfn_t in[8], out[8];
    struct xen_memory_exchange e = {
        .in = {.nr_extents = in_count, .extent_order = in_order, .domid = DOMID_SELF},
        .out = {.nr_extents = out_count, .extent_order = out_order, .domid = DOMID_SELF},
    };
    long rc;

    for (unsigned i = 0; i < 8; i++) {
        in[i] = pfn_to_mfn(first_pfn + i);
        out[i] = first_pfn + i * (out_order ? 1UL << out_order : 1);
    }
    set_xen_guest_handle(e.in.extent_start, in);
    set_xen_guest_handle(e.out.extent_start, out);
    rc = hv_memory_op(XENMEM_exchange, &e);
    *done = e.nr_exchanged;
    if (rc == 0) {
        for (unsigned i = 0; i < out_count << out_order; i++)
            ((u64 *)start_info->mfn_list)[first_pfn + i] =
                out[i >> out_order] + (i & ((1u << out_order) - 1));
    }
    return rc;
}

static void test_exchange(void)
{
    u64 done, old = pfn_to_mfn(first_pfn);
    struct xen_memory_exchange e = {.nr_exchanged = 5};

    CHECK_EQ(exchange(4, 0, 1, 2, &done), 0); /* four frames for four in a row */
    CHECK_EQ(done, 4);
    CHECK(pfn_to_mfn(first_pfn) != old);
    CHECK_EQ(pfn_to_mfn(first_pfn) % 4, 0);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(mfn_to_pfn(pfn_to_mfn(first_pfn + i)), first_pfn + i);
    CHECK_EQ(exchange(2, 0, 2, 0, &done), 0);
    CHECK_EQ(exchange(3, 0, 1, 2, &done), -XEN_EINVAL); /* sizes differ */
    CHECK_EQ(exchange(1, 1, 1, 2, &done), -XEN_EINVAL);
    CHECK_EQ(hv_memory_op(XENMEM_exchange, &e), -XEN_EINVAL);
    CHECK_EQ(hv_memory_op(XENMEM_exchange, (void *)NOWHERE), -XEN_EFAULT);
}

/* An exchange that fails half-way leaves every frame where it was, and in the machine-to-physical table. */
static void test_failed_exchange(void)
{
    static xen_pfn_t in[4], out[1];
    struct xen_memory_exchange e = {
        .in = {.nr_extents = 4, .domid = DOMID_SELF},
        .out = {.nr_extents = 1, .extent_order = 2, .domid = DOMID_SELF},
    };
    long before = current_reservation();

    set_xen_guest_handle(e.in.extent_start, in);
    set_xen_guest_handle(e.out.extent_start, out);
    for (unsigned bad = 0; bad < 2; bad++) {
        for (unsigned i = 0; i < 4; i++)
            in[i] = pfn_to_mfn(first_pfn + i);
        out[0] = first_pfn;
        if (bad == 0)
            in[3] = NO_MFN;
        else
            e.out.mem_flags = XENMEMF_address_bits(13); /* nothing is that low */
        CHECK_EQ(hv_memory_op(XENMEM_exchange, &e), bad == 0 ? -XEN_EINVAL : -XEN_ENOMEM);
        CHECK_EQ(e.nr_exchanged, 0);
        CHECK_EQ(out[0], first_pfn);
        CHECK_EQ(current_reservation(), before);
        for (unsigned i = 0; i < 4; i++)
            CHECK_EQ(mfn_to_pfn(pfn_to_mfn(first_pfn + i)), first_pfn + i);
    }
}

static void test_questions(void)
{
    domid_t self = DOMID_SELF, nobody = 0x1234;
    struct xen_machphys_mapping mapping = {0};
    xen_pfn_t list[4] = {0};
    struct xen_machphys_mfn_list mfns = {.max_extents = 4};
    struct xen_memory_map map = {.nr_entries = 0};

    CHECK(hv_memory_op(XENMEM_maximum_reservation, &self) >= (long)start_info->nr_pages);
    CHECK_EQ(hv_memory_op(XENMEM_maximum_gpfn, &self), 0);
    CHECK(hv_memory_op(XENMEM_maximum_ram_page, NULL) > 0);
    CHECK_EQ(hv_memory_op(XENMEM_current_reservation, &nobody), -XEN_ESRCH);
    CHECK_EQ(hv_memory_op(XENMEM_maximum_reservation, &nobody), -XEN_ESRCH);
    CHECK_EQ(hv_memory_op(XENMEM_current_reservation, (void *)NOWHERE), -XEN_EFAULT);
    CHECK_EQ(hv_memory_op(XENMEM_machphys_mapping, &mapping), 0);
    CHECK_EQ(mapping.v_start, MACH2PHYS_VIRT_START);
    CHECK_EQ(mapping.v_end, MACH2PHYS_VIRT_END);
    CHECK_EQ(mapping.max_mfn, guest_is_dom0() ? (u64)hv_memory_op(XENMEM_maximum_ram_page, NULL) - 1
                                              : MACH2PHYS_NR_ENTRIES - 1);
    set_xen_guest_handle(mfns.extent_start, list);
    CHECK_EQ(hv_memory_op(XENMEM_machphys_mfn_list, &mfns), 0);
    CHECK(mfns.nr_extents >= 1 && list[0] != 0);
    long code = hv_memory_op(XENMEM_memory_map, &map);
    CHECK(code == -XEN_ENOSYS || (code == 0 && !guest_is_dom0())); /* a domU from the toolstack has one */
    CHECK_EQ(hv_memory_op(XENMEM_memory_map, (void *)NOWHERE), -XEN_EFAULT);
    CHECK_EQ(hv_memory_op(XENMEM_machine_memory_map, (void *)NOWHERE),
             guest_is_dom0() ? -XEN_EFAULT : -XEN_EPERM);
    CHECK_EQ(hv_memory_op(8, NULL), -XEN_ENOSYS);
    CHECK_EQ(hv_memory_op(63, NULL), -XEN_ENOSYS);
}

static void test_physmap(void)
{
    struct xen_add_to_physmap add = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = first_pfn};
    struct xen_remove_from_physmap remove = {.domid = DOMID_SELF, .gpfn = first_pfn};

    /* A PV domain has no physmap of the hypervisor's. Space 4 belongs to the batch form alone. */
    for (unsigned space = 0; space < 7; space++) {
        add.space = space;
        CHECK_EQ(hv_memory_op(XENMEM_add_to_physmap, &add), space == 4 ? -XEN_ENOSYS : -XEN_EACCES);
    }
    CHECK_EQ(hv_memory_op(XENMEM_remove_from_physmap, &remove), -XEN_EACCES);
}

void test_reservation(void)
{
    first_pfn = start_info->nr_pages - 64;
    test_questions();
    test_balloon();
    test_balloon_refusals();
    test_exchange();
    test_failed_exchange();
    test_physmap();
}
