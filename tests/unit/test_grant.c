/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grant tables between three domains, with the real frame table under them and
 * a page table that is a list. Besides the plain cases: guests that write
 * anything into their tables and ask for anything, after which every frame,
 * type and domain must have exactly the references it began with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "abi/errno.h"
#include "core/crosscall.h"
#include "core/softirq.h"
#include "fake.h"
#include "grant/table.h"
#include "lib/string.h"
#include "mem/page_alloc.h"
#include "x86/uaccess.h"

#define DOMAINS 3
#define FRAMES  6  /* of each domain; the last is a page table */
#define SLOTS   40 /* addresses where a domain can map */

static struct domain domain[DOMAINS];
static struct vcpu vcpu[DOMAINS];
static struct frame *frame[DOMAINS][FRAMES];
static struct slot { bool used, readonly; mfn_t m; } slot[DOMAINS][SLOTS];
static unsigned int current, flushes;
static union {
    struct gnttab_map_grant_ref map[64];
    struct gnttab_unmap_grant_ref unmap[64];
    struct gnttab_unmap_and_replace replace[64];
    struct gnttab_copy copy[8];
    struct gnttab_transfer transfer;
    struct gnttab_set_version version;
    struct gnttab_setup_table setup;
    struct gnttab_query_size query;
    struct gnttab_get_status_frames status_frames;
    struct gnttab_swap_grant_ref swap;
    uint8_t bytes[4096];
} arg;
static xen_pfn_t frame_list[64];

/* --- what grant/ needs --- */

bool preempt_pending(void)
{
    return rand() % 4 == 0;
}

void tlb_flush(uint64_t mask)
{
    flushes++;
}

struct domain *domain_get(domid_t id)
{
    if (id >= DOMAINS || domain[id].dying == DOMAIN_DEAD)
        return NULL;
    domain[id].refs++;
    return &domain[id];
}

void domain_hold(struct domain *d)
{
    d->refs++;
}

void domain_put(struct domain *d)
{
    assert_true(d->refs > 1);
    d->refs--;
}

struct domain *domain_get_for_caller(domid_t id, int *error)
{
    struct domain *d = domain_get(id == DOMID_SELF ? domain[current].id : id);

    *error = -ESRCH;
    if (d != NULL && d != &domain[current]) {
        domain_put(d);
        *error = -EPERM;
        return NULL;
    }
    return d;
}

int domain_assign_frames(struct domain *d, struct frame *f, unsigned int order, bool check_max)
{
    assert_true(f->count == 0 && f->owner == NULL);
    f->owner = d;
    f->count = FC_ALLOCATED | 1;
    return 0;
}

int domain_steal_frame(struct domain *d, struct frame *f)
{
    if (f->owner != d || f->count != (FC_ALLOCATED | 1))
        return -EBUSY;
    f->count = 0;
    f->type = 0;
    f->owner = NULL;
    return 0;
}

void domain_free_stolen(struct frame *f)
{
    page_free(f, 0);
}

void domain_share_hv_page(struct domain *d, void *page, bool writable)
{
}

void domain_unshare_hv_page(struct domain *d, void *page)
{
    hv_page_free(page);
}

bool domain_hv_page_in_use(const void *page)
{
    return false;
}

static bool get_writable(struct frame *f)
{
    if (frame_type_of(f->type) == FRAME_L1)
        return false;
    f->type = ((uint64_t)FRAME_WRITABLE << FT_TYPE_SHIFT) | ((f->type & FT_COUNT_MASK) + 1);
    return true;
}

static void put_writable(struct frame *f)
{
    assert_true((f->type & FT_COUNT_MASK) > 0);
    f->type--;
}

static int host_map(struct vcpu *v, uint64_t addr, bool contains_pte, mfn_t m, bool readonly, uint32_t pte_flags)
{
    struct slot *s = &slot[current][addr % SLOTS];

    assert_ptr_equal(v, &vcpu[current]);
    if (addr == 0 || addr > SLOTS || s->used)
        return GNTST_general_error;
    frame_get_known(mfn_to_frame(m));
    if (!readonly)
        assert_true(get_writable(mfn_to_frame(m)));
    *s = (struct slot){true, readonly, m};
    return GNTST_okay;
}

static void clear_slot(struct slot *s)
{
    if (!s->readonly)
        put_writable(mfn_to_frame(s->m));
    frame_put(mfn_to_frame(s->m));
    s->used = false;
}

