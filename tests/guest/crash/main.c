/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dies of its own mistake, in the way that its arguments say: the hypervisor
 * must report its registers and take it away. Without an argument: an exception
 * that has no handler.
 */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include "lib/user.h"
#include <xen/callback.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

const char guest_name[] = "crash";

#define NOWHERE 0x1234567000UL
#define NOWHERE_HIGH 0xfffffffffff00000UL /* where kernels have their stacks */

/* A frame cannot be pushed on a stack that is not there. */
static void bad_stack(u64 rsp)
{
    __asm__ volatile("mov %0, %%rsp\n ud2" : : "r"(rsp));
}

static void no_syscall_callback(void)
{
    static const u8 code[] = {0x0f, 0x05};
    struct callback_unregister cb = {.type = CALLBACKTYPE_syscall};
    struct regs r;

    user_init();
    hv_callback_op(CALLBACKOP_unregister, &cb);
    user_load(0, code, sizeof(code));
    r = user_regs(0);
    user_run(&r, 0);
}

static const u8 ud2[] = {0x0f, 0x0b}, syscall_insn[] = {0x0f, 0x05}, fault[] = {0xa0, 0, 0, 0, 0x34, 0x12, 0, 0, 0};

/* A trap of some kind from user mode when the kernel stack is not there. */
static void bad_user_stack(u64 stack, const u8 *code, size_t len)
{
    /* Handlers that mask events, as kernels have them; nobody gets there. */
    struct callback_register cb = {
        .type = CALLBACKTYPE_syscall, .flags = CALLBACKF_mask_events, .address = (unsigned long)guest_main};
    struct trap_info traps[] = {{.vector = VEC_PF, .flags = 4, .cs = FLAT_KERNEL_CS, .address = (u64)guest_main}, {0}};
    struct regs r;

    user_init();
    hv_callback_op(CALLBACKOP_register, &cb);
    hv_set_trap_table(traps);
    hv_stack_switch(FLAT_KERNEL_SS, stack);
    user_load(0, code, len);
    r = user_regs(0);
    hv_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL); /* no event before it */
    shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
    user_run(&r, 0);
}

void guest_main(void)
{
    static char read_only[PAGE_SIZE] PAGE_ALIGNED;
    struct sched_shutdown crash = {.reason = SHUTDOWN_crash};

    print("GUEST crash: about to, by \"%s\"\n", (const char *)start_info->cmd_line);
    page_protect(read_only, false);
    if (guest_option("stack-unmapped"))
        bad_stack(NOWHERE);
    else if (guest_option("stack-readonly"))
        bad_stack((u64)read_only + 2048);
    else if (guest_option("stack-noncanonical"))
        bad_stack(0x8000000000000000);
    else if (guest_option("stack-hypervisor"))
        bad_stack(0xffff830000001000);
    else if (guest_option("iret"))
        __asm__ volatile("mov %0, %%rsp\n mov $23, %%eax\n syscall" : : "r"(NOWHERE));
    else if (guest_option("syscall"))
        no_syscall_callback();
    else if (guest_option("user-stack"))
        bad_user_stack(NOWHERE, ud2, sizeof(ud2));
    else if (guest_option("short-syscall"))
        bad_user_stack(NOWHERE_HIGH, syscall_insn, sizeof(syscall_insn));
    else if (guest_option("short-fault"))
        bad_user_stack(NOWHERE_HIGH, fault, sizeof(fault));
    else if (guest_option("short-iret"))
        __asm__ volatile("mov %0, %%rsp\n mov $23, %%eax\n syscall" : : "r"(NOWHERE_HIGH));
    else if (guest_option("shutdown"))
        hv_sched_op(SCHEDOP_shutdown, &crash);
    hv_set_trap_table(NULL);
    if (guest_option("page-fault"))
        *(volatile char *)NOWHERE = 0;
    if (guest_option("gp"))
        *(volatile char *)0x8000000000000000 = 0;
    __asm__ volatile("ud2");
}
