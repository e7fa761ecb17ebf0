/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local APIC, xAPIC (memory) or x2APIC (MSRs): Intel SDM vol. 3A, chapter 11. */
#ifndef X86_LAPIC_H
#define X86_LAPIC_H

#include "lib/addr.h"

/*
 * Enable this CPU's APIC: x2APIC where the CPU has it. `regs`: the hypervisor's
 * uncached mapping of the xAPIC page (not used with x2APIC; may be NULL then).
 * Masks all local vectors but the error one.
 */
void lapic_init_cpu(volatile void *regs);

uint32_t lapic_id(void);
void lapic_eoi(void);

/* Fixed interrupt `vector` to the CPU with APIC id `dest`. */
void lapic_send_ipi(uint32_t dest, unsigned int vector);
void lapic_send_self(unsigned int vector); /* also from an NMI, in the middle of another */
void lapic_send_nmi(uint32_t dest);
void lapic_send_init(uint32_t dest);
void lapic_send_startup(uint32_t dest, unsigned int page); /* page: real-mode start address >> 12 */

/* One-shot timer on VEC_TIMER: `ticks` APIC timer ticks from now (0: stop). */
void lapic_timer_set(uint32_t ticks);
uint32_t lapic_timer_current(void);

/* Timer ticks per second; set by platform/ calibration. */
extern uint64_t lapic_timer_hz;

#endif
