/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs of one guest against each other: the same tables, entries, grants,
 * ports and frames, from all sides at once. Most answers may be a refusal;
 * what counts is that the answers add up, that no table is ever written, and
 * that in the end every page is free again.
 */
#include "race/race.h"
#include <xen/sched.h>
#include <xen/vcpu.h>

#define TIME 700000000UL /* ns for each race */

const char guest_name[] = "race";
extern char secondary_entry[];
NORETURN void secondary_main(u64 cpu);

unsigned vcpus = 1;

static u8 stacks[VCPUS_MAX][8192] PAGE_ALIGNED;
static void (*volatile current_step)(unsigned cpu, u64 random);
static volatile unsigned round_number, stop, arrived, steps, wrong;
static volatile long wrong_code;
static const char *volatile wrong_what;

static u64 time_now(void)
{
    const volatile struct vcpu_time_info *t = &shared_info->vcpu_info[0].time;
    u32 version;
    u64 now;

    do {
        version = t->version;
        __asm__ volatile("" ::: "memory");
        u64 delta = __builtin_ia32_rdtsc() - t->tsc_timestamp;
        delta = t->tsc_shift >= 0 ? delta << t->tsc_shift : delta >> -t->tsc_shift;
        now = t->system_time + (u64)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
        __asm__ volatile("" ::: "memory");
    } while ((version & 1) || version != t->version);
    return now;
}

static void yield(void)
{
    hv_sched_op(SCHEDOP_yield, NULL);
}

bool expect(long rc, const long *allowed, const char *what)
{
    for (; *allowed <= 0; allowed++)
        if (rc == *allowed)
            return true;
    wrong_what = what;
    wrong_code = rc;
    __atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
    return false;
}

/* One vCPU's part of a race. vCPU 0 keeps the time. */
static void take_part(unsigned cpu)
{
    u64 random = cpu * 7919 + round_number, end = time_now() + TIME;
    unsigned n = 0;

    while (!stop) {
        random = random * 6364136223846793005UL + 1442695040888963407UL;
        current_step(cpu, random >> 20);
        n++;
        if (cpu == 0 && time_now() > end)
            stop = 1;
    }
    __atomic_add_fetch(&steps, n, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
}

void secondary_main(u64 cpu)
{
    unsigned seen = 0;

    for (;;) {
        while (round_number == seen)
            yield();
        seen = round_number;
        take_part((unsigned)cpu);
    }
}

void race(const char *what, void (*step)(unsigned cpu, u64 random))
{
    arrived = stop = wrong = steps = 0;
    current_step = step;
    __atomic_add_fetch(&round_number, 1, __ATOMIC_SEQ_CST);
    take_part(0);
    while (arrived < vcpus)
        yield();
    print("%s: %u steps\n", what, steps);
    CHECK(steps >= vcpus);
    if (!CHECK_NAMED(what, wrong, 0))
        print("    last: %s: %s\n", wrong_what, error_name(wrong_code));
}

static bool start(unsigned cpu)
{
    static struct vcpu_guest_context context;

    memset(&context, 0, sizeof(context));
    context.flags = VGCF_in_kernel;
    context.user_regs.rip = (u64)secondary_entry;
    context.user_regs.cs = FLAT_KERNEL_CS;
    context.user_regs.ss = FLAT_KERNEL_SS;
    context.user_regs.rsp = context.kernel_sp = (u64)stacks[cpu] + sizeof(stacks[cpu]);
    context.user_regs.rflags = BIT(9) | 2;
    context.user_regs.rdi = cpu;
    context.kernel_ss = FLAT_KERNEL_SS;
    context.ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn((void *)start_info->pt_base));
    context.event_callback_eip = (u64)trap_event_entry;
    context.failsafe_callback_eip = (u64)trap_failsafe_entry;
    context.syscall_callback_eip = (u64)trap_syscall_entry;
    shared_info->vcpu_info[cpu].evtchn_upcall_mask = 1;
    return hv_vcpu_op(VCPUOP_initialise, cpu, &context) == 0 && hv_vcpu_op(VCPUOP_up, cpu, NULL) == 0;
}

u64 pte(const void *page, u64 flags)
{
    return virt_to_mfn(page) << PAGE_SHIFT | flags;
}

u64 entry_address(const u64 *table, unsigned i)
{
    return (virt_to_mfn(table) << PAGE_SHIFT) + i * 8UL;
}

void check_free(void *page, const char *what)
{
    CHECK_NAMED(what, page_protect(page, true), 0);
    memset(page, 0, PAGE_SIZE);
    CHECK_NAMED(what, page_protect(page, false), 0);
    CHECK_NAMED(what, mmuext_mfn(MMUEXT_PIN_L1_TABLE, virt_to_mfn(page)), 0);
    CHECK_NAMED(what, mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(page)), 0);
    CHECK_NAMED(what, page_protect(page, true), 0);
}

void guest_main(void)
{
    while (vcpus < VCPUS_MAX && hv_vcpu_op(VCPUOP_is_up, vcpus, NULL) == 0)
        CHECK(start(vcpus++));
    print("%u vCPUs\n", vcpus);
    race_tables();
    race_entries();
    race_grants();
    race_events();
    race_balloon();
    race_lists();
}
