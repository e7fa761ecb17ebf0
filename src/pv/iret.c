/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_iret: the guest kernel returns to its user mode, or to itself.
 * The frame is in <xen/arch-x86/xen-x86_64.h>.
 */
#include "pv/pv.h"
#include "x86/msr.h"
#include "x86/uaccess.h"

/* RFLAGS that ring 3 may hold: not IOPL, VM, VIF, VIP, and IF always. */
#define RFLAGS_GUEST (0x00250dd5u | EFLAGS_NT)

bool pv_iret(struct vcpu *v)
{
    struct guest_cpu *g = &v->cpu;
    struct cpu_user_regs *r = &g->regs;
    struct iret_context f;
    uint64_t at = r->rsp;

    /* Another vCPU may write this stack meanwhile; what is copied is what is checked and used. */
    if (guest_copy_from(&f, at, sizeof(f))) {
        domain_crash(v->domain, "vCPU %u: iret: its frame at %016lx cannot be read", v->id, (unsigned long)at);
        return false;
    }
    if ((f.cs & 3) == 3) {
        if (g->cr3_user == 0) {
            domain_crash(v->domain, "vCPU %u: iret to user mode without user page tables", v->id);
            return false;
        }
        guest_toggle_mode(g);
    }
    if (g->flags & GUEST_SHOWS_IOPL)
        g->iopl = (f.rflags & EFLAGS_IOPL) >> 12;
    r->rip = f.rip;
    r->rsp = f.rsp;
    r->rflags = (f.rflags & RFLAGS_GUEST) | EFLAGS_IF | EFLAGS_MBS;
    if (f.flags & VGCF_in_syscall) {
        r->rcx = f.rip;
        r->r11 = r->rflags;
        r->cs = SEL_USER_CS64;
        r->ss = SEL_USER_SS;
        r->entry_vector = VEC_SYSCALL;
    } else {
        r->rcx = f.rcx;
        r->r11 = f.r11;
        r->cs = pv_fix_selector((uint16_t)f.cs);
        r->ss = pv_fix_selector((uint16_t)f.ss);
        r->entry_vector = 0;
    }
    g->flags &= ~(uint64_t)GUEST_IN_NMI;
    if (v->nmi_pending)
        atomic_or(&g->work, GUEST_WORK_NMI);
    WRITE_ONCE(g->vcpu_info->evtchn_upcall_mask, (f.rflags & EFLAGS_IF) ? 0 : 1);
    r->rax = f.rax;
    return true;
}
