/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupt controllers of the board. The two 8259s are set up only so that
 * what they may still send has vectors of its own, and masked for good. The
 * IO-APICs (Intel 82093AA) start with every line masked; a line becomes a
 * source of interrupts (irq.h) under its number in the ACPI tables, its global
 * system interrupt.
 */
#include "platform/irqchips.h"

#include "abi/errno.h"
#include "core/log.h"
#include "mem/heap.h"
#include "mem/hvmap.h"
#include "platform/platform.h"
#include "x86/desc.h"
#include "x86/insn.h"

enum { PIC1 = 0x20, PIC2 = 0xa0, PIC_DATA = 1 };

/* An IO-APIC's registers are reached through an index and a data window. */
enum { IOAPIC_INDEX = 0x00 / 4, IOAPIC_DATA = 0x10 / 4 };
enum { IOAPIC_VERSION = 0x01, IOAPIC_LINE = 0x10 };

#define CHIP_LINES_MAX 240
#define GSIS_MAX       4096

#define LINE_MASKED     BIT(16)
#define LINE_LEVEL      BIT(15)
#define LINE_ACTIVE_LOW BIT(13)

/* Flags of an ISA interrupt's override in the MADT; 0 means as ISA has it: edge, active high. */
#define ISA_POLARITY    0x3
#define ISA_LOW         0x3
#define ISA_TRIGGER     0xc
#define ISA_LEVEL       0xc

/* One input of an IO-APIC. Its irq's lock guards the rest, too. */
struct line {
    struct irq irq;
    volatile uint32_t *regs; /* [c] of its IO-APIC; NULL: there is no such line */
    uint32_t chip, pin;      /* [c] machine.ioapic[chip] */
    uint64_t entry;          /* [i] as the chip has it */
    bool set_up;             /* [i] trigger and polarity are known */
    bool is_ours;            /* [c] the hypervisor's console */
};

static struct line *lines; /* [c] by global system interrupt */
static uint32_t nr_lines;  /* [c] */
static spinlock_t chip_lock = SPINLOCK_INIT(LOCK_DEVICE); /* index and data belong together */

static uint32_t ioapic_read(volatile uint32_t *regs, uint32_t reg)
{
    uint32_t v;

    spin_lock(&chip_lock);
    regs[IOAPIC_INDEX] = reg;
    v = regs[IOAPIC_DATA];
    spin_unlock(&chip_lock);
    return v;
}

static void ioapic_write(volatile uint32_t *regs, uint32_t reg, uint32_t v)
{
    spin_lock(&chip_lock);
    regs[IOAPIC_INDEX] = reg;
    regs[IOAPIC_DATA] = v;
    spin_unlock(&chip_lock);
}

/* --- a line as a source of interrupts --- */

static void line_set(struct line *l, uint64_t entry)
{
    if ((l->entry ^ entry) >> 32)
        ioapic_write(l->regs, IOAPIC_LINE + 2 * l->pin + 1, (uint32_t)(entry >> 32));
    if ((uint32_t)(l->entry ^ entry))
        ioapic_write(l->regs, IOAPIC_LINE + 2 * l->pin, (uint32_t)entry);
    l->entry = entry;
}

static struct line *line_of(struct irq *irq)
{
    return container_of(irq, struct line, irq);
}

static void line_mask(struct irq *irq)
{
    line_set(line_of(irq), line_of(irq)->entry | LINE_MASKED);
}

static void line_unmask(struct irq *irq)
{
    line_set(line_of(irq), line_of(irq)->entry & ~LINE_MASKED);
}

/* The high half, with the destination, goes first: of a live line nothing else changes. */
static void line_route(struct irq *irq, uint32_t apic_id)
{
    struct line *l = line_of(irq);

    line_set(l, (l->entry & (LINE_MASKED | LINE_LEVEL | LINE_ACTIVE_LOW)) | (uint64_t)apic_id << 56 | irq->vector);
}

static const struct irq_chip line_chip = {.mask = line_mask, .unmask = line_unmask, .route = line_route};

static void line_set_trigger(struct line *l, bool level, bool low)
{
    uint64_t entry = l->entry & ~(LINE_LEVEL | LINE_ACTIVE_LOW);

    l->irq.level = level;
    l->set_up = true;
    line_set(l, entry | (level ? LINE_LEVEL : 0) | (low ? LINE_ACTIVE_LOW : 0));
}

static struct line *line_by_gsi(uint32_t gsi)
{
    return gsi < nr_lines && lines[gsi].regs ? &lines[gsi] : NULL;
}

struct irq *gsi_irq(uint32_t gsi)
{
    struct line *l = line_by_gsi(gsi);

    return l ? &l->irq : NULL;
}

bool gsi_is_ours(uint32_t gsi)
{
    return line_by_gsi(gsi) && lines[gsi].is_ours;
}

uint32_t gsi_count(void)
{
    return nr_lines;
}

