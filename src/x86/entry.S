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
#define HYPERCALL_IRET 23               /* __HYPERVISOR_iret */
#define VGCF_IN_SYSCALL_BIT 0x100       /* VGCF_in_syscall */
#define PF_USER_BIT 0x04                /* of a page fault's error code */
#define GUEST_KERNEL_BIT 0x01           /* guest_cpu.flags */
#define GUEST_SYSCALL_MASKS_BIT 0x02
#define GUEST_SHOWS_IOPL_BIT 0x10
#define GUEST_IN_NMI_BIT 0x80
#define RFLAGS_GUEST 0x00254dd5         /* what a guest may set of RFLAGS: all but IF, IOPL, VM, VIF, VIP */
#define HV_BITS_63_43 0x1ffff0          /* of the hypervisor's addresses */

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

/*
 * The two halves of a system call, the hottest code there is: from user mode
 * to the guest kernel's handler, and back by HYPERVISOR_iret. Neither saves
 * more registers than it uses. Everything unusual is found before anything is
 * changed, and goes the long way (SAVE_FOR_C, then C). RSP is the CPU's own
 * stack before the guest's is touched, for that may fault.
 */

        /* RDI = guest_cpu, RSP = the CPU's stack; RAX, RDX, RSI free. */
        .macro  BORROW_REGISTERS
        mov     %rdi, G_RDI - G_RSP(%rsp)
        lea     -G_RSP(%rsp), %rdi
        mov     G_STACK_TOP(%rdi), %rsp
        mov     %rax, G_RAX(%rdi)
        mov     %rdx, G_RDX(%rdi)
        mov     %rsi, G_RSI(%rdi)
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

        .balign 64
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
        mov     %rbx, %rdi
        call    upcall_hypercall
        jmp     ret_to_guest

        /* RDX = vcpu_info. EAX = its mask, read once though the guest's other vCPUs may write it: 0, or 1 for anything
           else. The mask is 1 then. */
        .macro  TAKE_MASK
        xor     %eax, %eax
        cmpb    $0, VI_MASK(%rdx)
        setne   %al
        movb    $1, VI_MASK(%rdx)
        .endm

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

        swapgs
        orb     $GUEST_KERNEL_BIT, G_FLAGS(%rdi)
        mov     G_CR3_KERNEL(%rdi), %rax
        mov     %rax, %cr3

        mov     G_VCPU_INFO(%rdi), %rdx
        TAKE_MASK
        shl     $32, %rax
        or      $SEL_USER_CS64, %rax
1:      mov     %rax, -32(%rsi)
        /* RFLAGS as the guest sees it: IF is the inverse of the mask. */
        shr     $32, %rax
        xor     $1, %eax
        shl     $9, %eax
        mov     %r11, %rdx
        and     $~0x200, %rdx
        or      %rax, %rdx
2:      mov     %rdx, -24(%rsi)
        mov     G_RSP(%rdi), %rdx
3:      movq    $SEL_USER_SS, -8(%rsi)
4:      mov     %rdx, -16(%rsi)
5:      mov     %rcx, -40(%rsi)
6:      mov     %r11, -48(%rsi)
7:      mov     %rcx, -56(%rsi)
        EXTABLE 1b, .Lsyscall_fault
        EXTABLE 2b, .Lsyscall_fault
        EXTABLE 3b, .Lsyscall_fault
        EXTABLE 4b, .Lsyscall_fault
        EXTABLE 5b, .Lsyscall_fault
        EXTABLE 6b, .Lsyscall_fault
        EXTABLE 7b, .Lsyscall_fault
        sub     $56, %rsi
        /* TF, DF, IOPL, NT, RF, VM, AC off; IF is always set outside. The address was checked at its registration. */
        and     $~0x00077500, %r11
        or      $0x202, %r11
        mov     G_SYSCALL_RIP(%rdi), %rcx
        mov     %rsi, %rsp
        mov     G_RAX(%rdi), %rax
        mov     G_RDX(%rdi), %rdx
        mov     G_RSI(%rdi), %rsi
        mov     G_RDI(%rdi), %rdi
        sysretq

.Lsyscall_fault:
        SAVE_FOR_C
        mov     %rbx, %rdi
        call    upcall_guest_stack_failed
        jmp     ret_to_guest

