/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory_op: the decoder, and the questions about memory. What changes a
 * domain's reservation is in reservation.c and exchange.c.
 *
 * The upper bits of the command say how many extents an interrupted call has
 * done already (MEMOP_EXTENT_SHIFT).
 */
#include "hypercall/memory.h"

#include "abi/errno.h"
#include "core/log.h"
#include "grant/grant.h"
#include "hypercall/hypercall.h"
#include "hypercall/refuse.h"
#include "hypercall/state.h"
#include "lib/string.h"
#include "mem/hvmap.h"
#include "mem/page_alloc.h"
#include "platform/platform.h"
#include "x86/uaccess.h"

static int64_t reservation_of(uint32_t op, uint64_t arg)
{
    struct xen_memory_domain request;
    struct domain *d;
    int64_t result;
    int error = 0;

    if (guest_copy_from(&request, arg, sizeof(request)) != 0)
        return -EFAULT;
    d = domain_get_for_caller(request.domid, &error);
    if (d == NULL)
        return error;
    if (op == XENMEM_current_reservation)
        result = (int64_t)READ_ONCE(d->tot_pages);
    else if (op == XENMEM_maximum_reservation)
        result = (int64_t)READ_ONCE(d->max_pages);
    else
        result = (int64_t)MAX(READ_ONCE(d->shared_info->arch.max_pfn), 1ul) - 1;
    domain_put(d);
    return result;
}

static int64_t machphys_mapping(uint64_t arg)
{
    struct xen_machphys_mapping mapping = {
        .v_start = MACH2PHYS_VIRT_START,
        .v_end = MACH2PHYS_VIRT_END,
        .max_mfn = current_domain()->privileged ? frame_max - 1 : MACH2PHYS_NR_ENTRIES - 1,
    };

    return guest_copy_to(arg, &mapping, sizeof(mapping));
}

/* The first frame of each 2 MiB of the table; 0 where there is a hole. It never changes after boot. */
static int64_t machphys_mfn_list(uint64_t arg)
{
    struct xen_machphys_mfn_list list;
    uint64_t end = M2P_RW_START + frame_max * sizeof(uint64_t);
    unsigned int n = 0;

    if (guest_copy_from(&list, arg, sizeof(list)) != 0)
        return -EFAULT;
    for (uint64_t va = M2P_RW_START; va < end && n < list.max_extents; va += M2P_EXTENT, n++) {
        mfn_t m = hvmap_find(va);

        if (guest_write_u64((uint64_t)list.extent_start.p + n * sizeof(*list.extent_start.p),
                            mfn_eq(m, MFN_INVALID) ? 0 : m.v) != 0)
            return -EFAULT;
    }
    list.nr_extents = n;
    return guest_copy_to(arg, &list, sizeof(list));
}

/* The machine's memory map as the loader gave it. A buffer that is NULL asks for the number of entries. */
static int64_t machine_memory_map(uint64_t arg)
{
    struct xen_memory_map map;
    uint64_t buffer;

    if (!current_domain()->privileged)
        return -EPERM;
    if (guest_copy_from(&map, arg, sizeof(map)) != 0)
        return -EFAULT;
    buffer = (uint64_t)map.buffer.p;
    if (buffer != 0 && map.nr_entries < boot_info.nr_regions)
        return -EINVAL;
    for (size_t i = 0; buffer != 0 && i < boot_info.nr_regions; i++) {
        const struct boot_region *r = &boot_info.region[i];
        struct e820_entry e = {.start = r->start, .size = r->end - r->start, .type = r->type};

        if (guest_copy_to(buffer + i * sizeof(e), &e, sizeof(e)) != 0)
            return -EFAULT;
    }
    map.nr_entries = (unsigned int)boot_info.nr_regions;
    return guest_copy_to(arg, &map, sizeof(map));
}

/*
 * The map that set_memory_map gave the domain; else a plain domain has what the toolstack would have given it, one
 * piece of RAM, and the first domain none (-ENOSYS): it has the machine's.
 */