int gsi_set_up(uint32_t gsi, bool level, bool low)
{
    struct line *l = line_by_gsi(gsi);
    int ret = 0;

    if (!l)
        return -EINVAL;
    spin_lock(&l->irq.irq_lock);
    if (l->set_up || l->irq.vector != 0 || l->is_ours)
        ret = -EEXIST;
    else
        line_set_trigger(l, level, low);
    spin_unlock(&l->irq.irq_lock);
    return ret;
}

int ioapic_read_register(paddr_t base, uint32_t reg, uint32_t *value)
{
    for (uint32_t gsi = 0; gsi < nr_lines; gsi++) {
        if (lines[gsi].regs && machine.ioapic[lines[gsi].chip].base.v == base.v) {
            *value = ioapic_read(lines[gsi].regs, reg);
            return 0;
        }
    }
    return -EINVAL;
}

/* --- start-up --- */

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

/* How many lines the chip at `regs` has; 0: there is none. */
static uint32_t chip_lines(volatile uint32_t *regs)
{
    uint32_t n = regs ? ((ioapic_read(regs, IOAPIC_VERSION) >> 16) & 0xff) + 1 : 0;

    return n <= CHIP_LINES_MAX ? n : 0;
}

static void start_chip(size_t chip, volatile uint32_t *regs, uint32_t n)
{
    for (uint32_t pin = 0; pin < n; pin++) {
        struct line *l = &lines[machine.ioapic[chip].gsi_base + pin];

        l->regs = regs;
        l->chip = (uint32_t)chip;
        l->pin = pin;
        l->entry = ~LINE_MASKED; /* so that both halves are written */
        irq_create(&l->irq, &line_chip);
        line_set(l, LINE_MASKED);
    }
}

/* What the tables say of the 16 ISA interrupts holds from the beginning, and that they say no more of their lines. */
static void set_up_isa(void)
{
    for (uint32_t gsi = 0; gsi < MIN(nr_lines, ARRAY_SIZE(machine.isa_irq)); gsi++)
        lines[gsi].set_up = true;
    for (size_t irq = 0; irq < ARRAY_SIZE(machine.isa_irq); irq++) {
        struct line *l = line_by_gsi(machine.isa_irq[irq].gsi);
        uint16_t flags = machine.isa_irq[irq].flags;

        if (l)
            line_set_trigger(l, (flags & ISA_TRIGGER) == ISA_LEVEL, (flags & ISA_POLARITY) == ISA_LOW);
    }
}

void ioapics_init(void)
{
    volatile uint32_t *regs[ARRAY_SIZE(machine.ioapic)] = {NULL};
    uint32_t n[ARRAY_SIZE(machine.ioapic)] = {0}, end = 0;

    for (size_t i = 0; i < machine.nr_ioapics; i++) {
        regs[i] = hvmap_device(machine.ioapic[i].base, PAGE_SIZE);
        n[i] = machine.ioapic[i].gsi_base < GSIS_MAX ? chip_lines(regs[i]) : 0;
        if (n[i] == 0)
            log_warn("IO-APIC %u: found no registers at %#llx; it is left out", machine.ioapic[i].id,
                     (unsigned long long)machine.ioapic[i].base.v);
        else
            end = MAX(end, machine.ioapic[i].gsi_base + n[i]);
    }
    lines = heap_alloc_array(end, sizeof(*lines));
    if (!lines)
        return;
    nr_lines = end;
    for (size_t i = 0; i < machine.nr_ioapics; i++)
        start_chip(i, regs[i], n[i]);
    set_up_isa();
}

int irqchips_route_isa(unsigned int irq, unsigned int vector)
{
    struct line *l = line_by_gsi(machine.isa_irq[irq].gsi);

    if (!l || machine.apic_id[0] > 0xff)
        return -ENODEV; /* an entry has 8 bits for the destination */
    l->is_ours = true;
    line_set(l, (l->entry & (LINE_LEVEL | LINE_ACTIVE_LOW)) | (uint64_t)machine.apic_id[0] << 56 | vector);
    return 0;
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

size_t machine_own_ports(struct port_range *out)
{
    enum { PIT = 0x40, PIT_LAST = 0x43, ELCR = 0x4d0 };
    static const struct port_range always[] = {
        {PIC1, PIC1 + PIC_DATA}, {PIC2, PIC2 + PIC_DATA}, {ELCR, ELCR + 1}, {PIT, PIT_LAST},
    };
    uint16_t uart = uart_port();
    size_t n = ARRAY_SIZE(always);

    for (size_t i = 0; i < n; i++)
        out[i] = always[i];
    if (uart != 0)
        out[n++] = (struct port_range){uart, (uint16_t)(uart + 7)};
    if (machine.pm_timer_port != 0)
        out[n++] = (struct port_range){machine.pm_timer_port, (uint16_t)(machine.pm_timer_port + 3)};
    return n;
}
