/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two files of entry code share: a few constants and macros. For entry.S and entry_fast.S alone. */
#ifndef X86_ENTRY_H
#define X86_ENTRY_H

#define GUEST_KERNEL_BIT 0x01           /* guest_cpu.flags */
#define GUEST_SYSCALL_MASKS_BIT 0x02
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

        /* RBX = guest_cpu with all registers, RSP = the CPU's empty stack: function(guest_cpu), then out. */
        .macro  CALL_AND_LEAVE function
        mov     %rbx, %rdi
        call    \function
        jmp     ret_to_guest
        .endm

#endif
#endif
