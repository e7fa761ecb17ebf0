/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID policies: what the leaves of CPUID say, as a list that a toolstack
 * can read, change and give to a server before it first runs.
 */
#ifndef PV_POLICY_H
#define PV_POLICY_H

#include "domain/vcpu.h"

#include <xen/arch-x86/xen.h>

enum policy_kind {
    POLICY_HOST, /* what the processor says */
    POLICY_PV,   /* less what a PV guest cannot have */
};

#define POLICY_FEATURE_WORDS 19 /* of <xen/arch-x86/cpufeatureset.h> */
#define POLICY_MSRS          2  /* MSR_PLATFORM_INFO and MSR_ARCH_CAPABILITIES, of which guests get nothing */

/* The leaves that can be in a policy. */
extern const size_t policy_leaves;

/* What a domain was given: the registers of each leaf. */
struct policy;

/* Leaf number `i` of a kind; or of a policy. */
void policy_leaf(enum policy_kind kind, size_t i, xen_cpuid_leaf_t *leaf);
void policy_leaf_in(const struct policy *p, size_t i, xen_cpuid_leaf_t *leaf);
/* Word `word` of the feature set. */
uint32_t policy_features(enum policy_kind kind, size_t word);
xen_msr_entry_t policy_msr(size_t i);

/* A new policy as that of `d` is now; NULL: no memory. heap_free() it, or policy_give() it. */
struct policy *policy_copy(const struct domain *d);
/*
 * Change a leaf. What a PV guest cannot have is left out. -ERANGE: no such leaf; -EINVAL: it promises more leaves
 * than the processor has.
 */
int policy_set_leaf(struct policy *p, const xen_cpuid_leaf_t *leaf);
/* It becomes d's own. The domain is paused, and has not run before. */
void policy_give(struct domain *d, struct policy *p);

/* CPUID as `d` has it by its policy: nothing of a vCPU's own in it. False: the leaf is not in a policy. */
bool policy_cpuid(const struct domain *d, uint32_t leaf, uint32_t sub, uint32_t r[4]);

#endif
