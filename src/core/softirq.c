/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Softirqs: a word of pending bits for each CPU, in cpu_local, where the
 * way out to the guest looks at it.
 */
#include "core/softirq.h"

#include "core/panic.h"
#include "lib/bitmap.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/lapic.h"
#include "x86/upcalls.h"

/* In the word of a CPU that rests and watches it: it sees what is raised without an interrupt. */
#define WATCHING BIT(63)

static void (*handler[SOFTIRQ_COUNT])(void);
static uint64_t *pending_of[NR_CPUS_MAX]; /* set when a CPU first raises or is initialised */

void softirq_set_handler(enum softirq nr, void (*fn)(void))
{
    handler[nr] = fn;
}

void softirq_init_cpu(void)
{
    atomic_store(&pending_of[cpu_id()], &cpu_local()->softirq_pending);
}

void softirq_raise(enum softirq nr)
{
    atomic_or(&cpu_local()->softirq_pending, BIT(nr));
}

void softirq_raise_cpu(unsigned int cpu, enum softirq nr)
{
    uint64_t *pending = atomic_load(&pending_of[cpu]);

    if (!pending)
        return;
    /* If something was pending already, the CPU is on its way to look, or has been woken. */
    if (atomic_or(pending, BIT(nr)) == 0 && cpu != cpu_id())
        lapic_send_ipi(cpu_apic_id[cpu], VEC_WAKE);
}

bool softirq_is_pending(void)
{
    return (READ_ONCE(cpu_local()->softirq_pending) & ~WATCHING) != 0;
}

bool preempt_pending(void)
{
    irq_window();
    return softirq_is_pending();
}

void softirq_rest(void)
{
    uint64_t *pending = &cpu_local()->softirq_pending;

    if (!cpu_features.mwait) {
        irq_wait();
        return;
    }
    atomic_or(pending, WATCHING);
    irq_monitor(pending);
    if (!softirq_is_pending())
        irq_mwait();
    atomic_and(pending, ~WATCHING);
}

/*
 * Rounds, in each of which every kind has its turn once: one that raises
 * itself again does not keep SCHEDULE waiting.
 */
void upcall_softirq(void)
{
    uint64_t *pending = &cpu_local()->softirq_pending;
    uint64_t todo;

    while ((todo = atomic_load(pending)) != 0) {
        for (; todo != 0; todo &= todo - 1) {
            unsigned int nr = bit_lowest(todo);

            atomic_and(pending, ~BIT(nr));
            if (nr < SOFTIRQ_COUNT && handler[nr])
                handler[nr]();
        }
    }
}
