/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User mode: system calls, exceptions and gates from it, its page table, segment bases, kernel stack. */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include "lib/user.h"
#include "traps/traps.h"
#include <xen/callback.h>

/* One snippet for each thing to do in user mode. */
static const u8 code_syscall[] = {0x0f, 0x05};
static const u8 code_ud[] = {0x0f, 0x0b};
static const u8 code_int3[] = {0xcc};
static const u8 code_int80[] = {0xcd, 0x80};
static const u8 code_cli[] = {0xfa};
static const u8 code_hlt[] = {0xf4};
static const u8 code_in[] = {0xe4, 0x80};
static const u8 code_load[] = {0x48, 0x8b, 0x07};                                   /* mov (%rdi), %rax */
static const u8 code_store[] = {0x48, 0x89, 0x07};                                  /* mov %rax, (%rdi) */
static const u8 code_gs[] = {0x65, 0x48, 0x8b, 0x04, 0x25, 8, 0, 0, 0, 0x0f, 0x0b}; /* mov %gs:8, %rax; ud2 */
static const u8 code_cr3[] = {0x0f, 0x20, 0xd8};                                    /* mov %cr3, %rax */
static const u8 code_cpuid[] = {0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2, 0x0f, 0x0b}; /* forced cpuid; ud2 */

static struct regs run(const void *code, size_t len, u64 rdi)
{
    struct regs r = user_regs(0);

    user_load(0, code, len);
    r.rax = 0x1111;
    r.rdi = rdi;
    user_run(&r, 0);
    return r;
}
#define RUN(code, rdi) run(code, sizeof(code), rdi)

static void check_frame(const struct regs *r, u64 vector, u64 error, const char *what)
{
    CHECK_NAMED(what, r->vector, vector);
    CHECK_NAMED(what, r->error, error);
    CHECK_NAMED(what, r->cs & 0xffff, FLAT_USER_CS);
    CHECK_NAMED(what, r->ss & 0xffff, FLAT_USER_SS);
    CHECK_NAMED(what, r->rsp, USER_STACK);
    CHECK_NAMED(what, trap_frame_top, user_kernel_stack & ~15UL);
    CHECK_NAMED(what, r->rflags & BIT(9), BIT(9));
}

static void test_traps(void)
{
    struct regs r;

    r = RUN(code_ud, 0);
    check_frame(&r, VEC_UD, 0, "user ud2");
    CHECK_EQ(r.rip, USER_CODE);
    r = RUN(code_int3, 0);
    check_frame(&r, VEC_BP, 0, "user int3");
    r = RUN(code_cli, 0);
    check_frame(&r, VEC_GP, 0, "user cli");
    r = RUN(code_hlt, 0);
    check_frame(&r, VEC_GP, 0, "user hlt");
    r = RUN(code_in, 0);
    check_frame(&r, VEC_GP, 0, "user in");
    r = RUN(code_cr3, 0);
    check_frame(&r, VEC_GP, 0, "user mov from cr3");
    r = RUN(code_load, 0x1234567000);
    check_frame(&r, VEC_PF, 4, "user read unmapped");
    CHECK_EQ(trap_cr2(), 0x1234567000);
    r = RUN(code_store, USER_CODE);
    check_frame(&r, VEC_PF, 7, "user write read-only");
    r = RUN(code_load, (u64)image_start);
    check_frame(&r, VEC_PF, 4, "user read of the kernel's image, not in its table");
    r = RUN(code_load, MACH2PHYS_VIRT_START);
    if (r.vector !=
        VEC_BP) /* Xen without page-table isolation lets it be read: the page is filled with int3 */
        check_frame(&r, VEC_PF, 4, "user read of the m2p: kernel mode alone has it");
    r = RUN(code_load, 0xffff830000000000);
    check_frame(&r, VEC_PF, 4 | (r.error & 1), "user read of the hypervisor's memory");
    r = RUN(code_load, 0x8000000000000000);
    check_frame(&r, VEC_GP, 0, "user read non-canonical");
    user_data[0] = 0x77;
    struct regs s = user_regs(0);
    user_load(0, code_load, sizeof(code_load));
    user_load(sizeof(code_load), code_ud, sizeof(code_ud));
    s.rdi = USER_DATA;
    user_run(&s, 0);
    check_frame(&s, VEC_UD, 0, "user read");
    CHECK_EQ(s.rax, 0x77);
    r = RUN(code_cpuid, 0);
    CHECK_EQ(r.vector, VEC_UD);
    CHECK_EQ(r.rip, USER_CODE + 7); /* forced CPUID works in user mode too */
}

