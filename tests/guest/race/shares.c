/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Grants, ports and the balloon: what several vCPUs may hold at once, and one takes away. */
#include "race/race.h"
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>

/* --- grants: each vCPU maps the same page, into its own window; one of them pins and flips it --- */

#define REF 20

static volatile struct grant_entry_v1 *grants;
static u64 *granted, *window[VCPUS_MAX];
static grant_handle_t handle[VCPUS_MAX];
static bool mapped[VCPUS_MAX];
static domid_t self;

static void open_table(void)
{
    static u8 place[PAGE_SIZE] PAGE_ALIGNED;
    static xen_pfn_t frame;
    struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 1};

    set_xen_guest_handle(setup.frame_list, &frame);
    CHECK_EQ(hv_grant_table_op(GNTTABOP_setup_table, &setup, 1), 0);
    CHECK_EQ(setup.status, GNTST_okay);
    CHECK_EQ(hv_update_va_mapping((u64)place, frame << PAGE_SHIFT | PTE_TABLE, UVMF_INVLPG), 0);
    grants = (volatile struct grant_entry_v1 *)place;
}

static void map_or_unmap(unsigned cpu, u64 random)
{
    if (mapped[cpu]) {
        struct gnttab_unmap_grant_ref op = {.host_addr = (u64)window[cpu], .handle = handle[cpu]};

        expect(hv_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1), ALLOWED(0), "unmap");
        expect(op.status, ALLOWED(GNTST_okay), "unmap: status");
        mapped[cpu] = false;
    } else {
        struct gnttab_map_grant_ref op = {
            .host_addr = (u64)window[cpu],
            .flags = GNTMAP_host_map | (random & 1 ? GNTMAP_readonly : 0),
            .ref = REF,
            .dom = self,
        };

        expect(hv_grant_table_op(GNTTABOP_map_grant_ref, &op, 1), ALLOWED(0), "map");
        expect(op.status, ALLOWED(GNTST_okay, GNTST_general_error), "map: status");
        handle[cpu] = op.handle;
        mapped[cpu] = op.status == GNTST_okay;
        if (mapped[cpu] && !(random & 1))
            *(volatile u64 *)window[cpu] = 0;
    }
}

static void use_grant(unsigned cpu, u64 random)
{
    if (cpu > 0 || vcpus == 1 || random & 8) {
        map_or_unmap(cpu, random);
    } else if (mmuext_mfn(MMUEXT_PIN_L1_TABLE, virt_to_mfn(granted)) == 0) {
        expect(mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(granted)), ALLOWED(0), "unpin");
    }
}

void race_grants(void)
{
    self = guest_domid();
    open_table();
    granted = page_alloc();
    CHECK_EQ(page_protect(granted, false), 0);
    for (unsigned cpu = 0; cpu < vcpus; cpu++) {
        window[cpu] = page_alloc();
        CHECK_EQ(hv_update_va_mapping((u64)window[cpu], 0, UVMF_TLB_FLUSH | UVMF_ALL), 0);
    }
    grants[REF].domid = self;
    grants[REF].frame = (u32)virt_to_mfn(granted);
    __atomic_store_n(&grants[REF].flags, GTF_permit_access, __ATOMIC_SEQ_CST);
    race("grants", use_grant);
    for (unsigned cpu = 0; cpu < vcpus; cpu++) {
        if (mapped[cpu])
            map_or_unmap(cpu, 0);
        CHECK_EQ(
            hv_update_va_mapping((u64)window[cpu], pte(window[cpu], PTE_TABLE), UVMF_TLB_FLUSH | UVMF_ALL),
            0);
        check_free(window[cpu], "a window");
    }
    CHECK_EQ(grants[REF].flags, GTF_permit_access);
    grants[REF].flags = 0;
    check_free(granted, "the page granted");
}

/* --- ports: bound, closed and sent to by number, whoever made them --- */

#define PORTS 24

/* A port that was just made (rc 0): those with high numbers would only pile up. */
static void close_beyond(long rc, unsigned port)
{
    struct evtchn_close op = {.port = port};

    if (rc == 0 && port > PORTS)
        expect(hv_event_channel_op(EVTCHNOP_close, &op), ALLOWED(0), "close of a port beyond");
}

