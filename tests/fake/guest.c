/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests without code: see guest.h. A switch of vCPU, which never returns, jumps back to fake_run_cpu(). */
#include "guest.h"

#include "abi/errno.h"
#include "core/crosscall.h"
#include "core/log.h"
#include "core/softirq.h"
#include "domain/pcpu.h"
#include "domain/rights.h"
#include "evtchn/pirq.h"
#include "lib/string.h"
#include "mem/page_alloc.h"
#include "platform/platform.h"
#include "x86/uaccess.h"
#include "x86/upcalls.h"

#include <stdlib.h>

uint8_t fake_guest_memory[2 * PAGE_SIZE];
struct guest_cpu *fake_loaded[NR_CPUS_MAX];
unsigned int fake_domains_destroyed, fake_dumps;

static _Thread_local jmp_buf out;

void guest_unload_local(void)
{
    struct guest_cpu **loaded = &fake_loaded[cpu_id()];

    if (*loaded)
        atomic_store(&(*loaded)->running_on, -1);
    *loaded = NULL;
}

void guest_switch(struct guest_cpu *next)
{
    cpu_local()->guest = next;
    if (next && fake_loaded[cpu_id()] != next) {
        guest_unload_local();
        if (atomic_load(&next->running_on) != -1)
            abort(); /* another CPU has its registers */
        atomic_store(&next->running_on, (int32_t)cpu_id());
        fake_loaded[cpu_id()] = next;
    }
    longjmp(out, 1);
}

void guest_toggle_mode(struct guest_cpu *g)
{
    g->flags ^= GUEST_KERNEL;
}

/* One thread is all CPUs: the part of each is played in turn. */
__attribute__((weak)) void crosscall(uint64_t mask, void (*fn)(void *), void *arg)
{
    unsigned int caller = fake_cpu;

    for (fake_cpu = 0; fake_cpu < cpus_online; fake_cpu++)
        if (mask & BIT(fake_cpu))
            fn(arg);
    fake_cpu = caller;
}

__attribute__((weak)) uint64_t tlb_flush_clock = 1;
__attribute__((weak)) void clock_settle(void) {}
__attribute__((weak)) void pcpu_init(void) {}
__attribute__((weak)) void tlb_flush_local(void) {}

void fake_run_cpu(unsigned int cpu)
{
    fake_cpu = cpu;
    while (softirq_is_pending())
        if (setjmp(out) == 0)
            upcall_softirq();
}

void fake_settle(void)
{
    /* CPU 0 last: its deferred work may wait for what others have to do. */
    for (unsigned int round = 0; round < 4; round++)
        for (unsigned int cpu = cpus_online; cpu-- > 0;)
            fake_run_cpu(cpu);
    fake_cpu = 0;
}

void fake_pass(stime_t t)
{
    for (stime_t end = stime_now() + t; stime_now() < end;) {
        fake.tsc += (uint64_t)MICROSECS(100);
        for (unsigned int cpu = 0; cpu < cpus_online; cpu++)
            softirq_raise_cpu(cpu, SOFTIRQ_TIMER);
        fake_settle();
    }
}

/* --- guest memory --- */

bool guest_range_ok(uint64_t gva, uint64_t size)
{
    return gva + size <= 0xffff800000000000ULL;
}

static void *reach(uint64_t gva, size_t size)
{
    uint64_t at = gva - FAKE_GUEST_BASE;

    return at <= sizeof(fake_guest_memory) && size <= sizeof(fake_guest_memory) - at ? fake_guest_memory + at : NULL;
}

int guest_copy_from(void *dst, uint64_t gva, size_t size)
{
    void *p = reach(gva, size);

    if (!p)
        return -EFAULT;
    memcpy(dst, p, size);
    return 0;
}

int guest_copy_to(uint64_t gva, const void *src, size_t size)
{
    void *p = reach(gva, size);

    if (!p)
        return -EFAULT;
    memcpy(p, src, size);
    return 0;
}

int guest_write_u64(uint64_t gva, uint64_t v)
{
    return guest_copy_to(gva, &v, sizeof(v));
}

/* --- the kind of guest --- */

static int create(struct domain *d)
{
    return 0;
}
static void destroy(struct domain *d)
{
    fake_domains_destroyed++;
}
static void dump(struct vcpu *v)
{
    fake_dumps++;
}
static void destroy_vcpu(struct vcpu *v) {}

static int create_vcpu(struct vcpu *v)
{
    v->cpu.flags = GUEST_KERNEL;
    return 0;
}

static int relinquish(struct domain *d)
{
    static domid_t asked = DOMID_INVALID;
    bool again = asked != d->id;

    asked = again ? d->id : (domid_t)DOMID_INVALID;
    return again ? -ERESTART : 0;
}

static int get_writable_frame(struct domain *d, gfn_t g, struct frame **f)
{
    if (!mfn_valid(mfn(g.v)) || !frame_get(mfn_to_frame(mfn(g.v)), d))
        return -EINVAL;
    *f = mfn_to_frame(mfn(g.v));
    return 0;
}

const struct guest_ops fake_guest_ops = {
    .domain_create = create,
    .domain_destroy = destroy,
    .domain_relinquish = relinquish,
    .vcpu_create = create_vcpu,
    .vcpu_destroy = destroy_vcpu,
    .dump_vcpu = dump,
    .get_writable_frame = get_writable_frame,
    .put_writable_frame = frame_put,
};

/* --- the world --- */

__attribute__((weak)) void log_guest(unsigned int domid, enum log_level level, const char *fmt, ...) {}
__attribute__((weak)) void log_at(enum log_level level, const char *fmt, ...) {}

void fake_world_init(unsigned int cpus)
{
    static const struct mem_range ram = {1 << 20, 65 << 20};
    static const struct domain_module *const modules[] = {&rights_module, &evtchn_module, &pirq_module};

    fake_machine_init(cpus);
    fake.tsc = 1000;
    time_init(1000000000);
    fake_memory_init(&ram, 1);
    domain_init(modules, ARRAY_SIZE(modules), &evtchn_events);
    for (unsigned int cpu = cpus; cpu-- > 0;) {
        fake_cpu = cpu;
        timer_init_cpu();
        sched_init_cpu();
    }
}

struct domain *fake_domain(domid_t id, unsigned int vcpus, bool privileged)
{
    struct domain_config c = {.id = id, .max_vcpus = vcpus, .max_pages = 1000, .privileged = privileged};
    struct domain *d;

    if (domain_create(&c, &fake_guest_ops, &d) != 0)
        abort();
    for (unsigned int i = 0; i < vcpus; i++) {
        struct vcpu *v;

        if (vcpu_create(d, i, &v) != 0)
            abort();
        vcpu_clear_pause_flag(v, VPF_DOWN);
    }
    domain_unpause(d);
    domain_hold(d);
    return d;
}

void fake_kill(struct domain *d)
{
    unsigned int calls = 0;

    while (domain_kill(d) != 0) {
        fake_settle();
        if (calls++ > 100)
            abort();
    }
    domain_put(d);
    fake_pass(MILLISECS(1)); /* for deferred work, which leaves time to guests */
}

void fake_enter(struct vcpu *v)
{
    for (unsigned int i = 0; i < v->domain->max_vcpus; i++)
        if (v->domain->vcpu[i] != v)
            vcpu_set_pause_flag(v->domain->vcpu[i], VPF_DOWN);
    fake_settle();
    if (current_vcpu() != v)
        abort();
}
