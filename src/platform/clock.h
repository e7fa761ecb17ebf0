/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks of known frequency, against which the processor's are measured. */
#ifndef PLATFORM_CLOCK_H
#define PLATFORM_CLOCK_H

struct clock {
    const char *name;
    uint64_t hz;
    uint64_t mask;            /* of the bits that count */
    uint64_t (*read)(void);
};

/* Each fills *c and starts the clock, or returns false: there is none, or it stands still. */
bool hpet_clock(struct clock *c);
bool pmtimer_clock(struct clock *c);
bool pit_clock(struct clock *c);

/* How far the clock went from one reading to another, which is `about` so many ticks: it may have turned meanwhile. */
uint64_t clock_ticks_between(const struct clock *c, uint64_t from, uint64_t to, uint64_t about);
/* The frequency of a TSC that made `tsc` ticks in so many of the clock's; `gaps`: TSC ticks that reading both took. */
uint64_t clock_tsc_hz(const struct clock *c, uint64_t ticks, uint64_t tsc, uint64_t gaps, uint64_t *ppm);

#endif