static int host_unmap(struct vcpu *v, uint64_t addr, uint64_t new_addr, bool contains_pte, mfn_t m, bool readonly)
{
    struct slot *s = &slot[current][addr % SLOTS];

    if (addr > SLOTS || !s->used || !mfn_eq(s->m, m))
        return GNTST_general_error;
    clear_slot(s);
    return GNTST_okay;
}

static const struct grant_host_ops host = {host_map, host_unmap, get_writable, put_writable};

/* --- the scene --- */

static int setup(void **state)
{
    static const struct mem_range ram[] = {{1 << 20, 64 << 20}};
    static bool once;

    fake_guest_sees(&arg, sizeof(arg));
    fake_guest_sees(frame_list, sizeof(frame_list));
    fake_machine_init(1);
    if (!once)
        fake_memory_init(ram, 1);
    once = true;
    grant_set_host_ops(&host);
    memset(slot, 0, sizeof(slot));
    memset(&arg, 0, sizeof(arg));
    flushes = 0;
    for (unsigned int i = 0; i < DOMAINS; i++) {
        memset(&domain[i], 0, sizeof(domain[i]));
        memset(&vcpu[i], 0, sizeof(vcpu[i]));
        domain[i].id = (domid_t)i;
        domain[i].refs = 1;
        vcpu[i].domain = &domain[i];
        assert_int_equal(grant_module.create(&domain[i], &(struct domain_config){.max_grant_frames = 4}), 0);
        for (unsigned int k = 0; k < FRAMES; k++) {
            frame[i][k] = page_alloc(0, PA_ZERO);
            assert_int_equal(domain_assign_frames(&domain[i], frame[i][k], 0, false), 0);
        }
        frame[i][FRAMES - 1]->type = (uint64_t)FRAME_L1 << FT_TYPE_SHIFT | 1;
    }
    return 0;
}

static void run_as(unsigned int i)
{
    current = i;
    cpu_local()->guest = &vcpu[i].cpu;
}

static int do_op(unsigned int cmd, unsigned int count)
{
    uint64_t gva = (uint64_t)&arg;
    int error;

    do
        error = grant_table_op(cmd, &gva, &count);
    while (error == -ERESTART);
    return error;
}

/* All mappings go, as at the death of each domain; then nothing may be left of them. */
static int teardown(void **state)
{
    for (unsigned int i = 0; i < DOMAINS; i++) {
        run_as(i);
        while (grant_module.relinquish(&domain[i]) == -ERESTART)
            ;
        for (unsigned int k = 0; k < SLOTS; k++) {
            if (slot[i][k].used)
                clear_slot(&slot[i][k]);
        }
    }
    for (unsigned int i = 0; i < DOMAINS; i++) {
        struct grant_domain *t = domain[i].grant;

        assert_int_equal(domain[i].refs, 1);
        for (uint32_t ref = 0; ref < t->nr_frames * V1_PER_FRAME; ref++)
            assert_false(pin_is_held(grant_active(t, ref)->pin));
        for (unsigned int k = 0; k < FRAMES; k++) {
            struct frame *f = frame[i][k];

            if (f->owner != &domain[i])
                continue; /* transferred */
            assert_int_equal(f->count, FC_ALLOCATED | 1);
            assert_int_equal(f->type & FT_COUNT_MASK, k == FRAMES - 1);
        }
        grant_module.destroy(&domain[i]);
    }
    return 0;
}

static uint64_t mfn_of(unsigned int d, unsigned int k)
{
    return frame_to_mfn(frame[d][k]).v;
}

static volatile grant_entry_v1_t *entry(unsigned int d, uint32_t ref)
{
    return (volatile grant_entry_v1_t *)grant_v1(domain[d].grant, ref);
}

static void offer(unsigned int d, uint32_t ref, domid_t to, uint64_t number, unsigned int flags)
{
    entry(d, ref)->domid = to;
    entry(d, ref)->frame = (uint32_t)number;
    entry(d, ref)->flags = (uint16_t)flags;
}

static int map(unsigned int from, uint32_t ref, unsigned int flags, uint64_t addr)
{
    arg.map[0] = (struct gnttab_map_grant_ref){.dom = (domid_t)from, .ref = ref, .flags = flags, .host_addr = addr};
    assert_int_equal(do_op(GNTTABOP_map_grant_ref, 1), 0);
    return arg.map[0].status;
}

