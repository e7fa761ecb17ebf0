/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GDT pages, TSSs and the IDT.
 *
 * Formats: Intel SDM vol. 3A, 3.4.5 (segments), 7.7 (64-bit TSS), 6.14 (gates).
 * Gates are interrupt gates: entries run with interrupts off. Guests may use
 * INT3, INTO and INT 0x80 through their own gates; any other INT n faults with
 * #GP and pv/ sorts it out.
 */
#include "x86/desc.h"

#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/msr.h"
#include "x86/trap.h"

struct gate { uint64_t lo, hi; };
struct table_reg { uint16_t limit; uint64_t base; } PACKED;

static uint64_t gdt_page[NR_CPUS_MAX][512] ALIGNED(4096);
static struct tss tss[NR_CPUS_MAX] ALIGNED(128);
static struct gate idt[256] __attribute__((section(".bss.gate"), aligned(4096))); /* guests' roots show it */

/* The linker script aligns what is in this section, and all of it are blocks. */
char desc_panic_block[CPU_BLOCK_SIZE] __attribute__((section(".bss.cpu_block")));

#define GDT_SLOT(sel) (((sel) & 0xfff) >> 3)

uint64_t *desc_gdt_page(unsigned int cpu)
{
    return gdt_page[cpu];
}

static void set_system_desc(uint64_t *slot, uint64_t base, uint32_t limit, unsigned int type)
{
    slot[0] = (limit & 0xffff) | (base & 0xffffff) << 16 | (uint64_t)(0x80 | type) << 40 |
              (uint64_t)((limit >> 16) & 0xf) << 48 | ((base >> 24) & 0xff) << 56;
    slot[1] = base >> 32;
}

struct tss *desc_tss(unsigned int cpu)
{
    return &tss[cpu];
}

void desc_load_tss(const struct tss *t)
{
    set_system_desc(&gdt_page[cpu_id()][GDT_SLOT(SEL_TSS)], (uint64_t)t, sizeof(*t) - 1, 9);
    ltr(SEL_TSS);
}

static void idt_init(void)
{
    for (unsigned int i = 0; i < 256; i++) {
        uint64_t at = (uint64_t)trap_stubs[i];
        unsigned int dpl = i == VEC_BP || i == VEC_OF || i == VEC_INT80 ? 3 : 0;
        unsigned int ist = 0;

        if (i == VEC_NMI)
            ist = IST_NMI;
        else if (i == VEC_DF)
            ist = IST_DF;
        else if (i == VEC_MC)
            ist = IST_MC;
        else if (i == VEC_DB)
            ist = IST_DB;
        idt[i].lo = (at & 0xffff) | (uint64_t)SEL_HV_CS << 16 | (uint64_t)ist << 32 |
                    (uint64_t)(0x8e | dpl << 5) << 40 | ((at >> 16) & 0xffff) << 48;
        idt[i].hi = at >> 32;
    }
}

void desc_load_gdt(uint64_t base)
{
    struct table_reg r = {.limit = GDT_LIMIT, .base = base};

    lgdt(&r);
}

void desc_load_ldt(uint64_t base, unsigned int entries)
{
    if (entries == 0) {
        lldt(0);
        return;
    }
    set_system_desc(&gdt_page[cpu_id()][GDT_SLOT(SEL_LDT)], base, entries * 8 - 1, 2);
    lldt(SEL_LDT);
}

void desc_set_frame_top(uint64_t top)
{
    unsigned int cpu = cpu_id();

    tss[cpu].rsp[0] = top;
    cpu_entry[cpu].frame_top = top - 8; /* below SS, which SYSCALL does not change */
}

void desc_init_cpu(void)
{
    unsigned int cpu = cpu_id();
    uint64_t *gdt = gdt_page[cpu];
    uint64_t block = (uint64_t)cpu_local() & ~(uint64_t)(CPU_BLOCK_SIZE - 1);
    struct table_reg r = {.limit = sizeof(idt) - 1, .base = (uint64_t)idt};

    gdt[GDT_SLOT(SEL_HV_CS)] = 0x00af9b000000ffff;
    gdt[GDT_SLOT(SEL_HV_DS)] = 0x00cf93000000ffff;
    gdt[GDT_SLOT(SEL_USER_CS32)] = 0x00cffb000000ffff;
    gdt[GDT_SLOT(SEL_USER_SS)] = 0x00cff3000000ffff;
    gdt[GDT_SLOT(SEL_USER_CS64)] = 0x00affb000000ffff;
    cpu_locals[cpu] = cpu_local();
    tss[cpu].iomap = sizeof(struct tss); /* beyond the limit: no port is the guest's */
    tss[cpu].rsp[0] = block + CPU_LOCAL_OFFSET;
    for (unsigned int i = IST_NMI; i <= IST_DB; i++)
        tss[cpu].ist[i - 1] = block + PAGE_SIZE * i;
    if (cpu == 0)
        idt_init();
    /* Entry 0 of the table would lie 14 pages below; only the reserved page is ever used. */
    desc_load_gdt((uint64_t)gdt - 14 * PAGE_SIZE);
    __asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:\n\t"
                     "movl %1, %%eax; movl %%eax, %%ss; xorl %%eax, %%eax; movl %%eax, %%ds; movl %%eax, %%es;"
                     "movl %%eax, %%fs; movl %%eax, %%gs" ::"i"(SEL_HV_CS), "i"(SEL_HV_DS) : "rax", "memory");
    desc_load_tss(&tss[cpu]);
    lldt(0);
    lidt(&r);

    wrmsr(MSR_STAR, (uint64_t)SEL_USER_CS32 << 48 | (uint64_t)SEL_HV_CS << 32);
    wrmsr(MSR_LSTAR, (uint64_t)syscall_stubs[cpu]);
    wrmsr(MSR_CSTAR, (uint64_t)syscall32_stubs[cpu]);
    wrmsr(MSR_SYSCALL_MASK, EFLAGS_IF | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT | EFLAGS_AC | EFLAGS_RF | EFLAGS_IOPL);
    if (cpu_features.sysenter) {
        wrmsr(MSR_SYSENTER_CS, SEL_HV_CS);
        wrmsr(MSR_SYSENTER_ESP, block + CPU_LOCAL_OFFSET);
        wrmsr(MSR_SYSENTER_EIP, (uint64_t)sysenter_stubs[cpu]);
    }
}
