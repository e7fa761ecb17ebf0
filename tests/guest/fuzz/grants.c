/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations on grants: pages of the pool granted to ourselves, mapped into the window, copied. */
#include "fuzz/fuzz.h"
#include "lib/hypercall.h"
#include <xen/grant_table.h>

#define REF_FIRST 8
#define REFS      6
#define HANDLES   8

static u8 table_page[PAGE_SIZE] PAGE_ALIGNED, status_page[PAGE_SIZE] PAGE_ALIGNED;
static volatile grant_entry_v1_t *const table = (void *)table_page;
static volatile grant_entry_v2_t *const table2 = (void *)table_page;
static volatile u16 *const status = (void *)status_page;
static domid_t self;

/* The flags of an entry, and what the hypervisor says of its use: together in version 1. */
static volatile u16 *flags_of(unsigned ref)
{
    return second_grants ? &table2[ref].hdr.flags : &table[ref].flags;
}

static u16 use_of(unsigned ref)
{
    return (second_grants ? status[ref] : table[ref].flags) & (GTF_reading | GTF_writing);
}
/* Mappings: where, if it is in page tables, and as what, if it is for a device. */
static struct held {
    bool used;
    grant_handle_t handle;
    u64 window; /* the address by which it can be put back */
    u64 address, bus, machine;
} held[HANDLES];

static void begin_second(void)
{
    static u64 frame;
    struct gnttab_set_version set = {.version = 2};
    struct gnttab_get_status_frames get = {.dom = DOMID_SELF, .nr_frames = 1};

    set_xen_guest_handle(get.frame_list, &frame);
    if (hv_grant_table_op(GNTTABOP_set_version, &set, 1) ||
        hv_grant_table_op(GNTTABOP_get_status_frames, &get, 1) || get.status ||
        hv_update_va_mapping((u64)status_page, frame << PAGE_SHIFT | PTE_TABLE, UVMF_INVLPG))
        guest_panic("no second version\n");
}

void grants_init(void)
{
    static unsigned long frame;
    struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 1};

    self = guest_domid();
    set_xen_guest_handle(setup.frame_list, &frame);
    if (hv_grant_table_op(GNTTABOP_setup_table, &setup, 1) || setup.status ||
        hv_update_va_mapping((u64)table_page, (u64)frame << PAGE_SHIFT | PTE_TABLE, UVMF_INVLPG))
        guest_panic("no grant table\n");
    if (second_grants)
        begin_second();
}

static unsigned random_ref(void)
{
    return chance(92) ? REF_FIRST + pick(REFS) : chance(50) ? pick(512) : (unsigned)rnd();
}

static domid_t random_granter(void)
{
    static const u16 odd[] = {DOMID_IO, DOMID_INVALID, 0x7000, DOMID_XEN};

    return chance(92) ? (chance(70) ? DOMID_SELF : self) : odd[pick(ARRAY_SIZE(odd))];
}

/* A whole page, a part of one, or another grant of ours. */
static void set_second(unsigned i, u16 *flags, domid_t who, u64 mfn)
{
    table2[i].hdr.domid = who;
    table2[i].full_page.frame = mfn;
    say_entry("frame", mfn << PAGE_SHIFT);
    if (chance(20)) {
        *flags |= GTF_sub_page;
        table2[i].sub_page.page_off = (u16)(slot_index[pick(SLOTS)] * 8);
        table2[i].sub_page.length = (u16)(chance(80) ? 8 : pick(5000));
    } else if (chance(15)) {
        *flags = (u16)((*flags & ~GTF_type_mask) | GTF_transitive);
        table2[i].transitive.trans_domid = chance(90) ? self : (domid_t)pick(3);
        table2[i].transitive.gref = random_ref();
    }
}

static void set_entry(void)
{
    unsigned i = REF_FIRST + pick(REFS);
    u16 flags = (u16)(chance(80) ? GTF_permit_access : pick(4));

    if (chance(25))
        flags |= GTF_readonly;
    if (chance(5))
        flags ^= (u16)(BIT(pick(16)) & ~0xe0UL); /* no cache types: Hospes maps as they say, Xen does not */
    if (use_of(i))
        return;
    domid_t who = chance(90) ? self : (domid_t)pick(3);
    u64 mfn = random_mfn(chance(80) ? 0 : pick(5));
    show("grant %u flags %x", i, flags);
    *flags_of(i) = 0;
    if (second_grants)
        set_second(i, &flags, who, mfn);
    else {
        table[i].domid = who;
        table[i].frame = (u32)mfn;
        say_entry("frame", (u64)table[i].frame << PAGE_SHIFT);
    }
    *flags_of(i) = flags;
}

/* If its address shows something else by now, the page is put back, or it could not be unmapped. */
static void give_back(struct held *h)
{
    struct gnttab_unmap_grant_ref op = {.handle = h->handle, .host_addr = h->address, .dev_bus_addr = h->bus};

    hv_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1);
    if (op.status) {
        hv_update_va_mapping(h->window, h->machine | PTE_P | PTE_U | PTE_A | PTE_D, UVMF_INVLPG);
        hv_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1);
    }
    say("unmapped", (u64)op.status);
    h->used = false;
}

