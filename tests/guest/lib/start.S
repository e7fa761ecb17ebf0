/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first instruction of every tiny guest, and the hypercall page that the hypervisor fills. */
        .text
        .globl  _start
_start:
        mov     %rax, entry_state(%rip)
        mov     %rbx, entry_state + 8 * 1(%rip)
        mov     %rcx, entry_state + 8 * 2(%rip)
        mov     %rdx, entry_state + 8 * 3(%rip)
        mov     %rsi, entry_state + 8 * 4(%rip)
        mov     %rdi, entry_state + 8 * 5(%rip)
        mov     %rbp, entry_state + 8 * 6(%rip)
        mov     %rsp, entry_state + 8 * 7(%rip)
        mov     %r8,  entry_state + 8 * 8(%rip)
        mov     %r9,  entry_state + 8 * 9(%rip)
        mov     %r10, entry_state + 8 * 10(%rip)
        mov     %r11, entry_state + 8 * 11(%rip)
        mov     %r12, entry_state + 8 * 12(%rip)
        mov     %r13, entry_state + 8 * 13(%rip)
        mov     %r14, entry_state + 8 * 14(%rip)
        mov     %r15, entry_state + 8 * 15(%rip)
        pushfq                                  /* the boot stack must bear it */
        popq    entry_state + 8 * 16(%rip)
        mov     %cs, entry_state + 8 * 17(%rip)
        mov     %ss, entry_state + 8 * 18(%rip)
        mov     %ds, entry_state + 8 * 19(%rip)
        mov     %es, entry_state + 8 * 20(%rip)
        mov     %fs, entry_state + 8 * 21(%rip)
        mov     %gs, entry_state + 8 * 22(%rip)
        cld
        lea     stack_top(%rip), %rsp
        xor     %ebp, %ebp
        mov     %rsi, %rdi
        call    guest_start
        ud2

        .balign 4096
        .globl  hypercall_page
hypercall_page:
        .skip   4096

        .data                                   /* not .bss: written before anything could clear that */
        .balign 16
        .globl  entry_state
entry_state:
        .skip   8 * 23

        .section .bss
        .balign 4096
        .globl  stack_bottom, stack_top
stack_bottom:
        .skip   16384
stack_top:
        .section .note.GNU-stack, "", @progbits