static int unmap(uint32_t handle, uint64_t addr, uint64_t bus)
{
    arg.unmap[0] = (struct gnttab_unmap_grant_ref){.handle = handle, .host_addr = addr, .dev_bus_addr = bus};
    assert_int_equal(do_op(GNTTABOP_unmap_grant_ref, 1), 0);
    return arg.unmap[0].status;
}

static int copy(unsigned int flags, uint64_t from, domid_t from_dom, unsigned int from_offset, uint64_t to,
                domid_t to_dom, unsigned int to_offset, unsigned int len)
{
    arg.copy[0] = (struct gnttab_copy){.flags = (uint16_t)flags, .len = (uint16_t)len};
    arg.copy[0].source.u.gmfn = from;
    arg.copy[0].source.domid = from_dom;
    arg.copy[0].source.offset = (uint16_t)from_offset;
    arg.copy[0].dest.u.gmfn = to;
    arg.copy[0].dest.domid = to_dom;
    arg.copy[0].dest.offset = (uint16_t)to_offset;
    assert_int_equal(do_op(GNTTABOP_copy, 1), 0);
    return arg.copy[0].status;
}

static void test_map_and_unmap(void **state)
{
    uint32_t writing, reading;

    offer(0, 9, 1, mfn_of(0, 0), GTF_permit_access);
    run_as(1);
    assert_int_equal(map(0, 9, GNTMAP_host_map, 1), GNTST_okay);
    assert_int_equal(arg.map[0].dev_bus_addr, mfn_of(0, 0) << PAGE_SHIFT);
    writing = arg.map[0].handle;
    assert_int_equal(entry(0, 9)->flags, GTF_permit_access | GTF_reading | GTF_writing);
    assert_int_equal(map(0, 9, GNTMAP_host_map | GNTMAP_readonly, 2), GNTST_okay);
    reading = arg.map[0].handle;
    assert_int_equal(domain[0].refs, 3);
    assert_int_equal(unmap(writing, 1, 0), GNTST_okay);
    assert_int_equal(unmap(writing, 1, 0), GNTST_bad_handle);
    assert_int_equal(entry(0, 9)->flags, GTF_permit_access | GTF_reading);
    assert_int_equal(unmap(reading, 3, 0), GNTST_general_error);
    assert_int_equal(unmap(reading, 0, 0), GNTST_okay);
    assert_int_equal(entry(0, 9)->flags, GTF_permit_access | GTF_reading);
    assert_int_equal(unmap(reading, 2, 0), GNTST_okay);
    assert_int_equal(entry(0, 9)->flags, GTF_permit_access);
}

static void test_refusals(void **state)
{
    offer(0, 9, 1, mfn_of(0, 0), GTF_permit_access | GTF_readonly);
    offer(0, 10, 2, mfn_of(0, 0), GTF_permit_access);
    offer(0, 11, 1, mfn_of(2, 0), GTF_permit_access);
    offer(0, 12, 1, 0xffffffff, GTF_permit_access);
    offer(0, 13, 1, mfn_of(0, FRAMES - 1), GTF_permit_access);
    run_as(1);
    assert_int_equal(map(0, 9, 0, 1), GNTST_bad_gntref);
    assert_int_equal(map(DOMAINS, 9, GNTMAP_host_map, 1), GNTST_bad_domain);
    assert_int_equal(map(0, 512, GNTMAP_host_map, 1), GNTST_bad_gntref);
    assert_int_equal(map(0, 9, GNTMAP_host_map, 1), GNTST_general_error);
    assert_int_equal(map(0, 10, GNTMAP_host_map, 1), GNTST_general_error);
    assert_int_equal(map(0, 11, GNTMAP_host_map, 1), GNTST_bad_page);
    assert_int_equal(map(0, 12, GNTMAP_host_map, 1), GNTST_bad_page);
    assert_int_equal(map(0, 13, GNTMAP_host_map, 1), GNTST_general_error);
    assert_int_equal(map(0, 13, GNTMAP_host_map | GNTMAP_readonly, SLOTS + 1), GNTST_general_error);
    for (uint32_t ref = 9; ref <= 13; ref++)
        assert_int_equal(entry(0, ref)->flags & (GTF_reading | GTF_writing), 0);
    assert_int_equal(do_op(GNTTABOP_dump_table, 1), -ENOSYS);
    assert_int_equal(do_op(99, 1), -ENOSYS);
    assert_int_equal(do_op(GNTTABOP_copy, 0x80000000u), -EINVAL);
    assert_int_equal(do_op(GNTTABOP_query_size, 2), -EINVAL);
}

