/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Model-specific registers: every one that can be read or written, and the banks of machine checks. */
#include "answers/answers.h"
#include "lib/user.h"
#include <xen/sched.h>

static u32 number;
static u64 value;

static void do_rdmsr(void *arg)
{
    value = rdmsr(number);
}

static void do_wrmsr(void *arg)
{
    wrmsr(number, value);
}

static bool works(void (*fn)(void *))
{
    struct fault f;

    return !catch_fault(&f, fn, NULL);
}

/* What differs from moment to moment or between machines: only whether they can be read. */
static bool varies(u32 msr)
{
    static const u32 those[] = {0x10, 0x1b, 0xe7, 0xe8, 0x8b, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103};

    for (size_t i = 0; i < ARRAY_SIZE(those); i++)
        if (those[i] == msr)
            return true;
    return false;
}

static void ask_range(u32 first, u32 count)
{
    unsigned readable = 0, writable = 0;

    for (u32 i = 0; i < count; i++) {
        bool read, write;

        number = first + i;
        value = 0;
        read = works(do_rdmsr);
        u64 was = value;
        write = number != 0x10 && works(do_wrmsr);
        readable += read;
        writable += write;
        if (read || write)
            ask("msr", "%x %s %s %lx", number, read ? "read" : "-", write ? "written" : "-",
                varies(number) ? 0 : was);
    }
    ask("msrs from", "%x %x readable %u writable %u", first, count, readable, writable);
}

static void ask_write(u32 msr, u64 to)
{
    bool ok;

    number = msr;
    value = to;
    ok = works(do_wrmsr);
    value = 0x5555;
    bool read = works(do_rdmsr);
    ask("msr of machine checks", "%x = %lx %s then %s %lx", msr, to, ok ? "written" : "refused",
        read ? "reads" : "no", value);
}

/* What a guest's handler does with them: it looks, and clears. */
static void ask_machine_check(void)
{
    static const u64 values[] = {~0UL, 1, 0};
    static const u32 msrs[] = {0x179, 0x17a, 0x17b, 0x4d0, 0x280, 0x281, 0x2bf};

    for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
        for (size_t i = 0; i < ARRAY_SIZE(msrs); i++)
            ask_write(msrs[i], values[k]);
        for (u32 bank = 0; bank < 40; bank += bank < 3 ? 1 : 7)
            for (u32 reg = 0; reg < 4; reg++)
                ask_write(0x400 + bank * 4 + reg, values[k]);
    }
}

/* One that a guest may set: what it takes, and shows afterwards. */
static void ask_settable(u32 msr)
{
    static const u64 values[] = {0, 1, 5, 0x100, 0xffffffff, 1UL << 32, ~0UL};

    number = msr;
    works(do_rdmsr);
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        u64 was = value;

        value = values[i];
        bool ok = works(do_wrmsr);
        value = 0x5555;
        works(do_rdmsr);
        ask("msr set", "%x from %lx to %lx %s shows %lx", msr, varies(msr) && msr != 0xc0000103 ? 0 : was, values[i],
            ok ? "written" : "refused", varies(msr) && msr != 0xc0000103 ? 0 : value);
    }
}

/* The number that RDTSCP gives, to user mode, too, is what the kernel has set. */
static void ask_number(void)
{
    static const u8 code[] = {0x0f, 0x01, 0xf9, 0x0f, 0x0b}; /* rdtscp; ud2 */
    struct regs r = user_regs(0);
    u32 rdtscp;

    number = 0xc0000103;
    value = 0x1234;
    works(do_wrmsr);
    hv_sched_op(SCHEDOP_yield, NULL);
    __asm__ volatile("rdtscp" : "=c"(rdtscp) : : "rax", "rdx");
    user_load(0, code, sizeof(code));
    user_run(&r, 0);
    shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
    ask("number of the processor", "%x user %lx", rdtscp, r.rcx);
    value = 0;
    works(do_wrmsr);
}

static void ask_hypercall_page(void)
{
    static u8 page[PAGE_SIZE] PAGE_ALIGNED;

    for (u64 low = 0; low < 3; low++) {
        memset(page, 0x90, sizeof(page));
        number = 0x40000000;
        value = virt_to_mfn(page) << PAGE_SHIFT | low;
        bool ok = works(do_wrmsr);
        ask("msr of the hypercall page", "%lx %s first bytes %x %x", low, ok ? "written" : "refused", page[0],
            page[__HYPERVISOR_iret * 32]);
    }
}

void ask_msrs(void)
{
    static const u32 settable[] = {0x140,      0x1a0,      0xe7,       0xc0000103, 0xc0000080, 0xc0010015,
                                   0xc001001f, 0xc0010000, 0xc0010004, 0xc0010042, 0xc0010062, 0xc0010063,
                                   0xc0010200, 0xc0011029, 0x277,      0x345};

    ask_range(0, 0x1000);
    ask_range(0x40000000, 0x300);
    ask_range(0xc0000000, 0x400);
    ask_range(0xc0002000, 0x200);
    ask_range(0xc0010000, 0x1200);
    ask_machine_check();
    for (size_t i = 0; i < ARRAY_SIZE(settable); i++)
        ask_settable(settable[i]);
    ask_number();
    ask_hypercall_page();
}