static int64_t memory_map(uint64_t arg)
{
    struct domain *d = current_domain();
    struct hypercall_domain *h = d->hypercall;
    struct e820_entry entries[MEMORY_MAP_MAX];
    struct xen_memory_map map;
    unsigned int n;

    if (guest_copy_from(&map, arg, sizeof(map)) != 0)
        return -EFAULT;
    spin_lock(&h->hypercall_lock);
    n = h->nr_entries;
    memcpy(entries, h->map, n * sizeof(entries[0]));
    spin_unlock(&h->hypercall_lock);
    if (n == 0 && d->privileged)
        return -ENOSYS;
    if (n == 0)
        entries[n++] = (struct e820_entry){.size = READ_ONCE(d->max_pages) << PAGE_SHIFT, .type = REGION_RAM};
    map.nr_entries = MIN(map.nr_entries, n);
    if (guest_copy_to((uint64_t)map.buffer.p, entries, map.nr_entries * sizeof(entries[0])) != 0)
        return -EFAULT;
    return guest_copy_to(arg, &map, sizeof(map));
}

static int64_t set_memory_map(uint64_t arg)
{
    struct xen_foreign_memory_map request;
    struct e820_entry entries[MEMORY_MAP_MAX];
    struct domain *d;
    int error = 0;

    if (guest_copy_from(&request, arg, sizeof(request)) != 0)
        return -EFAULT;
    if (request.map.nr_entries > MEMORY_MAP_MAX)
        return -EINVAL;
    if (guest_copy_from(entries, (uint64_t)request.map.buffer.p,
                        request.map.nr_entries * sizeof(entries[0])) != 0)
        return -EFAULT;
    d = domain_get_for_caller(request.domid, &error);
    if (d == NULL)
        return error;
    spin_lock(&d->hypercall->hypercall_lock);
    d->hypercall->nr_entries = request.map.nr_entries;
    memcpy(d->hypercall->map, entries, request.map.nr_entries * sizeof(entries[0]));
    spin_unlock(&d->hypercall->hypercall_lock);
    domain_put(d);
    return 0;
}

/* Operations on a physical address space, which a PV domain has not: only the errors are left. */
static int64_t physmap_op(uint32_t op, uint64_t arg)
{
    union {
        domid_t domid; /* the first field of each */
        struct xen_add_to_physmap add;
        struct xen_add_to_physmap_batch batch;
        struct xen_remove_from_physmap remove;
    } u;
    size_t size = op == XENMEM_add_to_physmap         ? sizeof(u.add)
                  : op == XENMEM_add_to_physmap_batch ? sizeof(u.batch)
                                                      : sizeof(u.remove);

    if (guest_copy_from(&u, arg, size) != 0)
        return -EFAULT;
    if (op == XENMEM_add_to_physmap && u.add.space == XENMAPSPACE_gmfn_foreign)
        return -ENOSYS;
    return hypercall_domain_exists(u.domid) ? -EACCES : -ESRCH;
}

/* Set frames aside for a domain that is being built, so that others cannot take them meanwhile. */
static int64_t claim_pages(uint64_t arg)
{
    struct xen_memory_reservation r;
    struct domain *d;
    int error;

    if (guest_copy_from(&r, arg, sizeof(r)) != 0)
        return -EFAULT;
    if (r.extent_start.p != NULL || r.extent_order != 0 || r.mem_flags != 0)
        return -EINVAL;
    if (!current_domain()->privileged)
        return -EPERM;
    d = domain_get_for_caller(r.domid, &error);
    if (d == NULL)
        return error;
    error = domain_claim_frames(d, r.nr_extents);
    if (error != 0)
        log_warn("memory_op claim_pages: domain %u: %llu pages, it has %llu of %llu and a claim of %llu; free %llu, "
                 "claimed in all %llu: error %d", d->id, (unsigned long long)r.nr_extents,
                 (unsigned long long)d->tot_pages, (unsigned long long)d->max_pages, (unsigned long long)d->claimed,
                 (unsigned long long)page_alloc_free_frames(), (unsigned long long)domain_claimed_frames(), error);
    domain_put(d);
    return error;
}

static int64_t get_vnumainfo(uint64_t arg)
{
    struct xen_vnuma_topology_info info;
    struct domain *d;
    int error = 0;

    if (guest_copy_from(&info, arg, sizeof(info)) != 0)
        return -EFAULT;
    if (info.pad != 0)
        return -EINVAL;
    d = domain_get_for_caller(info.domid, &error);
    if (d == NULL)
        return error;
    domain_put(d);
    return -EOPNOTSUPP;
}

/* Regions that devices reach whatever an IOMMU says: without one there are none. */
static int64_t reserved_device_memory_map(uint64_t arg)
{
    struct xen_reserved_device_memory_map map;

    if (guest_copy_from(&map, arg, sizeof(map)) != 0)
        return -EFAULT;
    if (map.flags & ~(uint32_t)XENMEM_RDM_ALL)
        return -EINVAL;
    map.nr_entries = 0;
    return guest_copy_to(arg, &map, sizeof(map));
}

