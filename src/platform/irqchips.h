/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt lines of devices: the 8259s, which stay masked, and the IO-APICs. */
#ifndef PLATFORM_IRQCHIPS_H
#define PLATFORM_IRQCHIPS_H

#include "lib/addr.h"
#include "platform/irq.h"

/*
 * Let ISA interrupt @irq (0..15) come to the boot CPU as `vector`, whose handler
 * is set before. -ENODEV: no IO-APIC has its line, or the CPU cannot be named.
 */
int irqchips_route_isa(unsigned int irq, unsigned int vector);

/* One past the highest global system interrupt. */
uint32_t gsi_count(void);
/* The line's source; NULL: there is no such line. */
struct irq *gsi_irq(uint32_t gsi);
/* Has the hypervisor kept it for itself? */
bool gsi_is_ours(uint32_t gsi);
/* How the board has wired it. -EINVAL: no such line; -EEXIST: that is known already. */
int gsi_set_up(uint32_t gsi, bool level, bool low);
/* A register of the IO-APIC at machine address `base`. -EINVAL: there is none. */
int ioapic_read_register(paddr_t base, uint32_t reg, uint32_t *value);

#endif
