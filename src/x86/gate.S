/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guarded way in and out of guests, which takes the place of the usual one
 * (entry.S, entry_fast.S) on processors that need something done there: start-up
 * then puts jumps to here at the usual one's beginnings (x86/patch.h). What is
 * done is steps, each skipped by a short jump unless its measure is taken.
 *
 * With page-table isolation a guest's root shows of the hypervisor only its code
 * and the struct gate_cpus. So an entry arrives on a stack in there, loads the
 * root that has everything, moves what the processor pushed to guest_cpu.regs,
 * where the usual way has it, and goes on in C; there are no short ways. On the
 * way out the frame for IRETQ is laid on that stack again.
 *
 * The gate's base is RSP rounded down. NMI, #MC, #DF and #DB have small stacks
 * in it too, and may come anywhere, so they put back the root that they found.
 */
#include "offsets.h"
#include "x86/desc.h"
#include "x86/entry.h"
#include "x86/gate.h"
#include "x86/patch.h"

#define MSR_SPEC_CTRL 0x48
#define MSR_PRED_CMD 0x49
#define RSB_ENTRIES 32

        .text

        /* What follows, up to `after`, is done if `measure` is taken. */
        .macro  STEP measure, after
.Lstep\@:
        jmp     \after
        PATCH   .Lstep\@, .Lstep\@, \measure, PATCH_NOP2
        .endm

        .macro  GATE_BASE reg
        mov     %rsp, \reg
        and     $-GATE_SIZE, \reg
        .endm

        /* From RSP on: SS and RSP of a guest that came by SYSCALL or SYSENTER, whose register holds the RSP. */
        .macro  GATE_STUBS name, entry
        .balign 32
        .globl  \name
\name:
        .set    n, 0
        .rept   NR_CPUS_MAX
        .balign 32
        mov     %rsp, gate_cpus + n * GATE_SIZE + GATE_SCRATCH(%rip)
        lea     gate_cpus + n * GATE_SIZE + GATE_STACK_TOP(%rip), %rsp
        push    $SEL_USER_SS
        push    gate_cpus + n * GATE_SIZE + GATE_SCRATCH(%rip)
        jmp     \entry
        .set    n, n + 1
        .endr
        .endm
        GATE_STUBS gate_syscall_stubs, gate_syscall
        GATE_STUBS gate_syscall32_stubs, gate_syscall32
        GATE_STUBS gate_sysenter_stubs, gate_sysenter

        .macro  SYSCALL_FRAME cs
        push    %r11
        push    $\cs
        push    %rcx
        push    $0
        movl    $VEC_SYSCALL, 4(%rsp)
        jmp     gate_from_guest
        .endm
gate_syscall:
        SYSCALL_FRAME SEL_USER_CS64
gate_syscall32:
        SYSCALL_FRAME SEL_USER_CS32
gate_sysenter:                          /* as sysenter_entry */
        SYSENTER_FRAME

/* On a stack of the gate: error code and vector, RIP, CS, RFLAGS, RSP, SS of the guest; all else is in registers. */
gate_from_guest:
        push    %rax
        push    %rdi
        GATE_BASE %rax
        STEP    SPEC_XPTI, 1f
        mov     GATE_ENTRY_CR3(%rax), %rdi
        mov     %rdi, %cr3
1:      mov     GATE_FRAME_TOP(%rax), %rax
        mov     (%rax), %rax
        .irp    word, 16, 24, 32, 40, 48, 56
        mov     \word(%rsp), %rdi
        mov     %rdi, \word - 64(%rax)
        .endr
        mov     8(%rsp), %rdi
        mov     %rdi, -56(%rax)
        mov     (%rsp), %rdi
        movq    $0, (%rsp)              /* other guests may read here, in their way */
        movq    $0, 8(%rsp)
        lea     -56(%rax), %rsp
        pop     %rax
        SAVE_GPRS
        lea     -G_REGS(%rsp), %rbx
        mov     G_STACK_TOP(%rbx), %rsp
        push    $2                      /* SYSENTER clears neither TF, DF, NT nor AC */
        popfq
        call    gate_steps
        cmpl    $VEC_SYSCALL, G_VECTOR(%rbx)
        jb      trap_to_c
        ja      1f
        testb   $GUEST_KERNEL_BIT, G_FLAGS(%rbx)
        jz      1f
        cmpw    $SEL_USER_CS64, G_CS(%rbx)
        jne     1f
        CALL_AND_LEAVE upcall_hypercall
1:      CALL_AND_LEAVE upcall_guest_syscall

/* At entry: RBX = guest_cpu. RAX, RCX, RDX are used. */
gate_steps:
        STEP    SPEC_IBPB_ENTRY, 1f
        cmpb    $0, G_IBPB_ENTRY(%rbx)
        je      1f
        mov     $MSR_PRED_CMD, %ecx
        mov     $1, %eax
        xor     %edx, %edx
        wrmsr
1:      STEP    SPEC_IBRS_ENTRY, 2f
        mov     $MSR_SPEC_CTRL, %ecx
        mov     spec + SPEC_ENTRY_CTRL(%rip), %eax
        xor     %edx, %edx
        wrmsr
2:      STEP    SPEC_RSB, 3f
        call    gate_overwrite_rsb
3:      STEP    SPEC_BHB_ENTRY, 4f
        mov     $5, %ecx                /* a history of branches that say nothing: Intel's guidance on BHI */
5:      call    6f
        dec     %ecx
        jnz     5b
        jmp     4f
        .balign 64, 0xcc
6:      mov     $5, %eax
7:      jmp     8f
        nop
8:      dec     %eax
        jnz     7b
        ret
