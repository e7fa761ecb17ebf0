/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Selectors, vectors and interrupt stacks.
 *
 * The hypervisor's descriptors sit in the page of the GDT that the interface
 * reserves (entries 7168 to 7679, page 14), so they are at the same selectors
 * whichever server's GDT is loaded. Each CPU has one such page of its own,
 * which is mapped as page 14 of the GDT of the vCPU that it runs.
 */
#ifndef X86_DESC_H
#define X86_DESC_H

#define SEL_HV_CS      0xe008
#define SEL_HV_DS      0xe010
#define SEL_USER_CS32  0xe023 /* FLAT_RING3_CS32; SYSRET's base */
#define SEL_USER_SS    0xe02b /* FLAT_RING3_SS64 */
#define SEL_USER_CS64  0xe033 /* FLAT_RING3_CS64 */
#define SEL_TSS        0xe040
#define SEL_LDT        0xe050
#define GDT_LIMIT      0xefff /* 15 pages */

/* Vectors. 0x20-0x2f: the masked 8259s' spurious interrupts. */
#define VEC_DE   0
#define VEC_DB   1
#define VEC_NMI  2
#define VEC_BP   3
#define VEC_OF   4
#define VEC_BR   5
#define VEC_UD   6
#define VEC_NM   7
#define VEC_DF   8
#define VEC_TS   10
#define VEC_NP   11
#define VEC_SS   12
#define VEC_GP   13
#define VEC_PF   14
#define VEC_MF   16
#define VEC_AC   17
#define VEC_MC   18
#define VEC_XM   19
#define VEC_INT80     0x80
#define VEC_SYSCALL   0x100 /* struct cpu_user_regs.entry_vector after SYSCALL */
#define VEC_SYSENTER  0x101
#define VEC_FIRST_IRQ 0x20
#define VEC_CONSOLE   0x30 /* the hypervisor's own console port */
#define VEC_FIRST_DYN 0x31 /* 0x31-0xef: devices */
#define VEC_LAST_DYN  0xef
#define VEC_CROSSCALL 0xfb
#define VEC_WAKE      0xfc
#define VEC_TIMER     0xfd
#define VEC_ERROR     0xfe
#define VEC_SPURIOUS  0xff

#define IST_NMI 1
#define IST_DF  2
#define IST_MC  3
#define IST_DB  4

/*
 * A CPU's stack block: 32 KiB, aligned to its size.
 *   0x0000 NMI, 0x1000 #DF, 0x2000 #MC, 0x3000 #DB stacks, a page each
 *   0x4000 guard (not mapped)
 *   0x5000-0x7e00 the stack; 0x7e00-0x8000 struct cpu_local
 */
#define CPU_BLOCK_SIZE   0x8000
#define CPU_GUARD_OFFSET 0x4000
#define CPU_LOCAL_OFFSET 0x7e00

#ifndef __ASSEMBLY__
/* The 64-bit TSS: Intel SDM vol. 3A, 7.7. */
struct tss {
    uint32_t reserved0;
    uint64_t rsp[3], reserved1, ist[7], reserved2;
    uint16_t reserved3, iomap;
} PACKED;

/* The TSS of a CPU that desc_init_cpu() makes, and the use of another one on this CPU. */
struct tss *desc_tss(unsigned int cpu);
void desc_load_tss(const struct tss *t);

/*
 * Fill the GDT page, TSS and IDT of this CPU and load them, set the SYSCALL
 * and SYSENTER registers and STAR. Once on each CPU, after cpu_local is set.
 */
void desc_init_cpu(void);

/* A stack block for the CPU that panics. */
extern char desc_panic_block[CPU_BLOCK_SIZE];

/* Machine address of CPU `cpu`'s GDT page (page 14 of the GDT of what it runs). */
uint64_t *desc_gdt_page(unsigned int cpu);

/* Load GDT `base` (linear address of its entry 0, 15 pages) for this CPU. */
void desc_load_gdt(uint64_t base);

/* Load the LDT of `entries` descriptors at linear address `base`; 0 entries: none. */
void desc_load_ldt(uint64_t base, unsigned int entries);
#endif

#endif
