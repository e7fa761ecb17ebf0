/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A very small machine for the explorer: a dozen frames, domains A and B, a
 * vCPU on each CPU, and TLBs that may hold whatever they may hold.
 */
#ifndef EXPLORE_WORLD_H
#define EXPLORE_WORLD_H

#include "engine.h"
#include "mem/frame_type.h"
#include "pv/pv.h"
#include "x86/atomic.h"

#define WORLD_FRAMES 12 /* number 0 is nobody's */
#define WORLD_SLOTS  2

extern struct domain world_domain[2];
#define DOMAIN_A (&world_domain[0])
#define DOMAIN_B (&world_domain[1])
extern struct vcpu world_vcpu[EXPLORE_CPUS];

/* The slots of a table that are used. */
extern const unsigned int world_slot[WORLD_SLOTS];

/* Frames first to last have been given to A, B or (NULL) nobody; the vCPU of CPU n belongs to owner[n]. Registers all. */
void world_start(unsigned int cpus, struct domain *const runs[], unsigned int frames,
                 struct domain *const owner[]);

static inline struct frame *world_frame(unsigned int n)
{
    return mfn_to_frame(mfn(n));
}
static inline pte_t *world_entry(unsigned int n, unsigned int slot)
{
    return (pte_t *)mfn_to_ptr(mfn(n)) + world_slot[slot];
}

/* May the TLB of this CPU hold a writable translation to the frame; any, to what another domain owned then? */
bool world_tlb_writes(unsigned int cpu, unsigned int n);
bool world_tlb_foreign(unsigned int cpu, unsigned int n);
/* This CPU's guest is dead: it runs nothing any more, and its TLB is empty. */
void world_leave(unsigned int cpu);

/*
 * explore_world.matters where no frame is given up and no entry is written but by calls: then total counts only go up
 * and down, owners stay, and an entry is changed by who has its table locked.
 */
bool world_type_matters(const volatile void *p);

/* Clocks by rank; TLBs take up what tables offer. explore_world.settle */
void world_settle(void);

/*
 * In any state: what is mapped writable is of type WRITABLE, counted, and is
 * no table, nor does a TLB say so; entries of tables are what their level allows.
 */
void world_check(void);

/* At rest: every count is what tables, pins and roots make it, and `more` references that the test knows of. */
void world_recount(const uint64_t more_type[WORLD_FRAMES], const uint64_t more_count[WORLD_FRAMES]);

/* The end of a domain's page tables, as pv/domain.c does it. */
void world_relinquish(struct domain *d);

/* What a guest can see of its page tables and frames; for comparing before and after. */
uint64_t world_visible(void);

#endif
