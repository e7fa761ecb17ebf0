/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions in kernel mode: vectors, error codes, CR2, frames, masking, gates, nesting, the return. */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include "traps/traps.h"

#define NOWHERE       0x1234567000UL /* mapped by nobody */
#define NON_CANONICAL 0x8000000000000000UL

/* clang-format off */
static void do_ud(void *arg) { __asm__ volatile("ud2"); }
static void do_bp(void *arg) { __asm__ volatile("int3"); }
static void do_int_n3(void *arg) { __asm__ volatile(".byte 0xcd, 3"); }
static void do_int_n4(void *arg) { __asm__ volatile(".byte 0xcd, 4"); }
static void do_int_80(void *arg) { __asm__ volatile("int $0x80"); }
static void do_int_81(void *arg) { __asm__ volatile("int $0x81"); }
static void do_int_d(void *arg) { __asm__ volatile(".byte 0xcd, 13"); }
static void do_hlt_bad(void *arg) { __asm__ volatile("ltr %w0" : : "r"(0x18)); }
static void do_read(void *arg) { (void)*(volatile u64 *)arg; }
static void do_write(void *arg) { *(volatile u64 *)arg = 0; }
static void do_exec(void *arg) { ((void (*)(void))arg)(); }
/* clang-format on */

static void do_de(void *arg)
{
    __asm__ volatile("xor %%eax, %%eax\n xor %%edx, %%edx\n xor %%ecx, %%ecx\n div %%ecx"
                     :
                     :
                     : "rax", "rdx", "rcx");
}

static void do_load_ds(void *arg)
{
    __asm__ volatile("mov %w0, %%ds" : : "r"((u64)arg));
}

static void do_single_step(void *arg)
{
    __asm__ volatile("pushfq\n orl $0x100, (%%rsp)\n popfq\n nop\n nop" : : : "memory");
}

static void do_fpu(void *arg)
{
    __asm__ volatile("fninit");
}

static struct fault expect(void (*fn)(void *), u64 arg, int vector, u64 error, const char *what)
{
    struct fault f;

    catch_fault(&f, fn, (void *)arg);
    CHECK_NAMED(what, f.vector, vector);
    if (f.vector == vector && vector >= 0) {
        CHECK_NAMED(what, f.error, error);
        CHECK_NAMED(what, f.cs, FLAT_KERNEL_CS & ~3);
        CHECK_NAMED(what, f.ss, FLAT_KERNEL_SS);
        CHECK_NAMED(what, f.masked_before, true);
        CHECK_NAMED(what, f.masked_inside, true);
        CHECK_NAMED(what, f.rflags & BIT(9), 0); /* the masked state shows as IF clear */
    }
    return f;
}

static void test_vectors(void)
{
    struct fault f;

    expect(do_ud, 0, VEC_UD, 0, "ud2");
    expect(do_de, 0, VEC_DE, 0, "div");
    f = expect(do_bp, 0, VEC_BP, 0, "int3");
    CHECK_EQ(f.rip, (u64)do_bp + 1);
    f = expect(do_int_n3, 0, VEC_BP, 0, "int $3");
    CHECK_EQ(f.rip, (u64)do_int_n3 + 2);
    expect(do_int_n4, 0, VEC_OF, 0, "int $4");
    expect(do_hlt_bad, 0, VEC_GP, 0, "ltr");
    expect(do_read, NON_CANONICAL, VEC_GP, 0, "read non-canonical");
    expect(do_load_ds, 0xfff8, VEC_GP, 0xfff8, "load of a selector beyond the GDT");
    expect(do_load_ds, 0x10, VEC_GP, 0x10, "load of an empty descriptor");
    expect(do_single_step, 0, VEC_DB, 0, "single step");
    CHECK_EQ(HYPERVISOR(fpu_taskswitch, 1, 0, 0, 0, 0), 0);
    expect(do_fpu, 0, VEC_NM, 0, "FPU with TS set");
    expect(do_fpu, 0, -1, 0, "FPU: TS was cleared for the guest");
    CHECK_EQ(HYPERVISOR(fpu_taskswitch, 1, 0, 0, 0, 0), 0);
    CHECK_EQ(HYPERVISOR(fpu_taskswitch, 0, 0, 0, 0, 0), 0);
    expect(do_fpu, 0, -1, 0, "FPU with TS clear");
}