static void test_syscall(void)
{
    struct callback_register cb = {.type = CALLBACKTYPE_syscall, .address = (u64)trap_syscall_entry};
    u8 *mask = &shared_info->vcpu_info[0].evtchn_upcall_mask;
    struct regs r = RUN(code_syscall, 0x5678);

    check_frame(&r, VEC_SYSCALL, 0, "syscall");
    CHECK_EQ(r.rip, USER_CODE + 2);
    CHECK_EQ(r.rax, 0x1111);
    CHECK_EQ(r.rdi, 0x5678);
    CHECK_EQ(trap_masked_inside, false);
    CHECK_EQ(*mask, 0); /* IF was set in the user's flags */
    CHECK_EQ(r.rcx, r.rip);
    CHECK_EQ(r.r11, r.rflags);

    cb.flags = CALLBACKF_mask_events;
    CHECK_EQ(hv_callback_op(CALLBACKOP_register, &cb), 0);
    r = RUN(code_syscall, 0);
    CHECK_EQ(trap_masked_inside, true);
    *mask = 1;
    cb.flags = 0;
    CHECK_EQ(hv_callback_op(CALLBACKOP_register, &cb), 0);

    /* The return marked "in syscall": RCX and R11 are lost to RIP and RFLAGS. */
    r = user_regs(0);
    user_load(0, code_ud, sizeof(code_ud));
    r.rcx = 0x9999;
    r.r11 = 0x8888;
    user_run(&r, VGCF_in_syscall);
    check_frame(&r, VEC_UD, 0, "return by sysret");
    CHECK_EQ(r.rcx, USER_CODE);
    CHECK_EQ(r.r11 & ~0xffUL, BIT(9));
    r = user_regs(0);
    r.rcx = 0x9999;
    r.r11 = 0x8888;
    user_run(&r, 0);
    CHECK_EQ(r.rcx, 0x9999);
    CHECK_EQ(r.r11, 0x8888);
    *mask = 1;
}

static void test_int80(void)
{
    struct trap_info table[2] = {
        {.vector = 0x80, .flags = 3, .cs = FLAT_KERNEL_CS, .address = (u64)trap_entry_table + 5 * 16},
    };
    struct regs r;

    CHECK_EQ(hv_set_trap_table(table), 0);
    r = RUN(code_int80, 0);
    check_frame(&r, 5, 0, "user int $0x80");
    CHECK_EQ(r.rip, USER_CODE + 2);
    CHECK_EQ(trap_masked_inside, false);
    table[0].flags = 7;
    CHECK_EQ(hv_set_trap_table(table), 0);
    r = RUN(code_int80, 0);
    CHECK_EQ(r.vector, 5);
    CHECK_EQ(trap_masked_inside, true);
    /* Xen 4.17 lets user mode through this one gate whatever its DPL; xen.h would have it refused. */
    table[0].flags = 2;
    CHECK_EQ(hv_set_trap_table(table), 0);
    r = RUN(code_int80, 0);
    CHECK(r.vector == 5 || (r.vector == VEC_GP && r.rip == USER_CODE));
    shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
}

static void test_user_segments(void)
{
    struct regs r;

    user_data[1] = 0xaaaa;
    user_data[9] = 0xbbbb;
    CHECK_EQ(hv_set_segment_base(SEGBASE_GS_USER, USER_DATA), 0);
    r = RUN(code_gs, 0);
    CHECK_EQ(r.vector, VEC_UD);
    CHECK_EQ(r.rax, 0xaaaa);
    CHECK_EQ(hv_set_segment_base(SEGBASE_GS_USER, USER_DATA + 64), 0);
    r = RUN(code_gs, 0);
    CHECK_EQ(r.rax, 0xbbbb);
    CHECK_EQ(hv_set_segment_base(SEGBASE_GS_USER, 0), 0);
    r = RUN(code_gs, 0);
    CHECK_EQ(r.vector, VEC_PF);
    CHECK_EQ(trap_cr2(), 8);
    shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
}

/* Selectors of the flat 32-bit code segment: user mode may be compatibility mode. */
static void test_compat(void)
{
    static const u8 code[] = {0x8c, 0xc8, 0x40, 0x0f, 0x0b}; /* mov %cs, %eax; inc %eax; ud2 */
    struct regs r = user_regs(0);

    user_load(0, code, sizeof(code));
    r.cs = FLAT_USER_CS32;
    r.ss = FLAT_USER_SS32;
    user_run(&r, 0);
    CHECK_EQ(r.vector, VEC_UD);
    CHECK_EQ(r.cs & 0xffff, FLAT_USER_CS32);
    CHECK_EQ(r.rax, FLAT_USER_CS32 + 1);
    CHECK_EQ(r.rip, USER_CODE + 3);
    shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
}

static unsigned kernel_steps;

static bool on_step(struct regs *regs)
{
    kernel_steps += (regs->cs & 3) == 0;
    return true;
}

/* A trap at each of the kernel's instructions on its way to user mode. */
static void test_steps_to_user(void)
{
    struct regs r = user_regs(0);

    user_load(0, code_ud, sizeof(code_ud));
    r.rbx = 0x1234;
    trap_set_handler(VEC_DB, on_step);
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" : : : "memory", "cc");
    user_run(&r, 0);
    __asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" : : : "memory", "cc");
    trap_set_handler(VEC_DB, NULL);
    HYPERVISOR(set_debugreg, 6, 0, 0, 0, 0);
    CHECK(kernel_steps > 40);
    check_frame(&r, VEC_UD, 0, "user ud2 after steps");
    CHECK_EQ(r.rbx, 0x1234);
    CHECK_EQ(r.rflags & BIT(8), 0); /* the flag was the kernel's */
    shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
}

void test_user_mode(void)
{
    user_init();
    test_traps();
    test_syscall();
    test_int80();
    test_user_segments();
    test_compat();
    test_steps_to_user();
    shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
}
