/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug registers: what they take, where they break, and single steps, in kernel and user mode. */
#include "answers/answers.h"
#include "lib/user.h"
#include <xen/version.h>

static volatile u64 watched[4] __attribute__((aligned(32)));
static volatile unsigned hits, steps;
static volatile u64 last_rip, last_dr6;

static long dr_set(unsigned reg, u64 value)
{
    return HYPERVISOR(set_debugreg, reg, value, 0, 0, 0);
}

static u64 dr_get(unsigned reg)
{
    return (u64)HYPERVISOR(get_debugreg, reg, 0, 0, 0, 0);
}

static bool on_debug(struct regs *regs)
{
    last_dr6 = dr_get(6);
    dr_set(6, 0);
    last_rip = regs->rip;
    if (last_dr6 & BIT(14))
        steps++;
    else
        hits++;
    regs->rflags |= BIT(16); /* past a breakpoint on the instruction itself */
    return true;
}

static void ask_values(void)
{
    static const u64 addresses[] = {
        0,
        1,
        0x7fffffffffff,
        0x800000000000,
        0xffff7fffffffffff,
        HYPERVISOR_VIRT_START,
        0xffff87ffffffffff,
        0xffff880000000000,
        ~0UL,
    };
    static const u64 controls[] = {
        0,       0x1,     0x2,     0x3,     0x55,       0xaa,       0x100,      0x200,       0x300,   0x400,
        0x800,   0x1000,  0x2000,  0x4000,  0x8000,     0x10001,    0x20001,    0x20000,     0x30001, 0x40001,
        0x80001, 0x90001, 0xc0001, 0xd0001, 0xffff0000, 0xffff00ff, 0x33330055, 0x100000000, BIT(63),
    };
    long code;

    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        code = dr_set(3, addresses[i]);
        ask("DR3 address", "%lx %s %lx", addresses[i], code_text(code), dr_get(3));
        dr_set(3, 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(controls); i++) {
        code = dr_set(7, controls[i]);
        ask("DR7", "%lx %s %lx", controls[i], code_text(code), dr_get(7));
        dr_set(7, 0);
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        code = dr_set(6, BIT(bit));
        ask("DR6 bit", "%u %s %lx", bit, code_text(code), dr_get(6));
        dr_set(6, 0);
    }
    dr_set(4, 0xf);
    dr_set(5, 0x300);
    ask("DR4, DR5", "%lx %lx", dr_get(4), dr_get(5));
    dr_set(7, 0);
    dr_set(6, 0);
}

/* Each kind and length of watchpoint against a write and a read of 8 bytes at watched[0]. */
static void ask_watch(void)
{
    for (unsigned kind = 0; kind < 16; kind++) {
        unsigned writes, reads;

        dr_set(0, (u64)&watched[0]);
        long code = dr_set(7, 1 | (u64)kind << 16);
        hits = 0;
        watched[0] = 1;
        writes = hits;
        (void)watched[0];
        reads = hits - writes;
        (void)watched[1];
        watched[1] = 2;
        ask("watchpoint", "%x %s writes %u reads %u beside %u dr6 %lx", kind, code_text(code), writes, reads,
            hits - writes - reads, last_dr6);
        dr_set(7, 0);
    }
}

/* The hypervisor writes to and reads from what the guest watches: nothing is heard of it. */
static void ask_hypervisor(void)
{
    struct xen_feature_info *info = (struct xen_feature_info *)&watched[0];

    watched[0] = 0;
    dr_set(0, (u64)&watched[0]);
    dr_set(7, 1 | 0xfUL << 16);
    hits = 0;
    long code = hv_xen_version(XENVER_get_features, info);
    ask("watched memory used by the hypervisor", "%s hits %u", code_text(code), hits);
    dr_set(7, 0);
}

__attribute__((noinline)) static void breakpoint_target(void)
{
    __asm__ volatile(".globl debug_target\ndebug_target: nop\n nop");
}
extern char debug_target[];

