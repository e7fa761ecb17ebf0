/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions of a guest, and how its kernel is entered: by an exception, an
 * event, an NMI, a system call, or because its return frame was bad. All go
 * through one frame builder (x86/guest.c); only the way of a 64-bit system
 * call is in assembly.
 */
#include "abi/errno.h"
#include "lib/string.h"
#include "pv/pv.h"
#include "x86/insn.h"
#include "x86/msr.h"
#include "x86/uaccess.h"
#include "x86/upcalls.h"

#define PF_PRESENT 1u
#define PF_WRITE   2u
#define PF_USER    4u

/* Where assembly may go by itself: handlers of page faults that mask events, as all kernels' do. */
void pv_set_trap(struct vcpu *v, unsigned int vector, const struct trap_info *t)
{
    v->pv->traps[vector] = *t;
    v->pv->traps[vector].cs = pv_fix_selector(t->cs);
    if (vector == VEC_PF) {
        v->cpu.page_fault_rip = TI_GET_IF(t) && va_canonical(t->address) ? t->address : 0;
        guest_update_short_ways(&v->cpu);
    }
}

void pv_clear_traps(struct vcpu *v)
{
    memset(v->pv->traps, 0, sizeof(v->pv->traps));
    v->cpu.page_fault_rip = 0;
    guest_update_short_ways(&v->cpu);
}

/* Vectors that push an error code: Intel SDM vol. 3A, table 6-1. */
static bool has_error_code(unsigned int vector)
{
    return vector == VEC_DF || (vector >= VEC_TS && vector <= VEC_PF) || vector == VEC_AC;
}

static void deliver(struct vcpu *v, const char *what)
{
    int rc = guest_deliver_bounce(&v->cpu);

    if (rc)
        domain_crash(v->domain, "vCPU %u: %s: %s", v->id, what,
                     rc == -EFAULT ? "its kernel stack cannot be written" : "its handler's address is not canonical");
}

static void inject(struct vcpu *v, unsigned int vector, bool has_error, uint32_t error_code)
{
    const struct trap_info *t = &v->pv->traps[vector];

    if (t->address == 0) {
        domain_crash(v->domain, "vCPU %u: exception %u, error code %#x, without a handler", v->id, vector, error_code);
        return;
    }
    v->cpu.bounce = (struct guest_bounce){
        .rip = t->address,
        .has_error = has_error,
        .error_code = error_code,
        .masks_events = TI_GET_IF(t) != 0,
    };
    deliver(v, "exception");
}

void pv_inject_exception(struct vcpu *v, unsigned int vector, uint32_t error_code)
{
    inject(v, vector, has_error_code(vector), error_code);
}

void pv_inject_page_fault(struct vcpu *v, uint64_t cr2, uint32_t error_code)
{
    /* Ring 3 is what the processor saw; what counts is the guest's own mode. */
    error_code = guest_in_kernel(&v->cpu) ? error_code & ~PF_USER : error_code | PF_USER;
    v->cpu.vcpu_info->arch.cr2 = cr2;
    pv_inject_exception(v, VEC_PF, error_code);
}

/* May an INT n of this mode enter the guest's handler for `vector`? */
static bool may_call_gate(const struct vcpu *v, unsigned int vector)
{
    const struct trap_info *t = &v->pv->traps[vector];

    return t->address != 0 && TI_GET_DPL(t) >= (guest_in_kernel(&v->cpu) ? 1 : 3);
}

/* INT n: all our gates but 3, 4 and 0x80 refuse it. The instruction says n; QEMU's error code is wrong. */
static bool software_interrupt(struct vcpu *v)
{
    uint8_t code[2];

    if (!(v->cpu.regs.error_code & 2) || guest_copy_from(code, v->cpu.regs.rip, sizeof(code)) || code[0] != 0xcd)
        return false;
    if (!may_call_gate(v, code[1])) {
        pv_inject_exception(v, VEC_GP, code[1] * 8u + 2);
        return true;
    }
    v->cpu.regs.rip += 2;
    inject(v, code[1], false, 0);
    return true;
}

/* The vectors that have gates of ours for ring 3: as on Xen, any handler of them is for anybody, whatever its DPL. */
static void software_gate(struct vcpu *v, unsigned int vector, unsigned int length)
{
    if (v->pv->traps[vector].address != 0) {
        inject(v, vector, false, 0);
        return;
    }
    v->cpu.regs.rip -= length;
    pv_inject_exception(v, VEC_GP, vector * 8 + 2);
}

static void page_fault(struct vcpu *v, uint64_t cr2)
{
    uint32_t error = v->cpu.regs.error_code;

    if (cr2 >= VCPU_AREA_START && cr2 < FRAMES_START && !(error & PF_USER)) {
        /* The processor read a descriptor: of the LDT, if anything. */
        uint64_t offset = cr2 - v->cpu.ldt_base;

        if (cr2 >= v->cpu.ldt_base && pv_ldt_fault(v, offset))
            return;
        if (cr2 >= v->cpu.ldt_base && offset < v->pv->ldt_entries * 8ULL)
            /* As if it had been read where the guest has it. */
            pv_inject_page_fault(v, v->pv->ldt_linear + offset, error);
        else
            pv_inject_exception(v, VEC_GP, (uint32_t)(offset & 0xfff8) | 4);
        return;
    }
    if ((error & (PF_PRESENT | PF_WRITE)) == (PF_PRESENT | PF_WRITE) && guest_in_kernel(&v->cpu) &&
        (pv_emulate_pt_write(v, cr2) || pv_lose_device_write(v, cr2)))
        return;
    pv_inject_page_fault(v, cr2, error);
}

