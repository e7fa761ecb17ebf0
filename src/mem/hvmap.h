/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypervisor's own page tables. */
#ifndef MEM_HVMAP_H
#define MEM_HVMAP_H

#include "x86/pte.h"

/* Root table with only the hypervisor's slots; the idle loop's CR3. */
extern pte_t *hv_root;
paddr_t hv_root_paddr(void);

/* Copy slots 256-271 into a guest's root table `root` (as its level-4 promotion needs). */
void hvmap_fill_root(pte_t *root);
/* And make them empty again, when it is no root table any more. */
void hvmap_clear_root(pte_t *root);

/*
 * Map `pages` frames from `m` at `va` (inside HVMAP, VCPU_AREA, CPU_AREA, M2P,
 * FRAMES) with PTE flags, by pages of 2 MB where both allow; tables are made as needed. 0 or -ENOMEM. Never
 * replaces a present entry: -EEXIST.
 */
int hvmap_map(uint64_t va, mfn_t m, uint64_t pages, uint64_t flags);

/*
 * Remove mappings, as they were made; frames are not freed, tables are kept.
 * Other CPUs are not flushed: tlb_flush_all() is the caller's.
 */
void hvmap_unmap(uint64_t va, uint64_t pages);

/*
 * The level-1 entry for `va` (inside VCPU_AREA), its tables made as needed;
 * NULL: no memory. It never moves; the caller flushes.
 */
pte_t *hvmap_pte(uint64_t va);

/* The frame that is mapped at `va` of the hypervisor's address space; MFN_INVALID: none. */
mfn_t hvmap_find(uint64_t va);

/* Map device registers, uncached, read-write. Returns the address of `p`, or NULL. Never unmapped. */
volatile void *hvmap_device(paddr_t p, size_t size);

/*
 * Map any physical memory (ACPI tables, EFI data) read-only; the direct map's
 * address if it is RAM. NULL if impossible.
 */
const void *hvmap_firmware(paddr_t p, size_t size);

#endif
