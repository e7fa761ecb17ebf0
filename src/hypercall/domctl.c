/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domctl: the table of operations on one domain, and the one way into it. See control.h. */
#include "abi/errno.h"
#include "core/trace.h"
#include "hypercall/control.h"
#include "hypercall/refuse.h"
#include "x86/uaccess.h"

/* Flags of a row. */
#define NO_DOMAIN_NAMED BIT(0) /* op.domain is no target that has to exist */
#define NOT_SELF        BIT(1) /* -EINVAL for the caller itself: it would have to stop, or change under its own feet */
#define ANSWERS         BIT(2) /* the argument is copied back; with ANSWERS_ERROR after a failure too */
#define ANSWERS_ERROR   BIT(3)
#define QUIET           BIT(4) /* a failure is what the toolstack expects, or has a line already */
#define VCPU_ESRCH      BIT(5) /* -ESRCH for a vCPU that it cannot have, which gives -EINVAL else */

#define ROW(op, what) [XEN_DOMCTL_##op] = {.name = #op, .fn = domctl_##op, .flags = what}

static const struct domctl_row {
    const char *name;
    domctl_fn_t *fn; /* NULL: see absent_domctl() */
    uint8_t flags;
} domctl_table[] = {
    ROW(createdomain, NO_DOMAIN_NAMED | ANSWERS),
    ROW(destroydomain, NOT_SELF),
    ROW(pausedomain, NOT_SELF),
    ROW(unpausedomain, 0),
    ROW(getdomaininfo, NO_DOMAIN_NAMED | ANSWERS | QUIET),
    ROW(setvcpuaffinity, ANSWERS),
    ROW(shadow_op, QUIET),
    ROW(max_mem, 0),
    ROW(setvcpucontext, NOT_SELF),
    ROW(getvcpucontext, NOT_SELF | ANSWERS),
    ROW(getvcpuinfo, ANSWERS | QUIET),
    ROW(max_vcpus, NOT_SELF),
    ROW(scheduler_op, ANSWERS),
    ROW(setdomainhandle, 0),
    ROW(setdebugging, NOT_SELF),
    ROW(irq_permission, 0),
    ROW(iomem_permission, 0),
    ROW(ioport_permission, 0),
    ROW(hypercall_init, 0),
    ROW(settimeoffset, 0),
    ROW(getvcpuaffinity, ANSWERS),
    ROW(resumedomain, NOT_SELF),
    ROW(sendtrigger, VCPU_ESRCH),
    ROW(subscribe, 0),
    ROW(set_address_size, 0),
    ROW(get_address_size, ANSWERS),
    ROW(set_ext_vcpucontext, VCPU_ESRCH),
    ROW(get_ext_vcpucontext, VCPU_ESRCH | ANSWERS),
    ROW(gettscinfo, NOT_SELF | ANSWERS),
    ROW(settscinfo, NOT_SELF),
    ROW(getpageframeinfo3, 0),
    ROW(setvcpuextstate, VCPU_ESRCH | NOT_SELF),
    ROW(getvcpuextstate, VCPU_ESRCH | NOT_SELF | ANSWERS),
    ROW(set_virq_handler, 0),
    ROW(setnodeaffinity, 0),
    ROW(getnodeaffinity, ANSWERS),
    ROW(get_vcpu_msrs, VCPU_ESRCH | NOT_SELF | ANSWERS),
    ROW(set_vcpu_msrs, VCPU_ESRCH | NOT_SELF),
    ROW(get_cpu_policy, ANSWERS),
    ROW(set_cpu_policy, NOT_SELF | ANSWERS | ANSWERS_ERROR),
};

