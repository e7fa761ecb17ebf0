/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hypercalls on the virtual processor itself: its descriptor tables, callbacks, stack, segments and registers. */
#include "abi/errno.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "pv/pv.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/msr.h"
#include "x86/uaccess.h"

int64_t do_set_trap_table(struct hypercall_args *args)
{
    struct vcpu *v = current_vcpu();
    struct trap_info t;

    if (args->a[0] == 0) {
        pv_clear_traps(v);
        return 0;
    }
    /* At most one entry a vector is of use; a list without an end stops there. */
    for (unsigned int n = 0; n < 2 * ARRAY_SIZE(v->pv->traps); n++) {
        if (guest_copy_from(&t, args->a[0] + n * sizeof(t), sizeof(t)))
            return -EFAULT;
        if (t.address == 0)
            return 0;
        if (!va_canonical(t.address))
            return -EINVAL;
        pv_set_trap(v, t.vector, &t);
    }
    return 0;
}

int64_t do_set_gdt(struct hypercall_args *args)
{
    uint64_t frames[14];
    mfn_t list[14];
    unsigned int entries = (unsigned int)args->a[1];

    if (entries > FIRST_RESERVED_GDT_ENTRY)
        return -EINVAL;
    if (guest_copy_from(frames, args->a[0], sizeof(frames[0]) * ((entries + 511) / 512)))
        return -EFAULT;
    for (unsigned int i = 0; i < ARRAY_SIZE(list); i++)
        list[i] = mfn(frames[i]);
    return pv_set_gdt(current_vcpu(), list, entries);
}

int64_t do_update_descriptor(struct hypercall_args *args)
{
    return pv_update_descriptor(current_domain(), args->a[0], args->a[1]);
}

int64_t do_stack_switch(struct hypercall_args *args)
{
    struct guest_cpu *g = &current_vcpu()->cpu;

    g->kernel_ss = pv_fix_selector((uint16_t)args->a[0]);
    g->kernel_sp = args->a[1];
    guest_update_short_ways(g);
    return 0;
}

static void set_mask(struct guest_cpu *g, uint64_t flag, bool on)
{
    g->flags = on ? g->flags | flag : g->flags & ~flag;
}

static int register_callback(struct vcpu *v, unsigned int type, uint64_t rip, bool masks)
{
    struct guest_cpu *g = &v->cpu;

    if (!va_canonical(rip))
        return -EINVAL;
    switch (type) {
    case CALLBACKTYPE_event:
        g->event_rip = rip;
        return 0;
    case CALLBACKTYPE_failsafe:
        g->failsafe_rip = rip;
        set_mask(g, GUEST_FAILSAFE_MASKS, masks);
        return 0;
    case CALLBACKTYPE_syscall:
        g->syscall_rip = rip;
        set_mask(g, GUEST_SYSCALL_MASKS, masks);
        guest_update_short_ways(g);
        return 0;
    case CALLBACKTYPE_syscall32:
        g->syscall32_rip = rip;
        set_mask(g, GUEST_SYSCALL32_MASKS, masks);
        return 0;
    case CALLBACKTYPE_sysenter:
        g->sysenter_rip = rip;
        set_mask(g, GUEST_SYSENTER_MASKS, masks);
        return 0;
    case CALLBACKTYPE_nmi:
        g->nmi_rip = rip;
        if (v->nmi_pending)
            atomic_or(&g->work, GUEST_WORK_NMI);
        return 0;
    default:
        return -ENOSYS;
    }
}