.Lsyscall_slow:
        SAVE_FOR_C
        mov     %rbx, %rdi
        call    upcall_guest_syscall
        jmp     ret_to_guest

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
        EXTABLE 1b, .Liret_slow
        EXTABLE 2b, .Liret_slow
        EXTABLE 3b, .Liret_slow
        EXTABLE 4b, .Liret_slow
        EXTABLE 5b, .Liret_slow
        EXTABLE 6b, .Liret_slow
        EXTABLE 7b, .Liret_slow
        EXTABLE 8b, .Liret_slow
        EXTABLE 9b, .Liret_slow
        EXTABLE 10b, .Liret_slow
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
        mov     G_RAX(%rdi), %rax
        mov     G_RDX(%rdi), %rdx
        mov     G_RSI(%rdi), %rsi
        mov     G_RDI(%rdi), %rdi
        jmp     return_iretq

.Liret_slow:
        movl    $HYPERCALL_IRET, G_RAX(%rdi)
        movl    $0, G_RAX + 4(%rdi)
        movq    $SEL_USER_SS, G_SS(%rdi)
        mov     G_RCX(%rdi), %rcx
        mov     G_R11(%rdi), %r11
        SAVE_FOR_C
        jmp     .Lhypercall

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
        LOAD_GPRS
        mov     G_RIP - G_RDI - 8(%rsp), %rcx
        mov     G_RFLAGS - G_RDI - 8(%rsp), %r11
        mov     G_RSP - G_RDI - 8(%rsp), %rsp
        sysretq

.Liret:
        lea     G_REGS(%rbx), %rsp
        LOAD_GPRS
        add     $8, %rsp
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
        movq    $0, (%rsp)                      /* RSP was ours when the stub kept it */
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

/*
 * A page fault of user mode: to the handler, as a system call, but with an
 * error code and CR2. The long way is taken as there, and for faults in the
 * hypervisor's part of the address space that are not the program's own (a
 * selector whose descriptor is not mapped).
 */
        .balign 64
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

        swapgs
        orb     $GUEST_KERNEL_BIT, G_FLAGS(%rdi)
        mov     G_CR3_KERNEL(%rdi), %rax
        mov     %rax, %cr3

        mov     G_VCPU_INFO(%rdi), %rdx
        mov     %cr2, %rax
        mov     %rax, VI_CR2(%rdx)
        TAKE_MASK
        movzwl  G_CS(%rdi), %edx
        shl     $32, %rax
        or      %rdx, %rax
1:      mov     %rax, -32(%rsi)
        shr     $32, %rax
        xor     $1, %eax
        shl     $9, %eax
        mov     G_RFLAGS(%rdi), %rdx
        and     $~0x3200, %rdx                  /* IF, IOPL */
        or      %rax, %rdx
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
        EXTABLE 1b, .Lpage_fault_fault
        EXTABLE 2b, .Lpage_fault_fault
        EXTABLE 3b, .Lpage_fault_fault
        EXTABLE 4b, .Lpage_fault_fault
        EXTABLE 5b, .Lpage_fault_fault
        EXTABLE 6b, .Lpage_fault_fault
        EXTABLE 7b, .Lpage_fault_fault
        EXTABLE 8b, .Lpage_fault_fault
        mov     G_RFLAGS(%rdi), %r11
        and     $~0x00077500, %r11
        or      $0x202, %r11
        mov     G_PAGE_FAULT_RIP(%rdi), %rcx
        lea     -64(%rsi), %rsp
        mov     G_RAX(%rdi), %rax
        mov     G_RDX(%rdi), %rdx
        mov     G_RSI(%rdi), %rsi
        mov     G_RDI(%rdi), %rdi
        sysretq

.Lpage_fault_fault:
        SAVE_REST
        cld
        mov     %rbx, %rdi
        call    upcall_guest_stack_failed
        jmp     ret_to_guest

.Lpage_fault_unusual:
        SAVE_REST
        cld
        xor     %ebp, %ebp
        mov     %rbx, %rdi
        call    trap_from_guest
        jmp     ret_to_guest

.Lpage_fault_slow:
        pop     %rdi
        /* on to: */
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
        .elseif vec == VEC_PF
        jmp     page_fault_entry
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
