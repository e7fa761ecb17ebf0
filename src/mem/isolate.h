/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page-table isolation: guests run on roots that lack the hypervisor, the hypervisor on copies that have it. */
#ifndef MEM_ISOLATE_H
#define MEM_ISOLATE_H

#include "x86/pte.h"

/* This CPU's roots, if there is isolation. Memory for them missing at start-up is a panic. */
void isolate_init_cpu(void);

/* A root table is none any more. */
void isolate_forget(mfn_t root);

/*
 * Slot `slot` of a root has been changed, and the root is locked: the copies on all CPUs follow before this returns,
 * and so before what was there may get another use.
 */
void isolate_follow(mfn_t root, unsigned int slot);

#endif
