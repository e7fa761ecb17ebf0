/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPU we run on. Its struct cpu_local lies at the top of its stack block,
 * so it is found from the stack pointer alone: no segment base is ours while a
 * guest owns FS and GS.
 */
#ifndef X86_CPU_H
#define X86_CPU_H

#include "x86/desc.h"

struct guest_cpu;
struct spinlock;

#define LOCKS_HELD_MAX 8

struct cpu_local {
    uint32_t id;                /* 0 .. cpus_online()-1 */
    uint32_t apic_id;
    struct guest_cpu *guest;    /* runs or is about to run here; NULL: the idle loop */
    uint64_t softirq_pending;   /* bits of enum softirq; set by this CPU or, with a wake IPI, by others */
    uint32_t crosscall_pending; /* core/crosscall */
    uint32_t locks_held;
    const struct spinlock *held[LOCKS_HELD_MAX]; /* debug: in the order taken */
};

/* What the CPUs have (the boot CPU's answer; the others must agree or are not started). */
struct cpu_features {
    uint32_t vendor_intel : 1, vendor_amd : 1, x2apic : 1, xsave : 1, xsavec : 1, xsaveopt : 1, xsaves : 1,
        fsgsbase : 1, smep : 1, smap : 1, umip : 1, pge : 1, page1gb : 1, rdtscp : 1, pcid : 1, tsc_deadline : 1,
        tsc_constant : 1, syscall32 : 1, sysenter : 1, arat : 1, mwait : 1;
    uint32_t max_leaf, max_ext_leaf;
    uint32_t family, model, stepping;
    uint8_t phys_bits, virt_bits;
    uint64_t xcr0;        /* every component that is supported and offered to guests */
    uint32_t xsave_size;  /* bytes for xcr0, standard format */
};
extern struct cpu_features cpu_features;

#ifdef HOSPES_FAKE
struct cpu_local *cpu_local(void);
#else
static inline struct cpu_local *cpu_local(void)
{
    uintptr_t sp;

    __asm__("mov %%rsp, %0" : "=r"(sp));
    return (struct cpu_local *)((sp & ~(uintptr_t)(CPU_BLOCK_SIZE - 1)) + CPU_LOCAL_OFFSET);
}
#endif

static inline unsigned int cpu_id(void) { return cpu_local()->id; }

/* Number of CPUs that were started, and the mask of those in use (bit n: CPU n). Set by boot/, then core/crosscall. */
extern uint64_t cpus_online_mask;
extern unsigned int cpus_online;

/* Each online CPU's local APIC id, and (for reports) its cpu_local. */
extern uint32_t cpu_apic_id[NR_CPUS_MAX];
extern const struct cpu_local *cpu_locals[NR_CPUS_MAX];

/* Fill cpu_features from CPUID. Boot CPU, before anything else of x86/. */
void cpu_identify(void);

/* Set CR0, CR4, EFER, PAT and XCR0 of this CPU to what the hypervisor runs with. */
void cpu_init_control(void);

#endif
