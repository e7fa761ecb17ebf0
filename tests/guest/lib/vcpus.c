/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Further vCPUs: each with a stack of its own, in the address space of the first, its events masked. */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include <xen/vcpu.h>

extern char vcpu_entry[];

static u8 stacks[VCPUS_MAX][8192] PAGE_ALIGNED;

unsigned vcpu_count(void)
{
    unsigned n = 1;

    while (n < VCPUS_MAX && hv_vcpu_op(VCPUOP_is_up, n, NULL) >= 0)
        n++;
    return n;
}

bool vcpu_start(unsigned vcpu, void (*run)(u64 vcpu))
{
    static struct vcpu_guest_context context;

    memset(&context, 0, sizeof(context));
    context.flags = VGCF_in_kernel;
    context.user_regs.rip = (u64)vcpu_entry;
    context.user_regs.cs = FLAT_KERNEL_CS;
    context.user_regs.ss = FLAT_KERNEL_SS;
    context.user_regs.rsp = context.kernel_sp = (u64)stacks[vcpu] + sizeof(stacks[vcpu]);
    context.user_regs.rflags = BIT(9) | 2;
    context.user_regs.rdi = vcpu;
    context.user_regs.rsi = (u64)run;
    context.kernel_ss = FLAT_KERNEL_SS;
    context.ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn((void *)start_info->pt_base));
    context.event_callback_eip = (u64)trap_event_entry;
    context.failsafe_callback_eip = (u64)trap_failsafe_entry;
    context.syscall_callback_eip = (u64)trap_syscall_entry;
    shared_info->vcpu_info[vcpu].evtchn_upcall_mask = 1;
    return hv_vcpu_op(VCPUOP_initialise, vcpu, &context) == 0 && hv_vcpu_op(VCPUOP_up, vcpu, NULL) == 0;
}
