/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast the TSC and the local APIC's timer run, measured for 10 ms against a
 * clock whose frequency is known. Each reading of that clock is taken between
 * two of the TSC, and the closest of some is used, so that a pause in between
 * (an SMI, another machine's turn) does not spoil it.
 */
#include "platform/clock.h"

#include "core/log.h"
#include "core/timer.h"
#include "platform/platform.h"
#include "x86/insn.h"
#include "x86/lapic.h"

#define MEASURE_MS   10
#define READINGS     5
#define STILL_POLLS  100000 /* readings without a change after which a clock stands still */
#define TSC_HZ_LEAST 100000000ULL

struct reading {
    uint64_t ref, tsc;
    uint32_t lapic;
};

static struct reading take_reading(const struct clock *c)
{
    struct reading best = {0, 0, 0};
    uint64_t best_gap = UINT64_MAX;

    for (unsigned int i = 0; i < READINGS; i++) {
        uint64_t before = rdtsc();
        uint64_t ref = c->read();
        uint32_t lapic = lapic_timer_current();
        uint64_t gap = rdtsc() - before;

        if (gap < best_gap) {
            best_gap = gap;
            best = (struct reading){ref, before + gap / 2, lapic};
        }
    }
    return best;
}

/* Wait until the clock has moved on by @ticks; false if it stands still. */
static bool wait_ticks(const struct clock *c, uint64_t start, uint64_t ticks)
{
    uint64_t last = start;
    unsigned int still = 0;

    while (((last - start) & c->mask) < ticks) {
        uint64_t now = c->read();

        still = now == last ? still + 1 : 0;
        if (still > STILL_POLLS)
            return false;
        last = now;
        cpu_relax();
    }
    return true;
}

/* True if the clock ran and the figures make sense. */
static bool measure(const struct clock *c, uint64_t *tsc_hz)
{
    struct reading a, b;
    uint64_t ticks;

    lapic_timer_set(UINT32_MAX);
    a = take_reading(c);
    if (!wait_ticks(c, a.ref, c->hz * MEASURE_MS / 1000))
        return false;
    b = take_reading(c);
    lapic_timer_set(0);

    ticks = (b.ref - a.ref) & c->mask;
    if (ticks == 0 || b.tsc <= a.tsc || a.lapic <= b.lapic || (b.tsc - a.tsc) >> 32)
        return false;
    *tsc_hz = (b.tsc - a.tsc) * c->hz / ticks;
    lapic_timer_hz = (uint64_t)(a.lapic - b.lapic) * c->hz / ticks;
    return *tsc_hz >= TSC_HZ_LEAST;
}

void clock_calibrate(void)
{
    static bool (*const clocks[])(struct clock *) = {hpet_clock, pmtimer_clock, pit_clock};
    struct clock c;
    uint64_t tsc_hz = 0;

    for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
        if (!clocks[i](&c))
            continue;
        if (measure(&c, &tsc_hz)) {
            log_info("TSC %llu kHz, local APIC timer %llu kHz, by the %s",
                     (unsigned long long)(tsc_hz / 1000), (unsigned long long)(lapic_timer_hz / 1000),
                     c.name);
            time_init(tsc_hz);
            return;
        }
        log_warn("%s: found that it does not count, expected %llu Hz", c.name, (unsigned long long)c.hz);
    }
    log_error("no clock to measure the TSC with: found none of HPET, PM timer and PIT; 1 GHz is assumed");
    lapic_timer_hz = 1000000000;
    time_init(1000000000);
}
