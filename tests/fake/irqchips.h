/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt lines and messages that are counters, for tests of evtchn/pirq.c and platform/irq.c. */
#ifndef FAKE_IRQCHIPS_H
#define FAKE_IRQCHIPS_H

#include "platform/irq.h"

#define FAKE_LINES 8 /* the last one is the hypervisor's */

struct fake_line {
    struct irq irq;
    bool masked;
    uint32_t apic_id; /* where it goes */
    unsigned int unmasks;
};
extern struct fake_line fake_line[FAKE_LINES];
extern unsigned int fake_messages; /* that exist */

void fake_lines_init(void);
/* Its interrupt comes, on the CPU that it goes to, if it is not masked. True: it came. */
bool fake_interrupt(struct fake_line *l);

#endif