static void map(void)
{
    struct gnttab_map_grant_ref op = {.dom = random_granter(), .ref = random_ref()};
    unsigned page = pick(WINDOW_PAGES), i = 0;

    op.flags = chance(90) ? GNTMAP_host_map : pick(4);
    op.flags |= chance(40) ? GNTMAP_readonly : 0;
    op.flags ^= chance(5) ? (u32)BIT(pick(32)) : 0;
    op.host_addr = WINDOW + page * PAGE_SIZE;
    if (op.flags & GNTMAP_contains_pte || chance(15)) {
        op.flags |= GNTMAP_contains_pte;
        op.host_addr = window_entry(page);
    } else if (chance(6))
        op.host_addr = random_address() & ~0xfffUL;
    if (op.host_addr - (u64)pool_page(0) < POOL * PAGE_SIZE)
        return; /* those mappings are left alone */
    while (i < HANDLES && held[i].used)
        i++;
    if (i == HANDLES)
        return;
    show("map ref %u dom %u flags %x window %u", op.ref, op.dom, op.flags, page);
    op.status = 77;
    answer(hv_grant_table_op(GNTTABOP_map_grant_ref, &op, 1));
    say("status", (u64)op.status);
    if (op.status == GNTST_okay) {
        bool address = op.flags & GNTMAP_host_map && !(op.flags & GNTMAP_contains_pte);

        held[i] = (struct held){true,
                                op.handle,
                                address ? op.host_addr : WINDOW + page * PAGE_SIZE,
                                op.flags & GNTMAP_host_map ? op.host_addr : 0,
                                op.flags & GNTMAP_device_map ? op.dev_bus_addr : 0,
                                op.dev_bus_addr | (op.flags & GNTMAP_readonly ? 0 : PTE_W)};
        say("held", i);
        say_entry("bus", op.dev_bus_addr);
        if (held[i].window - WINDOW >= WINDOW_PAGES * PAGE_SIZE)
            give_back(&held[i]); /* while the tables of the pool that lead there are what they are */
    }
}

static void unmap(void)
{
    unsigned i = pick(HANDLES);
    struct gnttab_unmap_grant_ref op = {.handle = held[i].used ? held[i].handle : 0xfffffff0, .status = 77};

    bool right = chance(90);

    op.host_addr = held[i].address;
    op.dev_bus_addr = held[i].bus;
    if (!right) {
        op.host_addr = random_address() & ~0xfffUL;
        op.dev_bus_addr = 0;
    }
    show("unmap %u", i);
    answer(hv_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1));
    say("status", (u64)op.status);
    if (op.status == GNTST_okay && right)
        held[i].used = false;
}

static void fill_side(struct gnttab_copy *op, bool source)
{
    bool ref = chance(60);
    u64 mfn = random_mfn(0);
    u16 offset = (u16)(chance(95) ? slot_index[pick(SLOTS)] * 8 : pick(600) * 8);
    domid_t dom = ref ? random_granter() : DOMID_SELF;

    if (source) {
        op->source.offset = offset;
        op->source.domid = dom;
        if (ref)
            op->source.u.ref = random_ref();
        else
            op->source.u.gmfn = mfn;
    } else {
        op->dest.offset = offset;
        op->dest.domid = dom;
        if (ref)
            op->dest.u.ref = random_ref();
        else
            op->dest.u.gmfn = mfn;
    }
    op->flags = (u16)(op->flags | (ref ? (source ? GNTCOPY_source_gref : GNTCOPY_dest_gref) : 0));
}

static void copy(void)
{
    struct gnttab_copy op = {.len = chance(90) ? 8 : 0, .status = 77};

    fill_side(&op, true);
    fill_side(&op, false);
    show("copy %x to %x flags %x", op.source.domid, op.dest.domid, op.flags);
    answer(hv_grant_table_op(GNTTABOP_copy, &op, 1));
    say("status", (u64)op.status);
}

static void query(void)
{
    struct gnttab_query_size size = {.dom = random_granter(), .status = 77};
    struct gnttab_get_version version = {.dom = random_granter(), .version = 77};
    struct gnttab_swap_grant_ref swap = {.ref_a = random_ref(), .ref_b = random_ref(), .status = 77};

    switch (pick(3)) {
    case 0:
        show("query_size of %x", size.dom);
        answer(hv_grant_table_op(GNTTABOP_query_size, &size, 1));
        say("status", (u64)size.status);
        return;
    case 1:
        show("get_version of %x", version.dom);
        answer(hv_grant_table_op(GNTTABOP_get_version, &version, 1));
        say("version", version.version);
        return;
    default:
        show("swap %u %u", swap.ref_a, swap.ref_b);
        answer(hv_grant_table_op(GNTTABOP_swap_grant_ref, &swap, 1));
        say("status", (u64)swap.status);
    }
}

void do_grants(void)
{
    unsigned kind = pick(100);

    if (kind < 30)
        set_entry();
    else if (kind < 55)
        map();
    else if (kind < 75)
        unmap();
    else if (kind < 92)
        copy();
    else
        query();
}

void grants_say(void)
{
    static u32 last[REFS];

    for (unsigned i = 0; i < REFS; i++) {
        u32 now = *flags_of(REF_FIRST + i) | (second_grants ? (u32)status[REF_FIRST + i] << 16 : 0);

        if (now != last[i]) {
            show(" ref %u", REF_FIRST + i);
            say("flags", now);
        }
        last[i] = now;
    }
}

/* After this no page of the pool is held by a grant; flags left in an entry tell of one that is. */
void grants_reset(void)
{
    for (unsigned i = 0; i < HANDLES; i++) {
        if (held[i].used)
            give_back(&held[i]);
    }
    for (unsigned i = 0; i < REFS; i++)
        *flags_of(REF_FIRST + i) &= (u16) ~(GTF_type_mask | GTF_readonly);
    grants_say();
    for (unsigned i = 0; i < REFS; i++)
        *flags_of(REF_FIRST + i) = 0;
    grants_say();
}
