/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "irqchips.h"

#include "abi/errno.h"
#include "fake.h"
#include "mem/heap.h"
#include "platform/irqchips.h"
#include "platform/msi.h"
#include "x86/cpu.h"
#include "x86/upcalls.h"

struct fake_line fake_line[FAKE_LINES];
unsigned int fake_messages;

static struct fake_line *line_of(struct irq *irq) { return container_of(irq, struct fake_line, irq); }
static void mask(struct irq *irq) { line_of(irq)->masked = true; }
static void route(struct irq *irq, uint32_t apic_id) { line_of(irq)->apic_id = apic_id; }

static void unmask(struct irq *irq)
{
    line_of(irq)->masked = false;
    line_of(irq)->unmasks++;
}

static void release(struct irq *irq)
{
    fake_messages--;
    heap_free(line_of(irq));
}

static const struct irq_chip line_chip = {.mask = mask, .unmask = unmask, .route = route};
static const struct irq_chip message_chip = {.mask = mask, .unmask = unmask, .route = route, .release = release};

void fake_lines_init(void)
{
    for (unsigned int i = 0; i < FAKE_LINES; i++) {
        fake_line[i] = (struct fake_line){.masked = true};
        irq_create(&fake_line[i].irq, &line_chip);
        fake_line[i].irq.level = i % 2;
    }
}

bool fake_interrupt(struct fake_line *l)
{
    if (l->masked || l->irq.vector == 0)
        return false;
    fake_cpu = l->apic_id;
    upcall_irq(l->irq.vector);
    fake_cpu = 0;
    return true;
}

struct irq *gsi_irq(uint32_t gsi) { return gsi < FAKE_LINES ? &fake_line[gsi].irq : NULL; }
bool gsi_is_ours(uint32_t gsi) { return gsi == FAKE_LINES - 1; }
uint32_t gsi_count(void) { return FAKE_LINES; }

int msi_create(const struct msi_request *r, struct irq **irq)
{
    struct fake_line *l = heap_alloc(sizeof(*l));

    if (!l)
        return -ENOMEM;
    l->masked = true;
    irq_create(&l->irq, &message_chip);
    *irq = &l->irq;
    fake_messages++;
    return 0;
}

void msi_destroy(struct irq *irq) { irq_put(irq); }
