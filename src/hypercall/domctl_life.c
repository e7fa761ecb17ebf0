/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domctl: a domain is made, told about, stopped, let run and destroyed. */
#include "abi/errno.h"
#include "domain/vcpu.h"
#include "hypercall/control.h"
#include "hypercall/refuse.h"
#include "hypercall/state.h"
#include "lib/string.h"

#define GRANT_VERSION_MAX 2

uint32_t control_grant_frames = 64, control_maptrack_frames = 1024; /* as Xen's by default */

/* --- making one --- */

/* A negative number of frames asks for as many as there may be. */
static bool within(int32_t frames, uint32_t limit)
{
    return frames < 0 || (uint32_t)frames <= limit;
}

static int check_creation(struct domctl *c, const struct xen_domctl_createdomain *r)
{
    if (r->flags & ~(uint32_t)(XEN_DOMCTL_CDF_xs_domain | XEN_DOMCTL_CDF_oos_off))
        return control_refuse(&c->control, -EINVAL, "flags %x: HVM, an IOMMU and performance counters are not offered",
                              r->flags);
    if (r->iommu_opts != 0 || r->vmtrace_size != 0)
        return control_refuse(&c->control, -EINVAL, "iommu options %x, trace size %u, without IOMMU and trace",
                              r->iommu_opts, r->vmtrace_size);
    if (r->max_vcpus == 0 || r->max_vcpus > DOMAIN_VCPUS_MAX)
        return control_refuse(&c->control, -EINVAL, "%u vcpus, at most %u", r->max_vcpus, DOMAIN_VCPUS_MAX);
    if (r->max_grant_frames == 0 || !within(r->max_grant_frames, control_grant_frames) ||
        !within(r->max_maptrack_frames, control_maptrack_frames))
        return control_refuse(&c->control, -EINVAL, "%d grant frames, %d maptrack frames, at most %u and %u",
                              r->max_grant_frames, r->max_maptrack_frames, control_grant_frames,
                              control_maptrack_frames);
    if (r->grant_opts == 0 || r->grant_opts > GRANT_VERSION_MAX)
        return control_refuse(&c->control, -EINVAL, "grant options %x", r->grant_opts);
    if ((r->arch.emulation_flags & ~XEN_X86_EMU_ALL) != 0 || (r->arch.misc_flags & ~XEN_X86_MSR_RELAXED) != 0)
        return control_refuse(&c->control, -EINVAL, "emulation %x, other flags %x", r->arch.emulation_flags,
                              r->arch.misc_flags);
    if (r->arch.emulation_flags != 0)
        return control_refuse(&c->control, -EOPNOTSUPP, "devices %x for a PV server", r->arch.emulation_flags);
    return 0;
}

int domctl_createdomain(struct domctl *c)
{
    const struct xen_domctl_createdomain *r = &c->op.u.createdomain;
    bool any_id = c->op.domain == 0 || c->op.domain >= DOMID_FIRST_RESERVED;
    struct domain_config config = {
        .id = any_id ? DOMID_INVALID : c->op.domain,
        .request = r,
        .hold = true,
        .max_vcpus = r->max_vcpus,
        .max_evtchn_port = r->max_evtchn_port,
        .max_grant_version = r->grant_opts & XEN_DOMCTL_GRANT_version_mask,
        .max_grant_frames = r->max_grant_frames < 0 ? control_grant_frames : (uint32_t)r->max_grant_frames,
        .max_maptrack_frames =
            r->max_maptrack_frames < 0 ? control_maptrack_frames : (uint32_t)r->max_maptrack_frames,
    };
    struct domain *d;
    int error;

    if (!any_id && hypercall_domain_exists(c->op.domain))
        return control_refuse(&c->control, -EEXIST, "the number is taken");
    error = check_creation(c, r);
    if (error != 0)
        return error;
    error = domain_create(&config, &pv_guest_ops, &d);
    if (error != 0)
        return control_refuse(&c->control, error, "cannot be made");
    if (r->cpupool_id != 0)
        error = sched_pool_move_group(r->cpupool_id, &d->sched);
    if (error != 0) {
        error = control_refuse(&c->control, error == -ENOENT ? -ESRCH : -ENODEV, "pool %u does not take it",
                               r->cpupool_id);
        while (domain_kill(d) == -ERESTART) /* it has nothing yet that takes time to give up */
            ;
    }
    c->op.domain = d->id;
    domain_put(d);
    return error;
}

/* All vCPUs that it was created for. */
int domctl_max_vcpus(struct domctl *c)
{
    uint32_t max = c->op.u.max_vcpus.max;
    int error = 0;

    if (max != c->d->max_vcpus)
        return control_refuse(&c->control, -EINVAL, "%u vcpus, created for %u", max, c->d->max_vcpus);
    for (uint32_t i = 0; i < max && error == 0; i++) {
        error = vcpu_create(c->d, i, NULL);
        if (error == -EEXIST)
            error = 0;
    }
    return error;
}

int domctl_setdomainhandle(struct domctl *c)
{
    spin_lock(&c->d->lock);
    memcpy(c->d->handle, c->op.u.setdomainhandle.handle, sizeof(c->d->handle));
    spin_unlock(&c->d->lock);
    return 0;
}

/* --- telling about it --- */

/* Online vCPUs, and what they are all doing. */
static uint32_t vcpu_flags(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
    uint32_t flags = XEN_DOMINF_blocked;

    info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
    for (uint32_t i = 0; i < d->max_vcpus; i++) {
        struct vcpu *v = atomic_load(&d->vcpu[i]);

        if (v == NULL)
            continue;
        info->max_vcpu_id = i;
        info->cpu_time += (uint64_t)sched_cpu_time(&v->unit);
        if (atomic_load(&v->pause_flags) & VPF_DOWN)
            continue;
        info->nr_online_vcpus++;
        if (!(atomic_load(&v->pause_flags) & (VPF_BLOCKED | VPF_POLLING)))
            flags &= ~XEN_DOMINF_blocked;
        if (vcpu_is_running(v))
            flags |= XEN_DOMINF_running;
    }
    return info->nr_online_vcpus != 0 ? flags : 0;
}

