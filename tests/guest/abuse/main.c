/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every hypercall and sub-operation with pointers that are not what they should
 * be: one line each, "ABUSE number.sub name: code for each kind of pointer".
 * run.py compares the lines with abuse/expected.txt, which real Xen wrote.
 *
 * What would end the guest if it were understood is left out: see skipped().
 */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include <xen/sched.h>
#include <xen/vcpu.h>

const char guest_name[] = "abuse";

/* The kinds of pointer, in the order of a line's columns. */
enum {
    NULL_POINTER,
    UNMAPPED,
    NON_CANONICAL,
    IN_M2P,
    IN_HYPERVISOR,
    READ_ONLY,
    STRADDLING,
    ZEROS,
    ONES,
    KINDS
};

static u64 pointers[KINDS] = {
    0, 0x1234567000, 0x8000000000000000, HYPERVISOR_VIRT_START, 0xffff830000001000,
};
static u8 read_only[PAGE_SIZE] PAGE_ALIGNED;
static u8 two_pages[2][PAGE_SIZE] PAGE_ALIGNED;
static u8 zeros[PAGE_SIZE] PAGE_ALIGNED, ones[PAGE_SIZE] PAGE_ALIGNED; /* as they are before every call */

struct call {
    unsigned nr;
    const char *name;
    int subops;  /* values tried for the first argument; 0: the first argument is no number of an operation */
    int pointer; /* the argument that is the pointer, 1 to 5 */
    u64 args[5]; /* the others */
};

static const struct call calls[] = {
    {0, "set_trap_table", 0, 1, {0}},
    {1, "mmu_update", 0, 1, {0, 1, 0, DOMID_SELF}},
    {1, "mmu_update 2^30", 0, 1, {0, 1u << 30, 0, DOMID_SELF}},
    {2, "set_gdt", 0, 1, {0, 512}},
    {2, "set_gdt 7169", 0, 1, {0, 7169}},
    {6, "sched_op_compat", 3, 2, {0}},
    {7, "platform_op", 0, 1, {0}},
    {12, "memory_op", 32, 2, {0}},
    {13, "multicall", 0, 1, {0, 1}},
    {13, "multicall 2^32", 0, 1, {0, 1UL << 32}},
    {16, "event_channel_op_compat", 0, 1, {0}},
    {17, "xen_version", 16, 2, {0}},
    {18, "console_io", 4, 3, {0, 16}},
    {19, "physdev_op_compat", 0, 1, {0}},
    {20, "grant_table_op", 15, 2, {0, 0, 1}},
    {20, "grant_table_op x 2^31", 13, 2, {0, 0, 1UL << 31}},
    {24, "vcpu_op", 16, 3, {0, 0}},
    {24, "vcpu_op of vCPU 64", 16, 3, {0, 64}},
    {26, "mmuext_op", 0, 1, {0, 1, 0, DOMID_SELF}},
    {26, "mmuext_op 2^30", 0, 1, {0, 1u << 30, 0, DOMID_SELF}},
    {27, "xsm_op", 0, 1, {0}},
    {28, "nmi_op", 3, 2, {0}},
    {29, "sched_op", 9, 2, {0}},
    {30, "callback_op", 3, 2, {0}},
    {31, "xenoprof_op", 3, 2, {0}},
    {32, "event_channel_op", 16, 2, {0}},
    {33, "physdev_op", 35, 2, {0}},
    {34, "hvm_op", 26, 2, {0}},
    {35, "sysctl", 0, 1, {0}},
    {36, "domctl", 0, 1, {0}},
    {37, "kexec_op", 7, 2, {0}},
    {38, "tmem_op", 0, 1, {0}},
    {39, "argo_op", 6, 2, {0}},
    {40, "xenpmu_op", 9, 2, {0}},
    {41, "dm_op", 0, 3, {DOMID_SELF, 1}},
    {42, "hypfs_op", 4, 2, {0, 0, 16, 0, 0}},
    {48, "mca", 0, 1, {0}},
    {49, "paging_domctl_cont", 0, 1, {0}},
};

