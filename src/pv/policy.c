/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID policies. What a PV guest may have of the processor's answer are the
 * bits that <xen/arch-x86/cpufeatureset.h> marks 'A' (all kinds of guest), word
 * by word in the order given there, and the bits for registers of speculation
 * control only if it gets those (x86/spec.h).
 */
#include "pv/policy.h"

#include "abi/errno.h"
#include "lib/string.h"
#include "mem/heap.h"
#include "pv/pv.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/spec.h"

#include <xen/arch-x86/cpuid.h>

#define NO_SUB XEN_CPUID_NO_SUBLEAF
#define HV     0x40000000u
#define VIRIDIAN_PLACE 0x40000100u /* the limit of the leaves of a second hypervisor: there is none */

#define PV_1D    0x1fc9cbf5u
#define BIT_1C_HYPERVISOR (1u << 31)

static const struct policy_place {
    uint32_t leaf, sub;
} place[] = {
    {0, NO_SUB}, {1, NO_SUB}, {2, NO_SUB}, {4, 0}, {4, 1}, {4, 2}, {4, 3}, {5, NO_SUB}, {6, NO_SUB}, {7, 0}, {7, 1},
    {7, 2}, {10, NO_SUB}, {11, 0}, {11, 1}, {13, 0}, {13, 1}, {13, 2}, {13, 3}, {13, 4}, {13, 5}, {13, 6}, {13, 7},
    {13, 8}, {13, 9}, {HV, NO_SUB}, {VIRIDIAN_PLACE, NO_SUB}, {0x80000000, NO_SUB}, {0x80000001, NO_SUB},
    {0x80000002, NO_SUB}, {0x80000003, NO_SUB}, {0x80000004, NO_SUB}, {0x80000005, NO_SUB}, {0x80000006, NO_SUB},
    {0x80000007, NO_SUB}, {0x80000008, NO_SUB}, {0x8000000a, NO_SUB}, {0x80000019, NO_SUB}, {0x8000001a, NO_SUB},
    {0x8000001b, NO_SUB}, {0x8000001c, NO_SUB}, {0x8000001d, NO_SUB}, {0x8000001e, NO_SUB}, {0x8000001f, NO_SUB},
    {0x80000020, NO_SUB}, {0x80000021, NO_SUB},
};
const size_t policy_leaves = ARRAY_SIZE(place);

struct policy {
    uint32_t r[ARRAY_SIZE(place)][4];
};

/* Guards pv_domain.policy of all domains, but for the vCPUs' own reading: they do not run when it changes. */
static spinlock_t given_lock = SPINLOCK_INIT(LOCK_HYPERCALL);

/* Where each word of the feature set stands in CPUID (0xffffffff: in MSR_ARCH_CAPABILITIES), and what PV may have. */
static const struct feature_word {
    uint32_t leaf, sub;
    uint8_t reg;
    uint32_t pv;
} word[POLICY_FEATURE_WORDS] = {
    {1, NO_SUB, 3, PV_1D},
    {1, NO_SUB, 2, 0xf6d83203},
    {0x80000001, NO_SUB, 3, 0xea500800},
    {0x80000001, NO_SUB, 2, 0x042109e3},
    {13, 1, 0, 0x00000007},
    {7, 0, 1, 0xfdaf0b29},
    {7, 0, 2, 0x02405f43},
    {0x80000007, NO_SUB, 3, 0x00000100},
    {0x80000008, NO_SUB, 1, 0x64001005},
    {7, 0, 3, 0x8c00441c},
    {7, 1, 0, 0x00001c30},
    {0x80000021, NO_SUB, 0, 0x38000064},
    {7, 1, 1, 0},
    {7, 2, 3, 0},
    {7, 1, 2, 0},
    {7, 1, 3, 0},
    {UINT32_MAX, NO_SUB, 0, 0},
    {UINT32_MAX, NO_SUB, 3, 0},
    {0x80000021, NO_SUB, 2, 0},
};

static size_t find_place(uint32_t leaf, uint32_t sub)
{
    size_t i = 0;

    while (i < ARRAY_SIZE(place) && (place[i].leaf != leaf || (place[i].sub != sub && place[i].sub != NO_SUB)))
        i++;
    return i;
}

static void host_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    bool extended = leaf >= 0x80000000;

    if ((leaf >= HV && !extended) || leaf > (extended ? cpu_features.max_ext_leaf : cpu_features.max_leaf))
        memset(r, 0, 4 * sizeof(r[0]));
    else
        cpuid_count(leaf, sub, r);
}

/* What of CPUID's leaf 13 is about the components of XCR0 that are in use here. */
static void xstate_leaf(uint32_t sub, uint32_t r[4])
{
    if (sub == 0) {
        r[0] &= (uint32_t)cpu_features.xcr0;
        r[2] = cpu_features.xsave_size;
        r[3] &= (uint32_t)(cpu_features.xcr0 >> 32);
    } else if (sub == 1) {
        r[2] = r[3] = 0;
    } else if (sub > 62 || !(cpu_features.xcr0 & BIT(sub))) {
        memset(r, 0, 4 * sizeof(r[0]));
    }
}

static bool has_words(uint32_t leaf)
{
    return leaf == 1 || leaf == 7 || leaf == 13 || leaf == 0x80000001 || leaf == 0x80000007 || leaf == 0x80000008 ||
           leaf == 0x80000021;
}

