/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypercalls that a server makes at every page fault, mprotect() and
 * switch of its own processes, in their usual form: its own tables, elements
 * that are done at once, nobody asks for their number. Each check of the long
 * way is made here too; what is not usual, or would have to wait, is left to
 * it from the element on that is not done.
 *
 * entry.S calls this for the numbers in quick_hypercalls (x86/guest.c) before
 * it has saved the registers that C keeps: none of these calls looks at them,
 * nor crashes the domain with a report that shows them.
 */
#include "abi/errno.h"
#include "evtchn/evtchn.h"
#include "hypercall/hypercall.h"
#include "pv/l1.h"
#include "x86/insn.h"
#include "x86/msr.h"
#include "x86/uaccess.h"
#include "x86/uaccess_words.h"
#include "x86/upcalls.h"

#define ELEMENTS_MAX 32 /* of a list: it may not be long, for nothing interrupts it here */

/* The arguments of both list calls: of the guest's own, with nothing left over from another and nobody to tell. */
static bool is_usual_list(const struct vcpu *v)
{
    const struct cpu_user_regs *r = &v->cpu.regs;

    return r->rsi - 1 < ELEMENTS_MAX && r->rdx == 0 && r->r10 == DOMID_SELF && !v->pv->unfinished;
}

static bool mmu_update(struct vcpu *v)
{
    struct cpu_user_regs *r = &v->cpu.regs;

    if (unlikely(!is_usual_list(v)))
        return false;
    do {
        uint64_t ptr, val;
        int rc;

        /* Read once, as on the long way: the guest may change it before or after. */
        if (guest_read_2(&v->cpu, r->rdi, &ptr, &val) || (ptr & 7) == MMU_MACHPHYS_UPDATE || (ptr & 7) > 3)
            return false;
        rc = pv_update_l1(v->domain, ptr & ~7ull, val, (ptr & 7) == MMU_PT_UPDATE_PRESERVE_AD);
        if (unlikely(rc)) {
            if (rc != -ERESTART)
                r->rax = (uint64_t)(int64_t)rc;
            return rc != -ERESTART;
        }
        r->rdi += sizeof(struct mmu_update);
    } while (--r->rsi);
    r->rax = 0;
    return true;
}

static bool mmuext_op(struct vcpu *v)
{
    struct cpu_user_regs *r = &v->cpu.regs;

    if (unlikely(!is_usual_list(v)))
        return false;
    do {
        uint64_t cmd, arg;
        int rc = 0;

        if (guest_read_2(&v->cpu, r->rdi, &cmd, &arg))
            return false;
        switch ((uint32_t)cmd) {
        case MMUEXT_INVLPG_LOCAL:
            invlpg(arg);
            break;
        case MMUEXT_TLB_FLUSH_LOCAL:
            tlb_flush_local();
            break;
        case MMUEXT_NEW_BASEPTR:
            rc = pv_set_root(v, mfn(arg));
            break;
        case MMUEXT_NEW_USER_BASEPTR:
            rc = pv_set_user_root(v, mfn(arg));
            break;
        default:
            return false;
        }
        if (unlikely(rc && !v->pv->unfinished)) {
            if (rc != -ERESTART)
                r->rax = (uint64_t)(int64_t)rc;
            return rc != -ERESTART;
        }
        r->rdi += sizeof(struct mmuext_op);
        r->rsi--;
        if (unlikely(rc)) /* the root was changed, the old one is only half undone: the long way finishes it */
            return false;
    } while (r->rsi);
    r->rax = 0;
    return true;
}

static bool update_va_mapping(struct vcpu *v)
{
    struct cpu_user_regs *r = &v->cpu.regs;
    int rc;

    if (r->rdx > UVMF_INVLPG) /* a flush of others, too */
        return false;
    rc = pv_update_va(v, v->domain, r->rdi, r->rsi);
    if (rc == -ERESTART)
        return false;
    if (rc == 0 && r->rdx == UVMF_INVLPG)
        invlpg(r->rdi);
    else if (rc == 0 && r->rdx == UVMF_TLB_FLUSH)
        tlb_flush_local();
    r->rax = (uint64_t)(int64_t)rc;
    return true;
}

/* Send and unmask: their argument is a port, and there is no answer. */
static bool event_channel_op(struct vcpu *v)
{
    struct cpu_user_regs *r = &v->cpu.regs;
    uint64_t port; /* and the four bytes behind it, where there are any: else the long way reads it */
    int rc;

    if ((r->rdi != EVTCHNOP_send && r->rdi != EVTCHNOP_unmask) || guest_read_1(&v->cpu, r->rsi, &port))
        return false;
    rc = (r->rdi == EVTCHNOP_send ? evtchn_send : evtchn_unmask)(v->domain, (uint32_t)port);
    r->rax = (uint64_t)(int64_t)rc;
    return true;
}

/* At every switch of processes; there is no more to these than in cpu.c. */
static bool set_segment_base(struct vcpu *v)
{
    struct cpu_user_regs *r = &v->cpu.regs;

    if (r->rdi != SEGBASE_GS_USER || !va_canonical(r->rsi))
        return false;
    wrmsr(MSR_KERNEL_GS_BASE, r->rsi);
    r->rax = 0;
    return true;
}

static bool stack_switch(struct vcpu *v)
{
    struct cpu_user_regs *r = &v->cpu.regs;

    v->cpu.kernel_ss = pv_fix_selector((uint16_t)r->rdi);
    v->cpu.kernel_sp = r->rsi;
    r->rax = 0;
    return true;
}

void upcall_hypercall_quick(struct guest_cpu *g)
{
    struct vcpu *v = vcpu_of_cpu(g);
    bool done = false;

    switch (g->regs.rax) {
    case __HYPERVISOR_mmu_update:
        done = mmu_update(v);
        break;
    case __HYPERVISOR_mmuext_op:
        done = mmuext_op(v);
        break;
    case __HYPERVISOR_update_va_mapping:
        done = update_va_mapping(v);
        break;
    case __HYPERVISOR_event_channel_op:
        done = event_channel_op(v);
        break;
    case __HYPERVISOR_set_segment_base:
        done = set_segment_base(v);
        break;
    case __HYPERVISOR_stack_switch:
        done = stack_switch(v);
        break;
    }
    if (!done)
        upcall_hypercall(g);
}
