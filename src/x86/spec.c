/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which processor leaks what, and what is done about it.
 *
 * Newer processors say themselves what they do not do (the _NO bits); of those
 * that were made before the question arose, the model tells. Sources: Intel's
 * list of affected processors and its guidance on each of the weaknesses, AMD's
 * "Software techniques for managing speculation", Xen's command-line manual
 * for what is done by default.
 */
#include "x86/spec.h"

#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/msr.h"

struct spec spec;

static bool one_of(uint32_t model, const uint8_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == model)
            return true;
    return false;
}
#define IS_ONE_OF(f, list) one_of((f)->model, list, ARRAY_SIZE(list))

/* Models of Intel's family 6. */
static const uint8_t in_order[] = {0x1c, 0x26, 0x27, 0x35, 0x36}; /* the first Atoms do not speculate */
static const uint8_t no_l1tf[] = {0x37, 0x4a, 0x4c, 0x4d, 0x57, 0x5a, 0x5c, 0x5f, 0x75, 0x7a, 0x85, 0x86, 0x96, 0x9c};
static const uint8_t no_mds[] = {0x5c, 0x5f, 0x75, 0x7a, 0x86, 0x96, 0x9c};
/* An empty return stack is filled from the indirect predictor, so retpolines do not hold: Skylake and later. */
static const uint8_t not_retpoline[] = {0x4e, 0x55, 0x5e, 0x66, 0x67, 0x8e, 0x9e, 0xa5, 0xa6,
                                        0x6a, 0x6c, 0x7d, 0x7e, 0x8c, 0x8d, 0xa7};
/* Indirect jumps and returns in the lower half of a line go where an attacker wants: from which stepping on. */
static const struct { uint8_t model, stepping; } its[] = {
    {0x55, 6}, {0x8e, 12}, {0x9e, 13}, {0x6a, 0}, {0x6c, 0}, {0x7e, 0}, {0x8c, 0}, {0x8d, 0}, {0xa5, 0}, {0xa6, 0},
    {0xa7, 0},
};

struct spec_facts spec_read_facts(void)
{
    const struct cpu_features *c = &cpu_features;
    struct spec_facts f = {
        .intel = c->vendor_intel, .amd = c->vendor_amd, .smep = c->smep,
        .family = c->family, .model = c->model, .stepping = c->stepping, .phys_bits = c->phys_bits,
    };
    uint32_t r[4];

    cpuid_count(1, 0, r);
    if (r[2] >> 31) {
        cpuid_count(0x40000000, 0, r);
        f.emulator = r[1] == 0x54474354; /* "TCGTCGTCGTCG" */
    }
    if (c->max_leaf >= 7) {
        cpuid_count(7, 0, r);
        f.rtm = r[1] & BIT(11);
        f.d7 = r[3];
        if (r[0] >= 2) {
            cpuid_count(7, 2, r);
            f.d72 = r[3];
        }
    }
    if (c->max_ext_leaf >= 0x80000008) {
        cpuid_count(0x80000008, 0, r);
        f.b8 = r[1];
    }
    if (c->max_ext_leaf >= 0x80000021) {
        cpuid_count(0x80000021, 0, r);
        f.a21 = r[0];
    }
    if (f.d7 & D7_ARCH_CAPS)
        f.arch_caps = rdmsr(MSR_ARCH_CAPABILITIES);
    return f;
}

static bool has_its(const struct spec_facts *f)
{
    for (size_t i = 0; i < ARRAY_SIZE(its); i++)
        if (f->intel && f->family == 6 && its[i].model == f->model && f->stepping >= its[i].stepping)
            return !(f->arch_caps & CAPS_ITS_NO) && !(f->d72 & D72_BHI_CTRL);
    return false;
}

static void find_weaknesses(struct spec *s)
{
    const struct spec_facts *f = &s->facts;
    bool old_intel = f->intel && f->family == 6 && !IS_ONE_OF(f, in_order);

    /* "False on hardware known not to be vulnerable, true everywhere else" */
    s->meltdown = !f->amd && !(f->arch_caps & CAPS_RDCL_NO) && (!f->intel || old_intel);
    s->l1tf = old_intel && !(f->arch_caps & CAPS_RDCL_NO) && !IS_ONE_OF(f, no_l1tf);
    s->mds = old_intel && !(f->arch_caps & CAPS_MDS_NO) && !IS_ONE_OF(f, no_mds);
    /* The cache looks at so many bits of an absent entry's address; from here on no memory answers to it. */
    s->l1tf_safe = BIT(MIN(f->phys_bits, SPEC_L1D_BITS - 1));
    s->ibrs_stays = f->amd ? f->a21 & A21_AUTO_IBRS : f->d7 & D7_IBRSB && f->arch_caps & CAPS_IBRS_ALL;
}

#define B(measure) SPEC_BIT(SPEC_##measure)

static uint64_t when(bool condition, uint64_t bits)
{
    return condition ? bits : 0;
}

