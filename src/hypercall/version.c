/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xen_version: which hypervisor this is and what it offers. The interface is
 * Xen 4.17's, so that is the version; the compile information names Hospes.
 */
#include "hypercall/hypercall.h"

#include "abi/errno.h"
#include "core/cmdline.h"
#include "lib/string.h"
#include "x86/uaccess.h"

#define CAPABILITIES  "xen-3.0-x86_64 "
#define DENIED        "<denied>"
#define NOTE_HEADER   (3 * sizeof(uint32_t) + sizeof("GNU")) /* bytes before the text of an ELF note */

/* Text at the start of a field of `size` bytes, the rest of it cleared. */
static int64_t answer_text(uint64_t arg, const char *text, size_t size)
{
    size_t n = strnlen(text, size - 1);

    if (guest_copy_to(arg, text, n) != 0 || guest_clear(arg + n, size - n) != 0)
        return -EFAULT;
    return 0;
}

static int64_t compile_info(uint64_t arg)
{
    xen_compile_info_t info;

    memset(&info, 0, sizeof(info));
    string_copy(info.compiler, __VERSION__, sizeof(info.compiler));
    string_copy(info.compile_by, COMPILED_BY, sizeof(info.compile_by));
    string_copy(info.compile_domain, "", sizeof(info.compile_domain));
    string_copy(info.compile_date, "", sizeof(info.compile_date));
    return guest_copy_to(arg, &info, sizeof(info));
}

static int64_t platform_parameters(uint64_t arg)
{
    struct xen_platform_parameters p = {.virt_start = HYPERVISOR_VIRT_START};

    return guest_copy_to(arg, &p, sizeof(p));
}

/* What a 64-bit PV guest of Xen 4.17 is told. */
static int64_t features(uint64_t arg)
{
    struct xen_feature_info info;

    if (guest_copy_from(&info, arg, sizeof(info)) != 0)
        return -EFAULT;
    if (info.submap_idx != 0)
        return -EINVAL;
    info.submap = (uint32_t)(BIT(XENFEAT_pae_pgdir_above_4gb) | BIT(XENFEAT_mmu_pt_update_preserve_ad) |
                             BIT(XENFEAT_highmem_assist) | BIT(XENFEAT_gnttab_map_avail_bits) |
                             BIT(XENFEAT_memory_op_vnode_supported) | BIT(XENFEAT_direct_mapped));
    if (current_domain()->privileged)
        info.submap |= (uint32_t)BIT(XENFEAT_dom0);
    return guest_copy_to(arg, &info, sizeof(info));
}

static int64_t handle(uint64_t arg)
{
    const struct domain *d = current_domain();

    /* Set before it first ran. */
    return guest_copy_to(arg, d->handle, sizeof(d->handle));
}

/* The linker's hash of this image, from its note: name and type before it. NULL asks for its length. */
static int64_t build_id(uint64_t arg)
{
    extern const char build_id_note[], build_id_note_end[];
    const char *id = build_id_note + NOTE_HEADER;
    size_t size = (size_t)(build_id_note_end - id);
    xen_build_id_t request;

    if (arg == 0)
        return (int64_t)size;
    if (guest_copy_from(&request, arg, sizeof(request)) != 0)
        return -EFAULT;
    if (request.len == 0)
        return -EINVAL;
    if (request.len < size)
        return -ENOBUFS;
    return guest_copy_to(arg + offsetof(xen_build_id_t, buf), id, size) != 0 ? -EFAULT : (int64_t)size;
}

int64_t do_xen_version(struct hypercall_args *args)
{
    bool privileged = current_domain()->privileged;
    uint64_t arg = args->a[1];

    switch ((uint32_t)args->a[0]) {
    case XENVER_version:
        return (XEN_VERSION_MAJOR << 16) | XEN_VERSION_MINOR;
    case XENVER_extraversion:
        return answer_text(arg, EXTRA_VERSION, sizeof(xen_extraversion_t));
    case XENVER_compile_info:
        return compile_info(arg);
    case XENVER_capabilities:
        return answer_text(arg, CAPABILITIES, sizeof(xen_capabilities_info_t));
    case XENVER_changeset:
        return answer_text(arg, "", sizeof(xen_changeset_info_t));
    case XENVER_platform_parameters:
        return platform_parameters(arg);
    case XENVER_get_features:
        return features(arg);
    case XENVER_pagesize:
        return arg != 0 ? -EINVAL : PAGE_SIZE;
    case XENVER_guest_handle:
        return handle(arg);
    case XENVER_commandline:
        if (privileged)
            return answer_text(arg, cmdline_text(), sizeof(xen_commandline_t));
        return answer_text(arg, DENIED, sizeof(DENIED));
    case XENVER_build_id:
        return privileged ? build_id(arg) : -EPERM;
    default:
        return -ENOSYS;
    }
}
