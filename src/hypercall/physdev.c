/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * physdev_op: interrupts, PCI functions and I/O privilege. The table says for
 * each operation what is read, who may ask and what is written back; what any
 * domain may do concerns only what it has been given already.
 */
#include "hypercall/hypercall.h"

#include "abi/errno.h"
#include "evtchn/pirq.h"
#include "platform/irqchips.h"
#include "platform/platform.h"
#include "pv/pv.h"
#include "x86/nospec.h"
#include "x86/uaccess.h"

#define PORTS 65536
#define BUS_SPACE (1u << 20) /* bytes of ECAM for a bus */

typedef union {
    struct physdev_irq_status_query status;
    struct physdev_set_iopl iopl;
    struct physdev_set_iobitmap iobitmap;
    struct physdev_apic apic;
    struct physdev_irq vector;
    struct physdev_eoi eoi;
    struct physdev_map_pirq map;
    struct physdev_unmap_pirq unmap;
    struct physdev_manage_pci pci;
    struct physdev_manage_pci_ext pci_ext;
    struct physdev_pirq_eoi_gmfn eoi_page;
    struct physdev_setup_gsi gsi;
    struct physdev_get_free_pirq free_pirq;
    struct physdev_pci_mmcfg_reserved mmcfg;
    struct physdev_pci_device device;
    struct physdev_dbgp_op dbgp;
} arg_t;

/* --- what concerns the caller's vCPU --- */

static int set_iopl(struct domain *d, arg_t *u)
{
    if (u->iopl.iopl > 3)
        return -EINVAL;
    current_vcpu()->cpu.iopl = u->iopl.iopl;
    return 0;
}

static int set_iobitmap(struct domain *d, arg_t *u)
{
    struct pv_vcpu *pv = current_vcpu()->pv;

    if (u->iobitmap.nr_ports > PORTS || !guest_range_ok((uint64_t)u->iobitmap.bitmap.p, u->iobitmap.nr_ports / 8))
        return -EINVAL;
    pv->iobitmap = (uint64_t)u->iobitmap.bitmap.p; /* looked at when its user mode uses a port */
    pv->iobitmap_ports = u->iobitmap.nr_ports;
    return 0;
}

/* --- interrupts --- */

static int query_status(struct domain *d, arg_t *u)
{
    return pirq_query(d, u->status.irq, &u->status.flags);
}

static int answer(struct domain *d, arg_t *u)
{
    return pirq_answer(d, u->eoi.irq);
}

static int eoi_page_v1(struct domain *d, arg_t *u)
{
    return pirq_set_eoi_page(d, gfn(u->eoi_page.gmfn), true);
}

static int eoi_page_v2(struct domain *d, arg_t *u)
{
    return pirq_set_eoi_page(d, gfn(u->eoi_page.gmfn), false);
}

static int free_pirq(struct domain *d, arg_t *u)
{
    return pirq_reserve(d, u->free_pirq.type != MAP_PIRQ_TYPE_GSI, &u->free_pirq.pirq);
}

/* Vectors are the hypervisor's business: the guest gets a number that means nothing. */
static int name_vector(struct domain *d, arg_t *u)
{
    u->vector.vector = u->vector.irq;
    return 0;
}

static int set_up_gsi(struct domain *d, arg_t *u)
{
    if (u->gsi.gsi < 0)
        return -EINVAL;
    return d->privileged ? gsi_set_up((uint32_t)u->gsi.gsi, u->gsi.triggering, u->gsi.polarity) : -EPERM;
}

static int apic_read(struct domain *d, arg_t *u)
{
    return ioapic_read_register(paddr(u->apic.apic_physbase), u->apic.reg, &u->apic.value);
}

/* Lines are set up by setup_gsi; what else an I/O APIC holds is the hypervisor's, and the write is lost. */
static int apic_write(struct domain *d, arg_t *u)
{
    uint32_t value;

    return ioapic_read_register(paddr(u->apic.apic_physbase), u->apic.reg, &value);
}

/* Bus and segment as the type has them: the upper half of `bus` is a segment for the newer two. */
static int map_message(struct domain *d, struct physdev_map_pirq *map)
{
    struct msi_request r = {.entry = MSI_NOT_X, .table_base = map->table_base};

    if (map->type == MAP_PIRQ_TYPE_MULTI_MSI && map->entry_nr != 1)
        return map->entry_nr < 1 || map->entry_nr > 32 ? -EDOM : -EOPNOTSUPP; /* without interrupt remapping */
    if (map->type != MAP_PIRQ_TYPE_MULTI_MSI && map->index != -1)
        return -EINVAL;
    if (map->type != MAP_PIRQ_TYPE_MSI && map->bus >> 16 != 0)
        return -ENODEV;
    if (map->table_base != 0 && map->type != MAP_PIRQ_TYPE_MULTI_MSI)
        r.entry = map->entry_nr;
    if (map->table_base != 0 && r.entry < 0)
        return -EINVAL;
    r.bdf = (pci_bdf_t)((map->bus & 0xff) << 8 | (map->devfn & 0xff));
    return pirq_map_msi(d, &r, &map->pirq);
}

