/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupt controllers of the board. The two 8259s are set up only so that
 * what they may still send has vectors of its own, and masked for good. The
 * IO-APICs (Intel 82093AA) start with every line masked.
 */
#include "platform/irqchips.h"

#include "abi/errno.h"
#include "core/log.h"
#include "mem/hvmap.h"
#include "platform/platform.h"
#include "x86/desc.h"
#include "x86/insn.h"

enum { PIC1 = 0x20, PIC2 = 0xa0, PIC_DATA = 1 };

/* An IO-APIC's registers are reached through an index and a data window. */
enum { IOAPIC_INDEX = 0x00 / 4, IOAPIC_DATA = 0x10 / 4 };
enum { IOAPIC_VERSION = 0x01, IOAPIC_LINE = 0x10 };

#define LINE_MASKED     BIT(16)
#define LINE_LEVEL      BIT(15)
#define LINE_ACTIVE_LOW BIT(13)

/* Flags of an ISA interrupt's override in the MADT; 0 means as ISA has it: edge, active high. */
#define ISA_POLARITY    0x3
#define ISA_LOW         0x3
#define ISA_TRIGGER     0xc
#define ISA_LEVEL       0xc

static volatile uint32_t *ioapic_regs[ARRAY_SIZE(machine.ioapic)];
static uint32_t ioapic_lines[ARRAY_SIZE(machine.ioapic)];

static uint32_t ioapic_read(size_t chip, uint32_t reg)
{
    ioapic_regs[chip][IOAPIC_INDEX] = reg;
    return ioapic_regs[chip][IOAPIC_DATA];
}

static void ioapic_write(size_t chip, uint32_t reg, uint32_t v)
{
    ioapic_regs[chip][IOAPIC_INDEX] = reg;
    ioapic_regs[chip][IOAPIC_DATA] = v;
}

/* The high half, with the destination, first: the low one unmasks. */
static void ioapic_write_line(size_t chip, uint32_t line, uint64_t entry)
{
    ioapic_write(chip, IOAPIC_LINE + 2 * line, (uint32_t)LINE_MASKED);
    ioapic_write(chip, IOAPIC_LINE + 2 * line + 1, (uint32_t)(entry >> 32));
    ioapic_write(chip, IOAPIC_LINE + 2 * line, (uint32_t)entry);
}

void pics_mask(void)
{
    static const struct { uint16_t port; uint8_t value; } setup[] = {
        {PIC1, 0x11}, {PIC2, 0x11},                                             /* ICW1: ICW4 follows */
        {PIC1 + PIC_DATA, VEC_FIRST_IRQ}, {PIC2 + PIC_DATA, VEC_FIRST_IRQ + 8}, /* ICW2: vectors */
        {PIC1 + PIC_DATA, 0x04}, {PIC2 + PIC_DATA, 0x02},                       /* ICW3: the cascade */
        {PIC1 + PIC_DATA, 0x01}, {PIC2 + PIC_DATA, 0x01},                       /* ICW4: 8086 mode */
        {PIC1 + PIC_DATA, 0xff}, {PIC2 + PIC_DATA, 0xff},                       /* mask all */
    };

    for (size_t i = 0; i < ARRAY_SIZE(setup); i++)
        outb(setup[i].port, setup[i].value);
}

void ioapics_init(void)
{
    for (size_t i = 0; i < machine.nr_ioapics; i++) {
        ioapic_regs[i] = hvmap_device(machine.ioapic[i].base, PAGE_SIZE);
        if (!ioapic_regs[i])
            continue;
        ioapic_lines[i] = ((ioapic_read(i, IOAPIC_VERSION) >> 16) & 0xff) + 1;
        if (ioapic_lines[i] > 240) {
            log_warn("IO-APIC %u: found no registers at %#llx; it is left out", machine.ioapic[i].id,
                     (unsigned long long)machine.ioapic[i].base.v);
            ioapic_regs[i] = NULL;
            continue;
        }
        for (uint32_t line = 0; line < ioapic_lines[i]; line++)
            ioapic_write_line(i, line, LINE_MASKED);
    }
}

int irqchips_route_isa(unsigned int irq, unsigned int vector)
{
    uint32_t gsi = machine.isa_irq[irq].gsi;
    uint16_t flags = machine.isa_irq[irq].flags;
    uint64_t entry = vector;

    if (machine.apic_id[0] > 0xff)
        return -ENODEV; /* the entry has 8 bits for the destination */
    entry |= (uint64_t)machine.apic_id[0] << 56;
    if ((flags & ISA_POLARITY) == ISA_LOW)
        entry |= LINE_ACTIVE_LOW;
    if ((flags & ISA_TRIGGER) == ISA_LEVEL)
        entry |= LINE_LEVEL;
    for (size_t i = 0; i < machine.nr_ioapics; i++) {
        uint32_t line = gsi - machine.ioapic[i].gsi_base;

        if (ioapic_regs[i] && line < ioapic_lines[i]) {
            ioapic_write_line(i, line, entry);
            return 0;
        }
    }
    return -ENODEV;
}

bool machine_page_is_apic(mfn_t m)
{
    if (mfn_eq(m, paddr_to_mfn(machine.lapic)))
        return true;
    for (size_t i = 0; i < machine.nr_ioapics; i++)
        if (mfn_eq(m, paddr_to_mfn(machine.ioapic[i].base)))
            return true;
    return false;
}
