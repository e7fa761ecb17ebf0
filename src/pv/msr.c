/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model-specific registers of a PV guest. Few are its own; most of the rest that kernels touch show a constant
 * and take what is written without effect, as on Xen (tests/guest/answers/msrs.c asks for all of them). What is in
 * no list does not exist: #GP.
 *
 * Machine checks: two banks in which nothing is ever found. The hypervisor handles real ones, and tells the
 * first domain by VIRQ_MCA and do_mca; a guest that looks into its banks, as at a save and restore, finds what
 * it may clear and cannot report errors to itself.
 */
#include "core/time.h"
#include "pv/pv.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/msr.h"
#include "x86/spec.h"
#include "x86/uaccess.h"

enum {
    MSR_P5_ADDRESS = 0,
    MSR_P5_TYPE = 1,
    MSR_TSC = 0x10,
    MSR_UCODE_REV = 0x8b,
    MSR_PLATFORM_INFO = 0xce, /* no CPUID faulting */
    MSR_MPERF = 0xe7,
    MSR_APERF = 0xe8,
    MSR_MISC_FEATURES = 0x140,
    MSR_MCG_CTL = 0x17b,
    MSR_MC0_CTL2 = 0x280,
    MSR_MC31_CTL2 = 0x29f,
    MSR_PERF_CAPABILITIES = 0x345,
    MSR_MC31_MISC = 0x47f,
    MSR_XEN = 0x40000000, /* writes the hypercall page */
};

#define BANKS            2    /* that have a control register; the others are there, and empty */
#define MCG_INTEL        (BIT(24) | BIT(11) | BIT(10)) /* software recovery, threshold status, CTL2 */
#define EFER_GUEST       (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)
#define MISC_NOT_OFFERED (BIT(7) | BIT(18))            /* performance monitoring, MONITOR */
#define MISC_ABSENT      (BIT(11) | BIT(12) | BIT(23)) /* says so: branch trace, PEBS, messages of task priority */

/* Registers that show a constant and take anything. */
struct still {
    uint32_t first, last;
    uint64_t value;
};

static const struct still amd_still[] = {
    {0xc0010000, 0xc0010007, 0}, /* performance counters */
    {0xc0010015, 0xc0010015, 0}, /* HWCR */
    {0xc001001f, 0xc001001f, 0}, /* NB_CFG */
    {0xc0010041, 0xc0010042, 0}, /* voltages and frequencies */
    {0xc0010061, 0xc001006b, 0},
    {0xc0010200, 0xc001020b, 0},
    {0xc0011029, 0xc0011029, 2}, /* DE_CFG: LFENCE waits */
};
static const struct still intel_still[] = {
    {0xc1, 0xc8, 0}, {0x186, 0x189, 0}, {0x309, 0x30b, 0}, {0x38d, 0x390, 0}, /* performance counters */
    {0xc001001f, 0xc001001f, 0},
};

static const struct still *find_still(uint32_t msr)
{
    const struct still *s = cpu_features.vendor_amd ? amd_still : intel_still;
    size_t n = cpu_features.vendor_amd ? ARRAY_SIZE(amd_still) : ARRAY_SIZE(intel_still);

    for (; n-- > 0; s++)
        if (msr >= s->first && msr <= s->last)
            return s;
    return NULL;
}

/* Of AMD's that tell where memory is, to whom the machine belongs. */
static bool is_memory_layout(uint32_t msr)
{
    return cpu_features.vendor_amd &&
           (msr == 0xc0010010 || (msr >= 0xc0010016 && msr <= 0xc001001a) || msr == 0xc001001d || msr == 0xc0010112 ||
            msr == 0xc0010113);
}

