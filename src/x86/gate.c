/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A CPU's gate (gate.S): its own TSS leads to the gate's stacks, SYSCALL and SYSENTER to the gate's stubs. */
#include "x86/gate.h"

#include "x86/insn.h"
#include "x86/msr.h"
#include "x86/spec.h"

_Static_assert(sizeof(struct gate_cpu) == GATE_SIZE, "gate.S finds it by this size");

struct gate_cpu gate_cpus[NR_CPUS_MAX] __attribute__((section(".bss.gate"), aligned(4096)));

void gate_init_cpu(uint64_t hv_cr3)
{
    unsigned int cpu = cpu_id();
    struct gate_cpu *gate = &gate_cpus[cpu];
    struct tss *own = desc_tss(cpu);

    if (!spec_on(SPEC_GATE))
        return;
    gate->hv_cr3 = hv_cr3;
    gate->frame_top = (uint64_t)own + offsetof(struct tss, rsp);
    gate->verw = SEL_HV_DS;
    gate->tss.iomap = sizeof(struct tss);
    gate->tss.rsp[0] = (uint64_t)gate->stack_top;
    for (unsigned int i = 0; i < ARRAY_SIZE(gate->ist); i++) {
        gate->ist[i].real_top = own->ist[i];
        gate->tss.ist[i] = (uint64_t)&gate->ist[i].real_top;
    }
    desc_load_tss(&gate->tss);
    wrmsr(MSR_LSTAR, (uint64_t)gate_syscall_stubs[cpu]);
    wrmsr(MSR_CSTAR, (uint64_t)gate_syscall32_stubs[cpu]);
    if (cpu_features.sysenter)
        wrmsr(MSR_SYSENTER_EIP, (uint64_t)gate_sysenter_stubs[cpu]);
}
