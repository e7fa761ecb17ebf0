/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * physdev_op: what a domain without hardware may do. It has a virtual I/O
 * privilege level, and may ask about interrupts that it has not got; all
 * interrupts, PCI devices and I/O APICs are refused.
 */
#include "hypercall/hypercall.h"

#include "abi/errno.h"
#include "hypercall/refuse.h"
#include "x86/uaccess.h"

#define IRQS  256 /* interrupts that a guest may ask about */
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

/* What only the owner of hardware is given, in the order in which Xen finds out. */
static const struct refused_op refused[] = {
    {PHYSDEVOP_apic_read, sizeof(struct physdev_apic), NO_DOMAIN, ANSWERS_OWNER, 0, -EINVAL, -EPERM},
    {PHYSDEVOP_apic_write, sizeof(struct physdev_apic), NO_DOMAIN, SILENT, 0, -EINVAL, -EPERM},
    {PHYSDEVOP_alloc_irq_vector, sizeof(struct physdev_irq), NO_DOMAIN, ANSWERS_OWNER, 0, -EPERM, -EPERM},
    {PHYSDEVOP_eoi, sizeof(struct physdev_eoi), NO_DOMAIN, SILENT, 0, -EINVAL, -EINVAL},
    {PHYSDEVOP_map_pirq, sizeof(struct physdev_map_pirq), 0, ANSWERS, 0, -EINVAL, -EPERM},
    {PHYSDEVOP_unmap_pirq, sizeof(struct physdev_unmap_pirq), 0, SILENT, 0, -EINVAL, -EPERM},
    {PHYSDEVOP_manage_pci_add, sizeof(struct physdev_manage_pci), NO_DOMAIN, SILENT, 0, -EPERM, -EPERM},
    {PHYSDEVOP_manage_pci_remove, sizeof(struct physdev_manage_pci), NO_DOMAIN, SILENT, 0, -ENODEV, -EPERM},
    {PHYSDEVOP_pirq_eoi_gmfn_v1, sizeof(struct physdev_pirq_eoi_gmfn), NO_DOMAIN, SILENT, 0, -EINVAL,
     -EINVAL},
    {PHYSDEVOP_restore_msi, sizeof(struct physdev_restore_msi), NO_DOMAIN, SILENT, 0, -ENODEV, -EPERM},
    {PHYSDEVOP_manage_pci_add_ext, sizeof(struct physdev_manage_pci_ext), NO_DOMAIN, SILENT, 0, -EPERM,
     -EPERM},
    {PHYSDEVOP_setup_gsi, sizeof(struct physdev_setup_gsi), NO_DOMAIN, SILENT, INT32_MAX, -EPERM, -EPERM},
    {PHYSDEVOP_get_free_pirq, sizeof(struct physdev_get_free_pirq), NO_DOMAIN, ANSWERS, 0, -EPERM, -EPERM},
    {PHYSDEVOP_pci_mmcfg_reserved, sizeof(struct physdev_pci_mmcfg_reserved), NO_DOMAIN, OWNERS_OWN, 0,
     -ENODEV, -EPERM},
    {PHYSDEVOP_pci_device_add, offsetof(struct physdev_pci_device_add, optarr), NO_DOMAIN, SILENT, 0, -EPERM,
     -EPERM},
    {PHYSDEVOP_pci_device_remove, sizeof(struct physdev_pci_device), NO_DOMAIN, SILENT, 0, -ENODEV, -EPERM},
    {PHYSDEVOP_restore_msi_ext, sizeof(struct physdev_pci_device), NO_DOMAIN, SILENT, 0, -ENODEV, -EPERM},
    {PHYSDEVOP_pirq_eoi_gmfn_v2, sizeof(struct physdev_pirq_eoi_gmfn), NO_DOMAIN, SILENT, 0, -EINVAL,
     -EINVAL},
    {PHYSDEVOP_dbgp_op, sizeof(struct physdev_dbgp_op), NO_DOMAIN, OWNERS_OWN, 0, -EPERM, -EPERM},
    {PHYSDEVOP_prepare_msix, sizeof(struct physdev_pci_device), NO_DOMAIN, SILENT, 0, -ENODEV, -EPERM},
    {PHYSDEVOP_release_msix, sizeof(struct physdev_pci_device), NO_DOMAIN, SILENT, 0, -ENODEV, -EPERM},
};

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
    default:
        return hypercall_refuse(refused, ARRAY_SIZE(refused), (uint32_t)args->a[0], arg);
    }
}

/* The form of 2005: the command at the start of the structure. */
int64_t do_physdev_op_compat(struct hypercall_args *args)
{
    struct physdev_op whole;
    uint32_t op;

    if (guest_copy_from(&whole, args->a[0], sizeof(whole)) != 0)
        return -EFAULT;
    op = whole.cmd; /* only this is used: what follows is read again, by the operation */
    if (op > PHYSDEVOP_alloc_irq_vector)
        return -ENOSYS;
    *args = (struct hypercall_args){.a = {op, args->a[0] + offsetof(struct physdev_op, u)}};
    return do_physdev_op(args);
}
