/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual CPU as the processor and the entry code see it.
 *
 * The registers of a guest are saved where they stay: the TSS's RSP0 and the
 * SYSCALL stub of the CPU that runs a vCPU point at the top of guest_cpu.regs,
 * so that an entry pushes straight into it, and a change of vCPU moves no
 * registers, it only moves these pointers. The entry code then leaves for the
 * CPU's own stack, with the guest_cpu's address in RBX.
 *
 *   who may touch it: the CPU that runs the vCPU (cpu_local()->guest); or
 *   anyone, when the vCPU is paused and no CPU has it loaded (vcpu_pause_sync).
 *   `work` and what vcpu_info points to: anyone, atomically.
 */
#ifndef X86_GUEST_H
#define X86_GUEST_H

#include "abi/xen.h"
#include "lib/addr.h"
#include "x86/pte.h"

/* guest_cpu.work: reasons to call upcall_before_guest() on the way out. */
#define GUEST_WORK_NMI      BIT(0) /* an NMI is to be delivered */
#define GUEST_WORK_OTHER    BIT(3) /* the layers above have something to do in the guest's address space */
#define GUEST_WORK_FAILSAFE BIT(2) /* a selector could not be loaded: regs.ds..gs say what they were */

/* guest_cpu.flags */
#define GUEST_KERNEL           BIT(0) /* in kernel mode: its kernel root and GS are loaded */
#define GUEST_SYSCALL_MASKS    BIT(1) /* the SYSCALL callback masks events */
#define GUEST_FAILSAFE_MASKS   BIT(2)
#define GUEST_SYSENTER_MASKS   BIT(3)
#define GUEST_SHOWS_IOPL       BIT(4) /* frames hold its IOPL, iret sets it (VMASST_TYPE_architectural_iopl) */
#define GUEST_SYSCALL32_MASKS  BIT(5)
#define GUEST_IN_NMI           BIT(7) /* its NMI handler runs, until iret: no further one */
#define GUEST_USER_TS          BIT(6) /* fpu_taskswitch(1): next FP use raises #NM */

/* By numbers: hypercalls by which no one looks at the registers that C keeps, so that they need not be saved. */
extern const uint64_t quick_hypercalls;

/* A frame to be put on the guest kernel's stack: where it goes next. */
struct guest_bounce {
    uint64_t rip;
    uint32_t error_code;
    bool has_error, masks_events, with_segments; /* with_segments: DS, ES, FS, GS below RCX (failsafe) */
};

struct guest_cpu {
    uint64_t reserve[21];         /* the frame of a fault on the way out (see entry.S) is pushed over regs and here;
                                     &regs.es, where RSP0 points, is 16-byte aligned */
    struct cpu_user_regs regs;    /* ds..gs hold selectors only while not running */
    uint64_t stack_top;           /* of the CPU that runs it: where C runs */
    uint64_t flags;
    uint64_t work;                /* atomic */
    struct vcpu_info *vcpu_info;  /* shared with the guest; never NULL while it can run */

    /* Callbacks and kernel stack (0: not registered). */
    uint64_t kernel_sp, kernel_ss;
    uint64_t page_fault_rip;      /* the handler of vector 14, if it masks events */
    uint64_t syscall_frame, page_fault_frame; /* guest_update_short_ways() */
    uint64_t borrowed_rax, borrowed_rsi;      /* of the guest's, in the short ways of entry_fast.S */
    uint64_t event_rip, failsafe_rip, syscall_rip, syscall32_rip, sysenter_rip, nmi_rip;
    uint16_t event_cs, failsafe_cs, syscall32_cs, sysenter_cs;

    /* Address spaces: values for CR3. cr3_user is 0 until the guest sets one. */
    uint64_t cr3_kernel, cr3_user;

    /* Slots of its root tables through which ring 0 would reach the hypervisor's tables (8 words); NULL: none. [a] */
    const uint64_t *linear_slots;

    /* Segment bases; the CPU's own registers are the truth while it runs. */
    uint64_t fs_base, gs_base_kernel, gs_base_user;

    struct guest_bounce bounce;

