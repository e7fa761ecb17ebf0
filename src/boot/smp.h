/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The secondary CPUs. */
#ifndef BOOT_SMP_H
#define BOOT_SMP_H

/*
 * Start every CPU of machine.apic_id[] and wait until it runs its idle loop; one
 * that does not come is named and left out. Sets cpus_online, cpus_online_mask
 * and cpu_apic_id[]. @page: machine address of a page below 1 MiB for the
 * trampoline; 0: there is none, and one CPU is used. Needs the page allocator,
 * the clock and the boot CPU's local APIC.
 */
void smp_start(uint64_t page);

/* Supplied by main.c: what each of them sets up for itself. */
void secondary_start(void);

#endif
