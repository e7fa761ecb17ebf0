/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast the TSC and the local APIC's timer run, measured against a clock whose frequency is known.
 * Each reading of that clock is taken between two of the TSC, and the closest of some is used, so
 * that a pause in between (an SMI, another machine's turn) does not spoil it; how close it was says
 * how far the result may be off.
 *
 * The first measurement takes 10 ms. The second spans all that has happened until the first guest is
 * to be told the time (clock_settle), and waits a little longer only if that was too short.
 *
 * The clock is then the reference for those TSCs that cannot be believed (core/tscsync.c): a counter
 * of few bits, whose turns are told apart by system time.
 */
#include "platform/clock.h"

#include "core/log.h"
#include "core/time.h"
#include "lib/checked.h"
#include "platform/platform.h"
#include "x86/atomic.h"
#include "x86/insn.h"
#include "x86/lapic.h"
#include "x86/upcalls.h"

#define MEASURE_MS   10
#define READINGS     5
#define STILL_POLLS  100000 /* readings without a change after which a clock stands still */
#define TSC_HZ_LEAST 100000000ULL
#define WANTED_PPM   20
#define SETTLE_MOST  MILLISECS(100)

struct reading {
    uint64_t ref, tsc;
    uint32_t lapic;
    uint64_t gap; /* TSC ticks that the reading took */
};

static struct clock reference;
static uint64_t tsc_hz;         /* as measured last */
static struct reading earliest; /* of the reference */

static struct reading take_reading(const struct clock *c)
{
    struct reading best = {.gap = UINT64_MAX};

    for (unsigned int i = 0; i < READINGS; i++) {
        uint64_t before = rdtsc();
        uint64_t ref = c->read();
        uint32_t lapic = lapic_timer_current();
        uint64_t gap = rdtsc() - before;

        if (gap < best.gap)
            best = (struct reading){ref, before + gap / 2, lapic, gap};
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
static bool measure(const struct clock *c)
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
    tsc_hz = (b.tsc - a.tsc) * c->hz / ticks;
    lapic_timer_hz = (uint64_t)(a.lapic - b.lapic) * c->hz / ticks;
    earliest = a;
    return tsc_hz >= TSC_HZ_LEAST;
}

uint64_t clock_ticks_between(const struct clock *c, uint64_t from, uint64_t to, uint64_t about)
{
    uint64_t turn = c->mask + 1, ticks = (to - from) & c->mask;

    return about > ticks ? ticks + (about - ticks + turn / 2) / turn * turn : ticks;
}

uint64_t clock_tsc_hz(const struct clock *c, uint64_t ticks, uint64_t tsc, uint64_t gaps, uint64_t *ppm)
{
    /* A clock shows one tick less than it has done, at worst. */
    *ppm = gaps * 1000000 / tsc + 1000000 / ticks + 1;
    return mul_div(tsc, c->hz, ticks);
}

/* The TSC's frequency by all the time since the first reading, and how far that may be off. */
static uint64_t measure_again(uint64_t *ppm)
{
    struct reading b = take_reading(&reference);
    uint64_t tsc = b.tsc - earliest.tsc;
    uint64_t about = mul_div(tsc, reference.hz, tsc_hz);

    return clock_tsc_hz(&reference, clock_ticks_between(&reference, earliest.ref, b.ref, about), tsc,
                        earliest.gap + b.gap, ppm);
}

void clock_settle(void)
{
    enum { NOT_YET, BEGUN, SETTLED };
    static uint32_t state; /* [atomic] one of these */
    uint32_t was = NOT_YET;
    uint64_t hz, ppm;
    stime_t end;

    if (likely(atomic_load(&state) == SETTLED))
        return;
    if (!atomic_cas(&state, &was, (uint32_t)BEGUN)) {
        while (atomic_load(&state) != SETTLED) {
            upcall_crosscall();
            cpu_relax();
        }
        return;
    }
    if (!reference.read) {
        atomic_store(&state, (uint32_t)SETTLED);
        return;
    }
    end = stime_now() + SETTLE_MOST;
    do
        hz = measure_again(&ppm);
    while (ppm > WANTED_PPM && stime_now() < end);
    log_info("TSC %llu.%06llu MHz, to within %llu ppm, by the %s", (unsigned long long)(hz / 1000000),
             (unsigned long long)(hz % 1000000), (unsigned long long)ppm, reference.name);
    time_refine(hz);
    atomic_store(&state, (uint32_t)SETTLED);
}

/* The reference, in ns; its turns since it was read last are told apart by system time. */
static stime_t read_reference(void)
{
    static uint64_t last, total;
    static stime_t when;
    stime_t now = stime_now();
    uint64_t raw = reference.read();

    total += clock_ticks_between(&reference, last, raw, mul_div((uint64_t)(now - when), reference.hz, 1000000000));
    last = raw;
    when = now;
    return (stime_t)mul_div(total, 1000000000, reference.hz);
}

void clock_calibrate(void)
{
    static bool (*const clocks[])(struct clock *) = {hpet_clock, pmtimer_clock, pit_clock};
    struct clock c;

    for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
        if (!clocks[i](&c))
            continue;
        if (measure(&c)) {
            log_debug("TSC %llu kHz, local APIC timer %llu kHz, by the %s", (unsigned long long)(tsc_hz / 1000),
                      (unsigned long long)(lapic_timer_hz / 1000), c.name);
            reference = c;
            time_init(tsc_hz);
            if (c.mask >> 20) /* a shorter one turns too often */
                time_set_reference(read_reference);
            return;
        }
        log_warn("%s: found that it does not count, expected %llu Hz", c.name, (unsigned long long)c.hz);
    }
    log_error("no clock to measure the TSC with: found none of HPET, PM timer and PIT; 1 GHz is assumed");
    lapic_timer_hz = 1000000000;
    time_init(1000000000);
}
