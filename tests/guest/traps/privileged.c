/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Privileged instructions in kernel mode, which the hypervisor emulates or
 * refuses. The answers are those of Xen 4.17 to a 64-bit PV dom0 on QEMU's CPU;
 * what depends on the processor's maker is left out.
 */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include "traps/traps.h"
#include <xen/physdev.h>

/* Operands of the instruction under trial: value in and out, and its register number or port. */
static u64 value;
static u32 number;
static u8 buffer[16];

static void do_rdmsr(void *arg)
{
    value = rdmsr(number);
}

static void do_wrmsr(void *arg)
{
    wrmsr(number, value);
}

/* clang-format off */
static void read_cr0(void *arg) { __asm__ volatile("mov %%cr0, %0" : "=r"(value)); }
static void read_cr2(void *arg) { __asm__ volatile("mov %%cr2, %0" : "=r"(value)); }
static void read_cr3(void *arg) { __asm__ volatile("mov %%cr3, %0" : "=r"(value)); }
static void read_cr4(void *arg) { __asm__ volatile("mov %%cr4, %0" : "=r"(value)); }
static void read_cr8(void *arg) { __asm__ volatile("mov %%cr8, %0" : "=r"(value)); }
static void write_cr0(void *arg) { __asm__ volatile("mov %0, %%cr0" : : "r"(value)); }
static void write_cr2(void *arg) { __asm__ volatile("mov %0, %%cr2" : : "r"(value)); }
static void write_cr3(void *arg) { __asm__ volatile("mov %0, %%cr3" : : "r"(value)); }
static void write_cr4(void *arg) { __asm__ volatile("mov %0, %%cr4" : : "r"(value)); }
static void write_cr8(void *arg) { __asm__ volatile("mov %0, %%cr8" : : "r"(value)); }
static void read_dr0(void *arg) { __asm__ volatile("mov %%db0, %0" : "=r"(value)); }
static void read_dr4(void *arg) { __asm__ volatile("mov %%db4, %0" : "=r"(value)); }
static void read_dr6(void *arg) { __asm__ volatile("mov %%db6, %0" : "=r"(value)); }
static void read_dr7(void *arg) { __asm__ volatile("mov %%db7, %0" : "=r"(value)); }
static void write_dr0(void *arg) { __asm__ volatile("mov %0, %%db0" : : "r"(value)); }
static void write_dr7(void *arg) { __asm__ volatile("mov %0, %%db7" : : "r"(value)); }
static void do_clts(void *arg) { __asm__ volatile("clts"); }
static void do_cli(void *arg) { __asm__ volatile("cli"); }
static void do_sti(void *arg) { __asm__ volatile("sti"); }
static void do_wbinvd(void *arg) { __asm__ volatile("wbinvd"); }
static void do_invd(void *arg) { __asm__ volatile("invd"); }
static void do_lmsw(void *arg) { __asm__ volatile("lmsw %w0" : : "r"(1)); }
static void do_invlpg(void *arg) { __asm__ volatile("invlpg %0" : : "m"(buffer)); }
static void do_rdpmc(void *arg) { __asm__ volatile("rdpmc" : : "c"(0) : "rax", "rdx"); }
static void do_lgdt(void *arg) { __asm__ volatile("lgdt %0" : : "m"(buffer)); }
static void do_lldt(void *arg) { __asm__ volatile("lldt %w0" : : "r"(0)); }
static void do_swapgs(void *arg) { __asm__ volatile("swapgs"); }
static void do_inb(void *arg) { __asm__ volatile("inb %w1, %b0" : "=a"(value) : "d"(number), "0"(0UL)); }
static void do_inw(void *arg) { __asm__ volatile("inw %w1, %w0" : "=a"(value) : "d"(number), "0"(0UL)); }
static void do_inl(void *arg) { __asm__ volatile("inl %w1, %k0" : "=a"(value) : "d"(number), "0"(0UL)); }
static void do_inb_imm(void *arg) { __asm__ volatile("inb $0x20, %b0" : "=a"(value) : "0"(0UL)); }
static void do_outb(void *arg) { __asm__ volatile("outb %b0, %w1" : : "a"((u32)value), "d"(number)); }
static void do_rdfsbase(void *arg) { __asm__ volatile("rdfsbase %0" : "=r"(value)); }
static void do_wrgsbase(void *arg) { __asm__ volatile("wrgsbase %0" : : "r"(0UL)); }
/* clang-format on */

static void do_insb(void *arg)
{
    u64 count = 6;
    u8 *to = buffer;

    __asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(number) : "memory");
    value = count | (u64)(to - buffer) << 8;
}