int64_t do_callback_op(struct hypercall_args *args)
{
    struct callback_register r;
    struct callback_unregister u;

    switch (args->a[0]) {
    case CALLBACKOP_register:
        if (guest_copy_from(&r, args->a[1], sizeof(r)))
            return -EFAULT;
        return register_callback(current_vcpu(), r.type, r.address, r.flags & CALLBACKF_mask_events);
    case CALLBACKOP_unregister:
        if (guest_copy_from(&u, args->a[1], sizeof(u)))
            return -EFAULT;
        switch (u.type) {
        case CALLBACKTYPE_event:
        case CALLBACKTYPE_failsafe:
        case CALLBACKTYPE_syscall:
        case CALLBACKTYPE_syscall32:
        case CALLBACKTYPE_sysenter:
            return -EINVAL;
        case CALLBACKTYPE_nmi:
            current_vcpu()->cpu.nmi_rip = 0;
            return 0;
        default:
            return -ENOSYS;
        }
    default:
        return -ENOSYS;
    }
}

int64_t do_set_callbacks(struct hypercall_args *args)
{
    struct vcpu *v = current_vcpu();

    /* One that is not canonical is left out, and that is no error. */
    (void)register_callback(v, CALLBACKTYPE_event, args->a[0], false);
    (void)register_callback(v, CALLBACKTYPE_failsafe, args->a[1], false);
    (void)register_callback(v, CALLBACKTYPE_syscall, args->a[2], false);
    return 0;
}

int64_t do_set_segment_base(struct hypercall_args *args)
{
    struct guest_cpu *g = &current_vcpu()->cpu;
    uint64_t base = args->a[1];

    switch (args->a[0]) {
    case SEGBASE_FS:
        if (!va_canonical(base))
            return -EINVAL;
        wrmsr(MSR_FS_BASE, base);
        return 0;
    case SEGBASE_GS_USER:
        if (!va_canonical(base))
            return -EINVAL;
        wrmsr(MSR_KERNEL_GS_BASE, base);
        return 0;
    case SEGBASE_GS_KERNEL:
        if (!va_canonical(base))
            return -EINVAL;
        wrmsr(MSR_GS_BASE, base);
        return 0;
    case SEGBASE_GS_USER_SEL:
        guest_load_user_gs(g, (uint16_t)base);
        return 0;
    default:
        return -EINVAL;
    }
}

int64_t do_fpu_taskswitch(struct hypercall_args *args)
{
    pv_set_ts(current_vcpu(), args->a[0] != 0);
    return 0;
}

int64_t do_set_debugreg(struct hypercall_args *args)
{
    return pv_set_debugreg(current_vcpu(), (unsigned int)MIN(args->a[0], 8ULL), args->a[1]);
}

int64_t do_get_debugreg(struct hypercall_args *args)
{
    return (int64_t)pv_get_debugreg(current_vcpu(), (unsigned int)MIN(args->a[0], 8ULL));
}

int64_t do_vm_assist(struct hypercall_args *args)
{
    struct domain *d = current_domain();
    const uint64_t known = BIT(VMASST_TYPE_4gb_segments) | BIT(VMASST_TYPE_4gb_segments_notify) |
                           BIT(VMASST_TYPE_writable_pagetables) | BIT(VMASST_TYPE_pae_extended_cr3) |
                           BIT(VMASST_TYPE_architectural_iopl) | BIT(VMASST_TYPE_runstate_update_flag) |
                           BIT(VMASST_TYPE_m2p_strict);

    if (args->a[1] >= 64 || !(known & BIT(args->a[1])))
        return -EINVAL;
    switch (args->a[0]) {
    case VMASST_CMD_enable:
        atomic_or(&d->vm_assist, BIT(args->a[1]));
        break;
    case VMASST_CMD_disable:
        atomic_and(&d->vm_assist, ~BIT(args->a[1]));
        break;
    default:
        return -ENOSYS;
    }
    /* Other vCPUs take it up when they next get a context; kernels set this before they have others. */
    set_mask(&current_vcpu()->cpu, GUEST_SHOWS_IOPL, d->vm_assist & BIT(VMASST_TYPE_architectural_iopl));
    guest_update_short_ways(&current_vcpu()->cpu);
    return 0;
}

int64_t do_iret(struct hypercall_args *args)
{
    (void)args;
    pv_iret(current_vcpu());
    return 0;
}
