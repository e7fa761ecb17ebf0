/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID for a PV guest: what its policy says (policy.h), with what is the
 * vCPU's own; and the leaves of the hypervisor.
 */
#include "pv/policy.h"
#include "pv/pv.h"
#include "x86/cpu.h"
#include "x86/msr.h"

#include <xen/arch-x86/cpuid.h>

#define BIT_1C_OSXSAVE    (1u << 27)
#define BIT_1C_XSAVE      (1u << 26)

#define XEN_LEAVES 0x40000000u

static void xen_leaf(struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    struct time_base base;

    r[0] = r[1] = r[2] = r[3] = 0;
    switch (leaf - XEN_LEAVES) {
    case 0:
        r[0] = XEN_LEAVES + XEN_CPUID_MAX_NUM_LEAVES;
        r[1] = XEN_CPUID_SIGNATURE_EBX;
        r[2] = XEN_CPUID_SIGNATURE_ECX;
        r[3] = XEN_CPUID_SIGNATURE_EDX;
        return;
    case 1:
        r[0] = XEN_VERSION_MAJOR << 16 | XEN_VERSION_MINOR;
        return;
    case 2:
        r[0] = 1;
        r[1] = XEN_LEAVES; /* MSR base */
        r[2] = XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD;
        return;
    case 3:
        time_get_base(&base);
        if (sub == 0) {
            r[0] = (time_tsc_stable() ? 2u : 0) | (cpu_features.rdtscp ? 4u : 0);
            r[2] = (uint32_t)time_tsc_khz();
        } else if (sub == 1) {
            r[2] = base.mul;
            r[3] = (uint32_t)(int32_t)base.shift;
        } else if (sub == 2) {
            r[0] = (uint32_t)time_tsc_khz();
        }
        return;
    case 5:
        if (sub == 0)
            r[1] = cpu_features.phys_bits;
        return;
    }
}

void pv_cpuid(struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    if (leaf >= XEN_LEAVES && leaf < XEN_LEAVES + 0x100) {
        xen_leaf(v, leaf, sub, r);
        return;
    }
    if (!policy_cpuid(v->domain, leaf, sub, r))
        r[0] = r[1] = r[2] = r[3] = 0;
    if (leaf != 1)
        return;
    /* A kernel sees what CR4 really is: Linux takes it for XSAVE's being there, long before it sets it itself. */
    if ((r[2] & BIT_1C_XSAVE) && (guest_in_kernel(&v->cpu) || (v->pv->cr4_guest & CR4_OSXSAVE)))
        r[2] |= BIT_1C_OSXSAVE;
    /* The APIC id is the vCPU's place, as Xen numbers them. */
    r[1] = (r[1] & 0x0000ff00) | (v->domain->max_vcpus & 0xff) << 16 | (v->id * 2) << 24;
}