static void test_page_faults(void)
{
    u8 *ro = page_alloc(), *nx = page_alloc();
    struct fault f;

    nx[0] = 0xc3;
    CHECK_EQ(page_protect(ro, false), 0);
    CHECK_EQ(
        hv_update_va_mapping((u64)nx, virt_to_mfn(nx) << 12 | PTE_TABLE | PTE_NX, UVMF_INVLPG | UVMF_LOCAL),
        0);

    /* Error codes: bit 0 present, 1 write, 2 user (never for kernel mode), 4 fetch. */
    f = expect(do_read, NOWHERE + 0x123, VEC_PF, 0, "read unmapped");
    CHECK_EQ(f.cr2, NOWHERE + 0x123);
    f = expect(do_write, NOWHERE, VEC_PF, 2, "write unmapped");
    CHECK_EQ(f.cr2, NOWHERE);
    f = expect(do_write, (u64)ro + 8, VEC_PF, 3, "write read-only");
    CHECK_EQ(f.cr2, (u64)ro + 8);
    f = expect(do_exec, (u64)nx, VEC_PF, 0x11, "execute NX");
    CHECK_EQ(f.cr2, nx);
    CHECK_EQ(f.rip, nx);
    expect(do_exec, NOWHERE, VEC_PF, 0x10, "execute unmapped");
    f = expect(do_write, MACH2PHYS_VIRT_START, VEC_PF, 3, "write the m2p");
    CHECK_EQ(f.cr2, MACH2PHYS_VIRT_START);
    catch_fault(&f, do_read, (void *)0xffff830000000000);
    CHECK_EQ(f.vector, VEC_PF); /* the hypervisor's memory: whether it is mapped there is its own affair */
    CHECK_EQ(f.error & ~1UL, 0);
    expect(do_write, start_info->pt_base, VEC_PF, 3, "write a page table at its read-only address");
}

static void test_gates(void)
{
    struct trap_info table[3] = {
        {.vector = 0x80, .flags = 3, .cs = FLAT_KERNEL_CS, .address = (u64)trap_entry_table + 5 * 16},
        {.vector = 0x81, .flags = 0, .cs = FLAT_KERNEL_CS, .address = (u64)trap_entry_table + 6 * 16},
    };
    struct fault f;

    /* Handlers 5 (#BR) and 6 (#UD) stand in, so that the vector delivered can be told. */
    CHECK_EQ(hv_set_trap_table(table), 0);
    f = expect(do_int_80, 0, 5, 0, "int $0x80 with DPL 3");
    CHECK_EQ(f.rip, (u64)do_int_80 + 2);
    catch_fault(&f, do_int_81, NULL);
    CHECK_EQ(f.vector, VEC_GP);
    CHECK(f.error == 0x81 * 8 + 2 || f.error == 0x81 * 16 + 2); /* the latter is QEMU's mistake */
    CHECK_EQ(f.rip, do_int_81);
    catch_fault(&f, do_int_d, NULL);
    CHECK_EQ(f.vector, VEC_GP);
    CHECK(f.error == VEC_GP * 8 + 2 || f.error == VEC_GP * 16 + 2);
    CHECK_EQ(f.rip, do_int_d);

    /* DPL 1 and 2 admit kernel mode. (Only 0x80 is tried: QEMU spoils the error codes of other vectors.) */
    for (u8 dpl = 1; dpl <= 3; dpl++) {
        table[0].flags = dpl;
        CHECK_EQ(hv_set_trap_table(table), 0);
        expect(do_int_80, 0, 5, 0, "int $0x80 with DPL 1, 2, 3");
    }

    /* Address 0 ends the table; set_trap_table(NULL) clears everything. */
    table[1] = table[0];
    table[0].address = 0;
    table[1].address = (u64)trap_entry_table + 6 * 16;
    CHECK_EQ(hv_set_trap_table(table), 0);
    expect(do_int_80, 0, 5, 0, "the entry behind the end was not read");
    CHECK_EQ(hv_set_trap_table((struct trap_info *)NOWHERE), -XEN_EFAULT);
    table[0] = (struct trap_info){.vector = 0x80, .cs = FLAT_KERNEL_CS, .address = NON_CANONICAL};
    CHECK_EQ(hv_set_trap_table(table), -XEN_EINVAL);
    table[0].address = HYPERVISOR_VIRT_START;
    CHECK_EQ(hv_set_trap_table(table), 0);
    CHECK_EQ(hv_set_trap_table(NULL), 0);
    trap_install(0);
    catch_fault(&f, do_int_80, NULL);
    CHECK_EQ(f.vector, VEC_GP);
}

