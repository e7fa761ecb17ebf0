/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways in and out of the hypervisor.
 *
 * In. An exception or interrupt from a guest finds RSP0 at the top of
 * guest_cpu.regs of the vCPU that runs, and SYSCALL's stub loads the same, so
 * all registers are saved where they stay. Then RBX = the guest_cpu and RSP =
 * the CPU's own, empty stack, at whose top cpu_local lies (CL_* from RSP).
 * Interrupts are off from the first instruction on. GS and FS stay the guest's.
 *
 * Out. ret_to_guest: RBX = guest_cpu, RSP = the empty stack. Softirqs, then
 * work and events, then the registers; SYSRET if the guest came by SYSCALL and
 * its RIP is canonical (SYSRET to a non-canonical one faults in ring 0 on some
 * processors, Intel SDM vol. 2B SYSRET), else IRETQ. A fault of that IRETQ
 * (the guest's CS or SS are bad) lands in return_fault.
 *
 * The short ways of system calls, HYPERVISOR_iret, usual hypercalls and page
 * faults are in entry_fast.S.
 *
 * NMI, #MC, #DB and #DF have stacks of their own: they may come on the first
 * instruction of a SYSCALL stub, with the guest's RSP.
 */
#include "offsets.h"
#include "x86/desc.h"
#include "x86/entry.h"

#define CPU_LOCAL_MASK (CPU_BLOCK_SIZE - 1)

        .text

/* ---- 32-bit SYSCALL, and SYSENTER: a stub for each CPU, which needs no register ---- */

        .balign 32
        .globl  syscall32_stubs, sysenter_stubs
syscall32_stubs:
        .set    n, 0
        .rept   NR_CPUS_MAX
        .balign 32
        CPU_STUB n
        jmp     syscall32_entry
        .set    n, n + 1
        .endr
        .balign 32
sysenter_stubs:
        .set    n, 0
        .rept   NR_CPUS_MAX
        .balign 32
        CPU_STUB n
        jmp     sysenter_entry
        .set    n, n + 1
        .endr

/* ---- The way out ---- */

        .globl  ret_to_guest
ret_to_guest:
        cmpq    $0, CL_SOFTIRQ(%rsp)
        jne     .Lsoftirq
        cmpq    $0, G_WORK(%rbx)
        jne     .Lwork
        /* The guest may change these two bytes at any time: a wrong answer is its own loss. */
        mov     G_VCPU_INFO(%rbx), %rax
        movzwl  VI_PENDING(%rax), %eax
        test    %ah, %ah
        jnz     restore_guest
        test    %al, %al
        jnz     .Lwork
        .globl  restore_guest
restore_guest:
        cmpl    $VEC_SYSCALL, G_VECTOR(%rbx)
        jne     .Liret
        cmpw    $SEL_USER_CS64, G_CS(%rbx)
        jne     .Liret
        mov     G_RIP(%rbx), %rcx
        mov     %rcx, %rax
        shl     $16, %rax
        sar     $16, %rax
        cmp     %rax, %rcx
        jne     .Liret
        testl   $0x10100, G_RFLAGS(%rbx)        /* RF, TF: only IRET gives them their meaning */
        jnz     .Liret
        lea     G_REGS(%rbx), %rsp
        LOAD_GPRS
        mov     G_RIP - G_RDI - 8(%rsp), %rcx
        mov     G_RFLAGS - G_RDI - 8(%rsp), %r11
        mov     G_RSP - G_RDI - 8(%rsp), %rsp
        sysretq

.Liret:
        lea     G_REGS(%rbx), %rsp
        LOAD_GPRS
        add     $8, %rsp
        .globl  return_iretq
return_iretq:
        iretq

.Lsoftirq:
        call    upcall_softirq
        jmp     ret_to_guest
.Lwork:
        mov     %rbx, %rdi
        call    upcall_before_guest
        /* A delivery masks events or clears the work; softirqs may have been raised. */
        jmp     ret_to_guest

/* 32-bit SYSCALL (AMD): RCX holds EIP, R11 EFLAGS. */
        .balign 16
syscall32_entry:
        movq    $SEL_USER_SS, 8(%rsp)
        push    %r11
        push    $SEL_USER_CS32
        push    %rcx
        push    $0
        movl    $VEC_SYSCALL, 4(%rsp)
        jmp     .Lsyscall_to_c

/* SYSENTER: where from is the user's convention; the kernel finds nulls. */
        .balign 16
sysenter_entry:
        movq    $SEL_USER_SS, 8(%rsp)
        SYSENTER_FRAME
.Lsyscall_to_c:
        SAVE_GPRS
        lea     -G_REGS(%rsp), %rbx
        mov     G_STACK_TOP(%rbx), %rsp
        /* SYSENTER does not clear TF, DF, NT and AC. */
        push    $2
        popfq
        CALL_AND_LEAVE upcall_guest_syscall

/* ---- Exceptions and interrupts ---- */

        .globl  trap_entry
trap_entry:
        SAVE_GPRS
        cld
        testb   $3, UR_CS(%rsp)
        jz      trap_from_hv
        lea     -G_REGS(%rsp), %rbx
        mov     G_STACK_TOP(%rbx), %rsp
        .globl  trap_to_c
trap_to_c:                              /* RBX = guest_cpu, all saved there */
        xor     %ebp, %ebp
        CALL_AND_LEAVE trap_from_guest

        /* In the middle of the hypervisor, or on a stack of its own: served there, and back. */
        .macro  SERVE_HERE function
        mov     %rsp, %rdi
        sub     $8, %rsp
        call    \function
        add     $8, %rsp
        LOAD_GPRS
        add     $8, %rsp
        iretq
        .endm

        .globl  trap_from_hv
trap_from_hv:
        mov     UR_RIP(%rsp), %rax
        lea     return_iretq(%rip), %rcx
        cmp     %rcx, %rax
        je      return_fault
        lea     short_way_iretq(%rip), %rcx
        cmp     %rcx, %rax
        je      return_fault
        lea     short_ways(%rip), %rcx
        cmp     %rcx, %rax
        jb      1f
        lea     short_ways_end(%rip), %rcx
        cmp     %rcx, %rax
        jb      short_way_fault
1:      /* none of the places where RSP is in guest_cpu.regs */
        SERVE_HERE trap_in_hv

/*
 * IRETQ to the guest faulted. The frame of that fault was pushed below the
 * guest's own RIP, over registers that had been loaded already: they are in
 * this frame. Move them back up, then let C decide.
 */
return_fault:
        mov     UR_RSP(%rsp), %rbx
        sub     $G_RIP, %rbx
        mov     UR_ERROR(%rsp), %r13d
        mov     UR_VECTOR(%rsp), %r12d
        MOVE_GPRS_BACK
        .globl  return_failed
return_failed:
        mov     %rbx, %rdi
        mov     %r12d, %esi
        mov     %r13d, %edx
        call    upcall_guest_return_failed
        jmp     ret_to_guest

/* NMI, #MC: served on their own stack, back to where they came from. */
        .balign 16
        .globl  ist_entry, debug_entry
ist_entry:
        SAVE_GPRS
        cld
        SERVE_HERE trap_on_ist

/* #DB: of a guest the usual way; of the hypervisor (a guest's watchpoint) it is noted and dropped. */
        .balign 16
debug_entry:
        SAVE_GPRS
        cld
        testb   $3, UR_CS(%rsp)
        jz      1f
        mov     %rsp, %rsi
        mov     %rsp, %rbx
        and     $~CPU_LOCAL_MASK, %rbx
        mov     CPU_LOCAL_OFFSET + CL_GUEST(%rbx), %rbx
        lea     G_REGS(%rbx), %rdi
        mov     $UR_SIZE / 8, %ecx
        rep movsq
        mov     G_STACK_TOP(%rbx), %rsp
        jmp     trap_to_c
1:      SERVE_HERE trap_debug_in_hv

/* 256 stubs of 16 bytes: an error code where the processor gives none, the vector, the way. */
        .balign 16
        .globl  trap_stubs
trap_stubs:
        .set    vec, 0
        .rept   256
        .balign 16
        .if     vec != 8 && vec != 10 && vec != 11 && vec != 12 && vec != 13 && vec != 14 && vec != 17
        push    $0
        .endif
        movl    $vec, 4(%rsp)
        .if     vec == VEC_NMI || vec == VEC_MC || vec == VEC_DF
        jmp     ist_entry
        .elseif vec == VEC_DB
        jmp     debug_entry
        .elseif vec == VEC_PF
        jmp     page_fault_entry
        .else
        jmp     trap_entry
        .endif
        .set    vec, vec + 1
        .endr

/* ---- Leaving a stack for good ---- */

/* void enter_guest(struct guest_cpu *g): empty this CPU's stack, go out to the guest. */
        .globl  enter_guest
enter_guest:
        mov     %rdi, %rbx
        mov     G_STACK_TOP(%rbx), %rsp
        xor     %ebp, %ebp
        jmp     ret_to_guest

/* void enter_idle(void): empty this CPU's stack, go idle. */
        .globl  enter_idle
enter_idle:
        and     $~CPU_LOCAL_MASK, %rsp
        add     $CPU_LOCAL_OFFSET, %rsp
        xor     %ebp, %ebp
        call    upcall_idle
        ud2

/* Each CPU's scratch word and frame pointer for its stubs: {saved rsp, top of guest_cpu.regs}. */
        .bss
        .balign 64
        .globl  cpu_entry
cpu_entry:
        .fill   NR_CPUS_MAX * 16, 1, 0

        .section .note.GNU-stack, "", @progbits
