/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guarded way in and out of guests (gate.S), on processors on which something has to be done there. A CPU's
 * part of it is what its guests' page tables show of the hypervisor's data, so it holds nothing but what follows.
 */
#ifndef X86_GATE_H
#define X86_GATE_H

#define GATE_SIZE 1024

#ifndef __ASSEMBLY__
#include "x86/cpu.h"

/* A stack just for the way to another one. */
struct gate_stack {
    uint64_t words[18];
    uint64_t real_top; /* where the handler's stack begins; the processor pushes from here downward */
    uint64_t pad;
};

struct gate_cpu {
    uint64_t entry_cr3, exit_cr3; /* for the hypervisor, and for the guest that is loaded in the mode in which it is */
    uint64_t hv_cr3;
    uint64_t frame_top;           /* where the top of guest_cpu.regs is noted: the CPU's own TSS */
    uint64_t scratch;             /* RSP at SYSCALL */
    uint64_t verw;                /* a selector */
    uint64_t pad[2];
    struct tss tss;
    uint64_t stack[24] ALIGNED(32), stack_top[0];
    struct gate_stack ist[4];
} ALIGNED(GATE_SIZE);
extern struct gate_cpu gate_cpus[NR_CPUS_MAX];

/* Make this CPU enter by its gate, if spec says so. After desc_init_cpu(). hv_cr3: a root without a guest. */
void gate_init_cpu(uint64_t hv_cr3);

extern const char gate_syscall_stubs[NR_CPUS_MAX][32], gate_syscall32_stubs[NR_CPUS_MAX][32],
    gate_sysenter_stubs[NR_CPUS_MAX][32];
/* Overwrite the return-address predictor. */
void gate_overwrite_rsb(void);
/* guest.c's part of loading a root. */
void guest_load_root(uint64_t cr3);
#endif

#endif