/* What the granter writes into an entry in use changes nothing: holder and frame stay what they were. */
static void test_entry_in_use_rewritten(void **state)
{
    uint32_t handle;

    offer(0, 9, 1, mfn_of(0, 0), GTF_permit_access);
    run_as(1);
    assert_int_equal(map(0, 9, GNTMAP_host_map, 1), GNTST_okay);
    handle = arg.map[0].handle;
    offer(0, 9, 2, mfn_of(0, 1), GTF_permit_access | GTF_reading);
    run_as(2);
    assert_int_equal(map(0, 9, GNTMAP_host_map, 1), GNTST_general_error);
    assert_int_equal(copy(GNTCOPY_source_gref, 9, 0, 0, mfn_of(2, 0), DOMID_SELF, 0, 1), GNTST_general_error);
    run_as(1);
    assert_int_equal(map(0, 9, GNTMAP_host_map | GNTMAP_readonly, 2), GNTST_okay);
    assert_int_equal(arg.map[0].dev_bus_addr, mfn_of(0, 0) << PAGE_SHIFT);
    assert_int_equal(unmap(handle, 1, 0), GNTST_okay);
}

/* A device's use beside a host's, of one handle. */
static void test_device(void **state)
{
    uint64_t bus = mfn_of(0, 0) << PAGE_SHIFT;
    uint32_t handle;

    offer(0, 9, 1, mfn_of(0, 0), GTF_permit_access);
    run_as(1);
    assert_int_equal(map(0, 9, GNTMAP_host_map | GNTMAP_device_map, 1), GNTST_okay);
    handle = arg.map[0].handle;
    assert_int_equal(unmap(handle, 1, bus + PAGE_SIZE), GNTST_bad_dev_addr);
    assert_int_equal(unmap(handle, 1, 0), GNTST_okay);
    assert_int_equal(entry(0, 9)->flags, GTF_permit_access | GTF_reading | GTF_writing);
    assert_int_equal(unmap(handle, 1, 0), GNTST_okay); /* there is nothing of that kind */
    assert_int_equal(unmap(handle, 0, bus), GNTST_okay);
    assert_int_equal(entry(0, 9)->flags, GTF_permit_access);
    assert_int_equal(unmap(handle, 0, bus), GNTST_bad_handle);
}

/* One flush for a batch of up to 32; the frames are held until then. */
static void test_batch(void **state)
{
    uint32_t handle[32];

    offer(0, 9, 1, mfn_of(0, 0), GTF_permit_access);
    run_as(1);
    for (unsigned int i = 0; i < 32; i++)
        arg.map[i] = (struct gnttab_map_grant_ref){.ref = 9, .flags = GNTMAP_host_map, .host_addr = i + 1};
    assert_int_equal(do_op(GNTTABOP_map_grant_ref, 32), 0);
    for (unsigned int i = 0; i < 32; i++) {
        assert_int_equal(arg.map[i].status, GNTST_okay);
        handle[i] = arg.map[i].handle;
    }
    for (unsigned int i = 0; i < 32; i++)
        arg.unmap[i] = (struct gnttab_unmap_grant_ref){.handle = handle[i], .host_addr = i + 1};
    assert_int_equal(do_op(GNTTABOP_unmap_grant_ref, 32), 0);
    for (unsigned int i = 0; i < 32; i++)
        assert_int_equal(arg.unmap[i].status, GNTST_okay);
    assert_int_equal(flushes, 1);
    assert_int_equal(entry(0, 9)->flags, GTF_permit_access);
}

static void set_version(unsigned int d, uint32_t version, int expected)
{
    run_as(d);
    arg.version.version = version;
    assert_int_equal(do_op(GNTTABOP_set_version, 1), expected);
}