static uint64_t find_possible(const struct spec_facts *f)
{
    bool ibrs = f->d7 & D7_IBRSB || f->b8 & B8_IBRS, stibp = f->d7 & D7_STIBP || f->b8 & B8_STIBP;
    bool ssbd = f->d7 & D7_SSBD || f->b8 & B8_SSBD, ibpb = f->d7 & D7_IBRSB || f->b8 & B8_IBPB;

    return (SPEC_BIT(SPEC_MEASURES) - 1) &
           ~(when(!ibrs && !(f->amd && f->a21 & A21_AUTO_IBRS), B(IBRS)) | when(!stibp, B(STIBP)) |
             when(!ssbd, B(SSBD)) | when(!ibrs && !stibp && !ssbd, B(MSR_SC)) |
             when(!(f->d72 & D72_BHI_CTRL), B(BHI_DIS_S)) | when(!ibpb, B(IBPB) | B(IBPB_ENTRY) | B(IBPB_ENTRY_DOM0)));
}

/* What is done if nobody says otherwise. */
static uint64_t find_usual(const struct spec *s)
{
    const struct spec_facts *f = &s->facts;
    bool no_retpoline = f->intel && (IS_ONE_OF(f, not_retpoline) || f->arch_caps & (CAPS_RSBA | CAPS_RRSBA));
    bool old_bp = f->amd && f->family >= 0x15 && f->family <= 0x18 && !(f->b8 & B8_BTC_NO);
    bool srso = f->amd && (f->family == 0x17 || f->family == 0x19) &&
                (f->a21 & (A21_IBPB_BRTYPE | A21_SRSO_NO)) == A21_IBPB_BRTYPE;
    bool taa = f->rtm && !(f->arch_caps & CAPS_TAA_NO);
    bool rfds = f->arch_caps & CAPS_RFDS_CLEAR && !(f->arch_caps & CAPS_RFDS_NO);
    bool tsa = f->amd && f->a21 & A21_VERW_CLEAR;
    bool bhi = f->intel && s->ibrs_stays && !(f->arch_caps & CAPS_BHI_NO);

    return B(MSR_SC) | B(IBPB) | when(s->ibrs_stays || no_retpoline, B(IBRS)) |
           when(f->b8 & B8_STIBP_ALWAYS, B(STIBP)) | when(old_bp || srso, B(IBPB_ENTRY)) |
           when(!f->smep && !f->emulator, B(RSB)) | when(has_its(f), B(RETURN_THUNK)) |
           when((f->d7 & D7_MD_CLEAR && (s->mds || taa)) || rfds || tsa, B(VERW)) |
           when(bhi, f->d72 & D72_BHI_CTRL ? B(BHI_DIS_S) : B(BHB_ENTRY)) | when(s->meltdown, B(XPTI)) |
           when(s->l1tf, B(L1TF_DOMU));
}

/* What follows from the measures that are taken. */
static uint64_t find_means(const struct spec *s)
{
    uint64_t at_entry = B(XPTI) | B(RSB) | B(VERW) | B(IBPB_ENTRY) | B(IBPB_ENTRY_DOM0) | B(BHB_ENTRY);
    bool ibrs_entry = s->on & B(IBRS) && !s->ibrs_stays;

    return when(s->on & (B(L1TF_DOM0) | B(L1TF_DOMU)), B(L1TF)) | when(ibrs_entry, B(IBRS_ENTRY)) |
           when(ibrs_entry || s->on & at_entry, B(GATE)) | when(s->on & (B(XPTI) | B(IBPB) | B(MSR_SC)), B(LOAD_HOOK));
}

struct spec spec_decide(const struct spec_facts *f, const struct spec_wish *wish)
{
    struct spec s = {.facts = *f, .can = find_possible(f), .thunk = wish->thunk};

    find_weaknesses(&s);
    s.on = (find_usual(&s) | wish->yes) & ~(uint64_t)wish->no & s.can;
    s.on |= find_means(&s);
    if (s.thunk == THUNK_ANY)
        s.thunk = f->emulator || (s.ibrs_stays && s.on & B(IBRS)) ? THUNK_JMP : THUNK_RETPOLINE;
    s.ctrl = when(s.on & B(IBRS) && s.ibrs_stays && !f->amd, CTRL_IBRS) | when(s.on & B(STIBP), CTRL_STIBP) |
             when(s.on & B(SSBD), CTRL_SSBD) | when(s.on & B(BHI_DIS_S), CTRL_BHI_DIS_S);
    s.entry_ctrl = s.ctrl | CTRL_IBRS;
    if (s.on & B(MSR_SC)) { /* as on Xen, not by AMD's bits */
        s.guest_ctrl = when(f->d7 & D7_IBRSB, CTRL_IBRS) | when(f->d7 & D7_STIBP, CTRL_STIBP) |
                       when(f->d7 & D7_SSBD, CTRL_SSBD);
        s.guest_pred = when(s.can & B(IBPB), PRED_IBPB | when(f->a21 & A21_SBPB, PRED_SBPB));
    }
    return s;
}

void spec_init_cpu(void)
{
    if (spec.ctrl)
        wrmsr(MSR_SPEC_CTRL, spec.ctrl);
    if (spec_on(SPEC_IBRS) && spec.ibrs_stays && spec.facts.amd)
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_AUTO_IBRS);
}
