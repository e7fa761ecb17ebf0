/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Offsets for assembly. Compiled to assembly text only; the Makefile turns each
 * line with an arrow into a #define in gen/offsets.h.
 */
#include "abi/errno.h"
#include "x86/cpu.h"
#include "x86/gate.h"
#include "x86/guest.h"
#include "x86/spec.h"

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"->" #name " %c0\"" ::"i"(value))

void offsets(void);
void offsets(void)
{
    DEFINE(G_REGS, offsetof(struct guest_cpu, regs));
    DEFINE(G_RIP, offsetof(struct guest_cpu, regs.rip));
    DEFINE(G_CS, offsetof(struct guest_cpu, regs.cs));
    DEFINE(G_RFLAGS, offsetof(struct guest_cpu, regs.rflags));
    DEFINE(G_RSP, offsetof(struct guest_cpu, regs.rsp));
    DEFINE(G_SS, offsetof(struct guest_cpu, regs.ss));
    DEFINE(G_RCX, offsetof(struct guest_cpu, regs.rcx));
    DEFINE(G_R11, offsetof(struct guest_cpu, regs.r11));
    DEFINE(G_RAX, offsetof(struct guest_cpu, regs.rax));
    DEFINE(G_RDI, offsetof(struct guest_cpu, regs.rdi));
    DEFINE(G_RSI, offsetof(struct guest_cpu, regs.rsi));
    DEFINE(G_RBX, offsetof(struct guest_cpu, regs.rbx));
    DEFINE(G_RBP, offsetof(struct guest_cpu, regs.rbp));
    DEFINE(G_RDX, offsetof(struct guest_cpu, regs.rdx));
    DEFINE(G_R8, offsetof(struct guest_cpu, regs.r8));
    DEFINE(G_R9, offsetof(struct guest_cpu, regs.r9));
    DEFINE(G_R10, offsetof(struct guest_cpu, regs.r10));
    DEFINE(G_R12, offsetof(struct guest_cpu, regs.r12));
    DEFINE(G_R13, offsetof(struct guest_cpu, regs.r13));
    DEFINE(G_R14, offsetof(struct guest_cpu, regs.r14));
    DEFINE(G_R15, offsetof(struct guest_cpu, regs.r15));
    DEFINE(G_VECTOR, offsetof(struct guest_cpu, regs.entry_vector));
    DEFINE(G_STACK_TOP, offsetof(struct guest_cpu, stack_top));
    DEFINE(G_FLAGS, offsetof(struct guest_cpu, flags));
    DEFINE(G_WORK, offsetof(struct guest_cpu, work));
    DEFINE(G_VCPU_INFO, offsetof(struct guest_cpu, vcpu_info));
    DEFINE(G_SYSCALL_FRAME, offsetof(struct guest_cpu, syscall_frame));
    DEFINE(G_PAGE_FAULT_FRAME, offsetof(struct guest_cpu, page_fault_frame));
    DEFINE(G_BORROWED_RAX, offsetof(struct guest_cpu, borrowed_rax));
    DEFINE(G_BORROWED_RSI, offsetof(struct guest_cpu, borrowed_rsi));
    DEFINE(G_SYSCALL_RIP, offsetof(struct guest_cpu, syscall_rip));
    DEFINE(G_PAGE_FAULT_RIP, offsetof(struct guest_cpu, page_fault_rip));
    DEFINE(G_ERROR, offsetof(struct guest_cpu, regs.error_code));
    DEFINE(VI_CR2, offsetof(struct vcpu_info, arch.cr2));
    DEFINE(G_CR3_KERNEL, offsetof(struct guest_cpu, cr3_kernel));
    DEFINE(G_CR3_USER, offsetof(struct guest_cpu, cr3_user));
    DEFINE(G_LINEAR_SLOTS, offsetof(struct guest_cpu, linear_slots));
    DEFINE(VI_MASK, offsetof(struct vcpu_info, evtchn_upcall_mask));
    DEFINE(VI_PENDING, offsetof(struct vcpu_info, evtchn_upcall_pending));
    DEFINE(IRET_RAX, offsetof(struct iret_context, rax));
    DEFINE(IRET_R11, offsetof(struct iret_context, r11));
    DEFINE(IRET_RCX, offsetof(struct iret_context, rcx));
    DEFINE(IRET_FLAGS, offsetof(struct iret_context, flags));
    DEFINE(IRET_RIP, offsetof(struct iret_context, rip));
    DEFINE(IRET_CS, offsetof(struct iret_context, cs));
    DEFINE(IRET_RFLAGS, offsetof(struct iret_context, rflags));
    DEFINE(IRET_RSP, offsetof(struct iret_context, rsp));
    DEFINE(IRET_SS, offsetof(struct iret_context, ss));
    DEFINE(IRET_SIZE, sizeof(struct iret_context));
    DEFINE(UR_RIP, offsetof(struct cpu_user_regs, rip));
    DEFINE(UR_CS, offsetof(struct cpu_user_regs, cs));
    DEFINE(UR_RSP, offsetof(struct cpu_user_regs, rsp));
    DEFINE(UR_SIZE, offsetof(struct cpu_user_regs, es));
    DEFINE(UR_ERROR, offsetof(struct cpu_user_regs, error_code));
    DEFINE(UR_VECTOR, offsetof(struct cpu_user_regs, entry_vector));
    DEFINE(CL_SOFTIRQ, offsetof(struct cpu_local, softirq_pending));
    DEFINE(ERESTART, ERESTART);
    DEFINE(CL_GUEST, offsetof(struct cpu_local, guest));
    DEFINE(CL_ID, offsetof(struct cpu_local, id));
    DEFINE(G_IBPB_ENTRY, offsetof(struct guest_cpu, ibpb_entry));
    DEFINE(G_SPEC_CTRL, offsetof(struct guest_cpu, spec_ctrl));
    DEFINE(G_GATE_STACK, offsetof(struct guest_cpu, gate_stack));
    DEFINE(GATE_ENTRY_CR3, offsetof(struct gate_cpu, entry_cr3));
    DEFINE(GATE_EXIT_CR3, offsetof(struct gate_cpu, exit_cr3));
    DEFINE(GATE_HV_CR3, offsetof(struct gate_cpu, hv_cr3));
    DEFINE(GATE_FRAME_TOP, offsetof(struct gate_cpu, frame_top));
    DEFINE(GATE_SCRATCH, offsetof(struct gate_cpu, scratch));
    DEFINE(GATE_VERW, offsetof(struct gate_cpu, verw));
    DEFINE(GATE_STACK_TOP, offsetof(struct gate_cpu, stack_top));
    DEFINE(SPEC_CTRL, offsetof(struct spec, ctrl));
    DEFINE(SPEC_ENTRY_CTRL, offsetof(struct spec, entry_ctrl));
    DEFINE(SPEC_IBPB_ENTRY, SPEC_IBPB_ENTRY);
    DEFINE(SPEC_RSB, SPEC_RSB);
    DEFINE(SPEC_BHB_ENTRY, SPEC_BHB_ENTRY);
    DEFINE(SPEC_VERW, SPEC_VERW);
    DEFINE(SPEC_XPTI, SPEC_XPTI);
    DEFINE(SPEC_IBRS_ENTRY, SPEC_IBRS_ENTRY);
    DEFINE(SPEC_GATE, SPEC_GATE);
    DEFINE(SPEC_LOAD_HOOK, SPEC_LOAD_HOOK);
}
