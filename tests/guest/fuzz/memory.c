/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames given back, got and exchanged: pages of the pool lose their frame and get another. */
#include "fuzz/fuzz.h"
#include "lib/hypercall.h"
#include <xen/memory.h>

static bool empty[POOL]; /* has no frame, and its address no mapping */

static void set_frame(unsigned page, u64 mfn)
{
    ((u64 *)start_info->mfn_list)[virt_to_pfn(pool_page(page))] = mfn;
    pool_set_mfn(page, mfn);
    empty[page] = mfn == 0;
    if (mfn && answer(page_protect(pool_page(page), true)) == 0)
        memset(pool_page(page), 0, PAGE_SIZE);
}

/* Shows the page at a second address, so that its frame outlives its number; or nothing. */
static void show_again(u64 mfn)
{
    u64 entry = mfn ? mfn << PAGE_SHIFT | PTE_P | PTE_U | PTE_A | PTE_D | (chance(50) ? PTE_W : 0) : 0;

    answer(hv_update_va_mapping(WINDOW + CHANGING_WINDOW * PAGE_SIZE, entry, UVMF_INVLPG));
}

static void give(unsigned page)
{
    static xen_pfn_t frame;
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

    frame = pool_mfn(page);
    show("decrease %u", page);
    if (chance(30))
        show_again(frame);
    if (answer(hv_update_va_mapping((u64)pool_page(page), 0, UVMF_INVLPG)))
        return;
    set_xen_guest_handle(r.extent_start, &frame);
    if (answer(hv_memory_op(XENMEM_decrease_reservation, &r)) == 1)
        set_frame(page, 0);
    else
        page_protect(pool_page(page), false);
}

static void get(unsigned page)
{
    static xen_pfn_t frame;
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

    frame = virt_to_pfn(pool_page(page));
    show("populate %u", page);
    set_xen_guest_handle(r.extent_start, &frame);
    if (answer(hv_memory_op(XENMEM_populate_physmap, &r)) == 1)
        set_frame(page, frame);
}

static void exchange(unsigned page)
{
    static xen_pfn_t in, out;
    struct xen_memory_exchange x = {.in = {.nr_extents = 1, .domid = DOMID_SELF},
                                    .out = {.nr_extents = 1, .domid = DOMID_SELF}};
    long rc;

    in = pool_mfn(page);
    out = virt_to_pfn(pool_page(page));
    set_xen_guest_handle(x.in.extent_start, &in);
    set_xen_guest_handle(x.out.extent_start, &out);
    show("exchange %u", page);
    if (chance(20))
        show_again(in);
    if (answer(hv_update_va_mapping((u64)pool_page(page), 0, UVMF_INVLPG)))
        return;
    rc = answer(hv_memory_op(XENMEM_exchange, &x));
    say("done", x.nr_exchanged);
    if (rc == 0 && x.nr_exchanged == 1)
        set_frame(page, out);
    else
        page_protect(pool_page(page), false);
}

static void mutated(void)
{
    static xen_pfn_t frame;
    static const u16 domid[] = {DOMID_SELF, DOMID_SELF, DOMID_SELF, DOMID_IO, 0x7123, DOMID_INVALID};
    struct xen_memory_reservation r = {.nr_extents = chance(50) ? 1 : rnd(),
                                       .extent_order = chance(50) ? 0 : 19 + pick(20),
                                       .domid = domid[pick(ARRAY_SIZE(domid))]};
    unsigned op = chance(50)   ? XENMEM_increase_reservation
                  : chance(50) ? XENMEM_decrease_reservation
                               : XENMEM_populate_physmap;

    if (r.extent_order == 0 && r.domid == DOMID_SELF)
        return;
    frame = rnd() | 1UL << 52;
    set_xen_guest_handle(r.extent_start, &frame);
    show("memory_op %u extents %lx order %u dom %x", op, r.nr_extents, r.extent_order, r.domid);
    answer(hv_memory_op(op, &r));
}

void do_memory(void)
{
    unsigned page = CHANGING_FIRST + pick(POOL - CHANGING_FIRST), kind = pick(10);

    if (kind < 2)
        mutated();
    else if (kind == 2)
        show_again(pool_mfn(page));
    else if (empty[page])
        get(page);
    else if (kind < 6)
        give(page);
    else
        exchange(page);
}

void memory_reset(void)
{
    for (unsigned page = 0; page < POOL; page++) {
        if (empty[page])
            get(page);
    }
}
