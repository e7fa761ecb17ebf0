/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FPU state: a vCPU's first has nothing of another's, is kept while others run
 * on the same CPU, and fpu_taskswitch traps its next use.
 */
#include "answers/answers.h"
#include <xen/sched.h>
#include <xen/vcpu.h>

#define AREA    4096
#define OSXSAVE BIT(18)

static u8 first[AREA] PAGE_ALIGNED, area[2][AREA] PAGE_ALIGNED, again[2][AREA] PAGE_ALIGNED;
static volatile unsigned rounds, wrong[2], alive;
static unsigned not_available;

static u32 xcr0;

static void set_xcr0(void *arg)
{
    __asm__ volatile("xsetbv" : : "a"(xcr0), "d"(0), "c"(0));
}

/* Each vCPU has its own CR4 and XCR0. */
static void enable_all(void)
{
    u64 cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | OSXSAVE));
    xcr0 = 7;
    set_xcr0(NULL);
}

static void save(u8 *to)
{
    __asm__ volatile("xsave64 (%0)" : : "r"(to), "a"(~0U), "d"(~0U) : "memory");
}

static void load(const u8 *from)
{
    __asm__ volatile("xrstor64 (%0)" : : "r"(from), "a"(~0U), "d"(~0U) : "memory");
}

/* All of x87, SSE and the upper halves of AVX, from a seed. */
static void fill(u8 *to, u8 seed)
{
    memset(to, 0, AREA);
    for (unsigned i = 32; i < 416; i++)
        to[i] = i < 160 && (i & 15) > 9 ? 0 : (u8)(seed + i);
    for (unsigned i = 576; i < 832; i++)
        to[i] = (u8)(seed ^ i);
    *(u16 *)to = 0x27f;         /* FCW: double precision */
    *(u32 *)(to + 24) = 0x9fc0; /* MXCSR */
    *(u64 *)(to + 512) = 7;
}

static bool same(const u8 *x, const u8 *y)
{
    return memcmp(x, y, 2) == 0 && memcmp(x + 24, y + 24, 4) == 0 && memcmp(x + 32, y + 32, 384) == 0 &&
           memcmp(x + 576, y + 576, 256) == 0;
}

static void one_round(unsigned cpu)
{
    fill(area[cpu], (u8)(cpu * 100 + rounds));
    load(area[cpu]);
    for (unsigned i = 0; i < 3; i++)
        hv_sched_op(SCHEDOP_yield, NULL);
    save(again[cpu]);
    wrong[cpu] += !same(area[cpu], again[cpu]);
}

static void secondary_main(u64 argument)
{
    enable_all();
    save(first);
    alive = 1;
    while (rounds < 200)
        one_round(1);
    alive = 0;
    for (;;)
        hv_vcpu_op(VCPUOP_down, 1, NULL);
}

static bool on_not_available(struct regs *regs)
{
    not_available++;
    HYPERVISOR(fpu_taskswitch, 0, 0, 0, 0, 0);
    return true;
}

static void ask_first(void)
{
    fill(area[0], 77); /* what must not be found there */
    load(area[0]);
    memset(first, 0, AREA);
    ask("second vCPU made", "%s",
        code_text(hv_vcpu_op(VCPUOP_initialise, 1, vcpu_context(1, secondary_main, 0))));
    ask("second vCPU up", "%s", code_text(hv_vcpu_op(VCPUOP_up, 1, NULL)));
    while (!alive)
        hv_sched_op(SCHEDOP_yield, NULL);
    unsigned left = 0;
    for (unsigned i = 32; i < AREA; i++)
        left += first[i] != 0 && (i < 416 || i >= 576);
    ask("second vCPU's first state", "FCW %x FSW %x MXCSR %x bytes %u", *(u16 *)first, *(u16 *)(first + 2),
        *(u32 *)(first + 24), left);
}

static void ask_taskswitch(void)
{
    u32 value, high;

    trap_set_handler(VEC_NM, on_not_available);
    ask("fpu_taskswitch 1", "%s", code_text(HYPERVISOR(fpu_taskswitch, 1, 0, 0, 0, 0)));
    load(area[0]);
    ask("uses that trapped", "%u", not_available);
    HYPERVISOR(fpu_taskswitch, 1, 0, 0, 0, 0);
    __asm__ volatile("fldz\n fstp %%st" : : : "memory");
    ask("uses that trapped, x87", "%u", not_available);
    HYPERVISOR(fpu_taskswitch, 1, 0, 0, 0, 0);
    __asm__ volatile("clts");
    load(area[0]);
    ask("uses that trapped, after clts", "%u", not_available);
    save(again[0]);
    ask("state is whole", "%u", same(area[0], again[0]));
    trap_set_handler(VEC_NM, NULL);
    __asm__ volatile("xgetbv" : "=a"(value), "=d"(high) : "c"(0));
    ask("XCR0", "%x", value & 7);
}

void ask_fpu(void)
{
    struct fault f;
    u64 cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 & ~OSXSAVE));
    catch_fault(&f, set_xcr0, NULL);
    ask("xsetbv without CR4.OSXSAVE", "vector %d", f.vector);
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | OSXSAVE));
    for (xcr0 = 0; xcr0 < 8; xcr0++) {
        catch_fault(&f, set_xcr0, NULL);
        ask("xsetbv", "%u vector %d", xcr0, f.vector);
    }
    enable_all();
    if (hv_vcpu_op(VCPUOP_is_up, 1, NULL) == 0) {
        ask_first();
        for (; rounds < 200; rounds++)
            one_round(0);
        while (alive)
            hv_sched_op(SCHEDOP_yield, NULL);
        ask("states that were not kept", "%u %u", wrong[0], wrong[1]);
    }
    fill(area[0], 5);
    ask_taskswitch();
}