static void test_copy(void **state)
{
    char *source = frame_to_ptr(frame[0][0]), *dest = frame_to_ptr(frame[1][0]);
    grant_entry_v2_t *e;

    memcpy(source + 100, "some text", 9);
    offer(0, 9, 1, mfn_of(0, 0), GTF_permit_access | GTF_readonly);
    run_as(1);
    assert_int_equal(copy(GNTCOPY_source_gref, 9, 0, 100, mfn_of(1, 0), DOMID_SELF, 10, 9), GNTST_okay);
    assert_memory_equal(dest + 10, "some text", 9);
    assert_int_equal(copy(GNTCOPY_source_gref, 9, 0, 4090, mfn_of(1, 0), DOMID_SELF, 0, 7), GNTST_bad_copy_arg);
    assert_int_equal(copy(GNTCOPY_source_gref, 9, 0, 0, mfn_of(1, 0), 1, 0, 7), GNTST_permission_denied);
    assert_int_equal(copy(GNTCOPY_dest_gref, mfn_of(1, 0), DOMID_SELF, 0, 9, 0, 0, 1), GNTST_general_error);
    assert_int_equal(copy(GNTCOPY_source_gref, 9, 77, 0, mfn_of(1, 0), DOMID_SELF, 0, 7), GNTST_bad_domain);
    assert_int_equal(copy(0, mfn_of(0, 0), DOMID_SELF, 0, mfn_of(1, 0), DOMID_SELF, 0, 7), GNTST_bad_page);
    assert_int_equal(copy(0, mfn_of(1, 0), DOMID_SELF, 0, mfn_of(1, FRAMES - 1), DOMID_SELF, 0, 7),
                     GNTST_general_error);

    /* Parts of pages, and grants passed on: 0 grants to 2, 2 passes it on to 1. */
    set_version(0, 2, 0);
    set_version(2, 2, 0);
    e = grant_v2(domain[0].grant, 20);
    *e = (grant_entry_v2_t){.sub_page = {{GTF_permit_access | GTF_sub_page, 2}, 100, 4, mfn_of(0, 0)}};
    e = grant_v2(domain[2].grant, 30);
    *e = (grant_entry_v2_t){.transitive = {{GTF_transitive, 1}, 0, 0, 20}};
    run_as(2);
    assert_int_equal(map(0, 20, GNTMAP_host_map, 1), GNTST_general_error);
    run_as(1);
    assert_int_equal(map(2, 30, GNTMAP_host_map, 1), GNTST_general_error);
    assert_int_equal(copy(GNTCOPY_source_gref, 30, 2, 100, mfn_of(1, 0), DOMID_SELF, 50, 4), GNTST_okay);
    assert_memory_equal(dest + 50, "some\0", 5);
    assert_int_equal(copy(GNTCOPY_source_gref, 30, 2, 99, mfn_of(1, 0), DOMID_SELF, 50, 4), GNTST_general_error);
    assert_int_equal(copy(GNTCOPY_source_gref, 30, 2, 101, mfn_of(1, 0), DOMID_SELF, 50, 4), GNTST_general_error);
    grant_v2(domain[0].grant, 20)->hdr.domid = 1; /* not 2's to pass on */
    assert_int_equal(copy(GNTCOPY_source_gref, 30, 2, 100, mfn_of(1, 0), DOMID_SELF, 50, 4), GNTST_general_error);
    assert_int_equal(*grant_status(domain[2].grant, 30), 0);
    assert_int_equal(*grant_status(domain[0].grant, 20), 0);
}

/* Reserved entries and their holders live through a change of version; others must not be held. */
static void test_versions(void **state)
{
    uint32_t reserved, other;

    offer(0, 1, 1, mfn_of(0, 0), GTF_permit_access);
    offer(0, 9, 1, mfn_of(0, 1), GTF_permit_access);
    run_as(1);
    assert_int_equal(map(0, 1, GNTMAP_host_map, 1), GNTST_okay);
    reserved = arg.map[0].handle;
    assert_int_equal(map(0, 9, GNTMAP_host_map, 2), GNTST_okay);
    other = arg.map[0].handle;
    set_version(0, 3, -EINVAL);
    set_version(0, 2, -EBUSY);
    run_as(1);
    assert_int_equal(unmap(other, 2, 0), GNTST_okay);
    set_version(0, 2, 0);
    assert_int_equal(*grant_status(domain[0].grant, 1), GTF_reading | GTF_writing);
    assert_int_equal(grant_v2(domain[0].grant, 1)->hdr.flags, GTF_permit_access);
    assert_int_equal(grant_v2(domain[0].grant, 1)->full_page.frame, mfn_of(0, 0));
    assert_int_equal(grant_v2(domain[0].grant, 9)->hdr.flags, 0);
    grant_v2(domain[0].grant, 2)->hdr.flags = GTF_transitive;
    set_version(0, 1, -ERANGE);
    assert_int_equal(arg.version.version, 2);
    grant_v2(domain[0].grant, 2)->hdr.flags = 0;
    set_version(0, 1, 0);
    domain[0].grant->max_version = 1;
    set_version(0, 2, -ENOSYS);
    assert_int_equal(arg.version.version, 1);
    assert_int_equal(entry(0, 1)->flags, GTF_permit_access | GTF_reading | GTF_writing);
    run_as(1);
    assert_int_equal(unmap(reserved, 1, 0), GNTST_okay);
    assert_int_equal(entry(0, 1)->flags, GTF_permit_access);
}

