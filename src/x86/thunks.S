/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the compiler sends indirect jumps and calls (__x86_indirect_thunk_REG)
 * and returns (__x86_return_thunk). As linked, every jump is a retpoline: what
 * is predicted is a return, to a place where nothing happens. At start-up
 * x86/patch.c puts into the code what this processor needs; where that is
 * nothing, plain jumps and returns into each place itself.
 *
 * All lie in the upper half of a cache line, where ITS does not reach them.
 */
        .text
        .balign 64
        .globl  indirect_thunks
indirect_thunks:
        .irp    reg, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
        .skip   32, 0xcc
        .globl  __x86_indirect_thunk_\reg
__x86_indirect_thunk_\reg:
        call    2f
1:      pause
        lfence
        jmp     1b
2:      mov     %\reg, (%rsp)
        ret
        .balign 64, 0xcc
        .endr

        .skip   32, 0xcc
        .globl  __x86_return_thunk
__x86_return_thunk:
        ret
        int3
        .balign 64, 0xcc

        .section .note.GNU-stack, "", @progbits
