/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the memory guest's files. */
#ifndef MEMORY_MEMORY_H
#define MEMORY_MEMORY_H

#include "lib/guest.h"

/* Frames that are not ours: one of the hypervisor's (it maps the m2p), and one that no machine has. */
extern u64 xen_mfn;
#define NO_MFN (BIT(40) - 1)

/* The value of an entry: frame of a page of ours, and flags. */
u64 pte(const void *page, u64 flags);
/*
 * An entry without the bits that the hypervisor keeps for itself in a present L1 entry:
 * Xen sets U everywhere, G on user pages, and bit 52 where the guest did not set U.
 */
u64 guest_bits(u64 entry);
/* The entry at index i of a page used as table: its machine address. */
u64 entry_address(const u64 *table, unsigned i);
/* Pages are changed to read-only and back, checked. */
void make_readonly(void *page);
void make_writable(void *page);
/* Is the page free of any type? It can then be made writable, written, and pinned as an empty L1. */
void check_no_type_left(void *page, const char *what);

void test_pinning(void);
void test_mmu_update(void);
void test_va_mapping(void);
void test_linear_tables(void);
void test_emulated_writes(void);
void test_mmuext(void);
void test_reservation(void);

#endif