/* The granter dies first: its table is gone from its view, the frames stay until they are unmapped. */
static void test_granter_dies(void **state)
{
    uint32_t handle;

    offer(0, 9, 1, mfn_of(0, 0), GTF_permit_access);
    run_as(1);
    assert_int_equal(map(0, 9, GNTMAP_host_map, 1), GNTST_okay);
    handle = arg.map[0].handle;
    while (grant_module.relinquish(&domain[0]) == -ERESTART)
        ;
    memset(grant_v1(domain[0].grant, 0), 0xee, PAGE_SIZE); /* freed and somebody else's by now */
    assert_int_equal(map(0, 9, GNTMAP_host_map, 2), GNTST_general_error);
    assert_int_equal(frame[0][0]->count & FC_COUNT_MASK, 3);
    assert_int_equal(unmap(handle, 1, 0), GNTST_okay);
    assert_int_equal(entry(0, 9)->flags, 0xeeee);
    assert_int_equal(domain[0].refs, 1);
}

static void test_transfer(void **state)
{
    uint64_t number = mfn_of(1, 2);

    offer(0, 9, 1, 1234, GTF_accept_transfer);
    run_as(1);
    arg.transfer = (struct gnttab_transfer){.mfn = mfn_of(0, 0), .domid = 0, .ref = 9};
    assert_int_equal(do_op(GNTTABOP_transfer, 1), 0);
    assert_int_equal(arg.transfer.status, GNTST_bad_page);
    arg.transfer = (struct gnttab_transfer){.mfn = number, .domid = 0, .ref = 9};
    assert_int_equal(do_op(GNTTABOP_transfer, 1), 0);
    assert_int_equal(arg.transfer.status, GNTST_okay);
    assert_int_equal(entry(0, 9)->flags, GTF_accept_transfer | GTF_transfer_committed | GTF_transfer_completed);
    assert_int_equal(entry(0, 9)->frame, number);
    assert_ptr_equal(frame[1][2]->owner, &domain[0]);
    assert_int_equal(m2p_get(mfn(number)).v, 1234);
    /* Nobody waits any more: the frame is lost. */
    arg.transfer = (struct gnttab_transfer){.mfn = mfn_of(1, 3), .domid = 0, .ref = 9};
    assert_int_equal(do_op(GNTTABOP_transfer, 1), 0);
    assert_int_equal(arg.transfer.status, GNTST_general_error);
    assert_null(frame[1][3]->owner);
}

static void test_sizes(void **state)
{
    run_as(0);
    arg.query = (struct gnttab_query_size){.dom = DOMID_SELF};
    assert_int_equal(do_op(GNTTABOP_query_size, 1), 0);
    assert_int_equal(arg.query.nr_frames, 1);
    assert_int_equal(arg.query.max_nr_frames, 4);
    arg.setup = (struct gnttab_setup_table){.dom = DOMID_SELF, .nr_frames = 3};
    set_xen_guest_handle(arg.setup.frame_list, frame_list);
    assert_int_equal(do_op(GNTTABOP_setup_table, 1), 0);
    assert_int_equal(arg.setup.status, GNTST_okay);
    assert_int_equal(frame_list[2], ptr_to_mfn(domain[0].grant->shared[2]).v);
    arg.setup.nr_frames = 5;
    assert_int_equal(do_op(GNTTABOP_setup_table, 1), 0);
    assert_int_equal(arg.setup.status, GNTST_general_error);
    arg.setup = (struct gnttab_setup_table){.dom = 1, .nr_frames = 1};
    assert_int_equal(do_op(GNTTABOP_setup_table, 1), 0);
    assert_int_equal(arg.setup.status, GNTST_permission_denied);
    arg.setup = (struct gnttab_setup_table){.dom = DOMID_SELF, .nr_frames = 1};
    assert_int_equal(do_op(GNTTABOP_setup_table, 1), 0);
    assert_int_equal(arg.setup.status, GNTST_bad_virt_addr);
    arg.status_frames = (struct gnttab_get_status_frames){.dom = DOMID_SELF, .nr_frames = 1};
    assert_int_equal(do_op(GNTTABOP_get_status_frames, 1), 0);
    assert_int_equal(arg.status_frames.status, GNTST_general_error);
}

