/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The high precision event timers' main counter: IA-PC HPET Specification 1.0a. */
#include "mem/hvmap.h"
#include "platform/clock.h"
#include "platform/platform.h"

/* Registers, in 32-bit words. */
enum { CAPABILITIES = 0, PERIOD = 1, CONFIGURATION = 4, COUNTER = 60 };
#define CONFIGURATION_ENABLE 1u
#define FEMTOSECONDS         1000000000000000ULL
#define PERIOD_MAX           100000000 /* fs: the specification allows no slower one */

static volatile uint32_t *regs;

static uint64_t read_counter(void)
{
    return regs[COUNTER];
}

bool hpet_clock(struct clock *c)
{
    uint32_t period;

    if (machine.hpet.v == 0)
        return false;
    regs = hvmap_device(machine.hpet, PAGE_SIZE);
    if (!regs)
        return false;
    period = regs[PERIOD];
    if (period == 0 || period > PERIOD_MAX)
        return false;
    regs[CONFIGURATION] |= CONFIGURATION_ENABLE;
    *c = (struct clock){"HPET", FEMTOSECONDS / period, 0xffffffff, read_counter};
    return true;
}
