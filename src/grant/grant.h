/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Grant tables, versions 1 and 2. */
#ifndef GRANT_GRANT_H
#define GRANT_GRANT_H

#include "domain/vcpu.h"

int grant_domain_create(struct domain *d, uint32_t max_frames, uint32_t max_maptrack);
/* Undo the mappings that `d` has of others' frames; -ERESTART: again. */
int grant_domain_relinquish(struct domain *d);
void grant_domain_destroy(struct domain *d);

/* What grant/ needs of the kind of guest: map and unmap into its page tables (pv/ registers itself). */
struct grant_host_ops {
    /* Put a mapping of `m` at `addr` (a pte's machine address or, without contains_pte, a virtual address); GNTST_*. */
    int (*map)(struct vcpu *v, uint64_t addr, bool contains_pte, mfn_t m, bool readonly, uint32_t cache);
    /* Remove it (new_addr != 0: put that address's mapping there instead); GNTST_*. `m` must be what is there. */
    int (*unmap)(struct vcpu *v, uint64_t addr, uint64_t new_addr, bool contains_pte, mfn_t m, bool readonly);
    /* Take and drop a writable type on a frame. */
    bool (*get_writable)(struct frame *f);
    void (*put_writable)(struct frame *f);
};
void grant_set_host_ops(const struct grant_host_ops *ops);

/*
 * GNTTABOP_*, by the running vCPU: *arg is the guest address of *count elements. 0 or -Exxx; -ERESTART: *arg and
 * *count are what is left.
 */
int grant_table_op(unsigned int cmd, uint64_t *arg, unsigned int *count);

/* Machine frame behind index `idx` of d's shared (or, status) table for XENMAPSPACE_grant_table; -EINVAL. */
int grant_frame_for_map(struct domain *d, uint64_t idx, bool status, mfn_t *m);

#endif
