/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where vCPU 1 starts. Its stack is set by its context; it never returns. */
        .text
        .globl  secondary_entry
secondary_entry:
        cld
        xor     %ebp, %ebp
        call    secondary_main
        ud2
        .section .note.GNU-stack, "", @progbits