bool pv_read_msr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    const struct still *still;

    switch (msr) {
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_KERNEL_GS_BASE:
        guest_read_segments(&v->cpu);
        *value = msr == MSR_FS_BASE ? v->cpu.fs_base : msr == MSR_GS_BASE ? v->cpu.gs_base_kernel : v->cpu.gs_base_user;
        return true;
    case MSR_EFER:
        *value = EFER_GUEST;
        return true;
    case MSR_PAT:
    case MSR_TSC:
        *value = rdmsr(msr);
        return true;
    case MSR_UCODE_REV:
        return rdmsr_safe(msr, value) == 0;
    case MSR_MISC_ENABLE:
        if (rdmsr_safe(msr, value))
            return false;
        *value = (*value & ~MISC_NOT_OFFERED) | MISC_ABSENT;
        return true;
    case MSR_APIC_BASE:
        *value = 0xfee00000 | APIC_BASE_ENABLE | (v->id == 0 ? APIC_BASE_BSP : 0);
        return true;
    case MSR_SPEC_CTRL:
        *value = v->cpu.spec_ctrl;
        return spec.guest_ctrl != 0;
    case MSR_TSC_AUX:
        *value = v->cpu.tsc_aux;
        return cpu_features.rdtscp;
    case MSR_MCG_CAP:
        *value = BANKS | (cpu_features.vendor_intel ? MCG_INTEL : 0);
        return true;
    case MSR_MCG_STATUS:
        *value = v->pv->mcg_status;
        return true;
    case MSR_MC0_CTL2:
    case MSR_MC0_CTL2 + 1:
        *value = v->pv->mc_ctl2[msr - MSR_MC0_CTL2];
        return true;
    case MSR_MC0_CTL:
    case MSR_MC0_CTL + 4:
        *value = ~0ull;
        return true;
    case MSR_P5_ADDRESS:
    case MSR_P5_TYPE:
    case MSR_PLATFORM_INFO:
    case MSR_MISC_FEATURES:
    case MSR_MCG_CTL:
    case MSR_PERF_CAPABILITIES:
    case MSR_MC0_CTL + 1 ... MSR_MC0_CTL + 3:
    case MSR_MC0_CTL + 5 ... MSR_MC31_MISC:
    case MSR_MC0_CTL2 + 2 ... MSR_MC31_CTL2:
    case MSR_XEN:
        *value = 0;
        return true;
    default:
        if (is_memory_layout(msr) && v->domain->privileged)
            return rdmsr_safe(msr, value) == 0;
        still = find_still(msr);
        *value = still ? still->value : 0;
        /* A kernel that has no #GP handler yet is not crashed for asking. */
        return still || !v->pv->traps[VEC_GP].address;
    }
}

/* A page of its own that it names by address and index of the page of code, of which there is one. */
static bool write_hypercall_page(struct vcpu *v, uint64_t value)
{
    mfn_t m = paddr_to_mfn(paddr(value));

    if (value & (PAGE_SIZE - 1) || pv_get_frame_and_type(v->domain, m, FRAME_WRITABLE))
        return false;
    pv_fill_hypercall_page(mfn_to_ptr(m));
    pv_put_simple_type(mfn_to_frame(m));
    frame_put(mfn_to_frame(m));
    return true;
}

bool pv_write_msr(struct vcpu *v, uint32_t msr, uint64_t value)
{
    switch (msr) {
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_KERNEL_GS_BASE:
        if (!va_canonical(value))
            return false;
        wrmsr(msr, value);
        return true;
    case MSR_EFER:
        return value == EFER_GUEST;
    case MSR_SPEC_CTRL:
        if (!spec.guest_ctrl || (value & ~spec.guest_ctrl))
            return false;
        guest_set_spec_ctrl(&v->cpu, value);
        return true;
    case MSR_PRED_CMD:
        if (!spec.guest_pred || (value & ~spec.guest_pred))
            return false;
        if (value)
            wrmsr(MSR_PRED_CMD, value);
        return true;
    case MSR_TSC_AUX:
        if (!cpu_features.rdtscp || value > UINT32_MAX)
            return false;
        v->cpu.tsc_aux = (uint32_t)value;
        guest_load_tsc_aux(&v->cpu);
        return true;
    case MSR_MCG_STATUS:
        v->pv->mcg_status = value;
        return true;
    case MSR_MC0_CTL2:
    case MSR_MC0_CTL2 + 1:
        if (cpu_features.vendor_intel)
            v->pv->mc_ctl2[msr - MSR_MC0_CTL2] = value;
        return true;
    case MSR_MISC_FEATURES:
    case MSR_MC0_CTL + 1 ... MSR_MC0_CTL + 3:
    case MSR_MC0_CTL + 5 ... MSR_MC0_CTL + 7:
        return value == 0; /* no CPUID faulting; errors can be cleared */
    case MSR_MPERF:
    case MSR_APERF:
    case MSR_MISC_ENABLE:
    case MSR_MCG_CAP:
    case MSR_MCG_CTL:
    case MSR_MC0_CTL:
    case MSR_MC0_CTL + 4:
    case MSR_MC0_CTL + 8 ... MSR_MC31_MISC:
    case MSR_MC0_CTL2 + 2 ... MSR_MC31_CTL2:
        return true;
    case MSR_XEN:
        return write_hypercall_page(v, value);
    default:
        return find_still(msr) || !v->pv->traps[VEC_GP].address;
    }
}
