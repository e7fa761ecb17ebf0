/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations on the virtual processor: privileged instructions, in kernel and
 * in user mode, its registers, its tables and callbacks.
 */
#include "fuzz/fuzz.h"
#include "lib/hypercall.h"
#include "lib/user.h"
#include <xen/callback.h>
#include <xen/nmi.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

/*
 * Each is 16 bytes: the instruction, a return, breakpoints. Registers: RAX,
 * RCX, RDX as the operation says, RBX points to 64 readable bytes.
 */
#define INSTRUCTIONS(X) \
    X(rdmsr, "rdmsr") \
    X(wrmsr, "wrmsr") X(read_cr0, "mov %cr0, %rax") X(write_cr0, "mov %rax, %cr0") X(read_cr2, \
                                                                                     "mov %cr2, %rax") \
        X(write_cr2, "mov %rax, %cr2") X(read_cr4, "mov %cr4, %rax") X(write_cr4, "mov %rax, %cr4") X( \
            read_cr8, "mov %cr8, %rax") X(write_cr8, "mov %rax, %cr8") X(read_dr0, "mov %db0, %rax") \
            X(write_dr0, "mov %rax, %db0") X(read_dr6, "mov %db6, %rax") X(write_dr6, "mov %rax, %db6") X( \
                read_dr7, "mov %db7, %rax") X(write_dr7, "mov %rax, %db7") X(clts, "clts") X(invd, "invd") \
                X(wbinvd, "wbinvd") X(invlpg, "invlpg (%rbx)") X(lgdt, "lgdt (%rbx)") X(lidt, "lidt (%rbx)") \
                    X(lldt, "lldt %ax") X(ltr, "ltr %ax") X(cli, "cli") X(sti, "sti") X(swapgs, "swapgs") X( \
                        sysretq, "sysretq") X(sysexit, "sysexitq") X(rdpmc, "rdpmc") \
                        X(inb, "inb %dx, %al") X(inl, "inl %dx, %eax") X(outb, "outb %al, %dx") \
                            X(outw, "outw %ax, %dx") X(xsetbv, "xsetbv") X(vmcall, "vmcall") X( \
                                vmmcall, "vmmcall") X(monitor, "monitor") \
                                X(ud2, "ud2") X(int3, "int3") X(icebp, ".byte 0xf1") X(int80, "int $0x80") \
                                    X(int_into, ".byte 0xcd, 4") X(int0e, "int $14") X( \
                                        div0, "xor %ecx, %ecx; div %rcx") X(verw, "verw %ax") \
                                        X(lar, "lar %eax, %edx") X(lsl, "lsl %eax, %edx") X( \
                                            mov_ds, "mov %eax, %ds") X(mov_fs, "mov %eax, %fs") \
                                            X(mov_gs, "mov %eax, %gs") X(popf, "push %rax; popfq") \
                                                X(rdfsbase, "rdfsbase %rax") X(wrfsbase, "wrfsbase %rax") \
                                                    X(wrgsbase, "wrgsbase %rax") X(rsm, "rsm") \
                                                        X(lock_nop, ".byte 0xf0, 0x90") \
                                                            X(load, "mov (%rcx), %rax") X(fwait, "fwait") \
                                                                X(fninit, "fninit") \
                                                                    X(pause, "pause") \
                                                                        X(clflush, "clflush (%rbx)") \
                                                                            X(out_imm, "out %al, $0x80") \
                                                                                X(far, "lcall *(%rbx)")

/* clang-format off */
#define CODE(name, text) ".balign 16, 0xcc\n" text "\nret\n"
__asm__(".pushsection .text\n.globl instruction_code\n.balign 16, 0xcc\ninstruction_code:\n" INSTRUCTIONS(CODE)
        ".balign 16, 0xcc\n.popsection\n");
#define NAME(name, text) #name,
static const char *const name[] = {INSTRUCTIONS(NAME)};
/* clang-format on */
extern u8 instruction_code[][16];

static u64 rax, rcx, rdx, memory[8];

static void run_instruction(void *arg)
{
    u64 a = rax, c = rcx, d = rdx, b = (u64)memory;

    __asm__ volatile("call *%4; pushq $2; popfq"
                     : "+a"(a), "+c"(c), "+d"(d), "+b"(b)
                     : "r"(arg)
                     : "memory", "cc", "r11");
    rax = a;
    rdx = d;
}

