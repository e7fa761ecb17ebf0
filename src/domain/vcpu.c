/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual CPUs: when they may run, and how a CPU goes from one to another.
 *
 * Whether a vCPU may run follows from words that anybody may change at any
 * time (may_run); after a change the scheduler is told to look again.
 *
 * A CPU keeps the registers and page tables of its last vCPU while it is idle
 * (guest_cpu.running_on), and the bit in the dirty_cpus of that domain. Only a
 * CPU itself sets or clears its bit: it sets it just before it loads the page
 * tables, and clears it when it next comes by after it has loaded others.
 */
#include "domain/vcpu.h"

#include "abi/errno.h"
#include "core/crosscall.h"
#include "core/panic.h"
#include "core/softirq.h"
#include "core/trace.h"
#include "lib/string.h"
#include "mem/heap.h"
#include "x86/atomic.h"
#include "x86/insn.h"
#include "x86/lapic.h"
#include "x86/upcalls.h"

/* Per CPU: the domain whose page tables are loaded, and the one before it. */
static struct cpu_tables {
    struct domain *loaded, *before;
} ALIGNED(64) cpu_tables[NR_CPUS_MAX];

static bool may_run(const struct vcpu *v)
{
    const struct domain *d = v->domain;

    return !atomic_load(&v->pause_flags) && !atomic_load(&v->pause_count) && !atomic_load(&d->pause_count) &&
           !atomic_load(&d->shutting_down);
}

static bool unit_runnable(struct sched_unit *u)
{
    return may_run(vcpu_of_unit(u));
}

/* --- the switch --- */

static void clear_dirty(struct domain **d)
{
    if (*d)
        atomic_and(&(*d)->dirty_cpus, ~BIT(cpu_id()));
    *d = NULL;
}

int vcpu_stopped_state(const struct vcpu *v)
{
    uint64_t flags = atomic_load(&v->pause_flags);

    if (flags & (VPF_BLOCKED | VPF_POLLING))
        return RUNSTATE_blocked;
    return may_run(v) ? RUNSTATE_runnable : RUNSTATE_offline;
}

static void leave(struct vcpu *v, stime_t now)
{
    vtimer_switch_out(v);
    vcpu_runstate_leave(v, now);
    if (v->runstate_gva)
        vcpu_update_areas(v);
    atomic_store(&v->unit.on_cpu, -1);
    /* From here on `v` may be anybody's, or gone. */
}

static void unload_vcpu(void *arg)
{
    const struct vcpu *v = arg;

    /* It may have been stored since the caller looked; what is loaded now would then be another's. */
    if (atomic_load(&v->cpu.running_on) == (int32_t)cpu_id()) {
        guest_unload_local();
        clear_dirty(&cpu_tables[cpu_id()].loaded);
    }
}

void vcpu_leave_cpu(void)
{
    struct cpu_tables *t = &cpu_tables[cpu_id()];

    guest_unload_local();
    clear_dirty(&t->before);
    clear_dirty(&t->loaded);
}

static void unload_elsewhere(struct vcpu *v)
{
    int32_t cpu = atomic_load(&v->cpu.running_on);

    if (cpu >= 0 && cpu != (int32_t)cpu_id())
        crosscall(BIT(cpu), unload_vcpu, v);
}

