/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the start-up interrupt sends a secondary CPU: real mode, at the start
 * of a page below 1 MiB, into which this is copied. Only what real mode must
 * do is here; the image is reachable once protected mode is on.
 */
#include "boot/head.h"
#include "mem/layout.h"

    .section .init.text, "ax"
    .code16
    .globl trampoline_start
trampoline_start:
    cli
    mov %cs, %ax
    mov %ax, %ds
    lgdtl trampoline_gdtr - trampoline_start
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $SEL_BOOT_CS32, $ap_entry32 - IMAGE_START

    .balign 4
trampoline_gdtr:
    .word BOOT_GDT_LIMIT
    .long boot_gdt - IMAGE_START
    .globl trampoline_end
trampoline_end:

    .section .note.GNU-stack, "", @progbits
