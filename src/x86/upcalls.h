/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The closed list of ways in from below: what the processor's layer calls in
 * the layers under it in the table. Nothing else may.
 */
#ifndef X86_UPCALLS_H
#define X86_UPCALLS_H

struct cpu_user_regs;
struct frame;
struct guest_cpu;
struct spinlock;

/* core/: run this CPU's pending softirqs. May not return (a switch of vCPU). */
void upcall_softirq(void);

/* core/: serve this CPU's pending cross-calls; callable under any lock. */
void upcall_crosscall(void);

/*
 * core/: a lock that `place` wants has not come free for LOCK_WAIT_ROUNDS turns of the waiting loop, `times` times now.
 * Does not return if it will not.
 */
#define LOCK_WAIT_ROUNDS 65536
void upcall_lock_wait(const struct spinlock *l, uint32_t times, const void *place);

/* core/: the machine is lost: print and stop. `regs` may be NULL. */
NORETURN void upcall_panic(struct cpu_user_regs *regs, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* core/: the local APIC timer has fired. */
void upcall_timer(void);

/* boot/: what a CPU without a vCPU does. Never returns except by guest_switch(). */
NORETURN void upcall_idle(void);

/* pv/: an exception or software interrupt in the guest; regs.entry_vector, error_code set. CR2 is in `cr2` for #PF. */
void upcall_guest_exception(struct guest_cpu *g, uint64_t cr2);

/*
 * pv/: a page fault in the hypervisor on an address the guest may have caused:
 * true if the access can be tried again.
 */
bool upcall_fault_in_hv(struct cpu_user_regs *regs, uint64_t cr2);

/* pv/: SYSCALL from guest user mode without a fast path, SYSENTER, 32-bit SYSCALL. */
void upcall_guest_syscall(struct guest_cpu *g);

/* hypercall/: SYSCALL from guest kernel mode: number in RAX. */
void upcall_hypercall(struct guest_cpu *g);
/*
 * Before that, with number and arguments in registers too, and RBX, RBP and R12 to R15 not saved: the result, or
 * -ERESTART if it, or what is left of it, is to go that way; those in quick_hypercalls (x86/guest.c) without them, too.
 */
int64_t upcall_hypercall_quick(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, struct guest_cpu *g,
                               uint64_t number);

/* pv/: before return to the guest when `work` is set or an unmasked event is pending. */
void upcall_before_guest(struct guest_cpu *g);

/* pv/: the return to the guest faulted (bad selector or address in its frame). */
void upcall_guest_return_failed(struct guest_cpu *g, unsigned int vector, uint32_t error_code);

/* pv/: the frame of a SYSCALL could not be written on the guest kernel's stack. */
void upcall_guest_stack_failed(struct guest_cpu *g);

/* platform/: a device's interrupt, to be acknowledged there. */
void upcall_irq(unsigned int vector);

/*
 * core/: `n` frames, free until now, get a new use: flush the CPUs that may
 * hold TLB entries for them (flush_stamp). Any context.
 */
void upcall_frames_reused(struct frame *f, uint64_t n);

/*
 * mem/: the value for CR3 with which the hypervisor sees the address space of guest root `cr3` and all of its own,
 * on this CPU. kernel: which of the two roots of a vCPU that is.
 */
uint64_t upcall_whole_root(uint64_t cr3, bool kernel);

/* core/: an NMI or machine check from the hardware; from_guest: what was interrupted. */
void upcall_nmi(struct cpu_user_regs *regs, bool from_guest);
void upcall_machine_check(struct cpu_user_regs *regs, bool from_guest);

#endif