static void debug_exception(struct vcpu *v)
{
    uint64_t dr6 = read_dr6();

    write_dr6(0xffff0ff0);
    v->cpu.dr[6] |= dr6; /* what the guest has not cleared stays */
    pv_inject_exception(v, VEC_DB, 0);
}

void upcall_guest_exception(struct guest_cpu *g, uint64_t cr2)
{
    struct vcpu *v = vcpu_of_cpu(g);
    unsigned int vector = g->regs.entry_vector;

    switch (vector) {
    case VEC_PF:
        page_fault(v, cr2);
        return;
    case VEC_GP:
        if (!software_interrupt(v) && !pv_emulate_privop(v))
            pv_inject_exception(v, VEC_GP, g->regs.error_code);
        return;
    case VEC_UD:
        if (!pv_emulate_forced_cpuid(v))
            pv_inject_exception(v, VEC_UD, 0);
        return;
    case VEC_DB:
        debug_exception(v);
        return;
    case VEC_BP:
    case VEC_OF:
        software_gate(v, vector, 1);
        return;
    case VEC_INT80:
        software_gate(v, vector, 2);
        return;
    case VEC_NM:
        /* fpu_taskswitch() asked for this one; it is asked for anew each time. */
        if (g->flags & GUEST_USER_TS) {
            g->flags &= ~(uint64_t)GUEST_USER_TS;
            __asm__ volatile("clts");
        }
        pv_inject_exception(v, vector, 0);
        return;
    default:
        pv_inject_exception(v, vector, g->regs.error_code);
    }
}

bool upcall_fault_in_hv(struct cpu_user_regs *regs, uint64_t cr2)
{
    struct vcpu *v = current_vcpu();

    /* Loading a selector of the guest's, or IRET, touches its LDT. */
    return cr2 >= v->cpu.ldt_base && cr2 < v->cpu.ldt_base + VCPU_AREA_LDT && pv_ldt_fault(v, cr2 - v->cpu.ldt_base);
}

void upcall_guest_syscall(struct guest_cpu *g)
{
    struct vcpu *v = vcpu_of_cpu(g);
    uint64_t rip = g->syscall_rip;
    bool masks = g->flags & GUEST_SYSCALL_MASKS;

    if (g->regs.entry_vector == VEC_SYSENTER) {
        rip = g->sysenter_rip;
        masks = g->flags & GUEST_SYSENTER_MASKS;
    } else if (g->regs.cs == SEL_USER_CS32) {
        rip = g->syscall32_rip;
        masks = g->flags & GUEST_SYSCALL32_MASKS;
    }
    if (rip == 0) {
        /* Without a callback the instruction does not exist: #GP for SYSENTER, #UD for SYSCALL, at the instruction. */
        if (g->regs.entry_vector == VEC_SYSENTER) {
            pv_inject_exception(v, VEC_GP, 0);
            return;
        }
        g->regs.rip -= 2;
        pv_inject_exception(v, VEC_UD, 0);
        return;
    }
    g->bounce = (struct guest_bounce){.rip = rip, .masks_events = masks};
    deliver(v, "system call");
}

static void deliver_nmi(struct vcpu *v)
{
    /* A callback, or an entry of the trap table. */
    uint64_t rip = v->cpu.nmi_rip != 0 ? v->cpu.nmi_rip : v->pv->traps[VEC_NMI].address;

    if ((v->cpu.flags & GUEST_IN_NMI) || rip == 0)
        return;
    v->nmi_pending = 0;
    v->cpu.flags |= GUEST_IN_NMI;
    v->cpu.bounce = (struct guest_bounce){.rip = rip, .masks_events = true};
    deliver(v, "NMI");
}

/* A selector that it had could not be loaded again when it got the CPU back. */
static void deliver_failsafe(struct vcpu *v)
{
    struct guest_cpu *g = &v->cpu;

    if (g->failsafe_rip == 0) {
        domain_crash(v->domain, "vCPU %u: a segment register cannot be loaded, and there is no failsafe callback",
                     v->id);
        return;
    }
    g->bounce = (struct guest_bounce){
        .rip = g->failsafe_rip,
        .masks_events = (g->flags & GUEST_FAILSAFE_MASKS) != 0,
        .with_segments = true,
    };
    deliver(v, "failsafe");
}

void upcall_before_guest(struct guest_cpu *g)
{
    struct vcpu *v = vcpu_of_cpu(g);
    uint64_t work = atomic_xchg(&g->work, 0);

    if (work & GUEST_WORK_OTHER)
        vcpu_update_areas(v);
    if (work & GUEST_WORK_FAILSAFE)
        deliver_failsafe(v);
    if (work & GUEST_WORK_NMI)
        deliver_nmi(v);
    /* The guest's other vCPUs may change both bytes at any time; the frame builder reads the mask once more. */
    if (READ_ONCE(g->vcpu_info->evtchn_upcall_pending) && !READ_ONCE(g->vcpu_info->evtchn_upcall_mask)) {
        g->bounce = (struct guest_bounce){.rip = g->event_rip, .masks_events = true};
        deliver(v, "event");
    }
}

void upcall_guest_return_failed(struct guest_cpu *g, unsigned int vector, uint32_t error_code)
{
    struct vcpu *v = vcpu_of_cpu(g);

    /* The guest meets the exception where it wanted to go, as if it had got there. */
    pv_inject_exception(v, vector, error_code);
}

void upcall_guest_stack_failed(struct guest_cpu *g)
{
    struct vcpu *v = vcpu_of_cpu(g);

    domain_crash(v->domain, "vCPU %u: entering its kernel: the stack at %016lx cannot be written", v->id,
                 (unsigned long)g->kernel_sp);
}
