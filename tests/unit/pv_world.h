/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PV domain with some frames and one vCPU for each CPU, for tests of the page
 * types (pv/pagetype.c, entries.c, mmu.c, and domain.c's relinquishing). What
 * every count must be is worked out again from the tables themselves.
 */
#ifndef PV_WORLD_H
#define PV_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "abi/errno.h"
#include "fake.h"
#include "lib/string.h"
#include "mem/page_alloc.h"
#include "pv/pv.h"

#define FRAMES     48
#define FOREIGN    4
#define WORLD_CPUS 4

extern struct domain dom, other;
extern struct vcpu vcpus[WORLD_CPUS];
extern struct frame *frames[FRAMES], *foreign[FOREIGN],
    *shared_page; /* of dom, of other; dom may map it writable */
/* References that the test itself holds, a total and a writable one. */
extern unsigned int held[FRAMES], held_foreign[FOREIGN];

/* preempt_pending(): true at the N-th call from now (0: never), or once in `rate` calls (0: never). Each thread's own. */
extern _Thread_local unsigned int preempt_at, preempt_rate, random_state;
extern unsigned int flushes, crashes;
extern uint64_t last_flush;
unsigned int rnd(unsigned int below);

void world_init(void);

static inline mfn_t mfn_of(const struct frame *f)
{
    return frame_to_mfn(f);
}
static inline pte_t *entries_of(const struct frame *f)
{
    return frame_to_ptr(f);
}
static inline pte_t entry(const struct frame *f, uint64_t flags)
{
    return pte_make(frame_to_mfn(f), flags);
}
static inline uint64_t slot_of(const struct frame *f, unsigned int slot)
{
    return mfn_to_paddr(frame_to_mfn(f)).v + slot * sizeof(pte_t);
}

/* The operations as the hypercalls do them: begun with pv_finish(). `finish`: again while -ERESTART. */
int op_pin(struct frame *f, enum frame_type t, bool finish);
int op_unpin(struct frame *f, bool finish);
int op_update(struct domain *owner, struct frame *f, unsigned int slot, pte_t e, bool finish);
int op_root(struct frame *f, bool user, bool finish);
void finish_all(void);

/* All counts are what the tables, pins, roots and the test hold; a table is mapped writable nowhere, nor in the TLB. */
void check_world(void);
/* The domain's end: then nothing may be left but what the test holds. */
void relinquish(void);
/* No frame has a use, and all are plain memory, cleared. */
void check_nothing_left(void);
void clear_frames(void);

#endif