static void use_port(unsigned cpu, u64 random)
{
    unsigned port = 1 + (unsigned)(random >> 8) % PORTS;

    switch (random % 6) {
    case 0: {
        struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
        long rc = hv_event_channel_op(EVTCHNOP_alloc_unbound, &op);

        expect(rc, ALLOWED(0, -XEN_ENOSPC), "alloc_unbound");
        close_beyond(rc, op.port);
        break;
    }
    case 1: {
        struct evtchn_bind_interdomain op = {.remote_dom = DOMID_SELF, .remote_port = port};
        long rc = hv_event_channel_op(EVTCHNOP_bind_interdomain, &op);

        expect(rc, ALLOWED(0, -XEN_EINVAL, -XEN_ENOSPC), "bind");
        close_beyond(rc, op.local_port);
        break;
    }
    case 2: {
        struct evtchn_bind_ipi op = {.vcpu = (unsigned)(random >> 16) % vcpus};
        long rc = hv_event_channel_op(EVTCHNOP_bind_ipi, &op);

        expect(rc, ALLOWED(0, -XEN_ENOSPC), "bind an IPI");
        close_beyond(rc, op.port);
        break;
    }
    case 3: {
        struct evtchn_close op = {.port = port};

        expect(hv_event_channel_op(EVTCHNOP_close, &op), ALLOWED(0, -XEN_EINVAL), "close");
        break;
    }
    case 4: {
        struct evtchn_bind_vcpu op = {.port = port, .vcpu = (unsigned)(random >> 16) % vcpus};

        expect(hv_event_channel_op(EVTCHNOP_bind_vcpu, &op), ALLOWED(0, -XEN_EINVAL), "move");
        break;
    }
    default: {
        struct evtchn_send op = {.port = port};

        expect(hv_event_channel_op(EVTCHNOP_send, &op), ALLOWED(0, -XEN_EINVAL), "send");
    }
    }
}

void race_events(void)
{
    race("ports", use_port);
    for (unsigned port = 1; port < 4096; port++) {
        struct evtchn_status status = {.dom = DOMID_SELF, .port = port};
        struct evtchn_close close = {.port = port};

        if (hv_event_channel_op(EVTCHNOP_status, &status) == 0 && status.status != EVTCHNSTAT_closed)
            CHECK_EQ(hv_event_channel_op(EVTCHNOP_close, &close), 0);
    }
}

/* --- the balloon: vCPU 0 changes frames for others, while the others map them --- */

#define FRAMES 4

static u64 *table; /* an L1 that is linked nowhere */
static volatile u64 mfns[FRAMES];

static long reserve(unsigned op, u64 *frame)
{
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, frame);
    return hv_memory_op(op, &r);
}

static long pages_now(void)
{
    domid_t id = DOMID_SELF;

    return hv_memory_op(XENMEM_current_reservation, &id);
}

/* Given up, a frame counts as long as somebody maps it: it may be too early for another, then the place stays empty. */
static void change_frame(unsigned i)
{
    u64 frame = mfns[i];

    mfns[i] = 0;
    if (frame && reserve(XENMEM_decrease_reservation, &frame) != 1)
        expect(-1, ALLOWED(0), "decrease_reservation");
    if (reserve(XENMEM_increase_reservation, &frame) == 1)
        mfns[i] = frame;
}

static void change_frames(unsigned cpu, u64 random)
{
    unsigned i = random % FRAMES;
    u64 frame = mfns[i];

    if (cpu == 0 && random & 0x300) {
        change_frame(i);
        return;
    }
    if (!frame)
        return;
    expect(mmu_write(entry_address(table, (unsigned)(random >> 16) % 16),
                     random & 0x4000 ? frame << PAGE_SHIFT | (random & 0x8000 ? PTE_TABLE : PTE_P) : 0, 0,
                     DOMID_SELF),
           ALLOWED(0, -XEN_EBUSY, -XEN_EINVAL), "map a frame");
    if (random & 0x10000 && mmuext_mfn(MMUEXT_PIN_L1_TABLE, frame) == 0)
        expect(mmuext_mfn(MMUEXT_UNPIN_TABLE, frame), ALLOWED(0), "unpin a frame");
}

void race_balloon(void)
{
    long before = pages_now();

    table = page_alloc();
    CHECK_EQ(page_protect(table, false), 0);
    CHECK_EQ(mmuext_mfn(MMUEXT_PIN_L1_TABLE, virt_to_mfn(table)), 0);
    for (unsigned i = 0; i < FRAMES; i++) {
        u64 *page = page_alloc();

        mfns[i] = virt_to_mfn(page);
        CHECK_EQ(hv_update_va_mapping((u64)page, 0, UVMF_TLB_FLUSH | UVMF_ALL), 0);
    }
    race("the balloon", change_frames);
    for (unsigned i = 0; i < 16; i++)
        CHECK_EQ(mmu_write(entry_address(table, i), 0, 0, DOMID_SELF), 0);
    for (unsigned i = 0; i < FRAMES; i++)
        if (!mfns[i])
            change_frame(i);
    CHECK_EQ(pages_now(), before);
    for (unsigned i = 0; i < FRAMES; i++) {
        u64 frame = mfns[i];

        CHECK_EQ(reserve(XENMEM_decrease_reservation, &frame), 1);
    }
    CHECK_EQ(pages_now(), before - FRAMES);
    CHECK_EQ(mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(table)), 0);
    check_free(table, "the table");
}
