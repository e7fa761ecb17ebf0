/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How what is not offered is refused, and the families of which there is only
 * the door: kexec, HVM guests and their device models.
 */
#include "hypercall/refuse.h"

#include "abi/errno.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "x86/uaccess.h"

#define DOMCTL_SIZE 144 /* bytes of struct xen_domctl */

bool hypercall_domain_exists(domid_t id)
{
    struct domain *d = id == DOMID_SELF ? NULL : domain_get(id);

    if (d != NULL)
        domain_put(d);
    return d != NULL || id == DOMID_SELF;
}

static int64_t refuse_by(const struct refused_op *row, uint64_t arg)
{
    uint8_t argument[UINT8_MAX];
    bool owner = current_domain()->privileged;
    uint32_t first = 0;
    domid_t id;

    if (row->how == OWNERS_OWN && !owner)
        return row->plain;
    if (guest_copy_from(argument, arg, row->size) != 0)
        return -EFAULT;
    memcpy(&first, argument, MIN(row->size, sizeof(first)));
    if (row->max != 0 && first > row->max)
        return -EINVAL;
    if (row->domid_at != NO_DOMAIN) {
        memcpy(&id, argument + row->domid_at, sizeof(id));
        if (!hypercall_domain_exists(id))
            return -ESRCH;
    }
    if ((row->how == ANSWERS || (row->how == ANSWERS_OWNER && owner)) &&
        guest_copy_to(arg, argument, row->size) != 0)
        return -EFAULT;
    return owner ? row->code : row->plain;
}

int64_t hypercall_refuse(const struct refused_op *rows, size_t n, uint32_t op, uint64_t arg)
{
    for (size_t i = 0; i < n; i++) {
        if (rows[i].op == op)
            return refuse_by(&rows[i], arg);
    }
    return -ENOSYS;
}

/* There is no memory for a crash kernel, so there are no images either. */
static const struct refused_op kexec_refused[] = {
    {KEXEC_CMD_kexec, sizeof(xen_kexec_exec_t), NO_DOMAIN, SILENT, 1, -ENOENT, -EPERM},
    {KEXEC_CMD_kexec_load_v1, sizeof(xen_kexec_load_v1_t), NO_DOMAIN, SILENT, 1, -EINVAL, -EPERM},
    {KEXEC_CMD_kexec_unload_v1, sizeof(xen_kexec_load_v1_t), NO_DOMAIN, SILENT, 1, 0, -EPERM},
    {KEXEC_CMD_kexec_get_range, sizeof(xen_kexec_range_t), NO_DOMAIN, ANSWERS, KEXEC_RANGE_MA_VMCOREINFO, 0,
     -EPERM},
    {KEXEC_CMD_kexec_load, sizeof(xen_kexec_load_t), NO_DOMAIN, SILENT, 0, -EINVAL, -EPERM},
    {KEXEC_CMD_kexec_unload, sizeof(xen_kexec_unload_t), NO_DOMAIN, SILENT, 1, 0, -EPERM},
    {KEXEC_CMD_kexec_status, sizeof(xen_kexec_status_t), NO_DOMAIN, SILENT, 1, 0, -EPERM},
};

int64_t do_kexec_op(struct hypercall_args *args)
{
    return hypercall_refuse(kexec_refused, ARRAY_SIZE(kexec_refused), (uint32_t)args->a[0], args->a[1]);
}

/* No domain is HVM, which is what each of these finds out in the end. */
static const struct refused_op hvm_refused[] = {
    {HVMOP_flush_tlbs, 0, NO_DOMAIN, SILENT, 0, -EINVAL, -EINVAL},
    {HVMOP_pagetable_dying, sizeof(struct xen_hvm_pagetable_dying), 0, SILENT, 0, -EINVAL, -EOPNOTSUPP},
    {HVMOP_get_mem_type, sizeof(struct xen_hvm_get_mem_type), 0, SILENT, 0, -EINVAL, -EPERM},
    {HVMOP_set_evtchn_upcall_vector, 0, NO_DOMAIN, SILENT, 0, -EINVAL, -EINVAL},
    {HVMOP_altp2m, 0, NO_DOMAIN, SILENT, 0, -EOPNOTSUPP, -EOPNOTSUPP},
};

static int64_t hvm_param(uint64_t arg)
{
    struct xen_hvm_param p;

    if (guest_copy_from(&p, arg, sizeof(p)) != 0)
        return -EFAULT;
    if (p.index >= HVM_NR_PARAMS)
        return -EINVAL;
    return hypercall_domain_exists(p.domid) ? -EINVAL : -ESRCH;
}

/* A guest's own event for the trace: there is no trace buffer, it is lost. */
static int64_t hvm_xentrace(uint64_t arg)
{
    struct xen_hvm_xentrace trace;

    if (guest_copy_from(&trace, arg, sizeof(trace)) != 0)
        return -EFAULT;
    return trace.extra_bytes > sizeof(trace.extra) ? -EINVAL : 0;
}

int64_t do_hvm_op(struct hypercall_args *args)
{
    uint64_t arg = args->a[1], now;

    switch ((uint32_t)args->a[0]) {
    case HVMOP_set_param:
    case HVMOP_get_param:
        return hvm_param(arg);
    case HVMOP_get_time:
        now = (uint64_t)stime_now();
        return guest_copy_to(arg, &now, sizeof(now));
    case HVMOP_xentrace:
        return hvm_xentrace(arg);
    case HVMOP_guest_request_vm_event:
        return arg == 0 ? 0 : -EINVAL; /* nobody listens */
    default:
        return hypercall_refuse(hvm_refused, ARRAY_SIZE(hvm_refused), (uint32_t)args->a[0], arg);
    }
}

/* For device models of HVM domains: another domain, and a list of buffers, the first of which is the operation. */
int64_t do_dm_op(struct hypercall_args *args)
{
    struct xen_dm_op_buf buf;
    struct domain *d;
    int64_t result = -EINVAL;

    if (args->a[1] > 0 && guest_copy_from(&buf, args->a[2], sizeof(buf)) != 0)
        return -EFAULT;
    d = domain_get((domid_t)args->a[0]);
    if (d == NULL || d == current_domain())
        result = -ESRCH;
    else if (!current_domain()->privileged)
        result = -EPERM;
    if (d != NULL)
        domain_put(d);
    return result;
}

/* A domctl that was interrupted comes back by this number; only those on shadow page tables can be. */
int64_t do_paging_domctl_cont(struct hypercall_args *args)
{
    static const struct refused_op domctl = {0, DOMCTL_SIZE, NO_DOMAIN, SILENT, 0, -EOPNOTSUPP, -EOPNOTSUPP};

    return refuse_by(&domctl, args->a[0]);
}
