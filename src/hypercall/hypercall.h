/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of hypercalls. A row: number, name, perform function, arguments,
 * who may call. Each function decodes (copies its argument once, checks all)
 * and then performs; a long one returns -ERESTART after it has written into
 * its arguments what is left to do, and is entered again by the guest's own
 * SYSCALL instruction (or, in a multicall, from its entry).
 */
#ifndef HYPERCALL_HYPERCALL_H
#define HYPERCALL_HYPERCALL_H

#include "domain/vcpu.h"

/* For boot/main.c's call of domain_init(): what hypercalls keep for a domain (state.h). */
extern const struct domain_module hypercall_module;

struct hypercall_args {
    uint64_t a[6];    /* rdi rsi rdx r10 r8 r9; a handler may change them before it returns -ERESTART */
    bool registers_loaded; /* out: iret has been performed, RAX is the guest's own: there is no result */
};
typedef int64_t hypercall_fn_t(struct hypercall_args *args);

enum hypercall_who { CALL_ANY, CALL_PRIVILEGED };

struct hypercall_row {
    const char *name;
    hypercall_fn_t *fn;   /* NULL: -ENOSYS */
    uint8_t nargs;
    uint8_t who;          /* CALL_PRIVILEGED: -EPERM for others */
};
#define HYPERCALL_MAX 64
extern const struct hypercall_row hypercall_table[HYPERCALL_MAX];

/* The row of a number as the guest gave it; NULL: -ENOSYS. */
const struct hypercall_row *hypercall_find(uint64_t number);
/* Check who calls, then perform for the running vCPU. The result for the guest; -ERESTART: `args` say what is left. */
int64_t hypercall_perform(const struct hypercall_row *row, struct hypercall_args *args);

/*
 * One file a family; all hypercall_fn_t. pv/ has no dependence on these.
 * do_iret has no result: it loads all registers, RAX too.
 */
hypercall_fn_t do_set_trap_table, do_mmu_update, do_set_gdt, do_stack_switch, do_set_callbacks, do_fpu_taskswitch,
    do_sched_op_compat, do_platform_op, do_set_debugreg, do_get_debugreg, do_update_descriptor, do_memory_op,
    do_multicall, do_update_va_mapping, do_set_timer_op, do_event_channel_op_compat, do_xen_version, do_console_io,
    do_physdev_op_compat, do_grant_table_op, do_vm_assist, do_update_va_mapping_otherdomain, do_iret, do_vcpu_op,
    do_set_segment_base, do_mmuext_op, do_nmi_op, do_sched_op, do_callback_op, do_event_channel_op,
    do_physdev_op, do_hvm_op, do_sysctl, do_domctl, do_kexec_op, do_xenpmu_op, do_dm_op, do_hypfs_op, do_mca,
    do_paging_domctl_cont;

/* What xen_version and hypfs say about this build, beside the numbers of the interface. */
#define EXTRA_VERSION ".7"
#define COMPILED_BY   "hospes"

/* The first domain is told of NMIs and machine checks from now on. */
void mca_init(void);

#endif
