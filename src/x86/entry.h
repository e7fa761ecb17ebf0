/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two files of entry code share: a few constants and macros. For entry.S and entry_fast.S alone. */
#ifndef X86_ENTRY_H
#define X86_ENTRY_H

#define GUEST_KERNEL_BIT 0x01           /* guest_cpu.flags */
#define GUEST_SHOWS_IOPL_BIT 0x10
#define GUEST_IN_NMI_BIT 0x80

#ifdef __ASSEMBLER__

        .macro  SAVE_GPRS
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
        .endm

        .macro  LOAD_GPRS
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
        .endm

        /* The first steps of CPU n's stub for SYSCALL and SYSENTER, which has no register: RSP to regs.rsp. */
        .macro  CPU_STUB n
        mov     %rsp, cpu_entry + \n * 16(%rip)
        mov     cpu_entry + \n * 16 + 8(%rip), %rsp
        push    cpu_entry + \n * 16(%rip)
        .endm

        /* After the stub of a 64-bit SYSCALL: all registers saved, RBX = guest_cpu, RSP = the CPU's empty stack. */
        .macro  SAVE_SYSCALL
        movq    $SEL_USER_SS, 8(%rsp)
        push    %r11
        push    $SEL_USER_CS64
        push    %rcx
        push    $0
        movl    $VEC_SYSCALL, 4(%rsp)
        SAVE_GPRS
        lea     -G_REGS(%rsp), %rbx
        mov     G_STACK_TOP(%rbx), %rsp
        .endm

        /*
         * The frame of a fault was pushed over guest_cpu.regs: RSP = it, RBX = guest_cpu. The 15 registers back up to
         * where they belong; RSP = the CPU's empty stack.
         */
        .macro  MOVE_GPRS_BACK
        lea     14 * 8(%rsp), %rsi
        lea     G_REGS + 14 * 8(%rbx), %rdi
        mov     $15, %ecx
        std
        rep movsq
        cld
        mov     G_STACK_TOP(%rbx), %rsp
        .endm

        /* After a stub of SYSENTER, which has kept RSP at (RSP): the rest of a frame, in which only RFLAGS is known. */
        .macro  SYSENTER_FRAME
        movq    $0, (%rsp)                      /* RSP was ours when the stub kept it */
        pushfq
        orl     $0x200, (%rsp)
        push    $3
        push    $0
        push    $0
        movl    $VEC_SYSENTER, 4(%rsp)
        .endm

        /* RBX = guest_cpu with all registers, RSP = the CPU's empty stack: function(guest_cpu), then out. */
        .macro  CALL_AND_LEAVE function
        mov     %rbx, %rdi
        call    \function
        jmp     ret_to_guest
        .endm

#endif
#endif
