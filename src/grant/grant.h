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
     * Map `m` at `addr`: with GNTMAP_contains_pte the machine address of a level-1 entry, else a virtual address.
     * `flags` are the guest's GNTMAP_*, `cache` is of PTE_PWT, PTE_PCD, PTE_PAT.
     */
    int (*map)(struct vcpu *v, uint64_t addr, uint32_t flags, mfn_t m, uint64_t cache);
    /*
     * Remove it; new_addr != 0: put that virtual address's mapping there instead, and clear that one. It is an
     * error if `m` is not what is there. `flags` are those of the map.
     */
    int (*unmap)(struct vcpu *v, uint64_t addr, uint64_t new_addr, uint32_t flags, mfn_t m);
};
void grant_set_host_ops(const struct grant_host_ops *ops);

/*
 * GNTTABOP_*, by the running vCPU: *arg is the guest address of *count elements. 0 or -Exxx; -ERESTART: *arg and
 * *count are what is left.
 */
int grant_table_op(unsigned int cmd, uint64_t *arg, unsigned int *count);

/* Machine frame behind index `idx` of d's shared (or, status) table; the table grows to it. -EINVAL: beyond its limit. */
int grant_frame_for_map(struct domain *d, uint64_t idx, bool status, mfn_t *m);

#endif
