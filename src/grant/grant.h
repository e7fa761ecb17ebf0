/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Grant tables, versions 1 and 2. Public <xen/grant_table.h> has the interface; table.h the state and its locks. */
#ifndef GRANT_GRANT_H
#define GRANT_GRANT_H

#include "domain/vcpu.h"

/* For boot/main.c's call of domain_init(). Relinquish undoes the mappings that the domain has of others' frames. */
extern const struct domain_module grant_module;

/*
 * What grant/ needs of the kind of guest: map and unmap in the page tables of
 * the running vCPU (pv/ registers itself). Called with no lock held. GNTST_*.
 *
 * The mapping holds references of its own to the frame, total and (unless
 * read-only) writable type: taken by map, dropped by unmap or with the page
 * table. grant/ holds others as long, and drops them after the flush of the
 * TLBs, which is its own too.
 */
struct grant_host_ops {
    /*
     * Put a mapping of `m` at `addr` (a pte's machine address or, without contains_pte, a virtual address).
     * `pte_flags`: which of PTE_PWT, PTE_PCD, PTE_PAT and PTE_AVAIL the entry is to have.
     */
    int (*map)(struct vcpu *v, uint64_t addr, bool contains_pte, mfn_t m, bool readonly, uint32_t pte_flags);
    /*
     * Remove it (new_addr != 0: put that address's mapping there instead, and clear that one). `m` must be what is
     * there.
     */
    int (*unmap)(struct vcpu *v, uint64_t addr, uint64_t new_addr, bool contains_pte, mfn_t m, bool readonly);
    /* Take and drop a writable type on a frame to which the caller has a reference. */
    bool (*get_writable)(struct frame *f);
    void (*put_writable)(struct frame *f);
};
void grant_set_host_ops(const struct grant_host_ops *ops);

/*
 * GNTTABOP_*, by the running vCPU: *arg is the guest address of *count elements. 0 or -Exxx; -ERESTART: *arg and
 * *count are what is left.
 */
int grant_table_op(unsigned int cmd, uint64_t *arg, unsigned int *count);

/* Machine frame behind index `idx` of d's shared or status table; that grows to it. -EINVAL: beyond its limit. */
int grant_frame_for_map(struct domain *d, uint64_t idx, bool status, mfn_t *m);
/* How many frames that table may grow to. */
uint32_t grant_frames_limit(const struct domain *d, bool status);

#endif