/* The frames of a grant table, so that a toolstack can make the first grants of a domain that does not run yet. */
static int64_t acquire_grant_frames(struct domain *d, uint64_t arg, struct xen_mem_acquire_resource *r)
{
    bool status = r->id == XENMEM_resource_grant_table_id_status;

    if (r->id > XENMEM_resource_grant_table_id_status)
        return -EINVAL;
    if (r->frame_list.p == NULL) {
        if (r->nr_frames != 0)
            return -EINVAL;
        r->nr_frames = grant_frames_limit(d, status);
        return guest_copy_to(arg, r, sizeof(*r));
    }
    for (uint32_t i = 0; i < r->nr_frames; i++) {
        mfn_t m;

        if (r->frame + i < i || grant_frame_for_map(d, r->frame + i, status, &m) != 0)
            return -EINVAL;
        if (guest_write_u64((uint64_t)r->frame_list.p + i * sizeof(*r->frame_list.p), m.v) != 0)
            return -EFAULT;
    }
    return 0;
}

/* Parts of another domain that its tools map. */
static int64_t acquire_resource(uint64_t arg)
{
    struct xen_mem_acquire_resource r;
    struct domain *d;
    int64_t result = -EOPNOTSUPP;

    if (guest_copy_from(&r, arg, sizeof(r)) != 0)
        return -EFAULT;
    if (r.pad != 0)
        return -EINVAL;
    d = domain_get(r.domid);
    if (d == NULL)
        return r.domid == DOMID_SELF ? -EPERM : -ESRCH;
    if (d == current_domain() || !current_domain()->privileged)
        result = -EPERM;
    else if (r.type == XENMEM_resource_grant_table)
        result = acquire_grant_frames(d, arg, &r);
    domain_put(d);
    return result;
}

/* Populate on demand and rights to pages of another domain are for HVM. */
static const struct refused_op refused[] = {
    {XENMEM_set_pod_target, sizeof(xen_pod_target_t), offsetof(xen_pod_target_t, domid), SILENT, 0, -EINVAL,
     -EINVAL},
    {XENMEM_get_pod_target, sizeof(xen_pod_target_t), offsetof(xen_pod_target_t, domid), SILENT, 0, -EINVAL,
     -EINVAL},
    {XENMEM_access_op, sizeof(xen_mem_access_op_t), offsetof(xen_mem_access_op_t, domid), SILENT, 0, -EPERM,
     -EINVAL},
};

int64_t do_memory_op(struct hypercall_args *args)
{
    uint32_t op = (uint32_t)(args->a[0] & ((1UL << MEMOP_EXTENT_SHIFT) - 1));
    uint64_t arg = args->a[1];

    switch (op) {
    case XENMEM_increase_reservation:
    case XENMEM_decrease_reservation:
    case XENMEM_populate_physmap:
        return reservation_change(op, args);
    case XENMEM_exchange:
        return reservation_exchange(args);
    case XENMEM_maximum_ram_page:
        return (int64_t)frame_max;
    case XENMEM_current_reservation:
    case XENMEM_maximum_reservation:
    case XENMEM_maximum_gpfn:
        return reservation_of(op, arg);
    case XENMEM_machphys_mapping:
        return machphys_mapping(arg);
    case XENMEM_machphys_mfn_list:
        return machphys_mfn_list(arg);
    case XENMEM_machphys_compat_mfn_list:
        return -EOPNOTSUPP;
    case XENMEM_memory_map:
        return memory_map(arg);
    case XENMEM_set_memory_map:
        return set_memory_map(arg);
    case XENMEM_machine_memory_map:
        return machine_memory_map(arg);
    case XENMEM_add_to_physmap:
    case XENMEM_add_to_physmap_batch:
    case XENMEM_remove_from_physmap:
        return physmap_op(op, arg);
    case XENMEM_get_sharing_freed_pages:
    case XENMEM_get_sharing_shared_pages:
        return 0;
    case XENMEM_claim_pages:
        return claim_pages(arg);
    case XENMEM_get_vnumainfo:
        return get_vnumainfo(arg);
    case XENMEM_reserved_device_memory_map:
        return reserved_device_memory_map(arg);
    case XENMEM_acquire_resource:
        return acquire_resource(arg);
    default:
        return hypercall_refuse(refused, ARRAY_SIZE(refused), op, arg);
    }
}
