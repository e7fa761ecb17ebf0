/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The short ways: the two halves of a system call, the hottest code there is
 * (from user mode to the guest kernel's handler, and back by HYPERVISOR_iret),
 * usual hypercalls, and page faults of user mode. None saves more registers
 * than it uses. Everything unusual is found before anything is changed, and
 * goes the long way (SAVE_FOR_C, then C). RSP is the CPU's own stack before the
 * guest's is touched, for that may fault.
 */
#include "offsets.h"
#include "x86/desc.h"
#include "x86/entry.h"

#define HYPERCALL_IRET 23               /* __HYPERVISOR_iret */
#define VGCF_IN_SYSCALL_BIT 0x100       /* VGCF_in_syscall */
#define PF_USER_BIT 0x04                /* of a page fault's error code */
#define RFLAGS_GUEST 0x00254dd5         /* what a guest may set of RFLAGS: all but IF, IOPL, VM, VIF, VIP */
#define HV_BITS_63_43 0x1ffff0          /* of the hypervisor's addresses */

        .text

        /* A fault at one of the addresses continues at `to`. */
        .macro  EXTABLE to, from:vararg
        .pushsection __ex_table, "a"
        .balign 4
        .irp    address, \from
        .long   \address - ., \to - .
        .endr
        .popsection
        .endm

        /* RDI = guest_cpu, RSP = the CPU's stack; RAX, RDX, RSI free. */
        .macro  BORROW_REGISTERS
        mov     %rdi, G_RDI - G_RSP(%rsp)
        lea     -G_RSP(%rsp), %rdi
        mov     G_STACK_TOP(%rdi), %rsp
        mov     %rax, G_RAX(%rdi)
        mov     %rdx, G_RDX(%rdi)
        mov     %rsi, G_RSI(%rdi)
        .endm

        .macro  GIVE_BACK
        mov     G_RAX(%rdi), %rax
        mov     G_RDX(%rdi), %rdx
        mov     G_RSI(%rdi), %rsi
        mov     G_RDI(%rdi), %rdi
        .endm

        /* After BORROW_REGISTERS: the other general registers; RBX = guest_cpu. */
        .macro  SAVE_REST
        mov     %rbx, G_RBX(%rdi)
        mov     %rbp, G_RBP(%rdi)
        mov     %r8, G_R8(%rdi)
        mov     %r9, G_R9(%rdi)
        mov     %r10, G_R10(%rdi)
        mov     %r11, G_R11(%rdi)
        mov     %r12, G_R12(%rdi)
        mov     %r13, G_R13(%rdi)
        mov     %r14, G_R14(%rdi)
        mov     %r15, G_R15(%rdi)
        mov     %rcx, G_RCX(%rdi)
        mov     %rdi, %rbx
        .endm

        /* ... and what SYSCALL has put into RCX and R11: all of guest_cpu.regs as after SAVE_GPRS. */
        .macro  SAVE_FOR_C
        mov     %r11, G_RFLAGS(%rdi)
        mov     %rcx, G_RIP(%rdi)
        movq    $SEL_USER_CS64, G_CS(%rdi)
        movl    $VEC_SYSCALL, G_VECTOR(%rdi)
        SAVE_REST
        .endm

        /*
         * To `where` unless reg+first lies above the hypervisor's addresses, where kernels have their stacks (a few
         * words from there may run on into low memory, which is the guest's as well). RAX is used.
         */
        .macro  REQUIRE_HIGH_ADDRESS reg, first, where
        lea     \first(\reg), %rax
        shr     $43, %rax
        cmp     $HV_BITS_63_43, %eax
        jbe     \where
        .endm

        /* To `where` if this CPU or vCPU has something to do first. */
        .macro  REFUSE_WORK where
        cmpq    $0, CL_SOFTIRQ(%rsp)
        jne     \where
        cmpq    $0, G_WORK(%rdi)
        jne     \where
        .endm

        /* RDX = vcpu_info. EAX = its mask, read once though the guest's other vCPUs may write it: 0, or 1 for anything
           else. The mask is 1 then. */
        .macro  TAKE_MASK
        xor     %eax, %eax
        cmpb    $0, VI_MASK(%rdx)
        setne   %al
        movb    $1, VI_MASK(%rdx)
        .endm

        /* After TAKE_MASK, EAX = the mask: RDX = RFLAGS `user` as the guest sees it, IF being the inverse. */
        .macro  FRAME_RFLAGS user
        xor     $1, %eax
        shl     $9, %eax
        mov     \user, %rdx
        and     $~0x3200, %rdx                  /* IF, IOPL */
        or      %rax, %rdx
        .endm

        /* R11 = RFLAGS in a handler: TF, DF, IOPL, NT, RF, VM, AC off; IF is always set outside. */
        .macro  HANDLER_RFLAGS
        and     $~0x00077500, %r11
        or      $0x202, %r11
        .endm

        .macro  ENTER_KERNEL_MODE
        swapgs
        orb     $GUEST_KERNEL_BIT, G_FLAGS(%rdi)
        mov     G_CR3_KERNEL(%rdi), %rax
        mov     %rax, %cr3
        .endm

/* ---- SYSCALL of kernel mode: a hypercall ---- */

        .balign 64
        .globl  syscall_entry
syscall_entry:
        testb   $GUEST_KERNEL_BIT, G_FLAGS - G_RSP(%rsp)
        jz      syscall_bounce
        cmp     $HYPERCALL_IRET, %rax
        je      iret_fast
        BORROW_REGISTERS
        mov     %r8, G_R8(%rdi)
        mov     %r9, G_R9(%rdi)
        mov     %r10, G_R10(%rdi)
        mov     quick_hypercalls(%rip), %rdx
        cmp     $63, %rax
        ja      .Lhypercall_full
        bt      %rax, %rdx
        jnc     .Lhypercall_full
        mov     %rcx, G_RIP(%rdi)
        mov     %r11, G_RFLAGS(%rdi)
        call    upcall_hypercall_quick
        /* Back the same way, unless there is something to do first or only IRET can return there. */
        mov     CL_GUEST(%rsp), %rdi
        mov     G_RIP(%rdi), %rcx
        mov     G_RFLAGS(%rdi), %r11
        REFUSE_WORK .Lquick_slow
        mov     G_VCPU_INFO(%rdi), %rax
        cmpw    $1, VI_PENDING(%rax)            /* pending and not masked */
        je      .Lquick_slow
        test    %rcx, %rcx                      /* the only RIP after SYSCALL that is not canonical is 1 << 47 */
        jns     .Lquick_slow
        test    $0x10100, %r11d                 /* RF, TF */
        jnz     .Lquick_slow
        mov     G_RAX(%rdi), %rax
        mov     G_RDX(%rdi), %rdx
        mov     G_RSI(%rdi), %rsi
        mov     G_R8(%rdi), %r8
        mov     G_R9(%rdi), %r9
        mov     G_R10(%rdi), %r10
        mov     G_RSP(%rdi), %rsp
        mov     G_RDI(%rdi), %rdi
        sysretq

.Lquick_slow:
        mov     G_R8(%rdi), %r8
        mov     G_R9(%rdi), %r9
        mov     G_R10(%rdi), %r10
        SAVE_FOR_C
        jmp     ret_to_guest

.Lhypercall_full:
        SAVE_FOR_C
.Lhypercall:
        CALL_AND_LEAVE upcall_hypercall

/*
 * From user mode: to the handler, in the kernel's address space, with the
 * frame RCX, R11, RIP, CS, RFLAGS, RSP, SS on its stack. The long way is taken
 * when there is no handler or it does not ask for masked events, as all
 * kernels do, or when its stack lies in the hypervisor.
 */
        .balign 64
syscall_bounce:
        BORROW_REGISTERS
        mov     G_KERNEL_SP(%rdi), %rsi
        and     $~0xf, %rsi
        REQUIRE_HIGH_ADDRESS %rsi, -56, .Lsyscall_slow
        REFUSE_WORK .Lsyscall_slow
        cmpq    $0, G_SYSCALL_RIP(%rdi)
        je      .Lsyscall_slow
        testb   $GUEST_SYSCALL_MASKS_BIT, G_FLAGS(%rdi)
        jz      .Lsyscall_slow

        ENTER_KERNEL_MODE

        mov     G_VCPU_INFO(%rdi), %rdx
        TAKE_MASK
        shl     $32, %rax
        or      $SEL_USER_CS64, %rax
1:      mov     %rax, -32(%rsi)
        shr     $32, %rax
        FRAME_RFLAGS %r11
2:      mov     %rdx, -24(%rsi)
        mov     G_RSP(%rdi), %rdx
3:      movq    $SEL_USER_SS, -8(%rsi)
4:      mov     %rdx, -16(%rsi)
5:      mov     %rcx, -40(%rsi)
6:      mov     %r11, -48(%rsi)
7:      mov     %rcx, -56(%rsi)
        EXTABLE .Lsyscall_fault, 1b, 2b, 3b, 4b, 5b, 6b, 7b
        sub     $56, %rsi
        HANDLER_RFLAGS                          /* the handler's address was checked at its registration */
        mov     G_SYSCALL_RIP(%rdi), %rcx
        mov     %rsi, %rsp
        GIVE_BACK
        sysretq

.Lsyscall_fault:
        SAVE_FOR_C
.Lstack_failed:
        CALL_AND_LEAVE upcall_guest_stack_failed

.Lsyscall_slow:
        SAVE_FOR_C
        CALL_AND_LEAVE upcall_guest_syscall

/*
 * HYPERVISOR_iret, to user mode or to kernel mode itself. The frame is struct
 * iret_context on the guest's stack. Each word is read once: another vCPU may
 * write it. Nothing is changed before all have been read; the long way, in C
 * (pv/iret.c), begins anew.
 */
        .balign 64
iret_fast:
        BORROW_REGISTERS
        mov     %rcx, G_RCX(%rdi)
        mov     %r11, G_R11(%rdi)
        mov     G_RSP(%rdi), %rsi
        REQUIRE_HIGH_ADDRESS %rsi, 0, .Liret_slow
        REFUSE_WORK .Liret_slow
        testb   $GUEST_SHOWS_IOPL_BIT | GUEST_IN_NMI_BIT, G_FLAGS(%rdi)
        jnz     .Liret_slow
        cmpq    $0, G_LINEAR_SLOTS(%rdi)        /* not every address may be read: uaccess.c knows */
        jne     .Liret_slow
1:      testl   $VGCF_IN_SYSCALL_BIT, IRET_FLAGS(%rsi)
        jnz     .Liret_slow
2:      mov     IRET_RFLAGS(%rsi), %rdx
        bt      $9, %edx
        jnc     3f
        mov     G_VCPU_INFO(%rdi), %rax         /* events will be unmasked: is there one? */
        cmpb    $0, VI_PENDING(%rax)
        jne     .Liret_slow
3:      mov     IRET_CS(%rsi), %eax
        or      $3, %eax
        movzwl  %ax, %eax
        mov     %rax, G_CS(%rdi)
4:      mov     IRET_SS(%rsi), %eax
        or      $3, %eax
        movzwl  %ax, %eax
        mov     %rax, G_SS(%rdi)
5:      mov     IRET_RIP(%rsi), %rax
        mov     %rax, G_RIP(%rdi)
6:      mov     IRET_R11(%rsi), %r11
7:      mov     IRET_RCX(%rsi), %rcx
8:      mov     IRET_RAX(%rsi), %rax
        mov     %rax, G_RAX(%rdi)
9:      mov     IRET_CS(%rsi), %eax             /* which mode: a second read; ring 3 whatever it says */
10:     mov     IRET_RSP(%rsi), %rsi
        EXTABLE .Liret_slow, 1b, 2b, 3b, 4b, 5b, 6b, 7b, 8b, 9b, 10b
        not     %eax
        test    $3, %al
        jnz     11f
        mov     G_CR3_USER(%rdi), %rax
        test    %rax, %rax
        jz      .Liret_slow
        swapgs
        andb    $~GUEST_KERNEL_BIT, G_FLAGS(%rdi)
        mov     %rax, %cr3
11:     mov     %rsi, G_RSP(%rdi)
        mov     G_VCPU_INFO(%rdi), %rax
        bt      $9, %edx
        setnc   VI_MASK(%rax)
        and     $RFLAGS_GUEST, %edx
        or      $0x202, %edx
        mov     %rdx, G_RFLAGS(%rdi)
        lea     G_RIP(%rdi), %rsp
        GIVE_BACK
        jmp     return_iretq

.Liret_slow:
        movl    $HYPERCALL_IRET, G_RAX(%rdi)
        movl    $0, G_RAX + 4(%rdi)
        movq    $SEL_USER_SS, G_SS(%rdi)
        mov     G_RCX(%rdi), %rcx
        mov     G_R11(%rdi), %r11
        SAVE_FOR_C
        jmp     .Lhypercall

/*
 * A page fault of user mode: to the handler, as a system call, but with an
 * error code and CR2. The long way is taken as there, and for faults in the
 * hypervisor's part of the address space that are not the program's own (a
 * selector whose descriptor is not mapped).
 */
        .balign 64
        .globl  page_fault_entry
page_fault_entry:
        testb   $3, 16(%rsp)                    /* CS */
        jz      trap_entry
        push    %rdi
        lea     -G_RDI(%rsp), %rdi
        testb   $GUEST_KERNEL_BIT | GUEST_SHOWS_IOPL_BIT, G_FLAGS(%rdi)
        jnz     .Lpage_fault_slow
        testb   $PF_USER_BIT, G_ERROR(%rdi)
        jz      .Lpage_fault_slow
        mov     G_STACK_TOP(%rdi), %rsp
        mov     %rax, G_RAX(%rdi)
        mov     %rdx, G_RDX(%rdi)
        mov     %rsi, G_RSI(%rdi)
        mov     G_KERNEL_SP(%rdi), %rsi
        and     $~0xf, %rsi
        REQUIRE_HIGH_ADDRESS %rsi, -64, .Lpage_fault_unusual
        REFUSE_WORK .Lpage_fault_unusual
        cmpq    $0, G_PAGE_FAULT_RIP(%rdi)
        je      .Lpage_fault_unusual

        ENTER_KERNEL_MODE

        mov     G_VCPU_INFO(%rdi), %rdx
        mov     %cr2, %rax
        mov     %rax, VI_CR2(%rdx)
        TAKE_MASK
        movzwl  G_CS(%rdi), %edx
        shl     $32, %rax
        or      %rdx, %rax
1:      mov     %rax, -32(%rsi)
        shr     $32, %rax
        FRAME_RFLAGS G_RFLAGS(%rdi)
2:      mov     %rdx, -24(%rsi)
        movzwl  G_SS(%rdi), %eax
3:      mov     %rax, -8(%rsi)
        mov     G_RSP(%rdi), %rax
4:      mov     %rax, -16(%rsi)
        mov     G_RIP(%rdi), %rax
5:      mov     %rax, -40(%rsi)
        mov     G_ERROR(%rdi), %eax
6:      mov     %rax, -48(%rsi)
7:      mov     %r11, -56(%rsi)
8:      mov     %rcx, -64(%rsi)
        EXTABLE .Lpage_fault_fault, 1b, 2b, 3b, 4b, 5b, 6b, 7b, 8b
        mov     G_RFLAGS(%rdi), %r11
        HANDLER_RFLAGS
        mov     G_PAGE_FAULT_RIP(%rdi), %rcx
        lea     -64(%rsi), %rsp
        GIVE_BACK
        sysretq

.Lpage_fault_fault:
        SAVE_REST
        jmp     .Lstack_failed

.Lpage_fault_unusual:
        SAVE_REST
        cld
        jmp     trap_to_c

.Lpage_fault_slow:
        pop     %rdi
        jmp     trap_entry

        .section .note.GNU-stack, "", @progbits