static void do_outsw(void *arg)
{
    u64 count = 2;
    const u8 *from = buffer;

    __asm__ volatile("rep outsw" : "+S"(from), "+c"(count) : "d"(number) : "memory");
    value = count | (u64)(from - buffer) << 8;
}

static int run(void (*fn)(void *))
{
    struct fault f;

    catch_fault(&f, fn, NULL);
    if (f.vector >= 0)
        CHECK_EQ(f.error, 0);
    return f.vector;
}

static void test_msrs(void)
{
    enum { R = 1, W = 2 }; /* what is allowed: read; write of the value read */
    static const struct {
        u32 msr;
        u8 allowed;
    } table[] = {
        {0x10, R},           {0x1b, R},           {0x2a, 0},           {0x35, 0},       {0x79, 0},
        {0x8b, R},           {0x174, 0},          {0x175, 0},          {0x176, 0},      {0x1d9, 0},
        {0x1db, 0},          {0x200, 0},          {0x250, 0},          {0x277, R},      {0x2ff, 0},
        {0x480, 0},          {0x802, 0},          {0x80b, 0},          {0x40000001, 0}, {0x40000200, 0},
        {0xc0000080, R | W}, {0xc0000081, 0},     {0xc0000082, 0},     {0xc0000083, 0}, {0xc0000084, 0},
        {0xc0000100, R | W}, {0xc0000101, R | W}, {0xc0000102, R | W}, {0xc0010114, 0}, {0xc0010117, 0},
        {0x12345678, 0},
    };
    u64 page = (u64)buffer;

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        char what[32];

        number = table[i].msr;
        value = 0;
        guest_snprintf(what, sizeof(what), "rdmsr %x", number);
        CHECK_NAMED(what, run(do_rdmsr), table[i].allowed & R ? -1 : VEC_GP);
        guest_snprintf(what, sizeof(what), "wrmsr %x", number);
        CHECK_NAMED(what, run(do_wrmsr), table[i].allowed & W ? -1 : VEC_GP);
    }
    number = 0xc0000080; /* EFER: no bit of it can be changed */
    CHECK_EQ(run(do_rdmsr), -1);
    CHECK_EQ(value & 0xd01, 0xd01);
    value ^= 1;
    CHECK_EQ(run(do_wrmsr), VEC_GP);

    number = 0xc0000100; /* FS and both GS bases */
    value = page;
    CHECK_EQ(run(do_wrmsr), -1);
    buffer[4] = 0x5a;
    u8 byte;
    __asm__ volatile("movb %%fs:4, %0" : "=r"(byte));
    CHECK_EQ(byte, 0x5a);
    number = 0xc0000101;
    CHECK_EQ(run(do_wrmsr), -1);
    __asm__ volatile("movb %%gs:4, %0" : "=r"(byte));
    CHECK_EQ(byte, 0x5a);
    number = 0xc0000102;
    CHECK_EQ(run(do_wrmsr), -1);
    value = 0;
    CHECK_EQ(run(do_rdmsr), -1);
    CHECK_EQ(value, page);
    for (number = 0xc0000100; number <= 0xc0000102; number++) {
        value = 0x8000000000000000;
        CHECK_EQ(run(do_wrmsr), VEC_GP);
        value = 0;
        CHECK_EQ(run(do_wrmsr), -1);
    }
}

static void test_control_registers(void)
{
    CHECK_EQ(run(read_cr0), -1);
    CHECK_EQ(value, 0x80050033);
    value = 0x8005003b; /* TS may be set; nothing else may be changed */
    CHECK_EQ(run(write_cr0), -1);
    CHECK_EQ(run(read_cr0), -1);
    CHECK_EQ(value, 0x8005003b);
    CHECK_EQ(run(do_clts), -1);
    CHECK_EQ(run(read_cr0), -1);
    CHECK_EQ(value, 0x80050033);
    value = 0x80010033;
    CHECK_EQ(run(write_cr0), VEC_GP);
    value = 0x11;
    CHECK_EQ(run(write_cr0), VEC_GP);

    value = 0x123456;
    CHECK_EQ(run(write_cr2), -1);
    CHECK_EQ(trap_cr2(), 0x123456);
    CHECK_EQ(run(read_cr2), -1);
    CHECK_EQ(value, 0x123456);

    CHECK_EQ(run(read_cr3), -1);
    CHECK_EQ(value, virt_to_mfn((void *)start_info->pt_base) << PAGE_SHIFT);
    CHECK_EQ(run(write_cr3), -1);
    value = 1;
    CHECK_EQ(run(write_cr3), VEC_GP);
    value = virt_to_mfn(buffer) << PAGE_SHIFT; /* a page in use as a writable one is no root */
    CHECK_EQ(run(write_cr3), VEC_GP);

    CHECK_EQ(run(read_cr4), -1);
    CHECK_EQ(value, 0x660);
    value = 0x7ff; /* CR4 swallows anything, but TSD and DE alone change */
    CHECK_EQ(run(write_cr4), -1);
    CHECK_EQ(run(read_cr4), -1);
    CHECK_EQ(value, 0x66c);
    CHECK_EQ(run(read_dr4), VEC_UD); /* DE: DR4 is no alias */
    value = 0;
    CHECK_EQ(run(write_cr4), -1);
    CHECK_EQ(run(read_cr4), -1);
    CHECK_EQ(value, 0x660);
    CHECK_EQ(run(read_cr8), VEC_GP);
    CHECK_EQ(run(write_cr8), VEC_GP);
}

