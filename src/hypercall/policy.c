/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysctl and domctl on CPUID policies and feature sets: see pv/policy.h. There are none for HVM guests. */
#include "pv/policy.h"

#include "abi/errno.h"
#include "hypercall/control.h"
#include "mem/heap.h"
#include "x86/uaccess.h"

int sysctl_get_cpu_featureset(struct sysctl *s)
{
    static const enum policy_kind kinds[] = {
        [XEN_SYSCTL_cpu_featureset_raw] = POLICY_HOST,
        [XEN_SYSCTL_cpu_featureset_host] = POLICY_HOST,
        [XEN_SYSCTL_cpu_featureset_pv] = POLICY_PV,
        [XEN_SYSCTL_cpu_featureset_hvm] = POLICY_PV,
        [XEN_SYSCTL_cpu_featureset_pv_max] = POLICY_PV,
        [XEN_SYSCTL_cpu_featureset_hvm_max] = POLICY_PV,
    };
    struct xen_sysctl_cpu_featureset *f = &s->op.u.cpu_featureset;
    uint32_t n = f->nr_features;

    f->nr_features = POLICY_FEATURE_WORDS;
    if (f->features.p == NULL)
        return 0;
    if (f->index >= ARRAY_SIZE(kinds))
        return control_refuse(&s->control, -EINVAL, "feature set %u", f->index);
    if (f->index == XEN_SYSCTL_cpu_featureset_hvm || f->index == XEN_SYSCTL_cpu_featureset_hvm_max)
        return -EOPNOTSUPP;
    f->nr_features = MIN(n, (uint32_t)POLICY_FEATURE_WORDS);
    for (uint32_t i = 0; i < f->nr_features; i++) {
        uint32_t word = policy_features(kinds[f->index], i);

        if (guest_copy_to((uint64_t)f->features.p + i * sizeof(*f->features.p), &word, sizeof(word)) != 0)
            return -EFAULT;
    }
    return n < POLICY_FEATURE_WORDS ? -ENOBUFS : 0;
}

/* What a toolstack is to have room for: a policy that comes from another hypervisor has other leaves, too. */
#define POLICY_LEAVES_MAX 120

/* Write out a policy, `own` or (NULL) that of a kind. The lengths are given and answered in *nr_leaves, *nr_msrs. */
static int write_policy(const struct policy *own, enum policy_kind kind, uint64_t leaves, uint32_t *nr_leaves,
                        uint64_t msrs, uint32_t *nr_msrs)
{
    uint32_t room = *nr_leaves, msr_room = *nr_msrs;

    *nr_leaves = leaves == 0 ? POLICY_LEAVES_MAX : (uint32_t)policy_leaves;
    *nr_msrs = POLICY_MSRS;
    for (size_t i = 0; leaves != 0 && i < policy_leaves; i++) {
        xen_cpuid_leaf_t leaf;

        if (i >= room)
            return -ENOBUFS;
        if (own != NULL)
            policy_leaf_in(own, i, &leaf);
        else
            policy_leaf(kind, i, &leaf);
        if (guest_copy_to(leaves + i * sizeof(leaf), &leaf, sizeof(leaf)) != 0)
            return -EFAULT;
    }
    for (size_t i = 0; msrs != 0 && i < POLICY_MSRS; i++) {
        xen_msr_entry_t e = policy_msr(i);

        if (i >= msr_room)
            return -ENOBUFS;
        if (guest_copy_to(msrs + i * sizeof(e), &e, sizeof(e)) != 0)
            return -EFAULT;
    }
    return 0;
}