static int map_pirq(struct domain *d, arg_t *u)
{
    switch (u->map.type) {
    case MAP_PIRQ_TYPE_GSI:
        return u->map.index < 0 ? -EINVAL : pirq_map_gsi(d, (uint32_t)u->map.index, &u->map.pirq);
    case MAP_PIRQ_TYPE_MSI:
    case MAP_PIRQ_TYPE_MSI_SEG:
    case MAP_PIRQ_TYPE_MULTI_MSI:
        return map_message(d, &u->map);
    default:
        return -EINVAL;
    }
}

static int unmap_pirq(struct domain *d, arg_t *u)
{
    return u->unmap.pirq < 0 ? -EINVAL : pirq_unmap(d, (uint32_t)u->unmap.pirq);
}

/* --- PCI functions --- */

static pci_bdf_t bdf_of(uint8_t bus, uint8_t devfn)
{
    return (pci_bdf_t)(bus << 8 | devfn);
}

static int old_add(struct domain *d, arg_t *u)
{
    return pci_add(bdf_of(u->pci.bus, u->pci.devfn));
}

static int old_add_ext(struct domain *d, arg_t *u)
{
    if (u->pci_ext.is_extfn > 1 || u->pci_ext.is_virtfn > 1)
        return -EINVAL;
    return d->privileged ? pci_add(bdf_of(u->pci_ext.bus, u->pci_ext.devfn)) : -EPERM;
}

static int old_remove(struct domain *d, arg_t *u)
{
    return pci_remove(bdf_of(u->pci.bus, u->pci.devfn));
}

/* Whether there is such a function is answered before who asks. */
static int restore_function(const struct domain *d, pci_bdf_t bdf)
{
    if (pci_read(bdf, 0, 4) == UINT32_MAX)
        return -ENODEV;
    return d->privileged ? msi_restore(bdf) : -EPERM;
}

static int old_restore(struct domain *d, arg_t *u)
{
    return restore_function(d, bdf_of(u->pci.bus, u->pci.devfn));
}

/* Functions of other segments are taken note of nowhere: they cannot have messages from us, and need nothing else. */
static int add(struct domain *d, arg_t *u)
{
    return u->device.seg != 0 ? 0 : pci_add(bdf_of(u->device.bus, u->device.devfn));
}

static int remove(struct domain *d, arg_t *u)
{
    return u->device.seg != 0 ? 0 : pci_remove(bdf_of(u->device.bus, u->device.devfn));
}

static int restore(struct domain *d, arg_t *u)
{
    return u->device.seg != 0 ? -ENODEV : restore_function(d, bdf_of(u->device.bus, u->device.devfn));
}

/* Its regions will not move from now on, or may: each entry looks anew where its table is. */
static int note_msix(struct domain *d, arg_t *u)
{
    return u->device.seg == 0 && pci_is_known(bdf_of(u->device.bus, u->device.devfn)) ? 0 : -ENODEV;
}

/* The owner says where configuration space is in memory: what the MCFG table says, too. */
static int mmcfg_reserved(struct domain *d, arg_t *u)
{
    const struct physdev_pci_mmcfg_reserved *m = &u->mmcfg;

    if (m->address % BUS_SPACE != 0 || m->start_bus > m->end_bus)
        return -EINVAL;
    if (machine.mcfg_base.v == 0 || m->segment != 0 || m->address != machine.mcfg_base.v ||
        m->start_bus != machine.mcfg_first_bus)
        return -ENODEV;
    return 0;
}

/* No USB debug port is ours, so a reset disturbs nobody. */
static int no_debug_port(struct domain *d, arg_t *u)
{
    return 0;
}

/* --- the table --- */

enum who {
    ANYBODY,
    OWNER,         /* the owner of the hardware; others: -EPERM, once the argument could be read */
    OWNER_AT_ONCE, /* ... before it is read */
    OWNER_FOR,     /* the argument begins with the domain that it is for, which must exist */
};

