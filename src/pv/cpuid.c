/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID for a PV guest: the processor's answer, less what a PV guest cannot
 * have. The masks are the bits that <xen/arch-x86/cpufeatureset.h> marks 'A'
 * (all kinds of guest), word by word in the order given there, less those for
 * speculation control, whose registers a PV guest does not get.
 */
#include "pv/pv.h"
#include "x86/insn.h"
#include "x86/msr.h"

#include <xen/arch-x86/cpuid.h>

#define PV_1D   0x1fc9cbf5u
#define PV_1C   0xf6d83203u
#define PV_E1D  0xea500800u
#define PV_E1C  0x042109e3u
#define PV_DA1  0x00000007u
#define PV_7B0  0xfdaf0b29u
#define PV_7C0  0x02405f43u
#define PV_7D0  0x0000401cu
#define PV_E8B  0x00000005u
#define PV_7A1  0x00001c30u
#define PV_E21A 0x00000044u

#define BIT_1C_OSXSAVE    (1u << 27)
#define BIT_1C_HYPERVISOR (1u << 31)
#define BIT_1D_APIC       (1u << 9)
#define BIT_E7D_ITSC      (1u << 8)

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

static void basic_leaf(struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    switch (leaf) {
    case 1:
        r[2] = (r[2] & PV_1C) | BIT_1C_HYPERVISOR;
        if ((r[2] & (1u << 26)) && (v->pv->cr4_guest & CR4_OSXSAVE))
            r[2] |= BIT_1C_OSXSAVE;
        r[3] &= PV_1D;
        /* The APIC id is the vCPU's place, as Xen numbers them. */
        r[1] = (r[1] & 0x0000ff00) | (v->domain->max_vcpus & 0xff) << 16 | (v->id * 2) << 24;
        return;
    case 2:
    case 4:
    case 0:
        return;
    case 7:
        if (sub == 0) {
            r[1] &= PV_7B0;
            r[2] &= PV_7C0;
            r[3] &= PV_7D0;
        } else if (sub == 1) {
            r[0] &= PV_7A1;
            r[1] = r[2] = r[3] = 0;
        }
        return;
    case 13:
        if (sub == 0) {
            r[0] &= (uint32_t)cpu_features.xcr0;
            r[2] = cpu_features.xsave_size;
            r[3] &= (uint32_t)(cpu_features.xcr0 >> 32);
        } else if (sub == 1) {
            r[0] &= PV_DA1;
            r[2] = r[3] = 0;
        } else if (sub > 62 || !(cpu_features.xcr0 & BIT(sub))) {
            r[0] = r[1] = r[2] = r[3] = 0;
        }
        return;
    default: /* power, performance counters, topology by APIC ids: not a guest's */
        r[0] = r[1] = r[2] = r[3] = 0;
    }
}

static void extended_leaf(struct vcpu *v, uint32_t leaf, uint32_t r[4])
{
    switch (leaf & 0xff) {
    case 1:
        r[2] &= PV_E1C;
        r[3] = (r[3] & PV_E1D) | (cpu_features.vendor_amd ? 0x0183f3ffu & r[3] & PV_1D : 0);
        return;
    case 7:
        r[0] = r[1] = r[2] = 0;
        r[3] &= BIT_E7D_ITSC;
        return;
    case 8:
        r[1] &= PV_E8B;
        r[2] = r[3] = 0;
        return;
    case 0x21:
        r[0] &= PV_E21A;
        r[1] = r[2] = r[3] = 0;
        return;
    case 0: case 2: case 3: case 4: case 5: case 6:
        return;
    default:
        r[0] = r[1] = r[2] = r[3] = 0;
    }
}

void pv_cpuid(struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    if (leaf >= XEN_LEAVES && leaf < XEN_LEAVES + 0x100) {
        xen_leaf(v, leaf, sub, r);
        return;
    }
    cpuid_count(leaf, sub, r);
    if (leaf < 0x80000000 && leaf <= cpu_features.max_leaf)
        basic_leaf(v, leaf, sub, r);
    else if (leaf >= 0x80000000 && leaf <= cpu_features.max_ext_leaf)
        extended_leaf(v, leaf, r);
    else
        r[0] = r[1] = r[2] = r[3] = 0;
}
