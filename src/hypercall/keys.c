/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug keys: the table of letters and their reports. The letters are those that Xen's users know. */
#include "hypercall/keys.h"

#include "core/log.h"
#include "domain/vcpu.h"
#include "mem/page_alloc.h"
#include "x86/cpu.h"

typedef unsigned long long ull;

static void report_vcpus(const struct domain *d)
{
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        struct vcpu *v = d->vcpu[i];

        if (v == NULL)
            continue;
        log_always("  vcpu %u: CPU %u%s, pause count %u, flags %llx, upcall pending %u, masked %u, affinity %llx", i,
                   v->unit.cpu, vcpu_is_running(v) ? " running" : "", v->pause_count, (ull)v->pause_flags,
                   v->vcpu_info->evtchn_upcall_pending, v->vcpu_info->evtchn_upcall_mask, (ull)v->unit.affinity);
    }
}

static void report_domains(void)
{
    log_always("domains at %lld ns:", (long long)stime_now());
    for (struct domain *d = domain_next(NULL); d != NULL; d = domain_next(d)) {
        log_always("domain %u (%s): references %u, dying %u, pause count %u, pages %llu of %llu, hypervisor's %llu, "
                   "claimed %llu, dirty CPUs %llx, vm_assist %llx", d->id, d->name, d->refs, d->dying, d->pause_count,
                   (ull)d->tot_pages, (ull)d->max_pages, (ull)d->hv_pages.count, (ull)d->claimed, (ull)d->dirty_cpus,
                   (ull)d->vm_assist);
        report_vcpus(d);
    }
}

/* Registers of each vCPU that can be stopped for it; the one that asks cannot. */
static void report_registers(struct domain *d)
{
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        struct vcpu *v = d->vcpu[i];

        if (v == NULL || !v->initialised || v == current_vcpu())
            continue;
        log_always("domain %u vcpu %u:", d->id, i);
        vcpu_pause_sync(v);
        d->ops->dump_vcpu(v);
        vcpu_unpause(v);
    }
}

static void report_dom0(void)
{
    struct domain *d = domain_get(0);

    if (d == NULL)
        return;
    report_registers(d);
    domain_put(d);
}

static void report_all_registers(void)
{
    for (struct domain *d = domain_next(NULL); d != NULL; d = domain_next(d))
        report_registers(d);
}

static void report_memory(void)
{
    log_always("memory: %llu of %llu frames free, %llu claimed", (ull)page_alloc_free_frames(),
               (ull)page_alloc_total_frames(), (ull)domain_claimed_frames());
}

static void report_clocks(void)
{
    struct time_base b;

    time_get_base(&b);
    log_always("time: %lld ns, TSC %llu kHz, %s", (long long)stime_now(), (ull)time_tsc_khz(),
               time_tsc_stable() ? "the same on all CPUs" : "NOT the same on all CPUs");
    for (unsigned int cpu = 0; cpu < cpus_online; cpu++)
        log_always("  CPU %u: idle %lld ns", cpu, (long long)sched_idle_time(cpu));
}

static void report_queues(void)
{
    struct sched_pool_info pool;

    for (uint32_t id = 0; sched_pool_get_info(id, true, &pool) == 0; id = pool.id + 1)
        log_always("pool %u: scheduler %u, CPUs %llx, %u domains", pool.id, pool.scheduler, (ull)pool.cpus,
                   pool.groups);
    log_always("idle CPUs %llx", (ull)sched_idle_cpus());
    for (struct domain *d = domain_next(NULL); d != NULL; d = domain_next(d)) {
        log_always("domain %u: pool %u, weight %u, cap %u%%", d->id, sched_group_pool(&d->sched), d->sched.weight,
                   d->sched.cap);
        for (unsigned int i = 0; i < d->max_vcpus; i++) {
            struct vcpu *v = d->vcpu[i];

            if (v != NULL)
                log_always("  vcpu %u: CPU %u, state %u, ran %lld ns", i, v->unit.cpu, v->unit.state,
                           (long long)sched_cpu_time(&v->unit));
        }
    }
}

static void report_keys(void);

static const struct key {
    char letter;
    const char *what;
    void (*report)(void);
} keys[] = {
    {'0', "registers of domain 0", report_dom0},
    {'d', "registers of all domains", report_all_registers},
    {'h', "this list", report_keys},
    {'m', "memory", report_memory},
    {'q', "domains", report_domains},
    {'r', "run queues", report_queues},
    {'t', "clocks", report_clocks},
};

static void report_keys(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        log_always("key '%c': %s", keys[i].letter, keys[i].what);
}

void key_pressed(char key)
{
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].letter == key) {
            log_always("'%c' pressed: %s", key, keys[i].what);
            keys[i].report();
        }
    }
}
