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
 * NMI, #MC, #DB and #DF have stacks of their own: they may come on the first
 * instruction of a SYSCALL stub, with the guest's RSP.
 */
#include "offsets.h"
#include "x86/desc.h"

#define CPU_LOCAL_MASK (CPU_BLOCK_SIZE - 1)
#define GUEST_KERNEL_BIT 1
#define GUEST_SYSCALL_MASKS_BIT 2

        .text

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

        /* A fault at `from` continues at `to`. */
        .macro  EXTABLE from, to
        .pushsection __ex_table, "a"
        .balign 4
        .long   \from - ., \to - .
        .popsection
        .endm

/* ---- SYSCALL and SYSENTER: a stub for each CPU, which needs no register ---- */

        .macro  CPU_STUB n
        .balign 32
        mov     %rsp, cpu_entry + \n * 16(%rip)
        mov     cpu_entry + \n * 16 + 8(%rip), %rsp
        push    $SEL_USER_SS
        push    cpu_entry + \n * 16(%rip)
        .endm

        .balign 32
        .globl  syscall_stubs, syscall32_stubs, sysenter_stubs
syscall_stubs:
        .set    n, 0
        .rept   NR_CPUS_MAX
        CPU_STUB n
        jmp     syscall_entry
        .set    n, n + 1
        .endr
        .balign 32
syscall32_stubs:
        .set    n, 0
        .rept   NR_CPUS_MAX
        CPU_STUB n
        jmp     syscall32_entry
        .set    n, n + 1
        .endr
        .balign 32
sysenter_stubs:
        .set    n, 0
        .rept   NR_CPUS_MAX
        CPU_STUB n
        jmp     sysenter_entry
        .set    n, n + 1
        .endr

        .balign 64
syscall_entry:
        push    %r11
        push    $SEL_USER_CS64
        push    %rcx
        push    $0
        movl    $VEC_SYSCALL, 4(%rsp)
        SAVE_GPRS
        lea     -G_REGS(%rsp), %rbx
        mov     G_STACK_TOP(%rbx), %rsp
        testb   $GUEST_KERNEL_BIT, G_FLAGS(%rbx)
        jz      syscall_bounce
        mov     %rbx, %rdi
        call    upcall_hypercall
        /* fall through */

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
        jnz     .Lrestore
        test    %al, %al
        jnz     .Lwork
.Lrestore:
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
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        add     $8, %rsp                        /* r11 */
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rax
        pop     %rcx
        pop     %rdx
        pop     %rsi
        pop     %rdi
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

/*
 * SYSCALL from user mode: to the guest kernel's handler, in its own address
 * space and on its stack, with RCX and R11 pushed for it. Everything unusual
 * (no handler, a stack inside the hypervisor) goes to C before anything is
 * changed; a fault while the frame is written is the guest's crash.
 */
        .balign 64
syscall_bounce:
        mov     G_SYSCALL_RIP(%rbx), %r8
        mov     G_KERNEL_SP(%rbx), %rsi
        test    %r8, %r8
        jz      .Lsyscall_slow
        and     $~0xf, %rsi
        /* Stack inside [HV_START, HV_END + one frame)? Bits 63:43 tell: 0xffff8 | 0 0 0 0. */
        mov     %rsi, %rax
        shr     $43, %rax
        cmp     $0x1ffff0, %eax
        je      .Lsyscall_slow
        lea     -56(%rsi), %rax
        shr     $43, %rax
        cmp     $0x1ffff0, %eax
        je      .Lsyscall_slow

        swapgs
        orq     $GUEST_KERNEL_BIT, G_FLAGS(%rbx)
        mov     G_CR3_KERNEL(%rbx), %rax
        mov     %rax, %cr3

        mov     G_VCPU_INFO(%rbx), %rdi
        movzbl  VI_MASK(%rdi), %eax
        /* RFLAGS as the guest sees it: IF is the inverse of the mask. */
        mov     %r11, %r9
        or      $0x200, %r9
        test    %eax, %eax
        jz      1f
        and     $~0x200, %r9
        mov     $1, %eax
1:      shl     $32, %rax
        or      $SEL_USER_CS64, %rax
2:      movq    $SEL_USER_SS, -8(%rsi)
        mov     G_RSP(%rbx), %rdx
