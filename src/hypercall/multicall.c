/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several hypercalls in one: a list of entries in guest memory, each with its
 * arguments and, afterwards, its result.
 *
 * The list can be interrupted between two entries, and within one: then the
 * entry's changed arguments are written back to it, and the multicall starts
 * again with this entry as its first. An entry can be rewritten by another
 * vCPU at any time: it is copied once, and checked as any hypercall is. Lists
 * do not nest. iret, which replaces all registers, ends the list.
 */
#include "hypercall/hypercall.h"

#include "abi/errno.h"
#include "core/softirq.h"
#include "lib/string.h"
#include "x86/uaccess.h"

/*
 * One entry; -ERESTART if it is not finished, -EFAULT if the list cannot be
 * written. *ended: it was iret.
 */
static int perform_entry(uint64_t entry_gva, bool *ended)
{
    struct multicall_entry entry;
    struct hypercall_args args = {.registers_loaded = false};
    const struct hypercall_row *row;
    int64_t result = -ENOSYS;

    if (guest_copy_from(&entry, entry_gva, sizeof(entry)) != 0)
        return -EFAULT;
    memcpy(args.a, entry.args, sizeof(args.a));
    row = hypercall_find(entry.op);
    if (row != NULL && row->fn == do_multicall)
        result = -EINVAL;
    else if (row != NULL)
        result = hypercall_perform(row, &args);
    if (args.registers_loaded) {
        *ended = true;
        return 0;
    }

    if (result == -ERESTART) {
        uint64_t args_gva = entry_gva + offsetof(struct multicall_entry, args);

        return guest_copy_to(args_gva, args.a, sizeof(args.a)) != 0 ? -EFAULT : -ERESTART;
    }
    return guest_write_u64(entry_gva + offsetof(struct multicall_entry, result), (uint64_t)result);
}

int64_t do_multicall(struct hypercall_args *args)
{
    uint64_t list = args->a[0];
    uint32_t count = (uint32_t)args->a[1];

    /* A list of nothing must be somewhere too. */
    if (!guest_range_ok(list, MAX((uint64_t)count * sizeof(struct multicall_entry), 1ul)))
        return -EFAULT;
    for (uint32_t i = 0; i < count; i++) {
        int error;

        args->a[0] = list + (uint64_t)i * sizeof(struct multicall_entry);
        args->a[1] = count - i;
        if (i > 0 && preempt_pending())
            return -ERESTART;
        error = perform_entry(args->a[0], &args->registers_loaded);
        if (error != 0 || args->registers_loaded)
            return error;
    }
    return 0;
}
