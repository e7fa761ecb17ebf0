/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams of operations made from a seed. Operation n of stream s of a seed is
 * always the same, whatever was done before it, so that a stream can be cut
 * short. What the hypervisor answers goes through say() into a digest; frame
 * numbers, which differ from machine to machine, go there as numbers of pages.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "lib/guest.h"

/*
 * The pages that are played with, by what they are mostly used as. The last get
 * other frames now and then; nothing but window page CHANGING_WINDOW refers to them,
 * or what an old frame number means would depend on who has the frame now.
 */
enum {
    L4_FIRST = 0,
    L3_FIRST = 2,
    L2_FIRST = 5,
    L1_FIRST = 8,
    DATA_FIRST = 12,
    CHANGING_FIRST = 18,
    POOL = 20
};
#define SLOTS           8 /* entries of a page that are used: none that is the hypervisor's in a root */
#define WINDOW          0x20000000UL /* WINDOW_PAGES pages, in a table that is not of the pool */
#define WINDOW_PAGES    8
#define CHANGING_WINDOW 8
#define HOOK_SLOT       5 /* of the root: where an L3 table of the pool may be put */

extern const u16 slot_index[SLOTS];

/* main.c: kinds of event channels and grants, for the whole run. */
extern bool fifo_events, second_grants;

/* main.c: random numbers of the operation that is being made. */
u64 rnd(void);
unsigned pick(unsigned n); /* below n */
bool chance(unsigned percent);

/* main.c: what is compared; `name` is shown when the stream is shown. */
void say(const char *name, u64 value);
void say_entry(const char *name, u64 entry); /* with a frame number in it */
/* Shown only: which operation this is. */
void show(const char *fmt, ...) PRINTF(1, 2);
/* The call's answer, if it is one of the interface's. */
long answer(long code);

/* pages.c: the pool and what maps it. */
void pages_init(void);
u64 *pool_page(unsigned page);
u64 pool_mfn(unsigned page);
void pool_set_mfn(unsigned page, u64 mfn); /* 0: it has no frame now */
unsigned any_page(void);
unsigned page_of_level(unsigned level); /* 0: data */
u64 random_mfn(unsigned level);         /* mostly of a page of that level */
u64 random_entry(unsigned level);
u64 random_address(void);     /* of memory to be touched */
u64 window_entry(unsigned n); /* machine address of the entry of window page n */
void pages_say(void);
void pages_release(void);
void pages_reset(void);

/* tables.c: what an exception was like. */
void say_fault(const struct fault *f);

/* Each makes and does one operation; each reset takes back whatever may be left. */
void do_tables(void);
void do_processor(void);
void do_events(void);
void do_grants(void);
void do_memory(void);
void processor_init(void);
void events_init(void);
void grants_init(void);
void processor_reset(void);
void events_reset(void);
void grants_reset(void);
void memory_reset(void);
void events_say(void);
void grants_say(void);

#endif