static void test_masking(void)
{
    u8 *mask = &shared_info->vcpu_info[0].evtchn_upcall_mask;
    struct fault f;

    *mask = 0;
    catch_fault(&f, do_ud, NULL);
    CHECK_EQ(f.masked_before, false);
    CHECK_EQ(f.masked_inside, false);
    CHECK_EQ(f.rflags & BIT(9), BIT(9));
    CHECK_EQ(*mask, 0);
    trap_install(4);
    catch_fault(&f, do_ud, NULL);
    CHECK_EQ(f.masked_before, false);
    CHECK_EQ(f.masked_inside, true);
    CHECK_EQ(f.rflags & BIT(9), BIT(9));
    CHECK_EQ(*mask, 0); /* opened again by iret with RFLAGS.IF */
    *mask = 1;
    trap_install(0);
}

/* The frame begins at RSP rounded down to 16. */
static bool saw_stack(struct regs *r)
{
    CHECK_EQ(trap_frame_top, r->rsp & ~15UL);
    r->rip += 2;
    return true;
}

static void test_stack_alignment(void)
{
    trap_set_handler(VEC_UD, saw_stack);
    for (u64 push = 0; push < 32; push += 4) {
        __asm__ volatile("sub %0, %%rsp\n ud2\n add %0, %%rsp" : : "r"(push + 256) : "memory", "cc");
    }
    trap_set_handler(VEC_UD, NULL);
}

/* Faults within faults, 20 deep. */
static unsigned depth;

static bool nested(struct regs *r)
{
    if (++depth < 20)
        __asm__ volatile("ud2");
    r->rip += 2;
    return true;
}

static void test_nesting(void)
{
    struct fault f;

    trap_set_handler(VEC_UD, nested);
    expect(do_ud, 0, -1, 0, "nested"); /* do_ud's own ud2 was skipped: it returns */
    CHECK_EQ(depth, 20);
    trap_set_handler(VEC_UD, NULL);
    catch_fault(&f, do_ud, NULL);
    CHECK_EQ(f.vector, VEC_UD);
}

/* Registers survive an exception and the return from it. */
static bool skip_ud(struct regs *r)
{
    r->rip += 2;
    r->rdx = 0x5555;
    return true;
}

static void test_registers(void)
{
    u64 a = 0x1111222233334444, c = 0x8888777766665555, d = 0, flags = 0;

    trap_set_handler(VEC_UD, skip_ud);
    register u64 r11 __asm__("r11") = 0xabcdef;
    __asm__ volatile("stc\n std\n ud2\n pushfq\n cld\n popq %4"
                     : "+a"(a), "+c"(c), "+d"(d), "+r"(r11), "=m"(flags)
                     :
                     : "memory");
    u64 saved_r11 = r11; /* before any call */
    CHECK_EQ(a, 0x1111222233334444);
    CHECK_EQ(c, 0x8888777766665555);
    CHECK_EQ(saved_r11, 0xabcdef);
    CHECK_EQ(d, 0x5555);
    CHECK_EQ(flags & 0x401, 0x401);
    trap_set_handler(VEC_UD, NULL);
}

struct iret_case {
    u64 rip, cs, rflags, rsp, ss, flags;
};

static void do_iret(void *arg)
{
    const struct iret_case *c = arg;
    struct regs r = {.rip = c->rip, .cs = c->cs, .rflags = c->rflags, .rsp = c->rsp, .ss = c->ss};

    trap_return(&r, c->flags);
}

static char iret_stack[4096] __attribute__((aligned(16)));

static struct fault try_iret(struct iret_case c)
{
    struct fault f;

    if (!c.rip)
        c.rip = (u64)do_ud;
    if (!c.cs)
        c.cs = FLAT_KERNEL_CS & ~3;
    if (!c.ss)
        c.ss = FLAT_KERNEL_SS;
    if (!c.rsp)
        c.rsp = (u64)iret_stack + 2048;
    catch_fault(&f, do_iret, &c);
    return f;
}

