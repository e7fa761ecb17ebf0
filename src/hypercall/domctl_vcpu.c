/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * domctl: the state of a vCPU, read and written by the toolstack: the context
 * with which it starts or goes on, callbacks of compatibility mode, FPU state.
 * A vCPU is paused while that is done.
 */
#include "abi/errno.h"
#include "hypercall/control.h"
#include "lib/string.h"
#include "mem/heap.h"
#include "pv/pv.h"
#include "x86/fpu.h"
#include "x86/msr.h"
#include "x86/uaccess.h"

/* Everything of vm_assist that a 64-bit guest can have. */
#define VM_ASSIST_KNOWN (BIT(VMASST_TYPE_4gb_segments) | BIT(VMASST_TYPE_4gb_segments_notify) | \
                         BIT(VMASST_TYPE_writable_pagetables) | BIT(VMASST_TYPE_pae_extended_cr3) | \
                         BIT(VMASST_TYPE_architectural_iopl) | BIT(VMASST_TYPE_runstate_update_flag) | \
                         BIT(VMASST_TYPE_m2p_strict))

/* --- the context --- */

/* It is down, as after its creation, and holds no page tables. */
static int reset_vcpu(struct vcpu *v)
{
    vcpu_set_pause_flag(v, VPF_DOWN);
    atomic_store(&v->initialised, false);
    v->domain->ops->vcpu_reset(v);
    return 0;
}

static int set_context(struct domctl *c, struct vcpu *v, const struct vcpu_guest_context *context)
{
    int error;

    if (v->id == 0)
        atomic_store(&c->d->vm_assist, context->vm_assist & VM_ASSIST_KNOWN);
    error = c->d->ops->vcpu_set_context(v, context);
    if (error == -ERESTART)
        return error;
    if (error != 0)
        return control_refuse(&c->control, error, "vcpu %u: rip %llx, cr3 %llx, %lu gdt and %lu ldt entries", v->id,
                              (unsigned long long)context->user_regs.rip, (unsigned long long)context->ctrlreg[3],
                              context->gdt_ents, context->ldt_ents);
    if (v->id == 0)
        domain_update_wallclock(c->d); /* who built the domain has cleared its shared_info */
    atomic_store(&v->initialised, true);
    if (context->flags & VGCF_online)
        vcpu_clear_pause_flag(v, VPF_DOWN);
    else
        vcpu_set_pause_flag(v, VPF_DOWN);
    return 0;
}

int domctl_setvcpucontext(struct domctl *c)
{
    const struct xen_domctl_vcpucontext *r = &c->op.u.vcpucontext;
    const void *unclaimed = NULL;
    struct vcpu_guest_context *context;
    int error = 0;
    struct vcpu *v = domctl_vcpu(c, r->vcpu, &error);

    if (v == NULL)
        return error;
    context = heap_alloc(sizeof(*context));
    if (context == NULL)
        return -ENOMEM;
    if (r->ctxt.p != NULL && guest_copy_from(context, (uint64_t)r->ctxt.p, sizeof(*context)) != 0) {
        heap_free(context);
        return -EFAULT;
    }
    domain_pause(c->d);
    if (atomic_cas(&v->hypercall_state, &unclaimed, current_vcpu())) {
        error = r->ctxt.p != NULL ? set_context(c, v, context) : reset_vcpu(v);
        atomic_store(&v->hypercall_state, NULL);
    } else {
        error = -ERESTART; /* somebody else gives it one now */
    }
    domain_unpause(c->d);
    heap_free(context);
    return error;
}

int domctl_getvcpucontext(struct domctl *c)
{
    const struct xen_domctl_vcpucontext *r = &c->op.u.vcpucontext;
    struct vcpu_guest_context *context;
    int error = 0;
    struct vcpu *v = domctl_vcpu(c, r->vcpu, &error);

    if (v == NULL)
        return error;
    if (!atomic_load(&v->initialised))
        return -ENODATA; /* dumps ask for every vCPU */
    context = heap_alloc(sizeof(*context));
    if (context == NULL)
        return -ENOMEM;
    vcpu_pause_sync(v);
    c->d->ops->vcpu_get_context(v, context);
    if (!(atomic_load(&v->pause_flags) & VPF_DOWN))
        context->flags |= VGCF_online;
    vcpu_unpause(v);
    if (guest_copy_to((uint64_t)r->ctxt.p, context, sizeof(*context)) != 0)
        error = -EFAULT;
    heap_free(context);
    return error;
}

/* --- callbacks for code in compatibility mode --- */

