/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypercalls that a server makes at every page fault, mprotect() and
 * switch of its own processes, in their usual form: its own tables, elements
 * that are done at once, nobody asks for their number. Each check of the long
 * way is made here too; what is not usual, or would have to wait, is left to
 * it from the element on that is not done.
 *
 * entry_fast.S calls this for every hypercall before it has saved the registers
 * that C keeps: nothing here looks at them, nor crashes the domain with a report
 * that shows them. What is not done is done by upcall_hypercall(), from the
 * arguments in guest_cpu.regs on.
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
#define NOT_DONE (-ERESTART)

/* The arguments of both list calls: of the guest's own, with nothing left over from another and nobody to tell. */
static ALWAYS_INLINE bool is_usual_list(const struct vcpu *v, uint64_t done, uint64_t id)
{
    return done == 0 && id == DOMID_SELF && !v->pv->unfinished;
}

/* The rest of a list, `count` elements from `list` on, the long way. */
static int64_t leave_rest(struct vcpu *v, uint64_t list, uint64_t count)
{
    v->cpu.regs.rdi = list;
    v->cpu.regs.rsi = count;
    return NOT_DONE;
}

static NOINLINE int64_t mmu_update_list(uint64_t list, uint64_t count, struct vcpu *v)
{
    if (count - 1 >= ELEMENTS_MAX)
        return NOT_DONE;
    for (;;) {
        uint64_t ptr, val;
        int64_t rc;

        /* Read once, as on the long way: the guest may change it before or after. */
        if (guest_read_2(&v->cpu, list, &ptr, &val) || (ptr & 5)) /* 0: MMU_NORMAL_PT_UPDATE, 2: ..._PRESERVE_AD */
            return leave_rest(v, list, count);
        rc = pv_update_l1(v->domain, ptr, val);
        if (unlikely(rc))
            return rc == -ERESTART ? leave_rest(v, list, count) : rc;
        if (--count == 0)
            return 0;
        list += sizeof(struct mmu_update);
    }
}

/* Most are one element. */
static NOINLINE int64_t mmu_update(uint64_t list, uint64_t count, uint64_t done, uint64_t id, struct vcpu *v)
{
    uint64_t ptr, val;

    if (unlikely(!is_usual_list(v, done, id)))
        return NOT_DONE;
    if (unlikely(count != 1))
        return mmu_update_list(list, count, v);
    if (unlikely(!guest_read_plain_2(&v->cpu, list, &ptr, &val) || (ptr & 5)))
        return NOT_DONE;
    return pv_update_l1(v->domain, ptr, val);
}

static NOINLINE int64_t mmuext_list(uint64_t list, uint64_t count, struct vcpu *v)
{
    if (count - 1 >= ELEMENTS_MAX)
        return NOT_DONE;
    for (;;) {
        uint64_t cmd, arg;
        int rc = 0;

        if (guest_read_2(&v->cpu, list, &cmd, &arg))
            return leave_rest(v, list, count);
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
            return leave_rest(v, list, count);
        }
        if (unlikely(rc && !v->pv->unfinished))
            return rc == -ERESTART ? leave_rest(v, list, count) : rc;
        list += sizeof(struct mmuext_op);
        count--;
        if (unlikely(rc)) /* the root was changed, the old one is only half undone: the long way finishes it */
            return leave_rest(v, list, count);
        if (count == 0)
            return 0;
    }
}

/* Most are one INVLPG; a list is read anew. */
static NOINLINE int64_t mmuext_op(uint64_t list, uint64_t count, uint64_t done, uint64_t id, struct vcpu *v)
{
    uint64_t cmd, arg;

    if (unlikely(!is_usual_list(v, done, id)))
        return NOT_DONE;
    if (likely(count == 1 && guest_read_plain_2(&v->cpu, list, &cmd, &arg) && (uint32_t)cmd == MMUEXT_INVLPG_LOCAL)) {
        invlpg(arg);
        return 0;
    }
    return mmuext_list(list, count, v);
}

static NOINLINE int64_t update_va_mapping(uint64_t va, uint64_t val, uint64_t flags, struct vcpu *v)
{
    int rc;

    if (flags > UVMF_INVLPG) /* a flush of others, too */
        return NOT_DONE;
    rc = pv_update_va(v, v->domain, va, val);
    if (rc == 0 && flags == UVMF_INVLPG)
        invlpg(va);
    else if (rc == 0 && flags == UVMF_TLB_FLUSH)
        tlb_flush_local();
    return rc;
}

/* Send and unmask: their argument is a port, and there is no answer. */
static NOINLINE int64_t event_channel_op(uint64_t cmd, uint64_t arg, struct vcpu *v)
{
    uint64_t port; /* and the four bytes behind it, where there are any: else the long way reads it */

    if ((cmd != EVTCHNOP_send && cmd != EVTCHNOP_unmask) || guest_read_1(&v->cpu, arg, &port))
        return NOT_DONE;
    return (cmd == EVTCHNOP_send ? evtchn_send : evtchn_unmask)(v->domain, (uint32_t)port);
}

/* At every switch of processes; there is no more to these than in cpu.c. */
static int64_t set_segment_base(uint64_t which, uint64_t base)
{
    if (which != SEGBASE_GS_USER || !va_canonical(base))
        return NOT_DONE;
    wrmsr(MSR_KERNEL_GS_BASE, base);
    return 0;
}

static NOINLINE int64_t stack_switch(uint64_t ss, uint64_t sp, struct vcpu *v)
{
    v->cpu.kernel_ss = pv_fix_selector((uint16_t)ss);
    v->cpu.kernel_sp = sp;
    guest_update_short_ways(&v->cpu);
    return 0;
}

/* One comparison after the other (-fno-jump-tables): an indirect jump would cost more. */
int64_t upcall_hypercall_quick(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, struct guest_cpu *g,
                               uint64_t number)
{
    struct vcpu *v = vcpu_of_cpu(g);

    if (number == __HYPERVISOR_mmu_update)
        return mmu_update(a0, a1, a2, a3, v);
    if (number == __HYPERVISOR_mmuext_op)
        return mmuext_op(a0, a1, a2, a3, v);
    if (number == __HYPERVISOR_event_channel_op)
        return event_channel_op(a0, a1, v);
    if (number == __HYPERVISOR_update_va_mapping)
        return update_va_mapping(a0, a1, a2, v);
    if (number == __HYPERVISOR_stack_switch)
        return stack_switch(a0, a1, v);
    if (number == __HYPERVISOR_set_segment_base)
        return set_segment_base(a0, a1);
    /* Made for its way out alone, where events that have been unmasked are seen. */
    if (number == __HYPERVISOR_xen_version && (uint32_t)a0 == XENVER_version)
        return XEN_VERSION_MAJOR << 16 | XEN_VERSION_MINOR;
    return NOT_DONE;
}