4:      lfence                          /* nothing above is run past */
        ret

        .globl  gate_overwrite_rsb
gate_overwrite_rsb:
        mov     $RSB_ENTRIES / 2, %ecx
1:      call    2f
        int3
2:      call    3f
        int3
3:      dec     %ecx
        jnz     1b
        add     $RSB_ENTRIES * 8, %rsp
        ret

/* In place of restore_guest. RBX = guest_cpu, RSP = the CPU's empty stack. */
gate_exit:
        mov     CL_ID(%rsp), %esi
        imul    $GATE_SIZE, %rsi
        lea     gate_cpus(%rip), %rax
        add     %rax, %rsi
        STEP    SPEC_IBRS_ENTRY, 1f
        mov     $MSR_SPEC_CTRL, %ecx
        mov     spec + SPEC_CTRL(%rip), %eax
        or      G_SPEC_CTRL(%rbx), %eax
        xor     %edx, %edx
        wrmsr
1:      lea     GATE_STACK_TOP - 56(%rsi), %rdi
        mov     %rdi, G_GATE_STACK(%rbx)
        mov     GATE_EXIT_CR3(%rsi), %rax
        mov     %rax, (%rdi)
        mov     G_RAX(%rbx), %rax
        mov     %rax, 8(%rdi)
        .irp    word, 0, 8, 16, 24, 32
        mov     G_RIP + \word(%rbx), %rax
        mov     %rax, 16 + \word(%rdi)
        .endr
        lea     G_REGS(%rbx), %rsp
        LOAD_GPRS
        mov     G_GATE_STACK - G_RDI - 8(%rsp), %rsp
        pop     %rax
        STEP    SPEC_XPTI, 2f
        mov     %rax, %cr3
2:      pop     %rax
        movq    $0, -8(%rsp)
        STEP    SPEC_VERW, gate_iretq
        verw    GATE_VERW - GATE_STACK_TOP + 40(%rsp)
gate_iretq:
        iretq

/* In place of trap_entry and page_fault_entry: of the hypervisor itself, too. */
gate_trap:
        testb   $3, 16(%rsp)            /* CS */
        jnz     gate_from_guest
        push    %rax
        lea     gate_iretq(%rip), %rax
        cmp     %rax, 16(%rsp)          /* RIP */
        pop     %rax
        je      gate_return_fault
        SAVE_GPRS
        cld
        jmp     trap_from_hv

/* That IRETQ faulted, on the gate's stack and the guest's root. guest_cpu.regs is as it was. */
gate_return_fault:
        GATE_BASE %rax
        STEP    SPEC_XPTI, 1f
        mov     GATE_ENTRY_CR3(%rax), %rdx
        mov     %rdx, %cr3
1:      mov     (%rsp), %r13d           /* error code, vector */
        mov     4(%rsp), %r12d
        mov     GATE_FRAME_TOP(%rax), %rbx
        mov     (%rbx), %rbx
        sub     $G_REGS + UR_SIZE, %rbx
        mov     G_STACK_TOP(%rbx), %rsp
        cld
        call    gate_steps
        jmp     return_failed

/* In place of ist_entry and debug_entry. From here to the end any root may have been loaded. */
gate_ist:
        testb   $3, 16(%rsp)
        jz      1f
        cmpl    $VEC_DB, 4(%rsp)
        je      gate_from_guest
1:      push    %rax
        push    %rdi
        mov     %cr3, %rax
        push    %rax
        GATE_BASE %rdi
        STEP    SPEC_XPTI, 2f
        mov     GATE_HV_CR3(%rdi), %rax
        mov     %rax, %cr3
2:      mov     %rsp, %rdi              /* that root, RDI, RAX, the processor's six words, the real stack's top */
        mov     72(%rdi), %rsp
        push    %rdi
        .irp    word, 64, 56, 48, 40, 32, 24
        push    \word(%rdi)
        .endr
        mov     16(%rdi), %rax
        mov     8(%rdi), %rdi
        SAVE_GPRS
        cld
        mov     %rsp, %rdi
        cmpl    $VEC_DB, UR_VECTOR(%rsp)
        je      3f
        call    trap_on_ist
        jmp     4f
3:      call    trap_debug_in_hv
4:      LOAD_GPRS
        mov     24(%rsp), %rax          /* RFLAGS may have been changed */
        mov     48(%rsp), %rsp
        mov     %rax, 48(%rsp)
        GATE_BASE %rdi
        pop     %rax
        STEP    SPEC_XPTI, 5f
        mov     %rax, %cr3
5:      STEP    SPEC_VERW, 6f
        verw    GATE_VERW(%rdi)
6:      pop     %rdi
        pop     %rax
        add     $8, %rsp
        iretq

/* In place of a load of a guest's root: RAX = its value for CR3. No register is changed. */
        .globl  gate_load_root
gate_load_root:
        .irp    reg, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
        push    %\reg
        .endr
        mov     %rax, %rdi
        push    %rbp
        mov     %rsp, %rbp
        and     $-16, %rsp
        call    guest_load_root
        mov     %rbp, %rsp
        pop     %rbp
        .irp    reg, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
        pop     %\reg
        .endr
        ret

        PATCH   trap_entry, gate_trap, SPEC_GATE, PATCH_JUMP
        PATCH   page_fault_entry, gate_trap, SPEC_GATE, PATCH_JUMP
        PATCH   ist_entry, gate_ist, SPEC_GATE, PATCH_JUMP
        PATCH   debug_entry, gate_ist, SPEC_GATE, PATCH_JUMP
        PATCH   restore_guest, gate_exit, SPEC_GATE, PATCH_JUMP

        .section .note.GNU-stack, "", @progbits