static void test_debug_moves(void)
{
    value = 0x1000;
    CHECK_EQ(run(write_dr0), -1);
    value = 0;
    CHECK_EQ(run(read_dr0), -1);
    CHECK_EQ(value, 0x1000);
    value = 0xffff830000000000;
    CHECK_EQ(run(write_dr0), VEC_GP);
    value = 0;
    CHECK_EQ(run(write_dr0), -1);
    CHECK_EQ(run(read_dr4), -1);
    CHECK_EQ(value, 0xffff0ff0);
    CHECK_EQ(run(read_dr6), -1);
    CHECK_EQ(value, 0xffff0ff0);
    value = 0x2400;
    CHECK_EQ(run(write_dr7), VEC_GP);
    value = 0x400;
    CHECK_EQ(run(write_dr7), -1);
    CHECK_EQ(run(read_dr7), -1);
    CHECK_EQ(value, 0x400);
}

static void cpuid(u32 leaf, u32 subleaf, u32 out[4])
{
    __asm__ volatile("ud2\n .ascii \"xen\"\n cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(subleaf));
}

static void test_cpuid(void)
{
    u32 r[4];

    cpuid(0x40000000, 0, r);
    CHECK(r[0] >= 0x40000003 && r[0] <= 0x40000005);
    CHECK(memcmp(&r[1], "XenVMMXenVMM", 12) == 0);
    cpuid(0x40000001, 0, r);
    CHECK_EQ(r[0], 0x00040011);
    CHECK_EQ(r[1] | r[2] | r[3], 0);
    cpuid(0x40000002, 0, r);
    CHECK_EQ(r[0], 1);          /* hypercall pages */
    CHECK_EQ(r[1], 0x40000000); /* MSR base */
    CHECK_EQ(r[2], 1);          /* MMU_PT_UPDATE_PRESERVE_AD */
    cpuid(0x40000006, 0, r);
    CHECK_EQ(r[0] | r[1] | r[2] | r[3], 0);

    /* Leaf 1: what PV cannot have is hidden, and the hypervisor shows itself. */
    cpuid(1, 0, r);
    CHECK_EQ(r[2] & BIT(31), BIT(31));
    CHECK_EQ(r[2] & (BIT(3) | BIT(5) | BIT(15) | BIT(17) | BIT(21) | BIT(24)),
             0);                                     /* MONITOR VMX PDCM PCID x2APIC deadline */
    CHECK_EQ(r[3] & (BIT(1) | BIT(3) | BIT(17)), 0); /* VME PSE PSE36 */
    CHECK_EQ(r[3] & 0x371, 0x371);                   /* FPU TSC MSR PAE CX8 APIC */
    cpuid(7, 0, r);
    CHECK_EQ(r[1] & (BIT(7) | BIT(10) | BIT(20)), 0); /* SMEP INVPCID SMAP */
    CHECK_EQ(r[2] & (BIT(2) | BIT(3) | BIT(16)), 0);  /* UMIP PKU LA57 */
    cpuid(0x80000001, 0, r);
    CHECK_EQ(r[2] & BIT(2), 0);                                                  /* SVM */
    CHECK_EQ(r[3] & BIT(26), 0);                                                 /* 1 GB pages */
    CHECK_EQ(r[3] & (BIT(11) | BIT(20) | BIT(29)), BIT(11) | BIT(20) | BIT(29)); /* SYSCALL NX LM */
}

/* RDFSBASE and its kin: in kernel mode too only once CR4 says so. */
static void test_segment_bases(void)
{
    u32 r[4];

    cpuid(7, 0, r);
    if (!(r[1] & BIT(0)))
        return;
    CHECK_EQ(run(read_cr4), -1);
    u64 cr4 = value;
    CHECK_EQ(cr4 & BIT(16), 0);
    CHECK_EQ(run(do_rdfsbase), VEC_UD);
    CHECK_EQ(run(do_wrgsbase), VEC_UD);
    value = cr4 | BIT(16);
    CHECK_EQ(run(write_cr4), -1);
    CHECK_EQ(run(read_cr4), -1);
    CHECK_EQ(value, cr4 | BIT(16));
    CHECK_EQ(run(do_rdfsbase), -1);
    CHECK_EQ(run(do_wrgsbase), -1);
    value = cr4;
    CHECK_EQ(run(write_cr4), -1);
    CHECK_EQ(run(do_rdfsbase), VEC_UD);
}

/* With the assist, kernel mode is the processor's ring 0 to CLI and I/O, whatever the IOPL. */
static void test_architectural_iopl(void)
{
    number = 0x20;
    CHECK_EQ(run(do_cli), VEC_GP);
    CHECK_EQ(hv_vm_assist(VMASST_CMD_enable, VMASST_TYPE_architectural_iopl), 0);
    CHECK_EQ(run(do_cli), -1);
    CHECK_EQ(run(do_inb), -1);
    CHECK_EQ(hv_vm_assist(VMASST_CMD_disable, VMASST_TYPE_architectural_iopl), 0);
    CHECK_EQ(run(do_cli), VEC_GP);
    CHECK_EQ(run(do_inb), VEC_GP);
}

/* I/O: refused while the virtual IOPL is 0; then the hypervisor's own ports read as all ones. */
static void test_ports(void)
{
    struct physdev_set_iopl iopl = {.iopl = 1};
    void (*const forms[])(void *) = {do_inb, do_inw, do_inl, do_outb, do_inb_imm, do_insb, do_outsw};

    number = 0x20;
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        CHECK_EQ(run(forms[i]), VEC_GP);
    CHECK_EQ(run(do_cli), VEC_GP);
    CHECK_EQ(run(do_sti), VEC_GP);
    iopl.iopl = 4;
    CHECK_EQ(hv_physdev_op(PHYSDEVOP_set_iopl, &iopl), -XEN_EINVAL);
    iopl.iopl = 1;
    CHECK_EQ(hv_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
    CHECK_EQ(run(do_inb), -1);
    CHECK_EQ(value, 0xff);
    CHECK_EQ(run(do_inw), -1);
    CHECK_EQ(value, 0xffff);
    CHECK_EQ(run(do_inl), -1);
    CHECK_EQ(value, 0xffffffff);
    CHECK_EQ(run(do_inb_imm), -1);
    CHECK_EQ(value, 0xff);
    CHECK_EQ(run(do_outb), -1);
    memset(buffer, 0, sizeof(buffer));
    CHECK_EQ(run(do_insb), -1);
    CHECK_EQ(value, 6 << 8);
    CHECK(buffer[5] == 0xff && buffer[6] == 0);
    CHECK_EQ(run(do_outsw), -1);
    CHECK_EQ(value, 4 << 8);
    shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
    CHECK_EQ(run(do_cli), -1);
    CHECK_EQ(run(do_sti), -1); /* without effect: the event mask is the guest's own */
    CHECK_EQ(shared_info->vcpu_info[0].evtchn_upcall_mask, 1);
    iopl.iopl = 0;
    CHECK_EQ(hv_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
    CHECK_EQ(run(do_inb), VEC_GP);
}

static void test_others(void)
{
    CHECK_EQ(run(do_wbinvd), -1);
    CHECK_EQ(run(do_invd), VEC_GP);
    CHECK_EQ(run(do_lmsw), VEC_GP);
    CHECK_EQ(run(do_invlpg), VEC_GP);
    CHECK_EQ(run(do_rdpmc), VEC_GP);
    CHECK_EQ(run(do_lgdt), VEC_GP);
    CHECK_EQ(run(do_lldt), VEC_GP);
    CHECK_EQ(run(do_swapgs), VEC_GP);
    u64 first = __builtin_ia32_rdtsc();
    CHECK(__builtin_ia32_rdtsc() >= first);
}

void test_privileged(void)
{
    test_msrs();
    test_control_registers();
    test_debug_moves();
    test_cpuid();
    test_segment_bases();
    test_ports();
    test_architectural_iopl();
    test_others();
}
