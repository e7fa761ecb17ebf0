/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small ones: grant_table_op's way in, nmi_op, and the doors of sysctl and domctl. */
#include "hypercall/hypercall.h"

#include "abi/errno.h"
#include "grant/grant.h"
#include "x86/pte.h"
#include "x86/uaccess.h"

int64_t do_grant_table_op(struct hypercall_args *args)
{
    unsigned int count = (unsigned int)args->a[2];
    int result = grant_table_op((unsigned int)args->a[0], &args->a[1], &count);

    args->a[2] = count;
    return result;
}

int64_t do_nmi_op(struct hypercall_args *args)
{
    struct vcpu *v = current_vcpu();
    struct xennmi_callback callback;

    switch ((uint32_t)args->a[0]) {
    case XENNMI_register_callback:
        if (guest_copy_from(&callback, args->a[1], sizeof(callback)) != 0)
            return -EFAULT;
        if (!va_canonical(callback.handler_address))
            return -EINVAL;
        v->cpu.nmi_rip = callback.handler_address;
        return 0;
    case XENNMI_unregister_callback:
        v->cpu.nmi_rip = 0;
        return 0;
    default:
        return -ENOSYS;
    }
}

/* Performance counters are not shared out, as in Xen without vpmu=. */
int64_t do_xenpmu_op(struct hypercall_args *args)
{
    return -EOPNOTSUPP;
}

/* sysctl and domctl begin with command and interface version, and only the privileged have any business with them. */
static int64_t control_op(uint64_t arg)
{
    struct {
        uint32_t cmd, interface_version;
    } head;

    if (guest_copy_from(&head, arg, sizeof(head)) != 0)
        return -EFAULT;
    if (head.interface_version != XEN_CONTROL_INTERFACE_VERSION)
        return -EACCES;
    return current_domain()->privileged ? -ENOSYS : -EPERM;
}

int64_t do_sysctl(struct hypercall_args *args)
{
    return control_op(args->a[0]);
}

int64_t do_domctl(struct hypercall_args *args)
{
    return control_op(args->a[0]);
}