static void ask_execute(void)
{
    dr_set(1, (u64)debug_target);
    dr_set(7, 4);
    hits = 0;
    last_dr6 = 0;
    breakpoint_target();
    ask("breakpoint", "hits %u at %lx dr6 %lx", hits, last_rip - (u64)debug_target, last_dr6);
    dr_set(7, 0);
    hits = 0;
    breakpoint_target();
    ask("breakpoint taken away", "hits %u", hits);
}

static void ask_kernel_step(void)
{
    u64 rax = __HYPERVISOR_xen_version, rdi = 0;

    steps = 0;
    __asm__ volatile("pushfq\n orq $0x100, (%%rsp)\n popfq\n"
                     "nop\n nop\n nop\n"
                     "pushfq\n andq $~0x100, (%%rsp)\n popfq\n"
                     :
                     :
                     : "memory", "cc");
    ask("single step, kernel", "%u", steps);
    steps = 0;
    __asm__ volatile("pushfq\n orq $0x100, (%%rsp)\n popfq\n"
                     "syscall\n nop\n"
                     "pushfq\n andq $~0x100, (%%rsp)\n popfq\n"
                     : "+a"(rax), "+D"(rdi)
                     : "S"(0UL)
                     : "rcx", "r11", "memory", "cc");
    ask("single step over a hypercall", "%u %lx", steps, rax);
    steps = 0;
    __asm__ volatile("pushfq\n orq $0x100, (%%rsp)\n popfq\n"
                     "ud2\n .ascii \"xen\"\n cpuid\n nop\n"
                     "pushfq\n andq $~0x100, (%%rsp)\n popfq\n"
                     : "+a"(rax)
                     :
                     : "rbx", "rcx", "rdx", "memory", "cc");
    ask("single step over an emulated cpuid", "%u", steps);
    steps = 0;
    __asm__ volatile("pushfq\n orq $0x100, (%%rsp)\n popfq\n"
                     "mov %%cr0, %0\n nop\n"
                     "pushfq\n andq $~0x100, (%%rsp)\n popfq\n"
                     : "+a"(rax)
                     :
                     : "memory", "cc");
    ask("single step over an emulated mov from CR0", "%u", steps);
}

static void ask_user(void)
{
    static const u8 step_code[] = {0x90, 0x90, 0x90, 0x0f, 0x0b};                    /* nop x 3; ud2 */
    static const u8 watch_code[] = {0x48, 0x89, 0x07, 0x48, 0x8b, 0x07, 0x0f, 0x0b}; /* store, load, ud2 */
    static const u8 syscall_code[] = {0x90, 0x0f, 0x05};
    struct regs r = user_regs(0);

    user_load(0, step_code, sizeof(step_code));
    r.rflags |= BIT(8);
    steps = 0;
    user_run(&r, 0);
    ask("single step, user", "%u then %lu at %lx flags %lx", steps, r.vector, r.rip, r.rflags);

    user_load(0, syscall_code, sizeof(syscall_code));
    r = user_regs(0);
    r.rflags |= BIT(8);
    steps = 0;
    user_run(&r, 0);
    ask("single step, user to system call", "%u then %lu at %lx flags %lx", steps, r.vector, r.rip, r.rflags);

    for (unsigned kind = 1; kind < 4; kind += 2) {
        user_load(0, watch_code, sizeof(watch_code));
        r = user_regs(0);
        r.rdi = USER_DATA;
        dr_set(2, USER_DATA);
        dr_set(7, 0x10 | (u64)(kind | 8) << 24);
        hits = 0;
        user_run(&r, 0);
        dr_set(7, 0);
        ask("watchpoint, user", "%u hits %u dr6 %lx then %lu", kind, hits, last_dr6, r.vector);
    }
    user_load(0, step_code, sizeof(step_code));
    r = user_regs(0);
    dr_set(2, USER_CODE + 1);
    dr_set(7, 0x10);
    hits = 0;
    user_run(&r, 0);
    dr_set(7, 0);
    ask("breakpoint, user", "hits %u dr6 %lx at %lx then %lu", hits, last_dr6, last_rip, r.vector);
}

void ask_debug(void)
{
    trap_set_handler(VEC_DB, on_debug);
    ask_values();
    ask_watch();
    ask_hypervisor();
    ask_execute();
    ask_kernel_step();
    ask_user();
    trap_set_handler(VEC_DB, NULL);
}
