/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local APIC: one set of register numbers, two ways to reach them. */
#include "x86/lapic.h"

#include "x86/counters.h"
#include "x86/insn.h"
#include "x86/msr.h"

enum {
    REG_ID = 0x20, REG_TPR = 0x80, REG_EOI = 0xb0, REG_LDR = 0xd0, REG_DFR = 0xe0, REG_SVR = 0xf0, REG_ESR = 0x280,
    REG_ICR = 0x300, REG_ICR_HI = 0x310, REG_LVT_TIMER = 0x320, REG_LVT_THERMAL = 0x330, REG_LVT_PMC = 0x340,
    REG_LVT_LINT0 = 0x350, REG_LVT_LINT1 = 0x360, REG_LVT_ERROR = 0x370, REG_TIMER_INIT = 0x380,
    REG_TIMER_CUR = 0x390, REG_TIMER_DIV = 0x3e0,
};
#define LVT_MASKED (1u << 16)
#define LVT_NMI    (4u << 8)
#define SVR_ENABLE (1u << 8)
#define ICR_BUSY   (1u << 12)
#define ICR_ASSERT (1u << 14)
#define ICR_SELF   (1u << 18)

static volatile uint32_t *regs; /* NULL: x2APIC */
uint64_t lapic_timer_hz;

static uint32_t reg_read(unsigned int reg)
{
    return regs ? regs[reg / 4] : (uint32_t)rdmsr(MSR_X2APIC(reg));
}

static void reg_write(unsigned int reg, uint32_t v)
{
    if (regs)
        regs[reg / 4] = v;
    else
        wrmsr(MSR_X2APIC(reg), v);
}

void lapic_init_cpu(volatile void *mapped)
{
    uint64_t base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

    regs = cpu_features.x2apic ? NULL : mapped;
    wrmsr(MSR_APIC_BASE, base);
    if (cpu_features.x2apic)
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
    reg_write(REG_TPR, 0);
    reg_write(REG_SVR, SVR_ENABLE | VEC_SPURIOUS);
    reg_write(REG_LVT_TIMER, VEC_TIMER);
    reg_write(REG_LVT_LINT0, LVT_MASKED);
    reg_write(REG_LVT_LINT1, LVT_NMI);
    reg_write(REG_LVT_ERROR, VEC_ERROR);
    reg_write(REG_TIMER_DIV, 0xb); /* by 1 */
    reg_write(REG_ESR, 0);
}

uint32_t lapic_id(void)
{
    return regs ? reg_read(REG_ID) >> 24 : reg_read(REG_ID);
}

void lapic_eoi(void)
{
    reg_write(REG_EOI, 0);
}

static void send(uint32_t dest, uint32_t icr)
{
    if (!regs) {
        /* x2APIC's write is not serialising: earlier stores must be seen first (SDM vol. 3A, 11.12.3). */
        __asm__ volatile("mfence; lfence" ::: "memory");
        wrmsr(MSR_X2APIC(REG_ICR), (uint64_t)dest << 32 | icr);
        return;
    }
    while (reg_read(REG_ICR) & ICR_BUSY)
        cpu_relax();
    reg_write(REG_ICR_HI, dest << 24);
    reg_write(REG_ICR, icr);
}

void lapic_send_ipi(uint32_t dest, unsigned int vector)
{
    count(vector == VEC_WAKE ? COUNT_IPIS_WAKE : vector == VEC_CROSSCALL ? COUNT_IPIS_CROSSCALL : COUNT_IPIS_OTHER);
    send(dest, ICR_ASSERT | vector);
}
void lapic_send_self(unsigned int vector)
{
    if (regs)
        reg_write(REG_ICR, ICR_SELF | ICR_ASSERT | vector); /* the destination, perhaps another's, is not looked at */
    else
        wrmsr(MSR_X2APIC(REG_ICR), ICR_SELF | ICR_ASSERT | vector);
}
void lapic_send_nmi(uint32_t dest) { send(dest, ICR_ASSERT | LVT_NMI); }
void lapic_send_init(uint32_t dest) { send(dest, ICR_ASSERT | 5u << 8); }
void lapic_send_startup(uint32_t dest, unsigned int page) { send(dest, ICR_ASSERT | 6u << 8 | page); }

void lapic_timer_set(uint32_t ticks)
{
    count(COUNT_TIMER_SETS);
    reg_write(REG_TIMER_INIT, ticks);
}
uint32_t lapic_timer_current(void) { return reg_read(REG_TIMER_CUR); }
