/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: streams of hypercalls by a domain that is privileged or not, beside
 * another, with any bytes as their arguments: events, scheduling, vCPUs,
 * memory, grants, version, console and what is refused. Afterwards both die,
 * and every frame must be back.
 *
 * A call: family, operation, a number, where its argument lies (in 16 bytes),
 * which word of that is made a guest address and which, length, argument.
 */
#include "abi/errno.h"
#include "core/crosscall.h"
#include "core/log.h"
#include "domain/rights.h"
#include "evtchn/pirq.h"
#include "grant/table.h"
#include "guest.h"
#include "hypercall/hypercall.h"
#include "mem/hvmap.h"
#include "mem/page_alloc.h"
#include "platform/platform.h"
#include "x86/uaccess.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- what these files need besides tests/fake --- */

struct boot_info boot_info;
struct machine machine;
__asm__(".pushsection .rodata\n"
        ".globl build_id_note, build_id_note_end\n"
        "build_id_note: .zero 36\n"
        "build_id_note_end: .popsection");

void log_raw(const char *s, size_t n) {}
void tlb_flush(uint64_t mask) {}

mfn_t hvmap_find(uint64_t va)
{
    return MFN_INVALID;
}

int guest_read_u64(uint64_t gva, uint64_t *v)
{
    return guest_copy_from(v, gva, sizeof(*v));
}

int guest_clear(uint64_t gva, size_t size)
{
    static const uint8_t zeroes[PAGE_SIZE];

    return size <= sizeof(zeroes) ? guest_copy_to(gva, zeroes, size) : -EFAULT;
}

/* Mappings of grants hold nothing of their own here. */
static int host_map(struct vcpu *v, uint64_t addr, bool contains_pte, mfn_t m, bool readonly, uint32_t flags)
{
    return addr & 1 ? GNTST_general_error : GNTST_okay;
}

static int host_unmap(struct vcpu *v, uint64_t addr, uint64_t to, bool contains_pte, mfn_t m, bool readonly)
{
    return addr & 1 ? GNTST_general_error : GNTST_okay;
}

static bool get_writable(struct frame *f)
{
    return true;
}

static void put_writable(struct frame *f) {}

static const struct grant_host_ops host = {host_map, host_unmap, get_writable, put_writable};

static int set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
    return c->flags & 1 ? -EINVAL : 0;
}

static void reset(struct vcpu *v) {}

/* --- the world --- */

static struct guest_ops ops;
static struct domain *caller, *other;

static void start(void)
{
    static const struct mem_range ram = {1 << 20, 65 << 20};
    static const struct domain_module *const modules[] = {&rights_module, &evtchn_module, &pirq_module,
                                                          &grant_module, &hypercall_module};

    fake_machine_init(1);
    fake.tsc = 1000;
    time_init(1000000000);
    fake_memory_init(&ram, 1);
    domain_init(modules, ARRAY_SIZE(modules), &evtchn_events);
    timer_init_cpu();
    sched_init_cpu();
    grant_set_host_ops(&host);
    ops = fake_guest_ops;
    ops.vcpu_set_context = set_context;
    ops.vcpu_reset = reset;
}

static struct domain *make_domain(domid_t id, bool privileged)
{
    struct domain_config c = {.id = id,
                              .max_vcpus = 2,
                              .max_pages = 600,
                              .privileged = privileged,
                              .max_grant_frames = 4,
                              .max_maptrack_frames = 1};
    struct domain *d;
    struct vcpu *v;

    if (domain_create(&c, &ops, &d) != 0)
        abort();
    for (unsigned int i = 0; i < 2; i++)
        if (vcpu_create(d, i, &v) != 0)
            abort();
    /* Its frames are granted to domain 1, by references from 8 on. */
    for (unsigned int i = 0; i < 8; i++) {
        struct frame *f = domain_alloc_frames(d, 0, 0);
        grant_entry_v1_t *e = grant_v1(d->grant, 8 + i);

        if (!f)
            abort();
        *e = (grant_entry_v1_t){GTF_permit_access | (i & 1 ? GTF_readonly : 0), 1,
                                (uint32_t)frame_to_mfn(f).v};
    }
    domain_hold(d);
    return d;
}

