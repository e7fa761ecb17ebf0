/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GRANTS_GRANTS_H
#define GRANTS_GRANTS_H

#include "lib/guest.h"
#include "lib/hypercall.h"
#include <xen/grant_table.h>

#define NOWHERE 0x1234567000UL
#define NOBODY  0x1234

extern domid_t self_id;                        /* our number, by which a grant names us */
extern volatile struct grant_entry_v1 *table1; /* the shared table */
extern u64 xen_mfn;                            /* a frame of the hypervisor's */
extern void *window;                           /* a page of the initial mapping whose entry is empty */

u64 pte(const void *page, u64 flags);
/* Grants `page` to ourselves in version 1. */
void grant1(unsigned ref, const void *page, u16 flags);
int map(unsigned ref, unsigned dom, u64 address, unsigned flags, grant_handle_t *handle);
int unmap(u64 address, u64 device, grant_handle_t handle);
void window_open(void); /* empties the window's entry */

void test_table(void);
void test_map(void);
void test_copy(void);
void test_version2(void);

#endif
