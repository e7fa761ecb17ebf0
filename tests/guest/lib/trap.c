/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions. A test that expects one calls catch_fault(): the exception is
 * described to it and the faulting function abandoned, as by longjmp. Anything
 * unexpected ends the guest with its registers on the console.
 */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include <xen/callback.h>

bool catch_call(void (*fn)(void *), void *arg, u64 *resume_rsp);
extern char catch_resume[];
u64 trap_dispatch(struct regs *regs);

struct regs *trap_user_state;
u64 trap_user_resume_rsp, trap_frame_top;
bool trap_masked_inside;
static trap_handler *handlers[259];
static struct fault *catching;
static u64 resume_rsp;

u64 trap_cr2(void)
{
    return shared_info->vcpu_info[0].arch.cr2;
}

void trap_set_handler(unsigned vector, trap_handler *handler)
{
    handlers[vector] = handler;
}

bool catch_fault(struct fault *fault, void (*fn)(void *arg), void *arg)
{
    struct fault *outer = catching;
    u64 outer_rsp = resume_rsp;
    bool caught;

    *fault = (struct fault){.vector = -1};
    catching = fault;
    caught = catch_call(fn, arg, &resume_rsp);
    catching = outer;
    resume_rsp = outer_rsp;
    return caught;
}

NORETURN static void trap_unexpected(const struct regs *r)
{
    catching = NULL;
    guest_panic("unexpected vector %lu error %lx rip %lx cs %lx rflags %lx rsp %lx cr2 %lx\n"
                "rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx\n",
                r->vector, r->error, r->rip, r->cs, r->rflags, r->rsp, trap_cr2(), r->rax, r->rbx, r->rcx,
                r->rdx, r->rsi, r->rdi);
}

/* Back into C, abandoning what was interrupted. */
static void trap_resume(struct regs *regs, u64 rsp)
{
    regs->rip = (u64)catch_resume;
    regs->rsp = rsp;
    regs->cs = FLAT_KERNEL_CS & ~3;
    regs->ss = FLAT_KERNEL_SS;
    regs->rflags &= ~(BIT(8) | BIT(10) | BIT(18)); /* TF, DF, AC */
}

u64 trap_dispatch(struct regs *regs)
{
    trap_masked_inside = READ_ONCE(shared_info->vcpu_info[0].evtchn_upcall_mask) & 1;
    trap_frame_top = (u64)(regs + 1);
    if (handlers[regs->vector] && handlers[regs->vector](regs))
        return regs->vector == VEC_SYSCALL ? VGCF_in_syscall : 0;

    if ((regs->cs & 3) == 3 && trap_user_state) {
        *trap_user_state = *regs;
        trap_resume(regs, trap_user_resume_rsp);
        return 0;
    }
    if (!catching)
        trap_unexpected(regs);
    *catching = (struct fault){
        .vector = (int)regs->vector,
        .error = regs->error,
        .rip = regs->rip,
        .cs = regs->cs & 0xffff,
        .rflags = regs->rflags,
        .rsp = regs->rsp,
        .ss = regs->ss & 0xffff,
        .cr2 = trap_cr2(),
        .masked_before = (regs->cs >> 32) & 1,
        .masked_inside = trap_masked_inside,
    };
    trap_resume(regs, resume_rsp);
    return 0;
}

void trap_install(u8 ti_flags)
{
    static struct trap_info table[33];
    struct callback_register syscall = {.type = CALLBACKTYPE_syscall, .address = (u64)trap_syscall_entry};
    struct callback_register event = {.type = CALLBACKTYPE_event, .address = (u64)trap_event_entry};
    struct callback_register failsafe = {.type = CALLBACKTYPE_failsafe, .address = (u64)trap_failsafe_entry};
    unsigned n = 0;

    for (u8 v = 0; v < 32; v++) {
        u8 dpl = v == VEC_BP || v == VEC_OF ? 3 : 0;

        if (v == VEC_NMI)
            continue;
        table[n++] = (struct trap_info){
            .vector = v,
            .flags = (u8)(dpl | ti_flags),
            .cs = FLAT_KERNEL_CS,
            .address = (u64)trap_entry_table + v * 16UL,
        };
    }
    table[n].address = 0;
    if (hv_set_trap_table(table))
        guest_panic("set_trap_table failed\n");
    if (hv_callback_op(CALLBACKOP_register, &event) || hv_callback_op(CALLBACKOP_register, &failsafe) ||
        hv_callback_op(CALLBACKOP_register, &syscall))
        guest_panic("callback_op failed\n");
}
