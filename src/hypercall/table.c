/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of hypercalls, and the one way into it.
 *
 * A guest kernel executes SYSCALL with the number in RAX and up to six
 * arguments. A call that cannot finish at once changes its arguments to what
 * is left to do and returns -ERESTART: then the guest's RIP goes back over its
 * SYSCALL instruction (2 bytes), RAX keeps the number, and the guest itself
 * makes the call again once softirqs and events have had their turn. Nothing
 * of a call half done is kept in the hypervisor.
 */
#include "hypercall/hypercall.h"

#include "abi/errno.h"
#include "x86/nospec.h"
#include "x86/upcalls.h"

#define ROW(number, function, arguments, caller) \
    [__HYPERVISOR_##number] = {.name = #number, .fn = function, .nargs = arguments, .who = caller}

/* Numbers without a row: -ENOSYS. */
const struct hypercall_row hypercall_table[HYPERCALL_MAX] = {
    ROW(set_trap_table, do_set_trap_table, 1, CALL_ANY),
    ROW(mmu_update, do_mmu_update, 4, CALL_ANY),
    ROW(set_gdt, do_set_gdt, 2, CALL_ANY),
    ROW(stack_switch, do_stack_switch, 2, CALL_ANY),
    ROW(set_callbacks, do_set_callbacks, 3, CALL_ANY),
    ROW(fpu_taskswitch, do_fpu_taskswitch, 1, CALL_ANY),
    ROW(sched_op_compat, do_sched_op_compat, 2, CALL_ANY),
    ROW(platform_op, do_platform_op, 1, CALL_ANY),
    ROW(set_debugreg, do_set_debugreg, 2, CALL_ANY),
    ROW(get_debugreg, do_get_debugreg, 1, CALL_ANY),
    ROW(update_descriptor, do_update_descriptor, 2, CALL_ANY),
    ROW(memory_op, do_memory_op, 2, CALL_ANY),
    ROW(multicall, do_multicall, 2, CALL_ANY),
    ROW(update_va_mapping, do_update_va_mapping, 3, CALL_ANY),
    ROW(set_timer_op, do_set_timer_op, 1, CALL_ANY),
    ROW(event_channel_op_compat, do_event_channel_op_compat, 1, CALL_ANY),
    ROW(xen_version, do_xen_version, 2, CALL_ANY),
    ROW(console_io, do_console_io, 3, CALL_ANY),
    ROW(physdev_op_compat, do_physdev_op_compat, 1, CALL_ANY),
    ROW(grant_table_op, do_grant_table_op, 3, CALL_ANY),
    ROW(vm_assist, do_vm_assist, 2, CALL_ANY),
    ROW(update_va_mapping_otherdomain, do_update_va_mapping_otherdomain, 4, CALL_ANY),
    ROW(iret, do_iret, 0, CALL_ANY),
    ROW(vcpu_op, do_vcpu_op, 3, CALL_ANY),
    ROW(set_segment_base, do_set_segment_base, 2, CALL_ANY),
    ROW(mmuext_op, do_mmuext_op, 4, CALL_ANY),
    ROW(nmi_op, do_nmi_op, 2, CALL_ANY),
    ROW(sched_op, do_sched_op, 2, CALL_ANY),
    ROW(callback_op, do_callback_op, 2, CALL_ANY),
    ROW(event_channel_op, do_event_channel_op, 2, CALL_ANY),
    ROW(physdev_op, do_physdev_op, 2, CALL_ANY),
    ROW(hvm_op, do_hvm_op, 2, CALL_ANY),
    ROW(sysctl, do_sysctl, 1, CALL_ANY),
    ROW(domctl, do_domctl, 1, CALL_ANY),
    ROW(kexec_op, do_kexec_op, 2, CALL_PRIVILEGED),
    ROW(xenpmu_op, do_xenpmu_op, 2, CALL_ANY),
    ROW(dm_op, do_dm_op, 3, CALL_ANY),
    ROW(hypfs_op, do_hypfs_op, 5, CALL_PRIVILEGED),
    ROW(mca, do_mca, 1, CALL_PRIVILEGED),
    ROW(arch_1, do_paging_domctl_cont, 1, CALL_ANY),
};

const struct hypercall_row *hypercall_find(uint64_t number)
{
    const struct hypercall_row *row;

    if (number >= HYPERCALL_MAX)
        return NULL;
    row = &hypercall_table[index_nospec(number, HYPERCALL_MAX)];
    return row->fn ? row : NULL;
}

int64_t hypercall_perform(const struct hypercall_row *row, struct hypercall_args *args)
{
    if (row->who == CALL_PRIVILEGED && !current_domain()->privileged)
        return -EPERM;
    args->registers_loaded = row->fn == do_iret;
    return row->fn(args);
}

void upcall_hypercall(struct guest_cpu *g)
{
    struct cpu_user_regs *r = &g->regs;
    const struct hypercall_row *row = hypercall_find(r->rax);
    struct hypercall_args args = {.a = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9}};
    int64_t result;

    if (row == NULL) {
        r->rax = (uint64_t)-ENOSYS;
        return;
    }
    result = hypercall_perform(row, &args);
    if (args.registers_loaded)
        return;
    if (result != -ERESTART) {
        r->rax = (uint64_t)result;
        return;
    }
    r->rip -= 2;
    r->rdi = args.a[0];
    r->rsi = args.a[1];
    r->rdx = args.a[2];
    r->r10 = args.a[3];
    r->r8 = args.a[4];
    r->r9 = args.a[5];
}
