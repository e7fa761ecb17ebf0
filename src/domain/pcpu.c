/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking CPUs of the machine out of use and back into it.
 *
 * A CPU that is to go leaves its pool, so that the scheduler sends its vCPUs elsewhere. Then, in a softirq of
 * its own, with nothing to run, it gives up the registers and page tables of the vCPU that it ran last, its
 * interrupts and its timers, leaves the mask of CPUs that others call, and rests with interrupts enabled: an
 * interrupt or a cross-call that was on its way is still served. It comes back by one interrupt, flushes what
 * its TLB has missed, and goes into the pool that it came from.
 *
 * The boot CPU stays: the deferred work, the console and the reference clock are its own.
 */
#include "domain/pcpu.h"

#include "abi/errno.h"
#include "core/crosscall.h"
#include "core/log.h"
#include "core/softirq.h"
#include "core/timer.h"
#include "domain/vcpu.h"
#include "platform/irq.h"
#include "sched/sched.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/lapic.h"
#include "x86/upcalls.h"

#define REFUGE 0 /* the CPU that takes over timers and interrupts */

enum stage { PCPU_UP, PCPU_LEAVING, PCPU_PARKED, PCPU_RETURNING };

static uint32_t stages[NR_CPUS_MAX]; /* [atomic] enum stage */
static uint32_t home[NR_CPUS_MAX];   /* [changing] the pool that it was in, or SCHED_POOL_ANY: none */
static uint32_t changing;            /* [atomic] one change at a time */

static void park(void)
{
    unsigned int cpu = cpu_id();

    if (atomic_load(&stages[cpu]) != PCPU_LEAVING)
        return;
    vcpu_leave_cpu();
    irq_leave_cpu(cpu);
    crosscall_set_online(false);
    timer_leave_cpu(REFUGE);
    atomic_store(&stages[cpu], PCPU_PARKED);
    while (atomic_load(&stages[cpu]) == PCPU_PARKED)
        irq_wait();
    /* In this order: from now on it is told of every flush, and what it has missed is gone afterwards. */
    crosscall_set_online(true);
    tlb_flush_global(BIT(cpu));
    time_join_cpu();
    atomic_store(&stages[cpu], PCPU_UP);
}

void pcpu_init(void)
{
    softirq_set_handler(SOFTIRQ_PARK, park);
}

static void wait_for(uint32_t cpu, enum stage stage)
{
    while (atomic_load(&stages[cpu]) != stage) {
        upcall_crosscall();
        cpu_relax();
    }
}

/* Out of its pool. While it is leaving, the pool's mask has it no more: where it was is known from the first try. */
static int leave_pool(uint32_t cpu)
{
    struct sched_pool_info info;
    uint32_t id = 0;
    int ret;

    if (sched_free_cpus() & BIT(cpu)) {
        home[cpu] = SCHED_POOL_ANY;
        return 0;
    }
    for (; sched_pool_get_info(id, true, &info) == 0; id = info.id + 1) {
        if (info.cpus & BIT(cpu)) {
            home[cpu] = info.id;
            break;
        }
    }
    ret = sched_pool_remove_cpu(home[cpu], cpu);
    return ret == -ENODEV ? -EBUSY : ret; /* somebody else has moved it meanwhile */
}

static int take_offline(uint32_t cpu)
{
    int ret = leave_pool(cpu);

    if (ret)
        return ret;
    atomic_store(&stages[cpu], PCPU_LEAVING);
    softirq_raise_cpu(cpu, SOFTIRQ_PARK);
    wait_for(cpu, PCPU_PARKED);
    log_info("CPU %u: offline", cpu);
    domain_tell_handler(VIRQ_PCPU_STATE);
    return 0;
}

static void bring_online(uint32_t cpu)
{
    atomic_store(&stages[cpu], PCPU_RETURNING);
    lapic_send_ipi(cpu_apic_id[cpu], VEC_WAKE);
    wait_for(cpu, PCPU_UP);
    time_check_tsc();
    if (home[cpu] != SCHED_POOL_ANY && sched_pool_add_cpu(home[cpu], cpu) == -ENOENT)
        (void)sched_pool_add_cpu(0, cpu);
    log_info("CPU %u: online", cpu);
    domain_tell_handler(VIRQ_PCPU_STATE);
}

static bool is_online(uint32_t cpu)
{
    return READ_ONCE(cpus_online_mask) & BIT(cpu);
}

int pcpu_offline(uint32_t cpu)
{
    int ret = 0;

    if (cpu >= cpus_online)
        return -EINVAL;
    if (cpu == REFUGE)
        return -EOPNOTSUPP;
    if (atomic_xchg(&changing, 1u))
        return -EBUSY;
    if (is_online(cpu))
        ret = take_offline(cpu);
    atomic_store(&changing, 0u);
    return ret;
}

int pcpu_online(uint32_t cpu)
{
    if (cpu >= cpus_online)
        return -EINVAL;
    if (atomic_xchg(&changing, 1u))
        return -EBUSY;
    if (!is_online(cpu))
        bring_online(cpu);
    atomic_store(&changing, 0u);
    return 0;
}
