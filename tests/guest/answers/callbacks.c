/* SPDX-License-Identifier: GPL-2.0-or-later */
/* callback_op and set_callbacks: which types and flags there are, and what each does to the event mask. */
#include "answers/answers.h"
#include "lib/user.h"
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/physdev.h>

static const u8 code_syscall[] = {0x0f, 0x05};

static long reg(unsigned type, unsigned flags, u64 address)
{
    struct callback_register r = {.type = (u16)type, .flags = (u16)flags, .address = address};

    return hv_callback_op(CALLBACKOP_register, &r);
}

static long unreg(unsigned type)
{
    struct callback_unregister u = {.type = (u16)type};

    return hv_callback_op(CALLBACKOP_unregister, &u);
}

/* A system call from user mode with events open: are they masked in its handler? */
static void ask_syscall(const char *when)
{
    struct regs r = user_regs(0);

    user_load(0, code_syscall, sizeof(code_syscall));
    r.rax = 0x77;
    *(volatile u8 *)&shared_info->vcpu_info[0].evtchn_upcall_mask = 0;
    user_run(&r, VGCF_in_syscall);
    *(volatile u8 *)&shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
    ask(when, "%lu %lx %lx masked %u", r.vector, r.rip, r.rax, trap_masked_inside);
}

static void ask_compat_forms(void)
{
    struct evtchn_op op = {.cmd = EVTCHNOP_alloc_unbound};
    struct physdev_op iopl = {.cmd = PHYSDEVOP_set_iopl};

    op.u.alloc_unbound.dom = DOMID_SELF;
    op.u.alloc_unbound.remote_dom = DOMID_SELF;
    ask("event_channel_op_compat", "%s", code_text(HYPERVISOR(event_channel_op_compat, &op, 0, 0, 0, 0)));
    op.cmd = EVTCHNOP_close;
    op.u.close.port = op.u.alloc_unbound.port;
    ask("event_channel_op_compat, close", "%s",
        code_text(HYPERVISOR(event_channel_op_compat, &op, 0, 0, 0, 0)));
    for (op.cmd = EVTCHNOP_reset; op.cmd < 15; op.cmd++)
        ask("event_channel_op_compat, newer", "%u %s", op.cmd,
            code_text(HYPERVISOR(event_channel_op_compat, &op, 0, 0, 0, 0)));
    for (iopl.u.set_iopl.iopl = 0; iopl.u.set_iopl.iopl < 5; iopl.u.set_iopl.iopl++)
        ask("physdev_op_compat, iopl", "%u %s", iopl.u.set_iopl.iopl,
            code_text(HYPERVISOR(physdev_op_compat, &iopl, 0, 0, 0, 0)));
    iopl.u.set_iopl.iopl = 0;
    HYPERVISOR(physdev_op_compat, &iopl, 0, 0, 0, 0);
    ask("sched_op_compat", "%s %s", code_text(HYPERVISOR(sched_op_compat, 0, 0, 0, 0, 0)),
        code_text(HYPERVISOR(sched_op_compat, 3, 0, 0, 0, 0)));
}

void ask_callbacks(void)
{
    u64 event = (u64)trap_event_entry, failsafe = (u64)trap_failsafe_entry, syscall = (u64)trap_syscall_entry;

    user_init();
    for (unsigned type = 0; type < 10; type++) {
        u64 to = type == CALLBACKTYPE_event ? event : type == CALLBACKTYPE_failsafe ? failsafe : syscall;

        ask("callback", "%u %s", type, code_text(reg(type, 0, to)));
        ask("callback, non-canonical", "%u %s", type, code_text(reg(type, 0, BIT(63))));
        ask("callback, odd flags", "%u %s", type, code_text(reg(type, 0xfffe, to)));
        ask("callback, unregister", "%u %s", type, code_text(unreg(type)));
        reg(type, 0, to);
    }
    ask("callback, unregister 65535", "%s", code_text(unreg(0xffff)));
    ask_syscall("syscall");
    reg(CALLBACKTYPE_syscall, CALLBACKF_mask_events, syscall);
    ask_syscall("syscall that masks");
    HYPERVISOR(set_callbacks, event, failsafe, syscall, 0, 0);
    ask_syscall("syscall that masked, after set_callbacks");
    reg(CALLBACKTYPE_syscall, 0, syscall);
    HYPERVISOR(set_callbacks, event, failsafe, BIT(63), 0, 0);
    ask_syscall("syscall after set_callbacks that is not canonical");
    reg(CALLBACKTYPE_syscall, 0, syscall);
    ask_compat_forms();
}