/* Calls without a pointer: bad values. */
static const struct {
    unsigned nr;
    const char *name;
    u64 args[4];
} values[] = {
    {3, "stack_switch non-canonical", {FLAT_KERNEL_SS, 0x8000000000000000}},
    {3, "stack_switch bad selector", {0xffff, 0x1000}},
    {4, "set_callbacks 0 0 0", {0, 0, 0}},
    {4, "set_callbacks non-canonical", {0x8000000000000000, 0, 0}},
    {5, "fpu_taskswitch 0", {0}},
    {5, "fpu_taskswitch 2", {2}},
    {8, "set_debugreg 0 non-canonical", {0, 0x8000000000000000}},
    {8, "set_debugreg 5", {5, 0}},
    {8, "set_debugreg 16", {16, 0}},
    {8, "set_debugreg 7 high bits", {7, 1UL << 40}},
    {9, "get_debugreg 16", {16}},
    {10, "update_descriptor 0", {0, 0}},
    {10, "update_descriptor nowhere", {1UL << 51, 0}},
    {14, "update_va_mapping 0", {0, 0, 0}},
    {14, "update_va_mapping non-canonical", {0x8000000000000000, 0, 0}},
    {14, "update_va_mapping hypervisor", {0xffff830000000000, 0, 0}},
    {15, "set_timer_op negative", {1UL << 63}},
    {15, "set_timer_op 0", {0}},
    {11, "number 11", {0}},
    {21, "vm_assist enable 0", {0, 0}},
    {21, "vm_assist enable 1", {0, 1}},
    {21, "vm_assist enable 2", {0, 2}},
    {21, "vm_assist enable 3", {0, 3}},
    {21, "vm_assist enable 4", {0, 4}},
    {21, "vm_assist enable 5", {0, 5}},
    {21, "vm_assist enable 6", {0, 6}},
    {21, "vm_assist enable 64", {0, 64}},
    {21, "vm_assist disable 0", {1, 0}},
    {21, "vm_assist command 2", {2, 0}},
    {22, "update_va_mapping_otherdomain nobody", {VIRT_BASE, 0, 0, 0x1234}},
    {25, "set_segment_base 9", {9, 0}},
    {43, "number 43", {0}},
    {44, "number 44", {0}},
    {47, "number 47", {0}},
    {50, "arch_2", {0}},
    {55, "arch_7", {0}},
    {56, "number 56", {0}},
    {63, "number 63", {0}},
    {64, "number 64", {0}},
    {1000, "number 1000", {0}},
};

/*
 * Readable nothing is understood by some: shutdown with reason 0 (power off), a
 * watchdog of 0 s, a poll of nothing for ever, a crash kernel; vCPU 0 down; block with events masked; zeros
 * on the console.
 */
static bool skipped(const struct call *c, unsigned op, unsigned kind)
{
    bool readable = kind >= READ_ONLY;

    switch (c->nr) {
    case __HYPERVISOR_sched_op_compat:
    case __HYPERVISOR_sched_op:
        return op == SCHEDOP_block || op == SCHEDOP_shutdown_code || (c->nr == 6 && op == SCHEDOP_shutdown) ||
               (readable && (op == SCHEDOP_shutdown || op == SCHEDOP_poll || op == SCHEDOP_remote_shutdown ||
                             op == SCHEDOP_watchdog));
    case __HYPERVISOR_vcpu_op:
        return op == VCPUOP_down || op == VCPUOP_send_nmi;
    case __HYPERVISOR_console_io:
        return readable && op == 0;
    case __HYPERVISOR_kexec_op:
        return readable && op == 1;
    case __HYPERVISOR_event_channel_op:
        return op == 10 && readable; /* reset of domain 0: ourselves */
    }
    return false;
}

static long perform(const struct call *c, unsigned op, unsigned kind)
{
    u64 a[5];

    memcpy(a, c->args, sizeof(a));
    if (c->subops)
        a[0] = op;
    a[c->pointer - 1] = pointers[kind];
    memset(zeros, 0, sizeof(zeros));
    memset(ones, 0xff, sizeof(ones));
    memset(two_pages[0], 0, PAGE_SIZE);
    return hypercall_raw(c->nr, a[0], a[1], a[2], a[3], a[4]);
}

static const char *answer(long code)
{
    return code > 0 ? "positive" : code == 0 ? "0" : error_name(code);
}

/* What the guest itself needs, after calls that may have changed it. */
static void mend(void)
{
    trap_install(0);
    hv_stack_switch(FLAT_KERNEL_SS, (u64)stack_top);
    HYPERVISOR(set_debugreg, 7, 0, 0, 0, 0);
    shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
}

static void abuse_call(const struct call *c, unsigned op)
{
    static char line[256];
    int n = guest_snprintf(line, sizeof(line), "ABUSE %u.%u %s:", c->nr, op, c->name);

    for (unsigned kind = 0; kind < KINDS; kind++) {
        const char *text = skipped(c, op, kind) ? "-" : answer(perform(c, op, kind));

        n += guest_snprintf(line + n, sizeof(line) - (size_t)n, " %s", text);
        checks_passed++;
    }
    mend();
    print("%s\n", line);
}

void guest_main(void)
{
    pointers[READ_ONLY] = (u64)read_only;
    pointers[STRADDLING] = (u64)two_pages[1] - 4;
    pointers[ZEROS] = (u64)zeros;
    pointers[ONES] = (u64)ones;
    CHECK_EQ(page_protect(read_only, false), 0);
    CHECK_EQ(hv_update_va_mapping((u64)two_pages[1], 0, UVMF_INVLPG), 0);
    print("columns: null unmapped non-canonical m2p hypervisor read-only straddling zeros ones\n");
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        const struct call *c = &calls[i];

        for (int op = 0; op < (c->subops ? c->subops : 1); op++)
            abuse_call(c, (unsigned)op);
    }
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        const u64 *a = values[i].args;
        long code = hypercall_raw(values[i].nr, a[0], a[1], a[2], a[3], 0);

        mend();
        print("ABUSE %u %s: %s\n", values[i].nr, values[i].name, answer(code));
        checks_passed++;
    }
}
