/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions, events and system calls as a 64-bit PV kernel gets them: the
 * hypervisor pushes SS, RSP, RFLAGS, CS, RIP, an error code if the exception
 * has one, and then R11 and RCX, and jumps here. The way back is
 * HYPERVISOR_iret, which also restores the event mask from RFLAGS.IF.
 */
#include <xen/xen.h>

        .text
        .balign 16
        .globl  trap_entry_table
trap_entry_table:
.set    vector, 0
.rept   32
        .balign 16
        pop     %rcx
        pop     %r11
        .if     !((1 << vector) & 0x60227d00)   /* 8, 10-14, 17, 21, 29, 30 bring an error code */
        push    $0
        .endif
        push    $vector
        jmp     trap_common
.set    vector, vector + 1
.endr

.macro entry name, number
        .balign 16
        .globl  \name
\name:
        pop     %rcx
        pop     %r11
        push    $0
        push    $\number
        jmp     trap_common
.endm
        entry   trap_syscall_entry, 256
        entry   trap_event_entry, 257

/* The failsafe frame has DS, ES, FS and GS under RCX and R11; they are dropped. */
        .balign 16
        .globl  trap_failsafe_entry
trap_failsafe_entry:
        pop     %rcx
        pop     %r11
        add     $32, %rsp
        push    $0
        push    $258

trap_common:
        push    %rdi
        push    %rsi
        push    %rdx
        push    %rcx
        push    %rax
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, %rdi
        mov     %rsp, %rbx
        and     $-16, %rsp
        cld
        call    trap_dispatch                   /* returns VGCF_* flags for the return */
        mov     %rbx, %rdi
        mov     %rax, %rsi

/* NORETURN void trap_return(struct regs *regs, u64 flags) */
        .globl  trap_return
trap_return:
        mov     %rdi, %rsp
        mov     %rsi, 16 * 8(%rsp)              /* over the error code: VGCF_* */
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rax
        pop     %rcx
        pop     %rdx
        pop     %rsi
        pop     %rdi
        add     $8, %rsp                        /* the vector */
        jmp     hypercall_page + __HYPERVISOR_iret * 32

/*
 * bool catch_call(void (*fn)(void *), void *arg, u64 *resume_rsp): the stack
 * pointer is left in *resume_rsp; trap_dispatch returns to catch_resume with it.
 */
        .globl  catch_call, catch_resume
catch_call:
        push    %rbp
        push    %rbx
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        sub     $8, %rsp
        mov     %rsp, (%rdx)
        mov     %rdi, %rax
        mov     %rsi, %rdi
        call    *%rax
        xor     %eax, %eax
        jmp     1f
catch_resume:
        mov     $1, %eax
        cld
1:      add     $8, %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        pop     %rbp
        ret
        .section .note.GNU-stack, "", @progbits