    /* Seldom used below. */
    uint64_t gdt_base;            /* linear address of its GDT area (15 pages) */
    pte_t *gdt_pte;               /* the entry that maps page 14 of it */
    uint64_t ldt_base;            /* linear address of its LDT area */
    uint32_t ldt_entries;
    uint32_t iopl;                /* its virtual IOPL, 0..3 */
    uint64_t dr[8];               /* DR0-3, 6, 7 as the guest set them */
    uint64_t cr4;                 /* CR4 while it runs: CR4_GUESTS_OWN are its own choice */
    void *fpu;                    /* XSAVE area, 64-byte aligned, cpu_features.xsave_size bytes */
    uint64_t xcr0;                /* XCR0 while it runs */
    uint32_t tsc_aux;             /* what RDTSCP and RDPID say while it runs */
    int32_t running_on;           /* CPU whose registers hold its state, or -1 */
    bool ibpb_entry;              /* SPEC_IBPB_ENTRY is for its domain */
    uint64_t spec_ctrl;           /* SPEC_CTRL as it set it, of spec.guest_ctrl */
    uint64_t gate_stack;          /* on the way out by gate.S: where its frame is */
} ALIGNED(64);

#define guest_in_kernel(g) (((g)->flags & GUEST_KERNEL) != 0)

/* Value for page 14 of a vCPU's GDT area on each CPU; CR3 of the idle loop. Set by pv_init() and mem_init(). */
extern pte_t guest_gdt_pte[NR_CPUS_MAX];
extern uint64_t guest_idle_cr3;

/* Give `g` the state of a CPU at reset, as a PV guest starts: eager FPU state at its initial values. `fpu` is kept. */
void guest_cpu_init(struct guest_cpu *g);

/*
 * Where entry_fast.S puts the frame of a system call or page fault of user mode on the kernel's stack. 0: it has to
 * go the long way, for there is no handler that masks events, frames show the IOPL, or the stack is not above the
 * hypervisor's addresses. After any change of what this looks at.
 */
static inline void guest_update_short_ways(struct guest_cpu *g)
{
    uint64_t sp = g->kernel_sp & ~0xfULL;
    bool possible = sp - 64 >= HYPERVISOR_VIRT_END && !(g->flags & GUEST_SHOWS_IOPL);

    g->syscall_frame = possible && g->syscall_rip != 0 && (g->flags & GUEST_SYSCALL_MASKS) ? sp - 56 : 0;
    g->page_fault_frame = possible && g->page_fault_rip != 0 ? sp - 64 : 0;
}

/*
 * Make `next` (NULL: idle) what this CPU runs: store what the previous guest
 * has in registers, load what differs. Does not return: it continues at the
 * way out to the guest, or at upcall_idle(), on an empty stack.
 */
NORETURN void guest_switch(struct guest_cpu *next);

/*
 * Store into guest_cpu what this CPU still holds in registers for the guest it
 * ran last and forget that guest (and leave its page tables). Used when another
 * CPU wants to run it or it is destroyed.
 */
void guest_unload_local(void);

/* The running guest changes mode: swap GS bases, load the other root. */
void guest_toggle_mode(struct guest_cpu *g);

/* Value for SPEC_CTRL of the running guest, to be in the register while it runs. */
void guest_set_spec_ctrl(struct guest_cpu *g, uint64_t value);

/* Load the running guest's current root again after cr3_kernel or cr3_user changed (flushes its TLB entries). */
void guest_load_cr3(struct guest_cpu *g);

/* Copy live segment bases and selectors of the running guest into *g / from *g. */
void guest_read_segments(struct guest_cpu *g);
void guest_load_segments(struct guest_cpu *g); /* a bad selector becomes null and sets GUEST_WORK_FAILSAFE */

/* The running guest's GS base that is not in use: in kernel mode, its user mode's. */
uint64_t guest_read_other_gs(void);

/* Load selector `sel` into the GS of the running guest's user mode (SEGBASE_GS_USER_SEL); a bad one becomes null. */
void guest_load_user_gs(struct guest_cpu *g, uint16_t sel);

/* The running guest's CR4 from g->cr4. */
void guest_load_cr4(struct guest_cpu *g);

/* Live debug registers of the running guest from g->dr. */
void guest_load_debug(struct guest_cpu *g);
void guest_load_tsc_aux(const struct guest_cpu *g); /* if the processor has RDTSCP */

/*
 * Build on the guest kernel's stack the frame that g->bounce describes and
 * continue the guest at the handler. 0, or -EFAULT when the stack cannot be
 * written or -EINVAL when the handler's address is not canonical: the caller
 * crashes the domain.
 */
int guest_deliver_bounce(struct guest_cpu *g);

#endif
