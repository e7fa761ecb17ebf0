/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine around the CPUs: what boot/ learns from the loader and what is found in the ACPI tables. */
#ifndef PLATFORM_PLATFORM_H
#define PLATFORM_PLATFORM_H

#include "lib/addr.h"

#define BOOT_REGIONS_MAX 256
#define BOOT_MODULES_MAX 320

/* e820 types */
enum region_type { REGION_RAM = 1, REGION_RESERVED, REGION_ACPI, REGION_NVS, REGION_UNUSABLE };

struct boot_region { uint64_t start, end; enum region_type type; }; /* bytes, [start, end) */

struct boot_module {
    paddr_t start;
    uint64_t size;      /* bytes */
    const char *args;   /* as the loader gave them */
};

/* Filled by boot/ from multiboot 1 or 2; constant afterwards. */
struct boot_info {
    const char *loader;
    const char *cmdline;
    paddr_t rsdp;        /* 0: look in low memory; may point to the copy in a multiboot2 tag */
    bool efi;
    size_t nr_regions, nr_modules;
    struct boot_region region[BOOT_REGIONS_MAX]; /* sorted, no overlaps */
    struct boot_module module[BOOT_MODULES_MAX];
};
extern struct boot_info boot_info;

/* What the tables say. */
struct machine {
    size_t nr_cpus; /* usable ones in apic_id[], boot CPU first; further ones are counted in nr_cpus_seen */
    size_t nr_cpus_seen;
    uint32_t apic_id[NR_CPUS_MAX];
    uint32_t acpi_id[NR_CPUS_MAX];
    uint8_t node[NR_CPUS_MAX];
    paddr_t lapic;
    size_t nr_ioapics;
    struct { paddr_t base; uint32_t id, gsi_base; } ioapic[8];
    struct { uint32_t gsi; uint16_t flags; } isa_irq[16];
    paddr_t hpet;
    uint16_t pm_timer_port, pm1a_cnt, pm1b_cnt;
    bool pm_timer_32bit;
    uint8_t reset_reg_space, reset_value; /* FADT reset register */
    uint64_t reset_reg;
    paddr_t mcfg_base;
    uint8_t mcfg_first_bus, mcfg_last_bus;
    uint8_t slp_typ5_a, slp_typ5_b; bool slp_typ5_known;
};
extern struct machine machine;

/* Read the static ACPI tables; corrupt ones are named and left out. Falls back to one CPU. */
void acpi_init(void);

/* Early console: com1/com2 as console=, com1= say (baud[,DPS[,port]]); before acpi. */
void uart_init(void);
/* The VGA text screen too, if console= names it; needs the hypervisor's address space. */
void vga_init(void);
/* From now on `receive` gets each byte, on the boot CPU, in an interrupt or timer, with no lock held. */
void uart_start_input(void (*receive)(char c));

/* Calibrate TSC and local APIC timer against HPET, PM timer or PIT, whichever there is; calls time_init(). */
void clock_calibrate(void);
/* Before a guest is first told the time: measures the TSC once more, over the time since then. No lock is held. */
void clock_settle(void);
/* Read the CMOS clock and set the wall clock. */
void rtc_read_wallclock(void);

/*
 * Mask the 8259s. Before the local APIC's LINT0 is masked: a request that they
 * have raised already could not be taken back afterwards.
 */
void pics_mask(void);
/* Find the IO-APICs that the tables name and mask all their lines. */
void ioapics_init(void);

/* Is this page the registers of a local APIC or IO-APIC? No guest may write those. */
bool machine_page_is_apic(mfn_t m);

/* I/O ports that the hypervisor uses and gives to no guest; room for MACHINE_PORTS_MAX. Their number. */
#define MACHINE_PORTS_MAX 8
struct port_range { uint16_t first, last; };
size_t machine_own_ports(struct port_range *out);
/* Of the console's UART: 0 if there is none. */
uint16_t uart_port(void);

/* Reset, power off (ACPI S5 if known, else QEMU's and the halt). Do not return. */
NORETURN void machine_reset(void);
NORETURN void machine_poweroff(void);
/* Off by ACPI with these values of the PM1 control registers; else as machine_poweroff(). */
NORETURN void machine_sleep(uint16_t pm1a, uint16_t pm1b);

#endif
