/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt lines of devices: the 8259s, which stay masked, and the IO-APICs. */
#ifndef PLATFORM_IRQCHIPS_H
#define PLATFORM_IRQCHIPS_H

/*
 * Let ISA interrupt @irq (0..15) come to the boot CPU as `vector`, whose handler
 * is set before. -ENODEV: no IO-APIC has its line, or the CPU cannot be named.
 */
int irqchips_route_isa(unsigned int irq, unsigned int vector);

#endif
