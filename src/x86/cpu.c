/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the processor has (Intel SDM vol. 2A CPUID, AMD APM vol. 3 app. E), and the control registers we run with. */
#include "x86/cpu.h"

#include "x86/counters.h"
#include "x86/insn.h"
#include "x86/msr.h"

struct cpu_features cpu_features;
uint64_t cpus_online_mask;
unsigned int cpus_online;
uint32_t cpu_apic_id[NR_CPUS_MAX];
const struct cpu_local *cpu_locals[NR_CPUS_MAX];
uint64_t counters[NR_CPUS_MAX][16] ALIGNED(64);

static void identify_vendor_and_model(struct cpu_features *f)
{
    uint32_t r[4];
    uint32_t family, model;

    cpuid_count(0, 0, r);
    f->max_leaf = r[0];
    f->vendor_intel = r[1] == 0x756e6547;                        /* "Genu" */
    f->vendor_amd = r[1] == 0x68747541 || r[1] == 0x6f677948;    /* "Auth", "Hygo" */
    cpuid_count(1, 0, r);
    family = (r[0] >> 8) & 15;
    model = (r[0] >> 4) & 15;
    f->stepping = r[0] & 15;
    if (family == 15 || (family == 6 && f->vendor_intel))
        model |= ((r[0] >> 16) & 15) << 4;
    if (family == 15)
        family += (r[0] >> 20) & 255;
    f->family = family;
    f->model = model;
}

/* XCR0: x87, SSE, AVX, AVX-512 (its three together). What else there is stays off: no PV guest has protection keys. */
static void identify_xsave(struct cpu_features *f)
{
    uint32_t r[4];
    uint64_t have;

    cpuid_count(13, 0, r);
    have = r[0] | ((uint64_t)r[3] << 32);
    f->xcr0 = have & 7;
    if ((have & 0xe0) == 0xe0 && (have & 4))
        f->xcr0 |= 0xe0;
    cpuid_count(13, 1, r);
    f->xsaveopt = r[0] & 1;
    f->xsavec = (r[0] >> 1) & 1;
    f->xsaves = (r[0] >> 3) & 1;
    /* The standard format's size for these components: the end of the furthest one. */
    f->xsave_size = 576;
    for (uint32_t i = 2; i < 63; i++) {
        if (!(f->xcr0 & BIT(i)))
            continue;
        cpuid_count(13, i, r);
        f->xsave_size = MAX(f->xsave_size, r[0] + r[1]);
    }
}

/*
 * Is resting by MWAIT better than HLT? Only if there is a light sleep state behind it (emulators have the
 * instruction and spin) and writes wake it: these models of Intel's miss some.
 */
static bool mwait_is_useful(const struct cpu_features *f, uint32_t features)
{
    static const uint8_t deaf[] = {0x1d, 0x2e, 0x2f, 0x5c, 0xbd};
    uint32_t r[4];

    if (!(features & BIT(3)) || f->max_leaf < 5)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(deaf); i++)
        if (f->vendor_intel && f->family == 6 && f->model == deaf[i])
            return false;
    cpuid_count(5, 0, r);
    return (r[1] & 0xffff) != 0 && (r[3] & 0xf0) != 0;
}

void cpu_identify(void)
{
    struct cpu_features *f = &cpu_features;
    uint32_t r[4];

    identify_vendor_and_model(f);
    cpuid_count(1, 0, r);
    f->x2apic = (r[2] >> 21) & 1;
    f->tsc_deadline = (r[2] >> 24) & 1;
    /* Virtual ones, and Intel's since these models (SDM vol. 3B, 17.17). */
    f->tsc_constant = r[2] >> 31 || (f->vendor_intel && (f->family == 15 ? f->model >= 3 : f->model >= 14));
    f->xsave = (r[2] >> 26) & 1;
    f->mwait = mwait_is_useful(f, r[2]);
    f->sysenter = (r[3] >> 11) & 1;
    f->pge = (r[3] >> 13) & 1;
    f->pcid = (r[2] >> 17) & 1;
    if (f->max_leaf >= 6) {
        cpuid_count(6, 0, r);
        f->arat = (r[0] >> 2) & 1;
    }
    if (f->max_leaf >= 7) {
        cpuid_count(7, 0, r);
        f->fsgsbase = r[1] & 1;
        f->smep = (r[1] >> 7) & 1;
        f->smap = (r[1] >> 20) & 1;
        f->umip = (r[2] >> 2) & 1;
    }
    f->xsave_size = 512;
    if (f->xsave && f->max_leaf >= 13)
        identify_xsave(f);
    cpuid_count(0x80000000, 0, r);
    f->max_ext_leaf = r[0];
    f->phys_bits = 36;
    f->virt_bits = 48;
    cpuid_count(0x80000001, 0, r);
    f->page1gb = (r[3] >> 26) & 1;
    f->rdtscp = (r[3] >> 27) & 1;
    f->syscall32 = f->vendor_amd;
    if (f->max_ext_leaf >= 0x80000007) {
        cpuid_count(0x80000007, 0, r);
        f->tsc_constant |= (r[3] >> 8) & 1;
    }
    if (f->max_ext_leaf >= 0x80000008) {
        cpuid_count(0x80000008, 0, r);
        f->phys_bits = (uint8_t)r[0];
        f->virt_bits = (uint8_t)(r[0] >> 8);
    }
}

void cpu_init_control(void)
{
    uint64_t cr4 = CR4_PAE | CR4_MCE | CR4_DE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    if (cpu_features.pge)
        cr4 |= CR4_PGE;
    if (cpu_features.smep)
        cr4 |= CR4_SMEP;
    if (cpu_features.xsave)
        cr4 |= CR4_OSXSAVE;
    write_cr4(cr4);
    write_cr0(CR0_PG | CR0_AM | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
    /* The PAT that the interface promises: WB, WT, UC-, UC, WC, WP, UC, UC (as Xen's, Linux' xen_init_pat reads it). */
    wrmsr(MSR_PAT, 0x050100070406ULL);
    if (cpu_features.xsave)
        xsetbv(0, cpu_features.xcr0);
}
