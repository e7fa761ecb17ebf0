/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The domains' part of a crash's report. All CPUs have stopped, some of them
 * perhaps in the middle of a change, and what is broken may be this list: it
 * is read without its lock and only so far.
 */
#include "domain/report.h"

#include "core/crash.h"
#include "domain/vcpu.h"
#include "lib/string.h"

#define DOMAINS_TOLD 256
#define VCPUS_TOLD   16

static const char *domain_state(const struct domain *d)
{
    if (d->dying != DOMAIN_ALIVE)
        return "dying";
    if (d->shutting_down)
        return d->shutdown_code == SHUTDOWN_crash ? "crashed" : "shut down";
    return d->pause_count ? "paused" : "running";
}

static void tell_domain(struct json *j, const struct domain *d)
{
    json_open(j, NULL, "{}", 1024);
    json_value(j, "domain", "%u", d->id);
    json_bytes(j, "name", d->name, strnlen(d->name, sizeof(d->name)));
    json_string(j, "state", domain_state(d));
    json_value(j, "references", "%u", d->refs);
    json_value(j, "frames", "%lu", d->tot_pages);
    json_open(j, "vcpus", "[]", 64);
    for (uint32_t i = 0; i < d->max_vcpus && i < VCPUS_TOLD; i++) {
        const struct vcpu *v = d->vcpu[i];

        if (v)
            json_value(j, NULL,
                       "\n{\"vcpu\":%u,\"on_cpu\":%d,\"pause_flags\":\"0x%lx\",\"mode\":\"%s\","
                       "\"rip\":\"0x%lx\",\"rsp\":\"0x%lx\"}",
                       i, v->unit.on_cpu, v->pause_flags, guest_in_kernel(&v->cpu) ? "kernel" : "user",
                       v->cpu.regs.rip, v->cpu.regs.rsp);
    }
    json_close(j);
    json_close(j);
}

static void tell_running(struct json *j, const struct guest_cpu *g)
{
    const struct vcpu *v = container_of(g, struct vcpu, cpu);

    json_value(j, "running", "{\"domain\":%u,\"vcpu\":%u}", v->domain->id, v->id);
}

static void tell_domains(struct json *j)
{
    const struct list_head *list = domain_list_unlocked();
    const struct domain *d;
    unsigned int n = 0;

    list_for_each_entry(d, list, link) {
        if (n++ == DOMAINS_TOLD)
            return;
        tell_domain(j, d);
    }
}

void domain_report_init(void)
{
    crash_set_guests(tell_running, tell_domains);
}
