/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a further vCPU starts. Its context has set the stack, its number (RDI) and where it goes (RSI), never to return. */
        .text
        .globl  vcpu_entry
vcpu_entry:
        cld
        xor     %ebp, %ebp
        call    *%rsi
        ud2
        .section .note.GNU-stack, "", @progbits