static const struct physdev_row {
    int (*fn)(struct domain *d, arg_t *u); /* d: the caller, or whom it is for; NULL: -ENOSYS */
    uint8_t size;
    uint8_t who;
    bool answers; /* written back, whatever the result */
} table[] = {
    [PHYSDEVOP_irq_status_query] = {query_status, sizeof(struct physdev_irq_status_query), ANYBODY, true},
    [PHYSDEVOP_set_iopl] = {set_iopl, sizeof(struct physdev_set_iopl), ANYBODY, false},
    [PHYSDEVOP_set_iobitmap] = {set_iobitmap, sizeof(struct physdev_set_iobitmap), ANYBODY, false},
    [PHYSDEVOP_apic_read] = {apic_read, sizeof(struct physdev_apic), OWNER, true},
    [PHYSDEVOP_apic_write] = {apic_write, sizeof(struct physdev_apic), OWNER, false},
    [PHYSDEVOP_alloc_irq_vector] = {name_vector, sizeof(struct physdev_irq), OWNER, true},
    [PHYSDEVOP_eoi] = {answer, sizeof(struct physdev_eoi), ANYBODY, false},
    [PHYSDEVOP_map_pirq] = {map_pirq, sizeof(struct physdev_map_pirq), OWNER_FOR, true},
    [PHYSDEVOP_unmap_pirq] = {unmap_pirq, sizeof(struct physdev_unmap_pirq), OWNER_FOR, false},
    [PHYSDEVOP_manage_pci_add] = {old_add, sizeof(struct physdev_manage_pci), OWNER, false},
    [PHYSDEVOP_manage_pci_remove] = {old_remove, sizeof(struct physdev_manage_pci), OWNER, false},
    [PHYSDEVOP_pirq_eoi_gmfn_v1] = {eoi_page_v1, sizeof(struct physdev_pirq_eoi_gmfn), ANYBODY, false},
    [PHYSDEVOP_restore_msi] = {old_restore, sizeof(struct physdev_restore_msi), ANYBODY, false},
    [PHYSDEVOP_manage_pci_add_ext] = {old_add_ext, sizeof(struct physdev_manage_pci_ext), ANYBODY, false},
    [PHYSDEVOP_setup_gsi] = {set_up_gsi, sizeof(struct physdev_setup_gsi), ANYBODY, false},
    [PHYSDEVOP_get_free_pirq] = {free_pirq, sizeof(struct physdev_get_free_pirq), ANYBODY, true},
    [PHYSDEVOP_pci_mmcfg_reserved] = {mmcfg_reserved, sizeof(struct physdev_pci_mmcfg_reserved), OWNER_AT_ONCE,
                                      false},
    [PHYSDEVOP_pci_device_add] = {add, offsetof(struct physdev_pci_device_add, optarr), OWNER, false},
    [PHYSDEVOP_pci_device_remove] = {remove, sizeof(struct physdev_pci_device), OWNER, false},
    [PHYSDEVOP_restore_msi_ext] = {restore, sizeof(struct physdev_pci_device), ANYBODY, false},
    [PHYSDEVOP_pirq_eoi_gmfn_v2] = {eoi_page_v2, sizeof(struct physdev_pirq_eoi_gmfn), ANYBODY, false},
    [PHYSDEVOP_dbgp_op] = {no_debug_port, sizeof(struct physdev_dbgp_op), OWNER_AT_ONCE, false},
    [PHYSDEVOP_prepare_msix] = {note_msix, sizeof(struct physdev_pci_device), OWNER, false},
    [PHYSDEVOP_release_msix] = {note_msix, sizeof(struct physdev_pci_device), OWNER, false},
};

static int64_t perform_for(const struct physdev_row *row, arg_t *u)
{
    struct domain *caller = current_domain(), *d;
    int error = 0;

    if (row->who != OWNER_FOR)
        return row->fn(caller, u);
    d = domain_get_for_caller(u->map.domid, &error);
    if (d == NULL)
        return error;
    error = caller->privileged ? row->fn(d, u) : -EPERM;
    domain_put(d);
    return error;
}

int64_t do_physdev_op(struct hypercall_args *args)
{
    uint32_t op = (uint32_t)args->a[0];
    const struct physdev_row *row = op < ARRAY_SIZE(table) ? &table[index_nospec(op, ARRAY_SIZE(table))] : NULL;
    arg_t u = {0};
    int64_t result;

    if (op == PHYSDEVOP_IRQ_UNMASK_NOTIFY)
        return 0;
    if (row == NULL || row->fn == NULL)
        return -ENOSYS;
    if (row->who == OWNER_AT_ONCE && !current_domain()->privileged)
        return -EPERM;
    if (guest_copy_from(&u, args->a[1], row->size) != 0)
        return -EFAULT;
    if (row->who == OWNER && !current_domain()->privileged)
        return -EPERM;
    result = perform_for(row, &u);
    /* Nothing is undone when the answer cannot be written: a pirq is mapped, and the guest's to unmap. */
    if (row->answers && guest_copy_to(args->a[1], &u, row->size) != 0)
        return -EFAULT;
    return result;
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
