/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The secondary CPUs. */
#ifndef BOOT_SMP_H
#define BOOT_SMP_H

/*
 * Start every CPU of machine.apic_id[] and wait until it runs its idle loop; one
 * that does not come is named and left out. Sets cpus_online, cpus_online_mask
 * and cpu_apic_id[]. Needs the page allocator, the clock and lapic_init_cpu().
 */
void smp_start(void);

/* Supplied by main.c: what each of them sets up for itself. */
void secondary_start(void);

#endif