int domctl_set_ext_vcpucontext(struct domctl *c)
{
    const struct xen_domctl_ext_vcpucontext *e = &c->op.u.ext_vcpucontext;
    int error = 0;
    struct vcpu *v = domctl_vcpu(c, e->vcpu, &error);
    uint64_t flags;

    if (v == NULL)
        return error;
    if (v == current_vcpu())
        return -ESRCH;
    if (e->size < offsetof(struct xen_domctl_ext_vcpucontext, mcg_cap))
        return control_refuse(&c->control, -EINVAL, "%u bytes", e->size);
    if (!va_canonical(e->syscall32_callback_eip) || !va_canonical(e->sysenter_callback_eip))
        return control_refuse(&c->control, -EINVAL, "callbacks at %llx and %llx",
                              (unsigned long long)e->syscall32_callback_eip,
                              (unsigned long long)e->sysenter_callback_eip);
    vcpu_pause_sync(v);
    v->cpu.syscall32_cs = pv_fix_selector(e->syscall32_callback_cs);
    v->cpu.syscall32_rip = e->syscall32_callback_eip;
    v->cpu.sysenter_cs = pv_fix_selector(e->sysenter_callback_cs);
    v->cpu.sysenter_rip = e->sysenter_callback_eip;
    flags = v->cpu.flags & ~(GUEST_SYSCALL32_MASKS | GUEST_SYSENTER_MASKS);
    v->cpu.flags = flags | (e->syscall32_disables_events ? GUEST_SYSCALL32_MASKS : 0) |
                   (e->sysenter_disables_events ? GUEST_SYSENTER_MASKS : 0);
    vcpu_unpause(v);
    return 0;
}

int domctl_get_ext_vcpucontext(struct domctl *c)
{
    struct xen_domctl_ext_vcpucontext *e = &c->op.u.ext_vcpucontext;
    int error = 0;
    struct vcpu *v = domctl_vcpu(c, e->vcpu, &error);

    if (v == NULL)
        return error;
    if (v == current_vcpu())
        return -ESRCH;
    vcpu_pause_sync(v);
    *e = (struct xen_domctl_ext_vcpucontext){
        .vcpu = v->id,
        .size = sizeof(*e),
        .syscall32_callback_eip = v->cpu.syscall32_rip,
        .syscall32_callback_cs = v->cpu.syscall32_cs,
        .syscall32_disables_events = (v->cpu.flags & GUEST_SYSCALL32_MASKS) != 0,
        .sysenter_callback_eip = v->cpu.sysenter_rip,
        .sysenter_callback_cs = v->cpu.sysenter_cs,
        .sysenter_disables_events = (v->cpu.flags & GUEST_SYSENTER_MASKS) != 0,
    };
    vcpu_unpause(v);
    return 0;
}

/* --- FPU state --- */

/* What a toolstack carries: XCR0, every component that it ever had, and the save area as XSAVE writes it. */
struct xsave_header {
    uint64_t xcr0, xcr0_ever;
};

int domctl_getvcpuextstate(struct domctl *c)
{
    struct xen_domctl_vcpuextstate *e = &c->op.u.vcpuextstate;
    uint64_t gva = (uint64_t)e->buffer.p, room = e->size;
    struct xsave_header header;
    int error = 0;
    struct vcpu *v = domctl_vcpu(c, e->vcpu, &error);
    void *area;

    if (v == NULL)
        return error;
    e->xfeature_mask = cpu_features.xsave ? cpu_features.xcr0 : 0;
    e->size = cpu_features.xsave ? sizeof(header) + fpu_area_size_of(READ_ONCE(v->cpu.xcr0)) : 0;
    if (gva == 0 || e->size == 0)
        return 0;
    if (room != e->size)
        return control_refuse(&c->control, -EINVAL, "room for %llu bytes of %llu", (unsigned long long)room,
                              (unsigned long long)e->size);
    area = heap_alloc(fpu_area_size());
    if (area == NULL)
        return -ENOMEM;
    vcpu_pause_sync(v);
    header = (struct xsave_header){.xcr0 = v->cpu.xcr0, .xcr0_ever = v->cpu.xcr0};
    fpu_area_get(area, v->cpu.fpu, v->cpu.xcr0);
    vcpu_unpause(v);
    if (guest_copy_to(gva, &header, sizeof(header)) != 0 ||
        guest_copy_to(gva + sizeof(header), area, e->size - sizeof(header)) != 0)
        error = -EFAULT;
    heap_free(area);
    return error;
}