/* --- calls --- */

enum shape { OP_ARG, OP_NUMBER_ARG, OP_ARG_NUMBER, ARG_ONLY, NUMBER_ONLY };

static const struct family {
    hypercall_fn_t *fn;
    enum shape shape;
} families[] = {
    {do_event_channel_op, OP_ARG},
    {do_sched_op, OP_ARG},
    {do_vcpu_op, OP_NUMBER_ARG},
    {do_memory_op, OP_ARG},
    {do_grant_table_op, OP_ARG_NUMBER},
    {do_xen_version, OP_ARG},
    {do_console_io, OP_NUMBER_ARG},
    {do_nmi_op, OP_ARG},
    {do_set_timer_op, NUMBER_ONLY},
    {do_event_channel_op_compat, ARG_ONLY},
    {do_sched_op_compat, OP_NUMBER_ARG},
    {do_hvm_op, OP_ARG},
    {do_kexec_op, OP_ARG},
    {do_dm_op, OP_ARG_NUMBER},
    {do_xenpmu_op, OP_ARG},
};

struct call {
    uint8_t family, op, number, at, address, length;
};

static struct hypercall_args arguments(const struct family *f, const struct call *c)
{
    uint64_t gva = FAKE_GUEST_BASE + c->at * 16u,
             number = c->number < 250 ? c->number : ~0ULL << (c->number - 250) * 8;

    switch (f->shape) {
    case OP_ARG:
        return (struct hypercall_args){.a = {c->op, gva}};
    case OP_NUMBER_ARG:
        return (struct hypercall_args){.a = {c->op, number, gva}};
    case OP_ARG_NUMBER:
        return (struct hypercall_args){.a = {c->op, gva, number}};
    case ARG_ONLY:
        return (struct hypercall_args){.a = {gva}};
    default:
        return (struct hypercall_args){.a = {number << (c->op & 63)}};
    }
}

static void do_call(const struct call *c, const uint8_t *argument)
{
    const struct family *f = &families[c->family % ARRAY_SIZE(families)];
    uint64_t address = FAKE_GUEST_BASE + (c->address >> 4) * 512u;
    struct hypercall_args args = arguments(f, c);
    uint8_t *to = fake_guest_memory + c->at * 16u;

    memcpy(to, argument, c->length);
    if ((c->address & 15) < 15)
        memcpy(to + (c->address & 15) * 8, &address, sizeof(address));
    for (unsigned int times = 0; times < 600 && f->fn(&args) == -ERESTART; times++)
        ;
}

static bool goes_on(void)
{
    struct vcpu *v = caller->vcpu[0];

    return cpu_local()->guest == &v->cpu && !caller->shutting_down && !(v->pause_flags & VPF_DOWN) &&
           !v->pause_count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t frames;
    const uint8_t *end = data + size;

    if (size < 1)
        return 0;
    if (!caller)
        start();
    caller = make_domain(1, data[0] & 1);
    other = make_domain(2, false);
    memset(fake_guest_memory, 0, sizeof(fake_guest_memory));
    vcpu_clear_pause_flag(caller->vcpu[0], VPF_DOWN);
    domain_unpause(caller);
    fake_settle();
    for (data++; (size_t)(end - data) >= sizeof(struct call) && goes_on();) {
        struct call c;

        memcpy(&c, data, sizeof(c));
        data += sizeof(c);
        c.length = (uint8_t)MIN((size_t)c.length, (size_t)(end - data));
        do_call(&c, data);
        data += c.length;
    }
    fake_kill(other);
    fake_kill(caller);
    fake_settle();
    if (frames != 0 && page_alloc_free_frames() != frames)
        __builtin_trap();
    frames = page_alloc_free_frames();
    return 0;
}
