/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hypercalls, through the hypercall page (or by SYSCALL, for numbers that have no stub). */
#ifndef GUEST_HYPERCALL_H
#define GUEST_HYPERCALL_H

#include "lib/guest.h"

#define ARG(x) ((u64)(x))

static inline long hypercall(unsigned nr, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
    register u64 r10 __asm__("r10") = a4;
    register u64 r8 __asm__("r8") = a5;
    u64 ret = (u64)hypercall_page + nr * 32UL;

    __asm__ volatile("call *%0"
                     : "+a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                     :
                     : "rcx", "r11", "r9", "memory");
    return (long)ret;
}

static inline long hypercall_raw(u64 nr, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
    register u64 r10 __asm__("r10") = a4;
    register u64 r8 __asm__("r8") = a5;

    __asm__ volatile("syscall"
                     : "+a"(nr), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                     :
                     : "rcx", "r11", "r9", "memory");
    return (long)nr;
}

#define HYPERVISOR(name, a, b, c, d, e) hypercall(__HYPERVISOR_##name, ARG(a), ARG(b), ARG(c), ARG(d), ARG(e))

static inline long hv_set_trap_table(const struct trap_info *table)
{
    return HYPERVISOR(set_trap_table, table, 0, 0, 0, 0);
}

static inline long hv_mmu_update(struct mmu_update *req, unsigned count, unsigned *done, unsigned domid)
{
    return HYPERVISOR(mmu_update, req, count, done, domid, 0);
}

static inline long hv_mmuext_op(struct mmuext_op *op, unsigned count, unsigned *done, unsigned domid)
{
    return HYPERVISOR(mmuext_op, op, count, done, domid, 0);
}

static inline long hv_update_va_mapping(u64 va, u64 pte, u64 flags)
{
    return HYPERVISOR(update_va_mapping, va, pte, flags, 0, 0);
}

static inline long hv_update_va_mapping_otherdomain(u64 va, u64 pte, u64 flags, unsigned domid)
{
    return HYPERVISOR(update_va_mapping_otherdomain, va, pte, flags, domid, 0);
}

static inline long hv_stack_switch(u64 ss, u64 sp)
{
    return HYPERVISOR(stack_switch, ss, sp, 0, 0, 0);
}
static inline long hv_set_segment_base(unsigned which, u64 base)
{
    return HYPERVISOR(set_segment_base, which, base, 0, 0, 0);
}
static inline long hv_sched_op(unsigned op, void *arg)
{
    return HYPERVISOR(sched_op, op, arg, 0, 0, 0);
}
static inline long hv_memory_op(unsigned op, void *arg)
{
    return HYPERVISOR(memory_op, op, arg, 0, 0, 0);
}
static inline long hv_xen_version(unsigned op, void *arg)
{
    return HYPERVISOR(xen_version, op, arg, 0, 0, 0);
}
static inline long hv_event_channel_op(unsigned op, void *arg)
{
    return HYPERVISOR(event_channel_op, op, arg, 0, 0, 0);
}
static inline long hv_vcpu_op(unsigned op, unsigned vcpu, void *arg)
{
    return HYPERVISOR(vcpu_op, op, vcpu, arg, 0, 0);
}
static inline long hv_grant_table_op(unsigned op, void *arg, unsigned count)
{
    return HYPERVISOR(grant_table_op, op, arg, count, 0, 0);
}
static inline long hv_callback_op(unsigned op, void *arg)
{
    return HYPERVISOR(callback_op, op, arg, 0, 0, 0);
}
static inline long hv_vm_assist(unsigned cmd, unsigned type)
{
    return HYPERVISOR(vm_assist, cmd, type, 0, 0, 0);
}
static inline long hv_physdev_op(unsigned op, void *arg)
{
    return HYPERVISOR(physdev_op, op, arg, 0, 0, 0);
}
static inline long hv_console_io(unsigned op, size_t len, const char *text)
{
    return HYPERVISOR(console_io, op, len, text, 0, 0);
}
static inline long hv_multicall(struct multicall_entry *list, unsigned count)
{
    return HYPERVISOR(multicall, list, count, 0, 0, 0);
}

/* One mmu_update of one entry; one mmuext_op. */
static inline long mmu_write(u64 machine_address, u64 value, unsigned command, unsigned domid)
{
    struct mmu_update req = {.ptr = machine_address | command, .val = value};

    return hv_mmu_update(&req, 1, NULL, domid);
}

static inline long mmuext_mfn(unsigned cmd, u64 mfn)
{
    struct mmuext_op op = {.cmd = cmd, .arg1.mfn = mfn};

    return hv_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

#endif
