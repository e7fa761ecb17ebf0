/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysctl: the table of operations on the machine as a whole, and the one way into it. See control.h. */
#include "hypercall/control.h"

#include "abi/errno.h"
#include "core/log.h"
#include "core/trace.h"
#include "x86/nospec.h"
#include "x86/uaccess.h"

enum { LOUD, QUIET }; /* a row: does a failure deserve a line? */

#define ROW(op, function, speaks) [XEN_SYSCTL_##op] = {.name = #op, .fn = function, .quiet = (speaks) == QUIET}

static const struct sysctl_row {
    const char *name;
    sysctl_fn_t *fn; /* NULL: -ENOSYS */
    bool quiet;
} sysctl_table[] = {
    ROW(readconsole, sysctl_readconsole, LOUD),
    ROW(tbuf_op, sysctl_tbuf_op, QUIET),
    ROW(physinfo, sysctl_physinfo, LOUD),
    ROW(sched_id, sysctl_sched_id, LOUD),
    ROW(getdomaininfolist, sysctl_getdomaininfolist, LOUD),
    ROW(debug_keys, sysctl_debug_keys, LOUD),
    ROW(getcpuinfo, sysctl_getcpuinfo, LOUD),
    ROW(availheap, sysctl_availheap, LOUD),
    ROW(get_pmstat, sysctl_get_pmstat, QUIET),
    ROW(cpu_hotplug, sysctl_cpu_hotplug, LOUD),
    ROW(pm_op, sysctl_pm_op, QUIET),
    ROW(page_offline_op, sysctl_page_offline_op, LOUD),
    ROW(cputopoinfo, sysctl_cputopoinfo, LOUD),
    ROW(numainfo, sysctl_numainfo, LOUD),
    ROW(cpupool_op, sysctl_cpupool_op, QUIET), /* lists end with ENOENT */
    ROW(livepatch_op, sysctl_livepatch_op, LOUD),
    ROW(psr_alloc, sysctl_psr_alloc, QUIET),
    ROW(scheduler_op, sysctl_scheduler_op, LOUD),
    ROW(pcitopoinfo, sysctl_pcitopoinfo, LOUD),
    ROW(get_cpu_levelling_caps, sysctl_levelling_caps, LOUD),
    ROW(get_cpu_featureset, sysctl_get_cpu_featureset, QUIET),
    ROW(get_cpu_policy, sysctl_get_cpu_policy, QUIET),
};

/* Known, and built neither into Debian's Xen nor into this. */
static int absent_sysctl(uint32_t cmd)
{
    switch (cmd) {
    case XEN_SYSCTL_coverage_op:
        return -EOPNOTSUPP;
    case XEN_SYSCTL_psr_cmt_op:
        return -ENODEV;
    default:
        return -ENOSYS;
    }
}

int64_t do_sysctl(struct hypercall_args *args)
{
    uint64_t gva = args->a[0];
    const struct sysctl_row *row;
    struct sysctl s = {.control = {.family = "sysctl", .target = NO_TARGET}};
    int result;

    if (guest_copy_from(&s.op, gva, sizeof(s.op)) != 0)
        return -EFAULT;
    if (s.op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
        return -EACCES;
    if (!current_domain()->privileged)
        return -EPERM;
    if (s.op.cmd >= ARRAY_SIZE(sysctl_table) || sysctl_table[s.op.cmd].fn == NULL)
        return absent_sysctl(s.op.cmd);
    trace_note(TRACE_SYSCTL, current_domain()->id, s.op.cmd, stime_now());
    row = &sysctl_table[index_nospec(s.op.cmd, ARRAY_SIZE(sysctl_table))];
    s.control.name = row->name;
    result = row->fn(&s);
    if (result == 0 && guest_copy_to(gva, &s.op, sizeof(s.op)) != 0)
        result = -EFAULT;
    if (result < 0 && result != -ERESTART && !row->quiet && !s.control.explained)
        return control_refuse(&s.control, result, "refused");
    return result;
}
