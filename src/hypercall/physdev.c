/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * physdev_op: what a domain without hardware may do. It has a virtual I/O
 * privilege level, and may ask about interrupts that it has not got; all
 * interrupts, PCI devices and I/O APICs are refused.
 */
#include "hypercall/hypercall.h"

#include "abi/errno.h"
#include "x86/uaccess.h"

#define IRQS  256   /* interrupts that a guest may ask about */
#define PORTS 65536

static int64_t query_status(uint64_t arg)
{
    struct physdev_irq_status_query query;

    if (guest_copy_from(&query, arg, sizeof(query)) != 0)
        return -EFAULT;
    if (query.irq >= IRQS)
        return -EINVAL;
    query.flags = XENIRQSTAT_needs_eoi; /* what Xen says of one that is not bound */
    return guest_copy_to(arg, &query, sizeof(query));
}

static int64_t set_iopl(uint64_t arg)
{
    struct physdev_set_iopl set;

    if (guest_copy_from(&set, arg, sizeof(set)) != 0)
        return -EFAULT;
    if (set.iopl > 3)
        return -EINVAL;
    current_vcpu()->cpu.iopl = set.iopl;
    return 0;
}

/* Nothing to keep: no port is anybody's, and the emulation of IN and OUT refuses them all. */
static int64_t set_iobitmap(uint64_t arg)
{
    struct physdev_set_iobitmap set;

    if (guest_copy_from(&set, arg, sizeof(set)) != 0)
        return -EFAULT;
    return set.nr_ports > PORTS ? -EINVAL : 0;
}

int64_t do_physdev_op(struct hypercall_args *args)
{
    uint64_t arg = args->a[1];

    switch ((uint32_t)args->a[0]) {
    case PHYSDEVOP_IRQ_UNMASK_NOTIFY:
        return 0;
    case PHYSDEVOP_irq_status_query:
        return query_status(arg);
    case PHYSDEVOP_set_iopl:
        return set_iopl(arg);
    case PHYSDEVOP_set_iobitmap:
        return set_iobitmap(arg);
    case PHYSDEVOP_eoi:
        return -EINVAL;
    case PHYSDEVOP_apic_read:
    case PHYSDEVOP_apic_write:
    case PHYSDEVOP_alloc_irq_vector:
    case PHYSDEVOP_map_pirq:
    case PHYSDEVOP_unmap_pirq:
    case PHYSDEVOP_manage_pci_add:
    case PHYSDEVOP_manage_pci_remove:
    case PHYSDEVOP_manage_pci_add_ext:
    case PHYSDEVOP_setup_gsi:
    case PHYSDEVOP_get_free_pirq:
    case PHYSDEVOP_pci_mmcfg_reserved:
    case PHYSDEVOP_pci_device_add:
    case PHYSDEVOP_pci_device_remove:
    case PHYSDEVOP_restore_msi:
    case PHYSDEVOP_restore_msi_ext:
    case PHYSDEVOP_dbgp_op:
        return -EPERM;
    default:
        return -ENOSYS;
    }
}

/* The form of 2005: the command at the start of the structure. */
int64_t do_physdev_op_compat(struct hypercall_args *args)
{
    uint32_t op;

    if (guest_copy_from(&op, args->a[0], sizeof(op)) != 0)
        return -EFAULT;
    if (op > PHYSDEVOP_alloc_irq_vector)
        return -ENOSYS;
    *args = (struct hypercall_args){.a = {op, args->a[0] + offsetof(struct physdev_op, u)}};
    return do_physdev_op(args);
}