static void switch_to(struct sched_unit *prev, struct sched_unit *next)
{
    struct cpu_tables *t = &cpu_tables[cpu_id()];
    stime_t now = stime_now();
    struct vcpu *v;

    if (t->before != t->loaded)
        clear_dirty(&t->before);
    if (prev)
        leave(vcpu_of_unit(prev), now);
    if (!next) {
        trace_note(TRACE_IDLE, 0, 0, now);
        guest_switch(NULL);
    }
    v = vcpu_of_unit(next);
    while (atomic_load(&next->on_cpu) != -1) {
        upcall_crosscall();
        cpu_relax();
    }
    trace_note(TRACE_SWITCH, v->domain->id, v->id, now);
    atomic_store(&next->on_cpu, (int32_t)cpu_id());
    unload_elsewhere(v);
    vcpu_runstate_enter(v, now);
    vtimer_switch_in(v, now);
    vcpu_update_time(v, false);
    if (v->runstate_gva || v->time_gva)
        atomic_or(&v->cpu.work, GUEST_WORK_OTHER);

    /* Nothing that serves cross-calls from here to the load. */
    if (t->loaded != v->domain) {
        t->before = t->loaded;
        t->loaded = v->domain;
        atomic_or(&v->domain->dirty_cpus, BIT(cpu_id()));
    }
    guest_switch(&v->cpu);
}

const struct sched_ops vcpu_sched_ops = {.switch_to = switch_to, .runnable = unit_runnable};

static void forget_domain(void *arg)
{
    struct domain *d = arg;
    struct cpu_tables *t = &cpu_tables[cpu_id()];

    for (unsigned int i = 0; i < d->max_vcpus; i++)
        if (d->vcpu[i] && atomic_load(&d->vcpu[i]->cpu.running_on) == (int32_t)cpu_id())
            guest_unload_local();
    if (t->loaded == d)
        t->loaded = NULL;
    if (t->before == d)
        t->before = NULL;
    atomic_and(&d->dirty_cpus, ~BIT(cpu_id()));
    tlb_flush_local();
}

void domain_unload_cpus(struct domain *d)
{
    crosscall(cpus_online_mask, forget_domain, d);
}

/* --- pause --- */

void vcpu_stop(struct vcpu *v)
{
    sched_sleep(&v->unit);
    vcpu_runstate_waits(v);
}

void vcpu_start(struct vcpu *v)
{
    vcpu_runstate_waits(v);
    sched_wake(&v->unit);
}

bool vcpu_is_running(struct vcpu *v)
{
    return sched_on_cpu(&v->unit);
}

void vcpu_pause_nosync(struct vcpu *v)
{
    atomic_add(&v->pause_count, 1);
    vcpu_stop(v);
}

void vcpu_pause_sync(struct vcpu *v)
{
    vcpu_pause_nosync(v);
    /* The running vCPU cannot wait for itself: it stops on its way out. */
    while (v != current_vcpu() && vcpu_is_running(v)) {
        upcall_crosscall();
        cpu_relax();
    }
    if (v != current_vcpu()) {
        if (atomic_load(&v->cpu.running_on) == (int32_t)cpu_id())
            unload_vcpu(v);
        else
            unload_elsewhere(v);
    }
}

void vcpu_unpause(struct vcpu *v)
{
    if (atomic_sub(&v->pause_count, 1) == 0)
        vcpu_start(v);
}

void vcpu_set_pause_flag(struct vcpu *v, uint64_t flag)
{
    atomic_or(&v->pause_flags, flag);
    vcpu_stop(v);
    if (flag & VPF_DOWN)
        sched_give_up(&v->unit);
}

void vcpu_clear_pause_flag(struct vcpu *v, uint64_t flag)
{
    if (atomic_and(&v->pause_flags, ~flag) & flag)
        vcpu_start(v);
}

/* --- events --- */

bool vcpu_event_pending(const struct vcpu *v)
{
    /* The guest may change both bytes at any time: a wrong answer is its own loss. */
    return READ_ONCE(v->vcpu_info->evtchn_upcall_pending) && !READ_ONCE(v->vcpu_info->evtchn_upcall_mask);
}

void vcpu_kick(struct vcpu *v)
{
    if (atomic_load(&v->pause_flags) & (VPF_BLOCKED | VPF_POLLING)) {
        vcpu_clear_pause_flag(v, VPF_BLOCKED | VPF_POLLING);
    } else if (v != current_vcpu() && atomic_load(&v->unit.state) == SCHED_RUNNING) {
        uint32_t cpu = atomic_load(&v->unit.cpu);

        /* The interrupt does nothing: on its way back to the guest that CPU sees the event. */
        if (cpu != cpu_id())
            lapic_send_ipi(cpu_apic_id[cpu], VEC_WAKE);
    }
}

