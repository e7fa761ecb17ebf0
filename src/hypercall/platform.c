/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform_op: the privileged domain's view of the machine: its clock, its processors, what the firmware left. */
#include "platform/platform.h"

#include "abi/errno.h"
#include "core/log.h"
#include "domain/pcpu.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "x86/insn.h"
#include "x86/uaccess.h"

/* It is `secs` and `nsecs` when system time is `system_time`: all servers are told. */
static int set_time(uint64_t secs, uint32_t nsecs, uint64_t system_time)
{
    uint64_t ns;

    if (__builtin_mul_overflow(secs, 1000000000ULL, &ns) || __builtin_add_overflow(ns, nsecs, &ns))
        return -EINVAL;
    ns -= MIN(system_time, ns);
    time_set_wallclock(ns / 1000000000, (uint32_t)(ns % 1000000000));
    for (struct domain *d = domain_next(NULL); d != NULL; d = domain_next(d))
        domain_update_wallclock(d);
    return 0;
}

/* There is no BIOS data to hand on: each list is at its end. */
static int firmware_info(struct xenpf_firmware_info *info)
{
    switch (info->type) {
    case XEN_FW_DISK_INFO:
    case XEN_FW_DISK_MBR_SIGNATURE:
    case XEN_FW_VBEDDC_INFO:
        return -ESRCH;
    case XEN_FW_EFI_INFO:
        return -ENOSYS;
    case XEN_FW_KBD_SHIFT_FLAGS:
        info->u.kbd_shift_flags = 0;
        return info->index != 0 ? -ESRCH : 0;
    default:
        return -EINVAL;
    }
}

static int cpu_info(struct xenpf_pcpuinfo *info)
{
    uint32_t cpu = info->xen_cpuid;

    info->max_present = cpus_online - 1;
    info->flags = XEN_PCPU_FLAGS_INVALID;
    info->apic_id = 0;
    info->acpi_id = 0;
    if (cpu < cpus_online) {
        info->flags = cpus_online_mask & BIT(cpu) ? XEN_PCPU_FLAGS_ONLINE : 0;
        info->apic_id = cpu_apic_id[cpu];
        info->acpi_id = machine.acpi_id[cpu];
    }
    return 0;
}

static int cpu_version(struct xenpf_pcpu_version *version)
{
    uint32_t r[4];

    version->max_present = cpus_online - 1;
    memset(version->vendor_id, 0, sizeof(version->vendor_id));
    version->family = version->model = version->stepping = 0;
    if (version->xen_cpuid >= cpus_online)
        return 0;
    cpuid_count(0, 0, r);
    memcpy(version->vendor_id, &r[1], 4);
    memcpy(version->vendor_id + 4, &r[3], 4);
    memcpy(version->vendor_id + 8, &r[2], 4);
    version->family = cpu_features.family;
    version->model = cpu_features.model;
    version->stepping = cpu_features.stepping;
    return 0;
}

/* The owner of the hardware has made the machine ready to sleep. Of all sleeps it can be woken from none: only S5. */
static int enter_sleep(const struct xenpf_enter_acpi_sleep *sleep)
{
    enum { S1 = 1, S5 = 5 };

    if (sleep->sleep_state < S1 || sleep->sleep_state > S5 || sleep->flags & ~(uint32_t)XENPF_ACPI_SLEEP_EXTENDED)
        return -EINVAL;
    if (sleep->sleep_state != S5 || sleep->flags & XENPF_ACPI_SLEEP_EXTENDED)
        return -EOPNOTSUPP;
    log_always("%s: powered off, and the machine with it", current_domain()->name);
    machine_sleep(sleep->val_a, sleep->val_b);
}

/* Only the list's end: the hypervisor does not carry its symbols. */
static int get_symbol(const struct xenpf_symdata *symbol)
{
    return symbol->symnum == 0 ? 0 : -ERANGE;
}

static int park_cores(struct xenpf_core_parking *parking)
{
    switch (parking->type) {
    case XEN_CORE_PARKING_GET:
        parking->idle_nums = 0;
        return 0;
    case XEN_CORE_PARKING_SET:
        return parking->idle_nums == 0 ? 0 : -EOPNOTSUPP;
    default:
        return -EINVAL;
    }
}