static void test_iret(void)
{
    u8 *mask = &shared_info->vcpu_info[0].evtchn_upcall_mask;
    struct fault f;

    f = try_iret((struct iret_case){.rflags = 2});
    CHECK_EQ(f.vector, VEC_UD);
    CHECK_EQ(f.rsp, iret_stack + 2048);
    CHECK_EQ(f.rflags & ~0x8d5UL, 2);
    CHECK_EQ(f.masked_before, true);
    f = try_iret((struct iret_case){.rflags = BIT(9)}); /* IF opens events */
    CHECK_EQ(f.masked_before, false);
    CHECK_EQ(f.rflags & BIT(9), BIT(9));
    *mask = 1;
    f = try_iret((struct iret_case){.rflags = BIT(12) | BIT(13) | BIT(17) | BIT(14) | BIT(21) | BIT(0)});
    CHECK_EQ(f.rflags & (BIT(12) | BIT(13) | BIT(17)), 0); /* IOPL and VM are not the guest's */
    CHECK_EQ(f.rflags & (BIT(21) | BIT(14) | BIT(0)), BIT(21) | BIT(14) | BIT(0));
    __asm__ volatile("pushfq\n andl $~0x204000, (%%rsp)\n popfq" : : : "memory", "cc");
    f = try_iret((struct iret_case){.rflags = 2, .flags = VGCF_in_syscall});
    CHECK_EQ(f.vector, VEC_UD);
    CHECK_EQ(f.cs, FLAT_KERNEL_CS & ~3);
    f = try_iret((struct iret_case){.rflags = 2, .cs = FLAT_KERNEL_CS & ~2});
    CHECK_EQ(f.vector, VEC_UD);
    CHECK_EQ(f.cs, FLAT_KERNEL_CS & ~3);
    f = try_iret((struct iret_case){.rflags = 2, .cs = 0x18});
    CHECK_EQ(f.vector, VEC_GP); /* the state is the one that was to be entered */
    CHECK_EQ(f.error, 0x18);
    CHECK_EQ(f.rip, do_ud);
    f = try_iret((struct iret_case){.rflags = 2, .ss = 0x18});
    CHECK_EQ(f.vector, VEC_GP);
    CHECK_EQ(f.error, 0x18);
    f = try_iret((struct iret_case){.rflags = 2, .rip = NON_CANONICAL});
    CHECK_EQ(f.vector, VEC_GP);
    CHECK_EQ(f.error, 0);
    CHECK_EQ(f.rip, NON_CANONICAL);
    f = try_iret((struct iret_case){.rflags = 2, .rip = NOWHERE});
    CHECK_EQ(f.vector, VEC_PF);
    CHECK_EQ(f.rip, NOWHERE);
}

static void test_segment_bases(void)
{
    u64 *page = page_alloc();
    u64 value;

    page[3] = 0x1122334455667788;
    CHECK_EQ(hv_set_segment_base(SEGBASE_FS, (u64)page), 0);
    __asm__ volatile("mov %%fs:24, %0" : "=r"(value));
    CHECK_EQ(value, page[3]);
    CHECK_EQ(hv_set_segment_base(SEGBASE_GS_KERNEL, (u64)page + 8), 0);
    __asm__ volatile("mov %%gs:16, %0" : "=r"(value));
    CHECK_EQ(value, page[3]);
    CHECK_EQ(hv_set_segment_base(SEGBASE_GS_USER, (u64)page + 64), 0);
    __asm__ volatile("mov %%gs:16, %0" : "=r"(value));
    CHECK_EQ(value, page[3]);
    CHECK_EQ(hv_set_segment_base(SEGBASE_FS, NON_CANONICAL), -XEN_EINVAL);
    CHECK_EQ(hv_set_segment_base(SEGBASE_GS_KERNEL, NON_CANONICAL), -XEN_EINVAL);
    CHECK_EQ(hv_set_segment_base(SEGBASE_GS_USER, NON_CANONICAL), -XEN_EINVAL);
    CHECK_EQ(hv_set_segment_base(SEGBASE_GS_USER_SEL, FLAT_USER_DS32), 0);
    CHECK_EQ(hv_set_segment_base(SEGBASE_GS_USER_SEL, 0x18), 0); /* a bad selector loads as null */
    CHECK_EQ(hv_set_segment_base(SEGBASE_GS_USER_SEL, 0), 0);
    CHECK_EQ(hv_set_segment_base(4, 0), -XEN_EINVAL);
    __asm__ volatile("mov %%gs:16, %0" : "=r"(value));
    CHECK_EQ(value, page[3]);
}