static void random_registers(void)
{
    static const u32 msr[] = {0xce,       0x140,      0x179,      0x17a,      0x17b,
                              0x280,      0x400,      0x401,      0x404,      0x408,
                              0xc0000103, 0xc0010015, 0xc001001f, 0xc0011029, 0x10a,      0x1b,       0x48,       0x49,       0x8b,
                              0x174,      0x277,      0x2ff,      0x802,      0xda0,
                              0xc0000080, 0xc0000081, 0xc0000082, 0xc0000084, 0xc0000100,
                              0xc0000101, 0xc0000102, 0xc0010058, 0xc0010117};
    static const u64 value[] = {0,
                                1,
                                8,
                                0x33,
                                0x2b,
                                0xe033,
                                0xe02b,
                                0x80050033,
                                0x7ffffffff000,
                                0x8000000000000000,
                                0xffff800000000000,
                                0xffff0ff0,
                                0x400,
                                0x7,
                                0xd01,
                                0x202,
                                0x3246};

    rax = chance(80) ? value[pick(ARRAY_SIZE(value))] : rnd();
    rcx = chance(80) ? msr[pick(ARRAY_SIZE(msr))] : chance(60) ? pick(16) : rnd();
    rdx = chance(60) ? 0 : chance(50) ? 0x80 : rnd();
    for (unsigned i = 0; i < ARRAY_SIZE(memory); i++)
        memory[i] = value[pick(ARRAY_SIZE(value))];
}

static void in_kernel(unsigned which)
{
    struct fault f;

    show("kernel %s rax %lx rcx %lx rdx %lx", name[which], rax, rcx, rdx);
    catch_fault(&f, run_instruction, instruction_code[which]);
    if (memcmp(name[which], "int", 3) == 0)
        f.error = 0; /* QEMU 7.2 pushes n * 16 + 2 for a refused INT n, which Hospes puts right */
    say_fault(&f);
    if (f.vector < 0) {
        say("rax", rax);
        say("rdx", rdx);
    } else
        say("rip", f.rip - (u64)instruction_code[which]);
}

static void in_user(unsigned which)
{
    struct regs r = user_regs(0);

    show("user %s rax %lx rcx %lx rdx %lx", name[which], rax, rcx, rdx);
    user_load(0, instruction_code[which], 16);
    user_load(16, "\xcc", 1);
    user_data[0] = USER_CODE + 16;
    r.rax = rax;
    r.rcx = rcx;
    r.rdx = rdx;
    r.rbx = USER_DATA + 64;
    r.rsp = USER_DATA; /* where the return address is */
    memcpy(user_data + 8, memory, sizeof(memory));
    mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, user_l4_mfn);
    user_run(&r, 0);
    say("vector", r.vector);
    if (memcmp(name[which], "int", 3))
        say("error", r.error);
    say("rip", r.rip);
    say("rax", r.rax);
    say("rdx", r.rdx);
}

/* What is not asked: time, what depends on the machine's history, what cannot be taken back. */
static bool left_out(unsigned which)
{
    bool msr = !strcmp(name[which], "wrmsr") || !strcmp(name[which], "rdmsr");

    return msr && ((u32)rcx == 0x10 || ((u32)rcx == 0x1b && name[which][0] == 'w'));
}

static void instruction(void)
{
    unsigned which = pick(ARRAY_SIZE(name));

    random_registers();
    if (left_out(which))
        return;
    if (chance(60))
        in_kernel(which);
    else
        in_user(which);
}

static void debug_registers(void)
{
    unsigned reg = chance(90) ? pick(8) : (unsigned)rnd();
    u64 value = chance(50) ? WINDOW + pick(4096) : chance(50) ? rnd() : rnd() & 0xffff27ff;

    if (reg == 7 || reg == 5)
        value &= ~0xffUL; /* none enabled: the fuzzer's own code would meet them */
    show("debugreg %u %lx", reg, value);
    if (chance(60))
        answer(HYPERVISOR(set_debugreg, reg, value, 0, 0, 0));
    say("is", (u64)HYPERVISOR(get_debugreg, reg, 0, 0, 0, 0));
}

static void callbacks(void)
{
    struct callback_register reg = {.type = (u16)pick(9),
                                    .flags = (u16)(chance(80) ? pick(2) : rnd()),
                                    .address = chance(70) ? WINDOW : rnd()};
    unsigned op = chance(90) ? pick(2) : pick(4);

    show("callback_op %u type %u flags %u address %lx", op, reg.type, reg.flags, reg.address);
    answer(hv_callback_op(op, &reg));
}

static void traps(void)
{
    static struct trap_info table[4];
    unsigned count = pick(4);

    /* Entries for INT n, all of which lead to the library's entry for an exception without error code. */
    show("set_trap_table");
    for (unsigned i = 0; i < count; i++)
        table[i] = (struct trap_info){.vector = (u8)(32 + pick(224)),
                                      .flags = (u8)pick(8),
                                      .cs = chance(70) ? FLAT_KERNEL_CS : (u16)rnd(),
                                      .address = chance(90) ? (u64)trap_entry_table + 31 * 16 : 1UL << 63};
    memset(&table[count], 0, sizeof(table[0]));
    answer(hv_set_trap_table(table));
}

static void segments(void)
{
    static const u64 base[] = {
        0, 0x1000, 0x7ffffffff000, 0x800000000000, 0xffff800000000000, 0xffffffff80000000};
    unsigned which = chance(90) ? pick(4) : (unsigned)rnd();

    show("segment_base %u", which);
    answer(hv_set_segment_base(which,
                               which == SEGBASE_GS_USER_SEL ? pick(0x10000) : base[pick(ARRAY_SIZE(base))]));
}