#define MSR_MTRR_CAP     0x000000fe
#define MSR_MTRR_BASE(n) (0x00000200 + 2 * (n)) /* of range n; its mask follows */
#define MTRR_VALID       BIT(11)                /* in the mask */
#define MTRR_ADDRESS     0x000ffffffffff000
#define CPUID_1_EDX_MTRR BIT(12)

/* Memory types by range: the firmware's, which nobody changes. */
static int read_memtype(struct xenpf_read_memtype *m)
{
    uint64_t base, mask;
    uint32_t r[4];

    cpuid_count(1, 0, r);
    if (!(r[3] & CPUID_1_EDX_MTRR) || m->reg >= (rdmsr(MSR_MTRR_CAP) & 0xff))
        return -EINVAL;
    base = rdmsr(MSR_MTRR_BASE(m->reg));
    mask = rdmsr(MSR_MTRR_BASE(m->reg) + 1);
    m->mfn = base >> PAGE_SHIFT;
    m->type = base & 0xff;
    m->nr_mfns = mask & MTRR_VALID ? (BIT(cpu_features.phys_bits) - (mask & MTRR_ADDRESS)) >> PAGE_SHIFT : 0;
    return 0;
}

/* What the owner of the hardware has read in ACPI about processors' states, which stay as the firmware left them. */
static int note_states(const struct xenpf_set_processor_pminfo *info)
{
    return info->type == XEN_PM_CX || info->type == XEN_PM_PX ? 0 : -EINVAL;
}

static int platform_perform(struct xen_platform_op *op)
{
    switch (op->cmd) {
    case XENPF_read_memtype:
        return read_memtype(&op->u.read_memtype);
    case XENPF_set_processor_pminfo:
        return note_states(&op->u.set_pminfo);
    case XENPF_add_memtype:
    case XENPF_del_memtype:
    case XENPF_microcode_update:
    case XENPF_platform_quirk:
    case XENPF_mem_hotadd:
        return -EINVAL;
    case XENPF_cpu_hotadd: /* all that there are have been found */
        return op->u.cpu_add.apic_id == cpu_apic_id[0] ? -EEXIST : -EINVAL;
    case XENPF_resource_op: /* no MSR is open to reading */
        return op->u.resource_op.nr_entries == 0 ? 0 : -EINVAL;
    case XENPF_settime32:
        return set_time(op->u.settime32.secs, op->u.settime32.nsecs, op->u.settime32.system_time);
    case XENPF_settime64:
        if (op->u.settime64.mbz != 0)
            return -EINVAL;
        return set_time(op->u.settime64.secs, op->u.settime64.nsecs, op->u.settime64.system_time);
    case XENPF_firmware_info:
        return firmware_info(&op->u.firmware_info);
    case XENPF_enter_acpi_sleep:
        return enter_sleep(&op->u.enter_acpi_sleep);
    case XENPF_get_symbol:
        return get_symbol(&op->u.symdata);
    case XENPF_core_parking:
        return park_cores(&op->u.core_parking);
    case XENPF_cpu_online:
        return pcpu_online(op->u.cpu_ol.cpuid);
    case XENPF_cpu_offline:
        return pcpu_offline(op->u.cpu_ol.cpuid);
    case XENPF_get_cpuinfo:
        return cpu_info(&op->u.pcpu_info);
    case XENPF_get_cpu_version:
        return cpu_version(&op->u.pcpu_version);
    default:
        return -ENOSYS;
    }
}

int64_t do_platform_op(struct hypercall_args *args)
{
    struct xen_platform_op op;
    int error;

    if (guest_copy_from(&op, args->a[0], sizeof(op)) != 0)
        return -EFAULT;
    if (op.interface_version != XENPF_INTERFACE_VERSION)
        return -EACCES;
    if (!current_domain()->privileged)
        return -EPERM;
    error = platform_perform(&op);
    if (error == 0 && guest_copy_to(args->a[0], &op, sizeof(op)) != 0)
        return -EFAULT;
    return error;
}