void vcpu_mark_event(struct vcpu *v)
{
    bool was = atomic_xchg(&v->vcpu_info->evtchn_upcall_pending, 1) != 0;

    /* A guest that blocks with the byte set by itself would miss this one. */
    if (!was || (atomic_load(&v->pause_flags) & (VPF_BLOCKED | VPF_POLLING)))
        vcpu_kick(v);
}

void vcpu_send_nmi(struct vcpu *v)
{
    if (atomic_xchg(&v->nmi_pending, (uint8_t)1) == 0) {
        atomic_or(&v->cpu.work, GUEST_WORK_NMI);
        vcpu_kick(v);
    }
}

void vcpu_block(struct vcpu *v)
{
    WRITE_ONCE(v->vcpu_info->evtchn_upcall_mask, 0);
    atomic_or(&v->pause_flags, VPF_BLOCKED);
    /* An event that came before the flag was set has kicked nobody. */
    if (vcpu_event_pending(v))
        atomic_and(&v->pause_flags, ~VPF_BLOCKED);
    else
        sched_sleep(&v->unit);
}

void vcpu_poll_begin(struct vcpu *v, uint32_t port)
{
    timer_stop(&v->poll_timer);
    atomic_store(&v->poll_port, port);
    atomic_or(&v->pause_flags, VPF_POLLING);
    atomic_or(&v->domain->poll_mask[v->id / 64], BIT(v->id % 64));
}

void vcpu_poll_end(struct vcpu *v)
{
    atomic_and(&v->domain->poll_mask[v->id / 64], ~BIT(v->id % 64));
    vcpu_clear_pause_flag(v, VPF_POLLING);
}

void vcpu_poll_wait(struct vcpu *v, stime_t timeout)
{
    if (vcpu_event_pending(v)) {
        vcpu_poll_end(v);
        return;
    }
    if (timeout)
        timer_set_here(&v->poll_timer, timeout);
    sched_sleep(&v->unit);
}

void domain_wake_pollers(struct domain *d, uint32_t port)
{
    for (size_t w = 0; w * 64 < d->max_vcpus; w++) {
        for (uint64_t m = atomic_load(&d->poll_mask[w]); m; m &= m - 1) {
            struct vcpu *v = d->vcpu[w * 64 + (unsigned int)__builtin_ctzll(m)];
            uint32_t polled = atomic_load(&v->poll_port);

            if (polled == port || polled == VPF_POLL_ANY)
                vcpu_poll_end(v);
        }
    }
}

/* --- life --- */

int vcpu_create(struct domain *d, unsigned int id, struct vcpu **out)
{
    struct vcpu *v;
    int ret;

    if (id >= d->max_vcpus)
        return -EINVAL;
    if (d->vcpu[id])
        return -EEXIST;
    v = heap_alloc(sizeof(*v));
    if (!v)
        return -ENOMEM;
    v->domain = d;
    v->id = id;
    v->pause_flags = VPF_DOWN;
    v->cpu.running_on = -1;
    vcpu_reset_info(v);
    sched_unit_init(&v->unit, &d->sched);
    vtimer_init(v);
    ret = d->ops->vcpu_create(v);
    if (ret) {
        vtimer_kill(v);
        sched_unit_remove(&v->unit);
        heap_free(v);
        return ret;
    }
    atomic_store(&d->vcpu[id], v);
    if (out)
        *out = v;
    return 0;
}

void vcpu_destroy(struct vcpu *v)
{
    v->domain->vcpu[v->id] = NULL;
    v->domain->ops->vcpu_destroy(v);
    sched_unit_remove(&v->unit);
    heap_free(v);
}
