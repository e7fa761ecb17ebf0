/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions and interrupts after entry.S has saved the registers.
 *
 * What comes from a guest goes up to pv/. What comes from the hypervisor is an
 * interrupt in one of its windows, a fault on a guest's address for which the
 * instruction has an entry in the exception table, or a bug.
 */
#include "x86/trap.h"

#include "x86/counters.h"
#include "x86/insn.h"
#include "x86/irq.h"
#include "x86/lapic.h"
#include "x86/msr.h"
#include "x86/upcalls.h"

struct ex_entry { int32_t from, to; };
extern const struct ex_entry ex_table_start[], ex_table_end[];

static irq_handler_t *irq_handler[256];

void irq_set_handler(unsigned int vector, irq_handler_t *handler)
{
    irq_handler[vector & 255] = handler;
}

static void handle_irq(unsigned int vector)
{
    count(COUNT_INTERRUPTS);
    switch (vector) {
    case VEC_TIMER:
        lapic_eoi();
        upcall_timer();
        return;
    case VEC_CROSSCALL:
        lapic_eoi();
        upcall_crosscall();
        return;
    case VEC_WAKE: /* its purpose is fulfilled: this CPU is in the hypervisor */
    case VEC_ERROR:
        lapic_eoi();
        return;
    case VEC_SPURIOUS: /* no EOI: Intel SDM vol. 3A, 11.9 */
        return;
    }
    if (vector < VEC_CONSOLE) /* a masked 8259's spurious interrupt */
        return;
    if (!irq_handler[vector]) {
        upcall_irq(vector);
        return;
    }
    irq_handler[vector](vector);
    lapic_eoi();
}

void trap_from_guest(struct guest_cpu *g)
{
    unsigned int vector = g->regs.entry_vector;

    if (vector >= VEC_FIRST_IRQ && vector != VEC_INT80)
        handle_irq(vector);
    else
        upcall_guest_exception(g, vector == VEC_PF ? read_cr2() : 0);
}

/* The table is short and small faults are rare: a linear search. */
static bool fixup(struct cpu_user_regs *regs)
{
    for (const struct ex_entry *e = ex_table_start; e < ex_table_end; e++) {
        if ((uint64_t)&e->from + (uint64_t)(int64_t)e->from == regs->rip) {
            regs->rip = (uint64_t)&e->to + (uint64_t)(int64_t)e->to;
            return true;
        }
    }
    return false;
}

void trap_in_hv(struct cpu_user_regs *regs)
{
    unsigned int vector = regs->entry_vector;
    uint64_t cr2 = 0;

    if (vector >= VEC_FIRST_IRQ) {
        handle_irq(vector);
        return;
    }
    if (vector == VEC_PF) {
        cr2 = read_cr2();
        if (cpu_local()->guest && upcall_fault_in_hv(regs, cr2))
            return;
    }
    if (fixup(regs))
        return;
    upcall_panic(regs, "exception %u in the hypervisor, error code %#x, address %#lx", vector,
                 regs->error_code, (unsigned long)cr2);
}

void trap_on_ist(struct cpu_user_regs *regs)
{
    bool from_guest = (regs->cs & 3) != 0;

    if (regs->entry_vector == VEC_NMI)
        upcall_nmi(regs, from_guest);
    else if (regs->entry_vector == VEC_MC)
        upcall_machine_check(regs, from_guest);
    else
        upcall_panic(regs, "double fault, stack pointer %#lx, address %#lx", (unsigned long)regs->rsp,
                     (unsigned long)read_cr2());
}

/*
 * A watchpoint of a guest hit while the hypervisor touched that address, or
 * one that was held back by MOV SS until after SYSCALL. The hypervisor does
 * not report it: the guest cannot tell when we touch its memory.
 */
void trap_debug_in_hv(struct cpu_user_regs *regs)
{
    write_dr6(0xffff0ff0);
    regs->rflags &= ~(uint64_t)EFLAGS_TF;
}
