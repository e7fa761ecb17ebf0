/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The short ways: the two halves of a system call, the hottest code there is
 * (from user mode to the guest kernel's handler, and back by HYPERVISOR_iret),
 * page faults of user mode, and usual hypercalls. None saves more registers
 * than it uses. Everything unusual is found before anything is changed, and
 * goes the long way: all registers saved, then C.
 *
 * But for the hypercalls, they need neither C nor a stack: RSP stays where the
 * stub or the processor left it, in guest_cpu.regs, and is what they address
 * guest_cpu by. A fault on the guest's stack therefore pushes its frame over
 * the registers saved there; short_way_fault brings them back.
 *
 * None asks for softirqs and work. Whoever on another CPU has some for this
 * one sends an interrupt, which waits until the guest runs; whoever has on this
 * CPU goes out by ret_to_guest, or below by .Lquick_out, where it is asked for.
 */
#include "offsets.h"
#include "x86/desc.h"
#include "x86/entry.h"

#define HYPERCALL_IRET 23               /* __HYPERVISOR_iret */
#define VGCF_IN_SYSCALL_BIT 0x100       /* VGCF_in_syscall */
#define PF_USER_BIT 0x04                /* of a page fault's error code */
#define RFLAGS_IF 0x200
#define RFLAGS_GUEST 0x00254fd7         /* what a guest may have of RFLAGS: all but IOPL, VM, VIF, VIP */
#define RFLAGS_HANDLER_CLEARS 0x00077500 /* TF, DF, IOPL, NT, RF, VM, AC */

/* Words of guest_cpu while RSP is at regs.rsp, as the stubs leave it, or at an exception's error code. */
#define AT(field) (field - G_RSP)(%rsp)
#define AT_ERROR(field) (field - G_ERROR)(%rsp)

        .text

        .balign 64
        .globl  syscall_stubs
syscall_stubs:
        .set    n, 0
        .rept   NR_CPUS_MAX
        .balign 64
        CPU_STUB n
        testb   $GUEST_KERNEL_BIT, AT(G_FLAGS)
        jz      syscall_bounce
        cmp     $HYPERCALL_IRET, %rax
        je      iret_fast
        jmp     hypercall_quick
        .set    n, n + 1
        .endr

        .globl  short_ways, short_ways_end
short_ways:                             /* from here on RSP is in guest_cpu.regs */
/*
 * From user mode: to the handler, in the kernel's address space, with the
 * frame RCX, R11, RIP, CS, RFLAGS, RSP, SS on its stack. syscall_frame is where,
 * or 0 if the short way cannot be taken (x86/guest.h). In user mode events are
 * not masked; if they are, that is unusual.
 */
        .balign 64
syscall_bounce:
        mov     %rsi, AT(G_BORROWED_RSI)
        mov     %rax, AT(G_BORROWED_RAX)
        mov     AT(G_SYSCALL_FRAME), %rsi
        test    %rsi, %rsi
        jz      .Lsyscall_slow
        mov     AT(G_VCPU_INFO), %rax
        cmpb    $0, VI_MASK(%rax)       /* the guest's other vCPUs may write it; it is read once */
        jne     .Lsyscall_slow
        movb    $1, VI_MASK(%rax)
        swapgs
        orb     $GUEST_KERNEL_BIT, AT(G_FLAGS)
        mov     AT(G_CR3_KERNEL), %rax
        mov     %rax, %cr3
        mov     AT(G_RSP), %rax
        mov     %rcx, (%rsi)
        mov     %r11, 8(%rsi)
        mov     %rcx, 16(%rsi)
        movq    $SEL_USER_CS64, 24(%rsi) /* in the upper half: the mask, which was 0 */
        mov     %r11, 32(%rsi)          /* IF is set, as in all of ring 3: the inverse of the mask */
        mov     %rax, 40(%rsi)
        movq    $SEL_USER_SS, 48(%rsi)
        and     $~RFLAGS_HANDLER_CLEARS, %r11
        mov     AT(G_SYSCALL_RIP), %rcx /* checked at its registration */
        mov     AT(G_BORROWED_RAX), %rax
        mov     AT(G_BORROWED_RSI), %rsi
        mov     AT(G_SYSCALL_FRAME), %rsp
        sysretq

.Lsyscall_slow:
        mov     AT(G_BORROWED_RAX), %rax
        mov     AT(G_BORROWED_RSI), %rsi
        SAVE_SYSCALL
        CALL_AND_LEAVE upcall_guest_syscall

/*
 * HYPERVISOR_iret, to user mode or to kernel mode itself. The frame is struct
 * iret_context on the guest's stack. Each word is read once: another vCPU may
 * write it. RCX and R11, which SYSCALL has set, are loaded last, so that until
 * then the long way, in C (pv/iret.c), can begin anew.
 */
        /* What is left when the mode is known: RSI = the frame. RAX, RCX, R11 are the guest's then, RSI free. */
        .macro  LOAD_IRET_FRAME
        mov     IRET_RFLAGS(%rsi), %eax
        test    $RFLAGS_IF, %eax
        jz      .Liret_slow             /* events stay masked */
        and     $RFLAGS_GUEST, %eax
        mov     %rax, AT(G_RFLAGS)
        movzwl  IRET_SS(%rsi), %eax
        or      $3, %eax
        mov     %rax, AT(G_SS)
        mov     IRET_RIP(%rsi), %rax
        mov     %rax, AT(G_RIP)
        mov     AT(G_VCPU_INFO), %rax
        cmpb    $0, VI_PENDING(%rax)    /* events will be unmasked: is there one? */
        jne     .Liret_slow
        mov     IRET_RSP(%rsi), %rax
        mov     IRET_R11(%rsi), %r11
        mov     IRET_RCX(%rsi), %rcx
        mov     %rax, AT(G_RSP)
        mov     IRET_RAX(%rsi), %rax
        mov     AT(G_VCPU_INFO), %rsi
        movb    $0, VI_MASK(%rsi)
        .endm

        .balign 64
iret_fast:
        mov     %rsi, AT(G_BORROWED_RSI)
        mov     AT(G_RSP), %rsi
        cmp     hv_last_address(%rip), %rsi /* kernels have their stacks above; a frame that runs on from there */
        jbe     .Liret_slow             /* meets low memory, which is the guest's as well */
        testb   $GUEST_SHOWS_IOPL_BIT | GUEST_IN_NMI_BIT, AT(G_FLAGS)
        jnz     .Liret_slow
        cmpq    $0, AT(G_LINEAR_SLOTS)  /* not every address may be read: uaccess.c knows */
        jne     .Liret_slow
        testl   $VGCF_IN_SYSCALL_BIT, IRET_FLAGS(%rsi)
        jnz     .Liret_slow
        movzwl  IRET_CS(%rsi), %eax
        mov     %rax, AT(G_CS)
        not     %eax
        test    $3, %al
        jnz     .Liret_to_kernel
        cmpq    $0, AT(G_CR3_USER)
        je      .Liret_slow
        LOAD_IRET_FRAME
        swapgs
        andb    $~GUEST_KERNEL_BIT, AT(G_FLAGS)
        mov     AT(G_CR3_USER), %rsi
        mov     %rsi, %cr3
.Liret:
        mov     AT(G_BORROWED_RSI), %rsi
        lea     AT(G_RIP), %rsp
        .globl  short_way_iretq
short_way_iretq:
        iretq

.Liret_to_kernel:
        orb     $3, AT(G_CS)
        LOAD_IRET_FRAME
        jmp     .Liret

.Liret_slow:
        mov     AT(G_BORROWED_RSI), %rsi
        mov     $HYPERCALL_IRET, %eax
        SAVE_SYSCALL
        CALL_AND_LEAVE upcall_hypercall

/*
 * A page fault of user mode: to the handler, as a system call, but with an
 * error code and CR2. The long way is taken as there, and for faults in the
 * hypervisor's part of the address space that are not the program's own (a
 * selector whose descriptor is not mapped).
 */
        .balign 64
        .globl  page_fault_entry
page_fault_entry:
        testb   $3, AT_ERROR(G_CS)
        jz      trap_entry
        testb   $GUEST_KERNEL_BIT, AT_ERROR(G_FLAGS)
        jnz     trap_entry
        testb   $PF_USER_BIT, AT_ERROR(G_ERROR)
        jz      trap_entry
        mov     %rsi, AT_ERROR(G_BORROWED_RSI)
        mov     %rax, AT_ERROR(G_BORROWED_RAX)
        mov     AT_ERROR(G_VCPU_INFO), %rax
        cmpb    $0, VI_MASK(%rax)
        jne     .Lpage_fault_slow
        mov     %cr2, %rsi
        mov     %rsi, VI_CR2(%rax)
        mov     AT_ERROR(G_PAGE_FAULT_FRAME), %rsi
        test    %rsi, %rsi
        jz      .Lpage_fault_slow
        movb    $1, VI_MASK(%rax)
        swapgs
        orb     $GUEST_KERNEL_BIT, AT_ERROR(G_FLAGS)
        mov     AT_ERROR(G_CR3_KERNEL), %rax
        mov     %rax, %cr3
        mov     %rcx, (%rsi)
        mov     %r11, 8(%rsi)
        movzwl  AT_ERROR(G_SS), %eax
        mov     %rax, 56(%rsi)
        mov     AT_ERROR(G_RSP), %rax
        mov     %rax, 48(%rsi)
        movzwl  AT_ERROR(G_CS), %eax    /* in the upper half: the mask, which was 0 */
        mov     %rax, 32(%rsi)
        mov     AT_ERROR(G_RIP), %rax
        mov     %rax, 24(%rsi)
        mov     AT_ERROR(G_ERROR), %eax
        mov     %rax, 16(%rsi)
        mov     AT_ERROR(G_RFLAGS), %r11
        mov     %r11, 40(%rsi)          /* IOPL is 0, IF set */
        and     $~RFLAGS_HANDLER_CLEARS, %r11
        mov     AT_ERROR(G_PAGE_FAULT_RIP), %rcx
        mov     AT_ERROR(G_BORROWED_RAX), %rax
        mov     AT_ERROR(G_BORROWED_RSI), %rsi
        mov     AT_ERROR(G_PAGE_FAULT_FRAME), %rsp
        sysretq

.Lpage_fault_slow:
        mov     AT_ERROR(G_BORROWED_RAX), %rax
        mov     AT_ERROR(G_BORROWED_RSI), %rsi
        jmp     trap_entry
short_ways_end:

/*
 * From trap_entry: one of these could not read or write the guest's stack. RSP
 * = the frame of that fault, with all registers as they were then. A kernel
 * that cannot be entered is the end of its domain; HYPERVISOR_iret goes the
 * long way, which says why, or finds that another vCPU has mended it.
 */
        .globl  short_way_fault
short_way_fault:
        mov     UR_RSP(%rsp), %rbx
        mov     UR_RIP(%rsp), %r12
        lea     page_fault_entry(%rip), %rax
        cmp     %rax, %r12
        jae     1f
        sub     $G_RSP, %rbx
        MOVE_GPRS_BACK
        mov     G_RCX(%rbx), %rax
        mov     %rax, G_RIP(%rbx)
        movq    $SEL_USER_CS64, G_CS(%rbx)
        movq    $SEL_USER_SS, G_SS(%rbx)
        movl    $VEC_SYSCALL, G_VECTOR(%rbx)
        lea     iret_fast(%rip), %rax
        cmp     %rax, %r12
        jae     2f
        mov     G_R11(%rbx), %rax
        mov     %rax, G_RFLAGS(%rbx)
        jmp     3f
1:      sub     $G_ERROR, %rbx
        MOVE_GPRS_BACK
3:      mov     G_BORROWED_RAX(%rbx), %rax
        mov     %rax, G_RAX(%rbx)
        mov     G_BORROWED_RSI(%rbx), %rax
        mov     %rax, G_RSI(%rbx)
        CALL_AND_LEAVE upcall_guest_stack_failed

2:      movq    $0x202, G_RFLAGS(%rbx)  /* R11 may have been loaded already */
        mov     G_RSI(%rbx), %rax
        mov     %rax, G_RSP(%rbx)
        mov     G_BORROWED_RSI(%rbx), %rax
        mov     %rax, G_RSI(%rbx)
        movq    $HYPERCALL_IRET, G_RAX(%rbx)
        CALL_AND_LEAVE upcall_hypercall

/*
 * A hypercall. First the few that are made all the time are tried, in C, with
 * arguments and number in its registers (hypercall/quick.c); that needs those
 * saved that C may change. If it was not done there, those in quick_hypercalls
 * (x86/guest.c) need no more saved either.
 */
        .balign 64
hypercall_quick:
        mov     %rcx, AT(G_RIP)
        mov     %r11, AT(G_RFLAGS)
        mov     %rax, AT(G_RAX)
        mov     %rdi, AT(G_RDI)
        mov     %rsi, AT(G_RSI)
        mov     %rdx, AT(G_RDX)
        mov     %r8, AT(G_R8)
        mov     %r9, AT(G_R9)
        mov     %r10, AT(G_R10)
        mov     %r10, %rcx
        lea     -G_RSP(%rsp), %r8
        mov     %rax, %r9
        mov     AT(G_STACK_TOP), %rsp
        call    upcall_hypercall_quick
        mov     CL_GUEST(%rsp), %rdi
        cmp     $-ERESTART, %rax
        je      .Lquick_not_done
        /* RAX = the result. Out the same way, unless there is something to do first or only IRET can return there. */
.Lquick_out:
        mov     CL_SOFTIRQ(%rsp), %rdx
        or      G_WORK(%rdi), %rdx
        jnz     .Lquick_long_way_out
        mov     G_VCPU_INFO(%rdi), %rdx
        cmpw    $1, VI_PENDING(%rdx)    /* pending and not masked */
        je      .Lquick_long_way_out
        mov     G_RIP(%rdi), %rcx
        test    %rcx, %rcx              /* the only RIP after SYSCALL that is not canonical is 1 << 47 */
        jns     .Lquick_long_way_out
        mov     G_RFLAGS(%rdi), %r11
        test    $0x10100, %r11d         /* RF, TF */
        jnz     .Lquick_long_way_out
        mov     G_RDX(%rdi), %rdx
        mov     G_RSI(%rdi), %rsi
        mov     G_R8(%rdi), %r8
        mov     G_R9(%rdi), %r9
        mov     G_R10(%rdi), %r10
        mov     G_RSP(%rdi), %rsp
        mov     G_RDI(%rdi), %rdi
        sysretq

        /* What hypercall_quick has not saved. RBX = guest_cpu. */
        .macro  SAVE_REST
        mov     %rbx, G_RBX(%rdi)
        mov     %rdi, %rbx
        mov     %rbp, G_RBP(%rbx)
        mov     %r12, G_R12(%rbx)
        mov     %r13, G_R13(%rbx)
        mov     %r14, G_R14(%rbx)
        mov     %r15, G_R15(%rbx)
        mov     G_RIP(%rbx), %rcx
        mov     %rcx, G_RCX(%rbx)
        mov     G_RFLAGS(%rbx), %r11
        mov     %r11, G_R11(%rbx)
        movq    $SEL_USER_CS64, G_CS(%rbx)
        movq    $SEL_USER_SS, G_SS(%rbx)
        movl    $VEC_SYSCALL, G_VECTOR(%rbx)
        .endm

.Lquick_long_way_out:
        mov     %rax, G_RAX(%rdi)
        SAVE_REST
        jmp     ret_to_guest

.Lquick_not_done:
        mov     G_RAX(%rdi), %rax
        cmp     $63, %rax
        ja      1f
        mov     quick_hypercalls(%rip), %rdx
        bt      %rax, %rdx
        jnc     1f
        call    upcall_hypercall
        mov     CL_GUEST(%rsp), %rdi
        mov     G_RAX(%rdi), %rax
        jmp     .Lquick_out
1:      SAVE_REST
        CALL_AND_LEAVE upcall_hypercall

        .section .rodata
        .balign 8
hv_last_address:
        .quad   0xffff87ffffffffff

        .section .note.GNU-stack, "", @progbits