void domctl_describe(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
    uint32_t code = atomic_load(&d->shutdown_code);

    memset(info, 0, sizeof(*info));
    info->domain = d->id;
    info->flags = vcpu_flags(d, info);
    if (atomic_load(&d->dying) != DOMAIN_ALIVE)
        info->flags |= XEN_DOMINF_dying;
    if (atomic_load(&d->hypercall->pauses) != 0)
        info->flags = (info->flags & ~(XEN_DOMINF_running | XEN_DOMINF_blocked)) | XEN_DOMINF_paused;
    if (atomic_load(&d->shut_down))
        info->flags |= XEN_DOMINF_shutdown | (code & XEN_DOMINF_shutdownmask) << XEN_DOMINF_shutdownshift;
    if (d->hypercall->xenstore)
        info->flags |= XEN_DOMINF_xs_domain;
    info->tot_pages = READ_ONCE(d->tot_pages);
    info->max_pages = MIN(READ_ONCE(d->max_pages), (uint64_t)UINT32_MAX);
    info->outstanding_pages = READ_ONCE(d->claimed);
    info->shared_info_frame = ptr_to_mfn(d->shared_info).v;
    memcpy(info->handle, d->handle, sizeof(info->handle));
    info->cpupool = sched_group_pool(&d->sched);
    info->gpaddr_bits = (uint8_t)cpu_features.phys_bits;
    info->arch_config.misc_flags = d->hypercall->misc_flags;
}

/* The first domain from the given number on. */
int domctl_getdomaininfo(struct domctl *c)
{
    struct domain *d;

    if (c->op.domain >= DOMID_FIRST_RESERVED)
        return -EINVAL;
    for (d = domain_next(NULL); d != NULL && d->id < c->op.domain; d = domain_next(d))
        ;
    if (d == NULL)
        return -ESRCH;
    domctl_describe(d, &c->op.u.getdomaininfo);
    c->op.domain = d->id;
    domain_put(d);
    return 0;
}

/* --- stopping and going on --- */

/* The toolstack's pauses are counted apart from the hypervisor's: it cannot undo those. */
int domctl_pausedomain(struct domctl *c)
{
    if (atomic_add(&c->d->hypercall->pauses, 1) > INT32_MAX) {
        atomic_sub(&c->d->hypercall->pauses, 1);
        return control_refuse(&c->control, -EINVAL, "paused %d times", INT32_MAX);
    }
    domain_pause(c->d);
    return 0;
}

int domctl_unpausedomain(struct domctl *c)
{
    uint32_t n = atomic_load(&c->d->hypercall->pauses);

    do {
        if (n == 0)
            return control_refuse(&c->control, -EINVAL, "it is not paused");
    } while (!atomic_cas(&c->d->hypercall->pauses, &n, n - 1));
    domain_unpause(c->d);
    return 0;
}

int domctl_resumedomain(struct domctl *c)
{
    domain_pause(c->d);
    if (atomic_load(&c->d->shutting_down))
        domain_resume(c->d);
    domain_unpause(c->d);
    return 0;
}

/* The toolstack asks again until all is given up; each time a part is. */
int domctl_destroydomain(struct domctl *c)
{
    if (domain_is_doomed_by_owner(c->d))
        return 0;
    return domain_kill(c->d);
}

/* A port of the domain's own, on which somebody waits for its shutdown. */
int domctl_subscribe(struct domctl *c)
{
    atomic_store(&c->d->shutdown_port, c->op.u.subscribe.port);
    return 0;
}

int domctl_set_virq_handler(struct domctl *c)
{
    uint32_t virq = c->op.u.set_virq_handler.virq;

    if (virq >= NR_VIRQS || virq == VIRQ_TIMER || virq == VIRQ_DEBUG || virq == VIRQ_XENOPROF || virq == VIRQ_XENPMU)
        return control_refuse(&c->control, -EINVAL, "virq %u is no global one", virq);
    domain_set_virq_handler(virq, c->d);
    return 0;
}

/* A debugger is told nothing of its own here: a domain that crashes says why in the log. */
int domctl_setdebugging(struct domctl *c)
{
    return 0;
}

/* --- time --- */

int domctl_settimeoffset(struct domctl *c)
{
    spin_lock(&c->d->lock);
    c->d->time_offset = c->op.u.settimeoffset.time_offset_seconds;
    spin_unlock(&c->d->lock);
    domain_update_wallclock(c->d);
    return 0;
}

/* The TSC is never emulated: a server sees the processor's own, at its own rate. */
int domctl_gettscinfo(struct domctl *c)
{
    struct xen_domctl_tsc_info *t = &c->op.u.tsc_info;

    *t = (struct xen_domctl_tsc_info){
        .tsc_mode = 0,
        .gtsc_khz = (uint32_t)time_tsc_khz(),
        .incarnation = c->d->hypercall->tsc_incarnation,
        .elapsed_nsec = (uint64_t)stime_now(),
    };
    return 0;
}

int domctl_settscinfo(struct domctl *c)
{
    const struct xen_domctl_tsc_info *t = &c->op.u.tsc_info;

    if (t->tsc_mode > 2)
        return control_refuse(&c->control, -EINVAL, "mode %u", t->tsc_mode);
    c->d->hypercall->tsc_incarnation = t->incarnation;
    return 0;
}