int domctl_setvcpuextstate(struct domctl *c)
{
    const struct xen_domctl_vcpuextstate *e = &c->op.u.vcpuextstate;
    uint64_t gva = (uint64_t)e->buffer.p, size = e->size - sizeof(struct xsave_header);
    struct xsave_header h;
    int error = 0;
    struct vcpu *v = domctl_vcpu(c, e->vcpu, &error);
    void *area;

    if (v == NULL)
        return error;
    if (e->size < sizeof(h) || size > fpu_area_size() || !cpu_features.xsave)
        return control_refuse(&c->control, -EINVAL, "%llu bytes", (unsigned long long)e->size);
    if (guest_copy_from(&h, gva, sizeof(h)) != 0)
        return -EFAULT;
    if (size == 0)
        return 0;
    if (!fpu_xcr0_ok(h.xcr0) || (h.xcr0 & ~h.xcr0_ever) || (h.xcr0_ever & ~cpu_features.xcr0))
        return control_refuse(&c->control, -EINVAL, "XCR0 %llx of %llx, the processor has %llx",
                              (unsigned long long)h.xcr0, (unsigned long long)h.xcr0_ever,
                              (unsigned long long)cpu_features.xcr0);
    area = heap_alloc(fpu_area_size());
    if (area == NULL)
        return -ENOMEM;
    if (guest_copy_from(area, gva + sizeof(h), size) != 0) {
        error = -EFAULT;
    } else {
        vcpu_pause_sync(v);
        error = fpu_area_set(v->cpu.fpu, area, size, h.xcr0_ever);
        if (error == 0)
            v->cpu.xcr0 = h.xcr0;
        vcpu_unpause(v);
    }
    heap_free(area);
    return error;
}

/* --- registers that a toolstack carries by number: of a PV guest, TSC_AUX alone is not in its context --- */

/* With no buffer: how many there may be. */
int domctl_get_vcpu_msrs(struct domctl *c)
{
    struct xen_domctl_vcpu_msrs *m = &c->op.u.vcpu_msrs;
    int error = 0;
    struct vcpu *v = domctl_vcpu(c, m->vcpu, &error);
    xen_domctl_vcpu_msr_t r = {.index = MSR_TSC_AUX, .value = v != NULL ? v->cpu.tsc_aux : 0};
    uint32_t room = m->msr_count;

    if (v == NULL)
        return error;
    m->msr_count = m->msrs.p == NULL || r.value != 0;
    if (m->msrs.p == NULL || r.value == 0)
        return 0;
    return room < 1 ? -ENOBUFS : guest_copy_to((uint64_t)m->msrs.p, &r, sizeof(r));
}

/* What another hypervisor's guest had in them can be left out if it is nothing. */
int domctl_set_vcpu_msrs(struct domctl *c)
{
    const struct xen_domctl_vcpu_msrs *m = &c->op.u.vcpu_msrs;
    int error = 0;
    struct vcpu *v = domctl_vcpu(c, m->vcpu, &error);

    if (v == NULL)
        return error;
    if (m->msr_count > 64)
        return control_refuse(&c->control, -EINVAL, "%u registers", m->msr_count);
    for (uint32_t i = 0; i < m->msr_count; i++) {
        xen_domctl_vcpu_msr_t r;

        if (guest_copy_from(&r, (uint64_t)m->msrs.p + i * sizeof(*m->msrs.p), sizeof(r)) != 0)
            return -EFAULT;
        if (r.reserved == 0 && r.index == MSR_TSC_AUX && r.value <= UINT32_MAX) {
            vcpu_pause_sync(v);
            v->cpu.tsc_aux = (uint32_t)r.value;
            vcpu_unpause(v);
        } else if (r.reserved != 0 || r.value != 0)
            return control_refuse(&c->control, -EINVAL, "register %x as %llx", r.index, (unsigned long long)r.value);
    }
    return 0;
}

/* --- as from a button --- */

int domctl_sendtrigger(struct domctl *c)
{
    const struct xen_domctl_sendtrigger *t = &c->op.u.sendtrigger;
    int error = 0;
    struct vcpu *v;

    v = domctl_vcpu(c, t->vcpu, &error);
    if (v == NULL)
        return error;
    if (t->trigger != XEN_DOMCTL_SENDTRIGGER_NMI)
        return control_refuse(&c->control, t->trigger >= XEN_DOMCTL_SENDTRIGGER_POWER &&
                              t->trigger <= XEN_DOMCTL_SENDTRIGGER_SLEEP ? -EINVAL : -ENOSYS,
                              "trigger %u: a PV server has the NMI alone", t->trigger);
    vcpu_send_nmi(v);
    return 0;
}