/* Words of the feature set are cut down; of leaves without any, power, performance and APIC ids are no guest's. */
static void pv_restrict(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    uint32_t amd_1d = cpu_features.vendor_amd ? 0x0183f3ffu & r[3] & PV_1D : 0;

    for (size_t i = 0; i < ARRAY_SIZE(word); i++)
        if (word[i].leaf == leaf && (word[i].sub == sub || word[i].sub == NO_SUB))
            r[word[i].reg] &= word[i].pv;
    if (leaf == 7 && !spec.guest_ctrl)
        r[3] &= ~(uint32_t)(D7_IBRSB | D7_STIBP | D7_SSBD);
    if (leaf == 0x80000008 && !spec.guest_pred)
        r[1] &= ~(uint32_t)B8_IBPB;
    switch (leaf) {
    case 0: case 1: case 2: case 4:
    case 0x80000000: case 0x80000002: case 0x80000003: case 0x80000004: case 0x80000005: case 0x80000006:
        break;
    case 7:
        if (sub == 0)
            r[0] = 0;
        else if (sub > 1)
            memset(r, 0, 4 * sizeof(r[0]));
        break;
    case 13:
        xstate_leaf(sub, r);
        break;
    case 0x80000001:
        r[3] |= amd_1d;
        break;
    case 0x80000007:
        r[0] = r[1] = r[2] = 0;
        break;
    case 0x80000008:
        r[2] = r[3] = 0;
        break;
    case 0x80000021:
        r[1] = r[3] = 0;
        break;
    default:
        memset(r, 0, 4 * sizeof(r[0]));
    }
}

static void cpuid_of_kind(enum policy_kind kind, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    host_cpuid(leaf, sub == NO_SUB ? 0 : sub, r);
    if (kind == POLICY_HOST)
        return;
    pv_restrict(leaf, sub, r);
    if (leaf == 1)
        r[2] |= BIT_1C_HYPERVISOR;
}

static void fill(size_t i, const uint32_t r[4], xen_cpuid_leaf_t *leaf)
{
    *leaf = (xen_cpuid_leaf_t){.leaf = place[i].leaf, .subleaf = place[i].sub, .a = r[0], .b = r[1], .c = r[2],
                               .d = r[3]};
}

void policy_leaf(enum policy_kind kind, size_t i, xen_cpuid_leaf_t *leaf)
{
    uint32_t r[4];

    cpuid_of_kind(kind, place[i].leaf, place[i].sub, r);
    fill(i, r, leaf);
}

void policy_leaf_in(const struct policy *p, size_t i, xen_cpuid_leaf_t *leaf)
{
    fill(i, p->r[i], leaf);
}

uint32_t policy_features(enum policy_kind kind, size_t i)
{
    uint32_t r[4];

    if (word[i].leaf == UINT32_MAX)
        return 0;
    cpuid_of_kind(kind, word[i].leaf, word[i].sub, r);
    return r[word[i].reg];
}

xen_msr_entry_t policy_msr(size_t i)
{
    static const uint32_t index[POLICY_MSRS] = {0xce, 0x10a};

    return (xen_msr_entry_t){.idx = index[i]};
}

struct policy *policy_copy(const struct domain *d)
{
    struct policy *p = heap_alloc(sizeof(*p));
    bool own;

    if (p == NULL)
        return NULL;
    spin_lock(&given_lock);
    own = d->pv->policy != NULL;
    if (own)
        *p = *d->pv->policy;
    spin_unlock(&given_lock);
    for (size_t i = 0; !own && i < ARRAY_SIZE(place); i++)
        cpuid_of_kind(POLICY_PV, place[i].leaf, place[i].sub, p->r[i]);
    return p;
}

int policy_set_leaf(struct policy *p, const xen_cpuid_leaf_t *leaf)
{
    size_t i = find_place(leaf->leaf, leaf->subleaf);
    uint32_t allowed[4], r[4] = {leaf->a, leaf->b, leaf->c, leaf->d};

    if (i == ARRAY_SIZE(place) || place[i].sub != leaf->subleaf)
        return r[0] | r[1] | r[2] | r[3] ? -ERANGE : 0;
    if ((leaf->leaf == 0 && r[0] > cpu_features.max_leaf) ||
        (leaf->leaf == 0x80000000 && r[0] > MAX(cpu_features.max_ext_leaf, 0x80000021u)))
        return -EINVAL;
    if (has_words(leaf->leaf)) {
        cpuid_of_kind(POLICY_PV, leaf->leaf, leaf->subleaf, allowed);
        for (size_t w = 0; w < ARRAY_SIZE(word); w++)
            if (word[w].leaf == leaf->leaf && (word[w].sub == leaf->subleaf || word[w].sub == NO_SUB))
                r[word[w].reg] &= allowed[word[w].reg];
    }
    memcpy(p->r[i], r, sizeof(r));
    return 0;
}

void policy_give(struct domain *d, struct policy *p)
{
    struct policy *old;

    spin_lock(&given_lock);
    old = d->pv->policy;
    d->pv->policy = p;
    spin_unlock(&given_lock);
    heap_free(old);
}

bool policy_cpuid(const struct domain *d, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    size_t i;

    if (d->pv->policy == NULL) {
        cpuid_of_kind(POLICY_PV, leaf, sub, r);
        return true;
    }
    i = find_place(leaf, sub);
    if (i == ARRAY_SIZE(place))
        return false;
    memcpy(r, d->pv->policy->r[i], 4 * sizeof(r[0]));
    return true;
}
