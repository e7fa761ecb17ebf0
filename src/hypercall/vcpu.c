/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcpu_op: a guest brings its vCPUs up and down and registers where it wants to be told about them. */
#include "hypercall/hypercall.h"

#include "abi/errno.h"
#include "lib/bitmap.h"
#include "mem/heap.h"
#include "platform/platform.h"
#include "x86/nospec.h"
#include "x86/uaccess.h"

#define PERIOD_MAX ((stime_t)(BIT(62) - 1)) /* ns */

/*
 * Give a vCPU its first registers. Two vCPUs may try at once: the first to claim it goes on, the other
 * starts again. A root page table that takes long to validate is left half done, its progress in its frame.
 */
static int64_t initialise(struct vcpu *v, uint64_t arg)
{
    struct vcpu_guest_context *context = heap_alloc(sizeof(*context));
    const void *unclaimed = NULL;
    int64_t result;

    if (context == NULL)
        return -ENOMEM;
    if (guest_copy_from(context, arg, sizeof(*context)) != 0) {
        result = -EFAULT;
    } else if (READ_ONCE(v->initialised)) {
        result = -EEXIST;
    } else if (v->vcpu_info == NULL) {
        result = -EINVAL;
    } else if (!atomic_cas(&v->hypercall_state, &unclaimed, current_vcpu())) {
        result = -ERESTART;
    } else {
        result = v->initialised ? -EEXIST : v->domain->ops->vcpu_set_context(v, context);
        if (result == 0)
            atomic_store(&v->initialised, true);
        atomic_store(&v->hypercall_state, NULL);
    }
    heap_free(context);
    return result;
}

static int64_t bring_up(struct vcpu *v)
{
    if (!atomic_load(&v->initialised))
        return -EINVAL;
    vcpu_clear_pause_flag(v, VPF_DOWN);
    return 0;
}

/* A domain whose last vCPU goes down has powered off. */
static int64_t bring_down(struct vcpu *v)
{
    struct domain *d = v->domain;
    bool any_up = false;

    vcpu_set_pause_flag(v, VPF_DOWN);
    for (uint32_t i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL && !(atomic_load(&d->vcpu[i]->pause_flags) & VPF_DOWN))
            any_up = true;
    }
    if (!any_up)
        domain_shutdown(d, SHUTDOWN_poweroff);
    return 0;
}

static int64_t get_runstate(struct vcpu *v, uint64_t arg)
{
    struct vcpu_runstate_info info;

    vcpu_get_runstate(v, &info);
    return guest_copy_to(arg, &info, sizeof(info));
}

static int64_t register_runstate_area(struct vcpu *v, uint64_t arg)
{
    struct vcpu_register_runstate_memory_area area;

    if (guest_copy_from(&area, arg, sizeof(area)) != 0)
        return -EFAULT;
    return vcpu_set_runstate_area(v, area.addr.p);
}

static int64_t register_time_area(struct vcpu *v, uint64_t arg)
{
    struct vcpu_register_time_memory_area area;

    if (guest_copy_from(&area, arg, sizeof(area)) != 0)
        return -EFAULT;
    return vcpu_set_time_area(v, area.addr.p);
}

static int64_t register_info(struct vcpu *v, uint64_t arg)
{
    struct vcpu_register_vcpu_info info;

    if (guest_copy_from(&info, arg, sizeof(info)) != 0)
        return -EFAULT;
    if (info.offset > PAGE_SIZE - sizeof(struct vcpu_info) || info.offset % sizeof(xen_ulong_t) != 0)
        return -ENXIO;
    return vcpu_register_info(v, mfn(info.mfn), info.offset);
}

static int64_t set_periodic(struct vcpu *v, uint64_t arg)
{
    struct vcpu_set_periodic_timer set;

    if (guest_copy_from(&set, arg, sizeof(set)) != 0)
        return -EFAULT;
    if (set.period_ns < (uint64_t)MILLISECS(1) || set.period_ns > (uint64_t)PERIOD_MAX)
        return -EINVAL;
    return vcpu_set_periodic(v, (stime_t)set.period_ns);
}

/* A time in the past fires at once, also with VCPU_SSHOTTMR_future: so does Xen 4.17. */
static int64_t set_singleshot(struct vcpu *v, uint64_t arg)
{
    struct vcpu_set_singleshot_timer set;

    if (v != current_vcpu())
        return -EINVAL;
    if (guest_copy_from(&set, arg, sizeof(set)) != 0)
        return -EFAULT;
    return vcpu_set_singleshot(v, (stime_t)set.timeout_abs_ns, false);
}

static int64_t stop_singleshot(struct vcpu *v)
{
    if (v != current_vcpu())
        return -EINVAL;
    vcpu_stop_singleshot(v);
    return 0;
}

static int64_t send_nmi(struct vcpu *v, uint64_t arg)
{
    if (arg != 0)
        return -EINVAL;
    vcpu_send_nmi(v);
    return 0;
}

/* Which physical CPU this is, if it is always the same: APIC id below, ACPI id above. Only for who manages them. */
static int64_t get_physid(struct vcpu *v, uint64_t arg)
{
    uint64_t where = sched_allowed_cpus(&v->unit);
    struct vcpu_get_physid answer;
    unsigned int cpu;

    if (!v->domain->privileged || bit_count(where) != 1)
        return -EINVAL;
    cpu = bit_lowest(where);
    answer.phys_id = cpu_apic_id[cpu] | (uint64_t)machine.acpi_id[cpu] << 32;
    return guest_copy_to(arg, &answer, sizeof(answer));
}

int64_t do_vcpu_op(struct hypercall_args *args)
{
    struct domain *d = current_domain();
    uint32_t id = (uint32_t)args->a[1];
    uint64_t arg = args->a[2];
    struct vcpu *v = id < d->max_vcpus ? READ_ONCE(d->vcpu[index_nospec(id, d->max_vcpus)]) : NULL;

    if (v == NULL)
        return -ENOENT;
    switch ((uint32_t)args->a[0]) {
    case VCPUOP_initialise:
        return initialise(v, arg);
    case VCPUOP_up:
        return bring_up(v);
    case VCPUOP_down:
        return bring_down(v);
    case VCPUOP_is_up:
        return !(atomic_load(&v->pause_flags) & VPF_DOWN);
    case VCPUOP_get_runstate_info:
        return get_runstate(v, arg);
    case VCPUOP_register_runstate_memory_area:
        return register_runstate_area(v, arg);
    case VCPUOP_set_periodic_timer:
        return set_periodic(v, arg);
    case VCPUOP_stop_periodic_timer:
        return vcpu_set_periodic(v, 0);
    case VCPUOP_set_singleshot_timer:
        return set_singleshot(v, arg);
    case VCPUOP_stop_singleshot_timer:
        return stop_singleshot(v);
    case VCPUOP_register_vcpu_info:
        return register_info(v, arg);
    case VCPUOP_send_nmi:
        return send_nmi(v, arg);
    case VCPUOP_get_physid:
        return get_physid(v, arg);
    case VCPUOP_register_vcpu_time_memory_area:
        return register_time_area(v, arg);
    default:
        return -ENOSYS;
    }
}
