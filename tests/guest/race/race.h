/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several vCPUs do one thing each, over and over, for a while. */
#ifndef RACE_RACE_H
#define RACE_RACE_H

#include "lib/guest.h"
#include "lib/hypercall.h"

extern unsigned vcpus;

/*
 * Every vCPU calls step(its number, a random word) until the time is up; all
 * have stopped when it returns. Only vCPU 0 may check and print: the others
 * say that something is wrong by expect().
 */
void race(const char *what, void (*step)(unsigned cpu, u64 random));
/* One of the codes, 0 and negative errors, up to a 1 that ends them. False is counted, and reported after the race. */
bool expect(long rc, const long *allowed, const char *what);
#define ALLOWED(...) ((const long[]){__VA_ARGS__, 1})

u64 pte(const void *page, u64 flags);
u64 entry_address(const u64 *table, unsigned i);
/* Is the page free of any use? It can be written, and pinned as an empty L1. */
void check_free(void *page, const char *what);

void race_tables(void);
void race_entries(void);
void race_grants(void);
void race_events(void);
void race_balloon(void);
void race_lists(void);

#endif
