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

struct vcpu_guest_context *vcpu_context(unsigned vcpu, void (*run)(u64 argument), u64 argument)
{
    static struct vcpu_guest_context context;
    struct vcpu_guest_context *c = &context;

    memset(c, 0, sizeof(*c));
    c->flags = VGCF_in_kernel;
    c->user_regs.rip = (u64)vcpu_entry;
    c->user_regs.cs = FLAT_KERNEL_CS;
    c->user_regs.ss = FLAT_KERNEL_SS;
    c->user_regs.rsp = c->kernel_sp = (u64)stacks[vcpu] + sizeof(stacks[vcpu]);
    c->user_regs.rflags = BIT(9) | 2;
    c->user_regs.rdi = argument;
    c->user_regs.rsi = (u64)run;
    c->kernel_ss = FLAT_KERNEL_SS;
    c->ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn((void *)start_info->pt_base));
    c->event_callback_eip = (u64)trap_event_entry;
    c->failsafe_callback_eip = (u64)trap_failsafe_entry;
    c->syscall_callback_eip = (u64)trap_syscall_entry;
    return c;
}

bool vcpu_start(unsigned vcpu, void (*run)(u64 vcpu))
{
    struct vcpu_guest_context *c = vcpu_context(vcpu, run, vcpu);

    shared_info->vcpu_info[vcpu].evtchn_upcall_mask = 1;
    return hv_vcpu_op(VCPUOP_initialise, vcpu, c) == 0 && hv_vcpu_op(VCPUOP_up, vcpu, NULL) == 0;
}