3:      mov     %rdx, -16(%rsi)
4:      mov     %r9, -24(%rsi)
5:      mov     %rax, -32(%rsi)
6:      mov     %rcx, -40(%rsi)
7:      mov     %r11, -48(%rsi)
8:      mov     %rcx, -56(%rsi)
        EXTABLE 2b, .Lsyscall_fault
        EXTABLE 3b, .Lsyscall_fault
        EXTABLE 4b, .Lsyscall_fault
        EXTABLE 5b, .Lsyscall_fault
        EXTABLE 6b, .Lsyscall_fault
        EXTABLE 7b, .Lsyscall_fault
        EXTABLE 8b, .Lsyscall_fault
        sub     $56, %rsi
        mov     %rsi, G_RSP(%rbx)
        mov     %r8, G_RIP(%rbx)
        /* NT, IOPL, TF, DF, VM, RF, AC off; the handler starts with clean flags, IF is always set outside. */
        and     $~0x00077500, %r11
        or      $0x202, %r11
        mov     %r11, G_RFLAGS(%rbx)
        testb   $GUEST_SYSCALL_MASKS_BIT, G_FLAGS(%rbx)
        jz      ret_to_guest
        movb    $1, VI_MASK(%rdi)
        cmpq    $0, CL_SOFTIRQ(%rsp)
        jne     .Lsoftirq
        cmpq    $0, G_WORK(%rbx)
        jne     .Lwork
        jmp     .Lrestore

.Lsyscall_fault:
        mov     %rbx, %rdi
        call    upcall_guest_stack_failed
        jmp     ret_to_guest

.Lsyscall_slow:
        mov     %rbx, %rdi
        call    upcall_guest_syscall
        jmp     ret_to_guest

/* 32-bit SYSCALL (AMD): RCX holds EIP, R11 EFLAGS. */
        .balign 16
syscall32_entry:
        push    %r11
        push    $SEL_USER_CS32
        push    %rcx
        push    $0
        movl    $VEC_SYSCALL, 4(%rsp)
        jmp     .Lsyscall_to_c

/* SYSENTER: where from is the user's convention; the kernel finds nulls. */
        .balign 16
sysenter_entry:
        pushfq
        orl     $0x200, (%rsp)
        push    $3
        push    $0
        push    $0
        movl    $VEC_SYSENTER, 4(%rsp)
.Lsyscall_to_c:
        SAVE_GPRS
        lea     -G_REGS(%rsp), %rbx
        mov     G_STACK_TOP(%rbx), %rsp
        /* SYSENTER does not clear TF, DF, NT and AC. */
        push    $2
        popfq
        mov     %rbx, %rdi
        call    upcall_guest_syscall
        jmp     ret_to_guest

/* ---- Exceptions and interrupts ---- */

        .balign 32
trap_entry:
        SAVE_GPRS
        cld
        testb   $3, UR_CS(%rsp)
        jz      trap_from_hv
        lea     -G_REGS(%rsp), %rbx
        mov     G_STACK_TOP(%rbx), %rsp
        xor     %ebp, %ebp
        mov     %rbx, %rdi
        call    trap_from_guest
        jmp     ret_to_guest

trap_from_hv:
        lea     return_iretq(%rip), %rax
        cmp     %rax, UR_RIP(%rsp)
        je      return_fault
        mov     %rsp, %rdi
        sub     $8, %rsp
        call    trap_in_hv
        add     $8, %rsp
        LOAD_GPRS
        add     $8, %rsp
        iretq

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
        lea     14 * 8(%rsp), %rsi
        lea     G_REGS + 14 * 8(%rbx), %rdi
        mov     $15, %ecx
        std
        rep movsq
        cld
        mov     G_STACK_TOP(%rbx), %rsp
        mov     %rbx, %rdi
        mov     %r12d, %esi
        mov     %r13d, %edx
        call    upcall_guest_return_failed
        jmp     ret_to_guest

/* NMI, #MC: served on their own stack, back to where they came from. */
        .balign 16
ist_entry:
        SAVE_GPRS
        cld
        mov     %rsp, %rdi
        sub     $8, %rsp
        call    trap_on_ist
        add     $8, %rsp
        LOAD_GPRS
        add     $8, %rsp
        iretq

/* #DB: from a guest it goes the usual way; from the hypervisor (a guest's watchpoint) it is noted and dropped. */
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
        xor     %ebp, %ebp
        mov     %rbx, %rdi
        call    trap_from_guest
        jmp     ret_to_guest
1:      mov     %rsp, %rdi
        sub     $8, %rsp
        call    trap_debug_in_hv
        add     $8, %rsp
        LOAD_GPRS
        add     $8, %rsp
        iretq

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