static void test_stack_switch(void)
{
    CHECK_EQ(hv_stack_switch(FLAT_KERNEL_SS, (u64)stack_top), 0);
    CHECK_EQ(hv_stack_switch(0, (u64)stack_top), 0);
    CHECK_EQ(hv_stack_switch(0x18, (u64)stack_top), 0);
    CHECK_EQ(hv_stack_switch(FLAT_KERNEL_SS, NON_CANONICAL), 0);
    CHECK_EQ(hv_stack_switch(FLAT_KERNEL_SS, HYPERVISOR_VIRT_START), 0);
    CHECK_EQ(hv_stack_switch(FLAT_KERNEL_SS, (u64)stack_top), 0);
}

/* Debug registers: a data watchpoint of ours, values that would watch the hypervisor, and bad numbers. */
static void test_debug_registers(void)
{
    static volatile u64 watched;
    struct fault f;

    CHECK_EQ(HYPERVISOR(set_debugreg, 0, &watched, 0, 0, 0), 0);
    CHECK_EQ(HYPERVISOR(get_debugreg, 0, 0, 0, 0, 0), &watched);
    CHECK_EQ(HYPERVISOR(set_debugreg, 7, 0xd0001, 0, 0, 0), 0); /* DR0: write, 4 bytes */
    catch_fault(&f, do_write, (void *)&watched);
    CHECK_EQ(f.vector, VEC_DB);
    CHECK_EQ(HYPERVISOR(get_debugreg, 6, 0, 0, 0, 0) & 0xf, 1);
    CHECK_EQ(HYPERVISOR(get_debugreg, 7, 0, 0, 0, 0), 0xd0401);
    CHECK_EQ(HYPERVISOR(set_debugreg, 7, 0, 0, 0, 0), 0);
    catch_fault(&f, do_write, (void *)&watched);
    CHECK_EQ(f.vector, -1);
    CHECK_EQ(HYPERVISOR(get_debugreg, 7, 0, 0, 0, 0), 0x400);
    CHECK_EQ(HYPERVISOR(set_debugreg, 0, 0xffff830000000000, 0, 0, 0), -XEN_EPERM);
    CHECK_EQ(HYPERVISOR(set_debugreg, 0, NON_CANONICAL, 0, 0, 0), -XEN_EPERM);
    CHECK_EQ(HYPERVISOR(set_debugreg, 4, 0, 0, 0, 0), 0); /* DR4 is DR6 while CR4.DE is clear */
    CHECK_EQ(HYPERVISOR(set_debugreg, 8, 0, 0, 0, 0), -XEN_ENODEV);
    CHECK_EQ(HYPERVISOR(get_debugreg, 4, 0, 0, 0, 0), 0xffff0ff0);
    CHECK_EQ(HYPERVISOR(get_debugreg, 8, 0, 0, 0, 0), -XEN_ENODEV);
    CHECK_EQ(HYPERVISOR(set_debugreg, 7, 0x2000, 0, 0, 0), -XEN_EPERM); /* general detect */
    CHECK_EQ(HYPERVISOR(set_debugreg, 6, 0xffffffff, 0, 0, 0), 0);
    CHECK_EQ(HYPERVISOR(get_debugreg, 6, 0, 0, 0, 0), 0xffffefff);
    CHECK_EQ(HYPERVISOR(set_debugreg, 6, 0x100000000, 0, 0, 0), -XEN_EINVAL);
    CHECK_EQ(HYPERVISOR(set_debugreg, 0, 0, 0, 0, 0), 0);
    CHECK_EQ(HYPERVISOR(set_debugreg, 6, 0, 0, 0, 0), 0);
}

void test_exceptions(void)
{
    test_vectors();
    test_page_faults();
    test_gates();
    test_masking();
    test_stack_alignment();
    test_nesting();
    test_registers();
    test_iret();
    test_segment_bases();
    test_stack_switch();
    test_debug_registers();
}