static void assists(void)
{
    unsigned cmd = chance(90) ? pick(2) : pick(5), type = chance(90) ? pick(7) : pick(40);

    show("vm_assist %u %u", cmd, type);
    answer(hv_vm_assist(cmd, type));
}

static void vcpus(void)
{
    static const u8 op[] = {VCPUOP_is_up,
                            VCPUOP_up,
                            VCPUOP_get_physid,
                            VCPUOP_stop_periodic_timer,
                            VCPUOP_stop_singleshot_timer,
                            30};
    unsigned which = op[pick(ARRAY_SIZE(op))], vcpu = chance(70) ? pick(3) : (unsigned)rnd();
    static u64 argument[4];

    show("vcpu_op %u of %u", which, vcpu);
    answer(hv_vcpu_op(which, vcpu, chance(80) ? argument : (void *)random_address()));
}

/* Calls with pointers that may not be readable, of operations that only read or are refused. */
static void odd_pointers(void)
{
    static const u8 call[] = {
        __HYPERVISOR_mmu_update,       __HYPERVISOR_set_gdt,     __HYPERVISOR_memory_op,
        __HYPERVISOR_multicall,        __HYPERVISOR_xen_version, __HYPERVISOR_mmuext_op,
        __HYPERVISOR_event_channel_op, __HYPERVISOR_physdev_op,  __HYPERVISOR_callback_op};
    unsigned nr = call[pick(ARRAY_SIZE(call))];
    u64 pointer = chance(50) ? 0x8000000000000000 | rnd() : HYPERVISOR_VIRT_START + rnd() % (1UL << 43);
    bool first = nr == __HYPERVISOR_mmu_update || nr == __HYPERVISOR_set_gdt ||
                 nr == __HYPERVISOR_multicall || nr == __HYPERVISOR_mmuext_op;
    u64 number = nr == __HYPERVISOR_mmuext_op || nr == __HYPERVISOR_mmu_update ? 1 + pick(9) : 1 + pick(40);

    if (pointer >= HYPERVISOR_VIRT_START && pointer < HYPERVISOR_VIRT_START + (1UL << 39))
        return; /* the table from machine to guest frames: read, and it differs */
    show("call %u pointer %lx number %lx", nr, pointer, number);
    answer(first ? hypercall(nr, pointer, number, 0, DOMID_SELF, 0)
                 : hypercall(nr, number, pointer, 0, 0, 0));
}

void do_processor(void)
{
    unsigned kind = pick(100);

    if (kind < 60)
        instruction();
    else if (kind < 70)
        debug_registers();
    else if (kind < 75)
        callbacks();
    else if (kind < 80)
        traps();
    else if (kind < 85)
        segments();
    else if (kind < 89)
        assists();
    else if (kind < 93)
        vcpus();
    else
        odd_pointers();
    processor_init();
}

/* What the fuzzer itself stands on. */
void processor_init(void)
{
    static u64 cr4;

    trap_install(0);
    /* Linux has these on: OSXSAVE and FSGSBASE. Without them Xen keeps them off, and Hospes on. */
    if (cr4 == 0)
        __asm__ volatile("mov %%cr4, %0; or $0x50000, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
    hv_stack_switch(FLAT_KERNEL_SS, user_kernel_stack);
    hv_set_segment_base(SEGBASE_FS, 0);
    hv_set_segment_base(SEGBASE_GS_USER, 0);
    hv_set_segment_base(SEGBASE_GS_KERNEL, 0);
    HYPERVISOR(fpu_taskswitch, 0, 0, 0, 0, 0);
    shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
}

void processor_reset(void)
{
    for (unsigned i = 0; i < 4; i++)
        HYPERVISOR(set_debugreg, i, 0, 0, 0, 0);
    HYPERVISOR(set_debugreg, 6, 0, 0, 0, 0);
    HYPERVISOR(set_debugreg, 7, 0, 0, 0, 0);
    HYPERVISOR(set_gdt, NULL, 0, 0, 0, 0);
    HYPERVISOR(set_trap_table, NULL, 0, 0, 0, 0);
    for (u16 type = CALLBACKTYPE_sysenter; type <= CALLBACKTYPE_syscall32; type++) {
        struct callback_unregister gone = {.type = type};

        hv_callback_op(CALLBACKOP_unregister, &gone);
    }
    for (unsigned type = 0; type < 6; type++)
        hv_vm_assist(VMASST_CMD_disable, type);
    hv_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
    struct mmuext_op op = {.cmd = MMUEXT_SET_LDT, .arg1.linear_addr = 0, .arg2.nr_ents = 0};
    hv_mmuext_op(&op, 1, NULL, DOMID_SELF);
    processor_init();
}
