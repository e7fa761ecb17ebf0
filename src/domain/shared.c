/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hypervisor and a guest write together: shared_info, and each vCPU's
 * vcpu_info, which begins in shared_info and may be moved by the guest, once,
 * to a frame of its own. The hypervisor reaches both through the direct map.
 * Senders of events on other CPUs use vcpu_info without a lock: while it moves
 * one may still write to the old place. Therefore, after a move everything is
 * marked as pending; the guest looks and finds nothing, or what it would have
 * missed.
 */
#include "domain/vcpu.h"

#include "abi/errno.h"
#include "mem/page_alloc.h"
#include "x86/atomic.h"

int domain_create_shared_info(struct domain *d)
{
    d->shared_info = hv_page_alloc();
    if (!d->shared_info)
        return -ENOMEM;
    domain_share_hv_page(d, d->shared_info, true);
    domain_update_wallclock(d);
    return 0;
}

/* The same version protocol as for the time record (vtimer.c). */
void domain_update_wallclock(struct domain *d)
{
    struct shared_info *s = d->shared_info;
    uint64_t sec;
    uint32_t nsec, version;

    time_get_wallclock(&sec, &nsec);
    sec += (uint64_t)READ_ONCE(d->time_offset);
    version = READ_ONCE(s->wc_version) | 1;
    atomic_store(&s->wc_version, version);
    s->wc_sec = (uint32_t)sec;
    s->wc_sec_hi = (uint32_t)(sec >> 32);
    s->wc_nsec = nsec;
    atomic_store(&s->wc_version, version + 1);
}

static void set_info(struct vcpu *v, struct vcpu_info *info, struct frame *f)
{
    struct frame *old = v->vcpu_info_frame;

    atomic_store(&v->vcpu_info, info);
    atomic_store(&v->cpu.vcpu_info, info);
    v->vcpu_info_frame = f;
    v->time_base = 0; /* the time record is to be written there */
    if (old)
        v->domain->ops->put_writable_frame(old);
}

void vcpu_reset_info(struct vcpu *v)
{
    struct vcpu_info *info =
        v->id < XEN_LEGACY_MAX_VCPUS ? &v->domain->shared_info->vcpu_info[v->id] : &v->private_info;

    info->evtchn_upcall_mask = 1; /* until the kernel has its callbacks */
    set_info(v, info, NULL);
}

void vcpu_drop_info(struct vcpu *v)
{
    set_info(v, &v->private_info, NULL);
}

int vcpu_register_info(struct vcpu *v, mfn_t m, unsigned int offset)
{
    struct domain *d = v->domain;
    struct vcpu_info *info;
    struct frame *f;

    if (offset > PAGE_SIZE - sizeof(*info) || offset % sizeof(xen_ulong_t))
        return -EINVAL;
    if (v->vcpu_info_frame || (v != current_vcpu() && !(atomic_load(&v->pause_flags) & VPF_DOWN)))
        return -EINVAL;
    if (d->ops->get_writable_frame(d, gfn(m.v), &f))
        return -EINVAL;

    spin_lock(&d->lock);
    if (v->vcpu_info_frame) { /* two vCPUs registered it at the same time */
        spin_unlock(&d->lock);
        d->ops->put_writable_frame(f);
        return -EINVAL;
    }
    info = (struct vcpu_info *)((char *)frame_to_ptr(f) + offset);
    *info = *v->vcpu_info;
    set_info(v, info, f);
    spin_unlock(&d->lock);

    vcpu_update_time(v, true);
    WRITE_ONCE(info->evtchn_pending_sel, ~0UL);
    vcpu_mark_event(v);
    return 0;
}