int sysctl_get_cpu_policy(struct sysctl *s)
{
    struct xen_sysctl_cpu_policy *p = &s->op.u.cpu_policy;
    enum policy_kind kind = POLICY_PV;

    if (p->_rsvd != 0 || p->index > XEN_SYSCTL_cpu_policy_hvm_default)
        return control_refuse(&s->control, -EINVAL, "policy %u", p->index);
    if (p->index == XEN_SYSCTL_cpu_policy_hvm_max || p->index == XEN_SYSCTL_cpu_policy_hvm_default)
        return -EOPNOTSUPP;
    if (p->index == XEN_SYSCTL_cpu_policy_raw || p->index == XEN_SYSCTL_cpu_policy_host)
        kind = POLICY_HOST;
    return write_policy(NULL, kind, (uint64_t)p->leaves.p, &p->nr_leaves, (uint64_t)p->msrs.p, &p->nr_msrs);
}

int domctl_get_cpu_policy(struct domctl *c)
{
    struct xen_domctl_cpu_policy *p = &c->op.u.cpu_policy;
    struct policy *own = policy_copy(c->d);
    int error;

    if (own == NULL)
        return -ENOMEM;
    error = write_policy(own, POLICY_PV, (uint64_t)p->leaves.p, &p->nr_leaves, (uint64_t)p->msrs.p, &p->nr_msrs);
    heap_free(own);
    return error;
}

/* Registers of which a guest gets nothing can only be given as nothing. */
static int check_msrs(struct domctl *c, struct xen_domctl_cpu_policy *p)
{
    for (uint32_t i = 0; i < p->nr_msrs; i++) {
        xen_msr_entry_t e;
        bool known = false;

        if (guest_copy_from(&e, (uint64_t)p->msrs.p + i * sizeof(*p->msrs.p), sizeof(e)) != 0)
            return -EFAULT;
        for (size_t k = 0; k < POLICY_MSRS; k++)
            known |= policy_msr(k).idx == e.idx;
        if (known && e.flags == 0 && e.val == 0)
            continue;
        p->err_msr = e.idx;
        return control_refuse(&c->control, e.flags != 0 || known ? -EINVAL : -ERANGE,
                              "register %x as %llx, flags %x", e.idx, (unsigned long long)e.val, e.flags);
    }
    return 0;
}

static int read_leaves(struct domctl *c, struct xen_domctl_cpu_policy *p, struct policy *policy)
{
    for (uint32_t i = 0; i < p->nr_leaves; i++) {
        xen_cpuid_leaf_t leaf;
        int error;

        if (guest_copy_from(&leaf, (uint64_t)p->leaves.p + i * sizeof(*p->leaves.p), sizeof(leaf)) != 0)
            return -EFAULT;
        error = policy_set_leaf(policy, &leaf);
        if (error == 0)
            continue;
        p->err_leaf = leaf.leaf;
        p->err_subleaf = leaf.subleaf;
        return control_refuse(&c->control, error, "CPUID leaf %x, %x is %x %x %x %x", leaf.leaf, leaf.subleaf, leaf.a,
                              leaf.b, leaf.c, leaf.d);
    }
    return 0;
}

#define LEAVES_MAX 512 /* more than there are numbers for */

int domctl_set_cpu_policy(struct domctl *c)
{
    struct xen_domctl_cpu_policy *p = &c->op.u.cpu_policy;
    struct policy *policy;
    int error;

    p->err_leaf = p->err_subleaf = p->err_msr = UINT32_MAX;
    if (p->nr_leaves > LEAVES_MAX || p->nr_msrs > POLICY_MSRS)
        return control_refuse(&c->control, -E2BIG, "%u leaves, %u registers", p->nr_leaves, p->nr_msrs);
    policy = policy_copy(c->d);
    if (policy == NULL)
        return -ENOMEM;
    error = read_leaves(c, p, policy);
    if (error == 0)
        error = check_msrs(c, p);
    domain_pause(c->d);
    if (error == 0 && !c->d->creation_paused)
        error = control_refuse(&c->control, -EEXIST, "it has run");
    if (error == 0)
        policy_give(c->d, policy);
    else
        heap_free(policy);
    domain_unpause(c->d);
    return error;
}
