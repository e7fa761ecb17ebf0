/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a CPU has done how often, since boot. Each CPU counts in a line of its own; the sum over CPUs is
 * right to within what happens while it is taken. The assembly paths of system calls and iret count nothing:
 * they load CR3 twice for each system call.
 */
#ifndef X86_COUNTERS_H
#define X86_COUNTERS_H

#include "x86/cpu.h"

enum counter {
    COUNT_SWITCHES,       /* from one vCPU to another */
    COUNT_CR3_LOADS,
    COUNT_CR4_LOADS,
    COUNT_TLB_FLUSHES,    /* of everything that is not global */
    COUNT_PAGE_FLUSHES,   /* INVLPG */
    COUNT_IPIS_WAKE,      /* sent */
    COUNT_IPIS_CROSSCALL,
    COUNT_IPIS_OTHER,
    COUNT_TIMER_SETS,     /* the local APIC's */
    COUNT_INTERRUPTS,
    COUNTERS
};

extern uint64_t counters[NR_CPUS_MAX][16];

static inline void count(enum counter c)
{
    counters[cpu_id()][c]++;
}

#endif
