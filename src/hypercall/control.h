/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * domctl and sysctl: how the privileged domain's toolstack controls servers
 * and machine. Each operation is a row of the table in domctl.c or sysctl.c
 * and one function. The dispatcher copies the argument in, once; finds the
 * domain it names; calls the function, which checks everything before it
 * changes anything and leaves its answer in the copy; and copies that back.
 *
 * An operation that fails says why in the log, one line, unless the row says
 * that the toolstack asks so all day.
 */
#ifndef HYPERCALL_CONTROL_H
#define HYPERCALL_CONTROL_H

#include "abi/control.h"
#include "hypercall/hypercall.h"

#define NO_TARGET UINT32_MAX

/* What the line about a failure begins with. */
struct control {
    const char *family, *name; /* "domctl", "max_mem" */
    uint32_t target;           /* the domain's number, or NO_TARGET */
    bool explained;            /* a line has been written */
};

/* Say which check failed and with which values, and return `error`, which is negative. */
int control_refuse(struct control *c, int error, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "EINVAL" for -EINVAL. */
const char *control_error_name(int error);

/*
 * A toolstack's bitmap, which may be shorter or longer than the at most 64 bits that matter here. Reading: what it
 * has not is 0. Writing: what there is more of it is cleared. 0 or -EFAULT.
 */
int control_read_bits(const struct xenctl_bitmap *map, uint64_t *bits) MUST_CHECK;
int control_write_bits(const struct xenctl_bitmap *map, uint64_t bits) MUST_CHECK;

/* --- sysctl: the functions of the rows --- */

struct sysctl {
    struct control control;
    struct xen_sysctl op; /* the caller's, copied in once; the answer goes back in it */
};
typedef int sysctl_fn_t(struct sysctl *s);

sysctl_fn_t sysctl_physinfo, sysctl_cputopoinfo, sysctl_numainfo, sysctl_pcitopoinfo, sysctl_getcpuinfo,
    sysctl_livepatch_op, sysctl_psr_alloc,
    sysctl_availheap, sysctl_page_offline_op, sysctl_cpu_hotplug, sysctl_get_pmstat, sysctl_pm_op,
    sysctl_levelling_caps, sysctl_readconsole, sysctl_debug_keys, sysctl_getdomaininfolist, sysctl_sched_id,
    sysctl_scheduler_op, sysctl_cpupool_op, sysctl_get_cpu_featureset, sysctl_get_cpu_policy, sysctl_tbuf_op;

/* --- domctl --- */

struct domctl {
    struct control control;
    struct xen_domctl op; /* the caller's, copied in once; the answer goes back in it */
    uint64_t gva;         /* where it came from: an interrupted operation writes there what is left */
    struct domain *d;     /* the target, referenced; NULL for operations that name none */
    int no_vcpu;          /* the code for a vCPU beyond its last */
};
typedef int domctl_fn_t(struct domctl *c);

domctl_fn_t domctl_createdomain, domctl_destroydomain, domctl_pausedomain, domctl_unpausedomain,
    domctl_getdomaininfo, domctl_resumedomain, domctl_max_vcpus, domctl_max_mem, domctl_setdomainhandle,
    domctl_settimeoffset, domctl_settscinfo, domctl_gettscinfo, domctl_subscribe, domctl_set_virq_handler,
    domctl_setdebugging, domctl_setvcpucontext, domctl_getvcpucontext, domctl_set_ext_vcpucontext,
    domctl_get_ext_vcpucontext, domctl_setvcpuextstate, domctl_getvcpuextstate, domctl_set_vcpu_msrs,
    domctl_get_vcpu_msrs, domctl_getvcpuinfo, domctl_setvcpuaffinity, domctl_getvcpuaffinity,
    domctl_setnodeaffinity, domctl_getnodeaffinity, domctl_scheduler_op, domctl_sendtrigger,
    domctl_getpageframeinfo3, domctl_shadow_op, domctl_hypercall_init, domctl_set_address_size,
    domctl_get_address_size, domctl_set_cpu_policy, domctl_get_cpu_policy, domctl_irq_permission,
    domctl_iomem_permission, domctl_ioport_permission;

/* The most frames of grants, and of mappings of others' grants, that a domain can be created with: atomic (hypfs). */
extern uint32_t control_grant_frames, control_maptrack_frames;

/* What the toolstack is told about a domain. */
void domctl_describe(struct domain *d, struct xen_domctl_getdomaininfo *info);
/* The target's vCPU `id`; NULL: it has none, and *error is said. */
struct vcpu *domctl_vcpu(struct domctl *c, uint32_t id, int *error);

#endif