/* --- anything --- */

static uint64_t some(uint64_t n)
{
    return (uint64_t)rand() % n;
}

static void scribble(unsigned int d)
{
    struct grant_domain *t = domain[d].grant;
    uint32_t ref = (uint32_t)some(16);
    uint64_t number = some(8) ? mfn_of((unsigned int)some(DOMAINS), (unsigned int)some(FRAMES)) : (uint64_t)rand();
    uint16_t flags = (uint16_t)(some(3) ? GTF_permit_access : rand() & 0x1ff);

    if (t->version == 1) {
        offer(d, ref, (domid_t)some(DOMAINS), number, flags);
        return;
    }
    *grant_v2(t, ref) = (grant_entry_v2_t){.full_page = {{flags, (domid_t)some(DOMAINS)}, (uint32_t)rand(), number}};
    if (some(3) == 0)
        *grant_v2(t, ref) = (grant_entry_v2_t){
            .transitive = {{GTF_transitive, (domid_t)some(DOMAINS)}, (domid_t)some(DOMAINS), 0, (uint32_t)some(16)}};
}

static void random_step(void)
{
    static const unsigned int uses[] = {GNTMAP_host_map, GNTMAP_host_map, GNTMAP_device_map, 3, 0};
    unsigned int n = (unsigned int)some(6) + 1;

    run_as((unsigned int)some(DOMAINS));
    switch (some(8)) {
    case 0:
    case 1:
        for (unsigned int i = 0; i < n; i++)
            arg.map[i] = (struct gnttab_map_grant_ref){
                .dom = (domid_t)some(DOMAINS + 1), .ref = (uint32_t)some(17), .host_addr = some(SLOTS + 2),
                .flags = uses[some(5)] | (some(2) ? GNTMAP_readonly : 0)};
        do_op(GNTTABOP_map_grant_ref, n);
        break;
    case 2:
    case 3:
        for (unsigned int i = 0; i < n; i++)
            arg.unmap[i] = (struct gnttab_unmap_grant_ref){
                .handle = (uint32_t)some(60), .host_addr = some(SLOTS + 2),
                .dev_bus_addr = mfn_of((unsigned int)some(DOMAINS), (unsigned int)some(FRAMES)) << PAGE_SHIFT};
        do_op(some(4) ? GNTTABOP_unmap_grant_ref : GNTTABOP_unmap_and_replace, n);
        break;
    case 4:
        copy((unsigned int)some(4), some(3) ? some(17) : mfn_of(current, 1), (domid_t)some(DOMAINS), (unsigned int)some(5000),
             some(2) ? some(17) : mfn_of(current, 2), some(3) ? (domid_t)some(DOMAINS) : DOMID_SELF, (unsigned int)some(4200),
             (unsigned int)some(600));
        break;
    case 5:
        arg.swap = (struct gnttab_swap_grant_ref){.ref_a = (uint32_t)some(17), .ref_b = (uint32_t)some(17)};
        do_op(GNTTABOP_swap_grant_ref, 1);
        break;
    case 6:
        if (some(20) == 0) {
            arg.version.version = (uint32_t)some(4);
            do_op(GNTTABOP_set_version, 1);
        }
        break;
    default:
        scribble(current);
    }
}

/* The status words are ours alone in version 2 (here the guests leave them alone): they say what the pins say. */
static void check_status_words(void)
{
    for (unsigned int i = 0; i < DOMAINS; i++) {
        struct grant_domain *t = domain[i].grant;

        for (uint32_t ref = 0; t->version == 2 && ref < 20; ref++)
            assert_int_equal(*grant_status(t, ref), pin_status(grant_active(t, ref)->pin));
    }
}

static void test_anything(void **state)
{
    for (int step = 0; step < 200000; step++) {
        random_step();
        check_status_words();
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_map_and_unmap), TEST(test_refusals), TEST(test_entry_in_use_rewritten), TEST(test_device),
        TEST(test_batch), TEST(test_copy), TEST(test_versions), TEST(test_granter_dies), TEST(test_transfer),
        TEST(test_sizes), TEST(test_anything),
    };

    srand(3);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