/* Known, and not offered for PV domains, or at all: the code that Debian's Xen has for each. */
static int absent_domctl(struct domctl *c)
{
    switch (c->op.cmd) {
    case XEN_DOMCTL_gethvmcontext:
    case XEN_DOMCTL_sethvmcontext:
    case XEN_DOMCTL_gethvmcontext_partial:
    case XEN_DOMCTL_bind_pt_irq:
    case XEN_DOMCTL_unbind_pt_irq:
    case XEN_DOMCTL_set_broken_page_p2m:
    case XEN_DOMCTL_soft_reset:
    case XEN_DOMCTL_memory_mapping:
    case XEN_DOMCTL_debug_op:
    case XEN_DOMCTL_setvnumainfo:
    case XEN_DOMCTL_vmtrace_op:
        return -EINVAL;
    case XEN_DOMCTL_set_target:
        return hypercall_domain_exists(c->op.u.set_target.target) ? -EOPNOTSUPP : -ESRCH;
    case XEN_DOMCTL_assign_device:
    case XEN_DOMCTL_test_assign_device:
    case XEN_DOMCTL_deassign_device:
    case XEN_DOMCTL_get_device_group: /* there is no IOMMU */
    case XEN_DOMCTL_ioport_mapping:
    case XEN_DOMCTL_set_access_required:
    case XEN_DOMCTL_monitor_op:
    case XEN_DOMCTL_get_paging_mempool_size:
    case XEN_DOMCTL_set_paging_mempool_size:
        return -EOPNOTSUPP;
    case XEN_DOMCTL_psr_cmt_op:
        return -ENODEV;
    case XEN_DOMCTL_psr_alloc:
        return c->op.u.psr_alloc.cmd <= XEN_DOMCTL_PSR_GET_MBA_THRTL ? -ENODEV : -EOPNOTSUPP;
    default:
        return -ENOSYS;
    }
}

struct vcpu *domctl_vcpu(struct domctl *c, uint32_t id, int *error)
{
    if (id >= c->d->max_vcpus)
        *error = control_refuse(&c->control, c->no_vcpu, "vcpu %u of %u", id, c->d->max_vcpus);
    else if (atomic_load(&c->d->vcpu[id]) == NULL)
        *error = control_refuse(&c->control, -ESRCH, "vcpu %u does not exist yet", id);
    else
        return c->d->vcpu[id];
    return NULL;
}

static int perform_row(struct domctl *c, const struct domctl_row *row)
{
    int result;

    if ((row->flags & NOT_SELF) && c->d == current_domain())
        return -EINVAL;
    result = row->fn(c);
    if ((row->flags & ANSWERS) && (result == 0 || (row->flags & ANSWERS_ERROR)) &&
        guest_copy_to(c->gva, &c->op, sizeof(c->op)) != 0)
        result = -EFAULT;
    return result;
}

int64_t do_domctl(struct hypercall_args *args)
{
    struct domctl c = {.control = {.family = "domctl"}, .gva = args->a[0]};
    const struct domctl_row *row;
    int result;

    if (guest_copy_from(&c.op, c.gva, sizeof(c.op)) != 0)
        return -EFAULT;
    if (c.op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
        return -EACCES;
    if (!current_domain()->privileged)
        return -EPERM;
    trace_note(TRACE_DOMCTL, c.op.domain, c.op.cmd, stime_now());
    row = c.op.cmd < ARRAY_SIZE(domctl_table) && domctl_table[c.op.cmd].fn != NULL ? &domctl_table[c.op.cmd] : NULL;
    if (row == NULL || !(row->flags & NO_DOMAIN_NAMED)) {
        c.d = domain_get(c.op.domain); /* DOMID_SELF is no domain here */
        if (c.d == NULL)
            return -ESRCH;
    }
    c.control.target = c.op.domain;
    if (row != NULL) {
        c.control.name = row->name;
        c.no_vcpu = row->flags & VCPU_ESRCH ? -ESRCH : -EINVAL;
        result = perform_row(&c, row);
        if (result < 0 && result != -ERESTART && !(row->flags & QUIET) && !c.control.explained)
            (void)control_refuse(&c.control, result, "refused");
    } else {
        result = absent_domctl(&c);
    }
    if (c.d != NULL)
        domain_put(c.d);
    return result;
}
