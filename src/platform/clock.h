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

#endif
