/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small ones: grant_table_op's way in, nmi_op, xenpmu_op. */
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
