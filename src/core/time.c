/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System time is the TSC scaled by a 32-bit fraction and a shift: a line. PV guests do the same
 * arithmetic with the same numbers, so that they and the hypervisor always agree.
 *
 * TSCs that are stable share one line. It is measured at start-up, measured again over all that time
 * just before the first guest is told of it (platform/clock.c), and never changes afterwards, so there
 * is nothing that could step or go back. Otherwise each CPU has a line of its own, which tscsync.c
 * bends each second so that it follows the platform's clock. Such lines differ by a few hundred
 * nanoseconds; system time is then the latest that any CPU has seen.
 */
#include "core/time.h"

#include "core/crosscall.h"
#include "core/panic.h"
#include "lib/checked.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/insn.h"

static struct time_base line[NR_CPUS_MAX]; /* the CPU's own, set by itself; line[0] is everybody's if not `own` */
static bool own;                           /* [atomic] set once, in a cross-call */
static stime_t latest;                     /* [atomic] if `own`: nobody has seen a later time */
static uint32_t last_id;                   /* [atomic] */
static uint64_t tsc_khz;
static uint64_t wallclock_sec;
static uint32_t wallclock_nsec;

stime_t time_at(const struct time_base *b, uint64_t tsc)
{
    uint64_t ticks = tsc - b->tsc;

    /* Another CPU's TSC may be a few ticks behind the one that set the base. */
    if ((int64_t)ticks < 0)
        return b->stime;
    ticks = b->shift < 0 ? ticks >> -b->shift : ticks << b->shift;
    return b->stime + (stime_t)(((unsigned __int128)ticks * b->mul) >> 32);
}

static stime_t latest_of(stime_t t)
{
    stime_t seen = atomic_load(&latest);

    while (t > seen) {
        if (atomic_cas(&latest, &seen, t))
            return t;
    }
    return seen;
}

stime_t stime_now(void)
{
    if (likely(!own))
        return time_at(&line[0], rdtsc());
    return latest_of(time_at(&line[cpu_id()], rdtsc()));
}

void time_get_base(struct time_base *b)
{
    *b = line[own ? cpu_id() : 0];
}

bool time_tsc_stable(void)
{
    return !own;
}

uint64_t time_tsc_khz(void)
{
    return tsc_khz;
}

/* mul / 2^32 * 2^shift = 10^9 / hz, with mul as large as 32 bits allow. */
void time_set_slope(struct time_base *b, uint64_t tsc_hz)
{
    uint64_t hz = tsc_hz;

    b->shift = 0;
    while (hz <= 1000000000) {
        hz <<= 1;
        b->shift++;
    }
    while (hz > 2000000000) {
        hz >>= 1;
        b->shift--;
    }
    b->mul = (uint32_t)(((1000000000ULL << 32) + hz / 2) / hz);
}

static struct time_base make_line(uint64_t tsc, stime_t stime, uint64_t tsc_hz)
{
    struct time_base b = {.tsc = tsc, .stime = stime, .id = atomic_add(&last_id, 1)};

    time_set_slope(&b, tsc_hz);
    return b;
}

void time_init(uint64_t tsc_hz)
{
    ASSERT(tsc_hz >= 1000000);
    line[0] = make_line(rdtsc(), 0, tsc_hz);
    tsc_khz = tsc_hz / 1000;
}

static void refine(void *tsc_hz)
{
    uint64_t tsc = rdtsc();

    line[0] = make_line(tsc, time_at(&line[0], tsc), *(const uint64_t *)tsc_hz);
}

void time_refine(uint64_t tsc_hz)
{
    if (own)
        return;
    tsc_khz = tsc_hz / 1000;
    crosscall_meet(refine, NULL, &tsc_hz);
}

void time_set_own(const struct time_base *b)
{
    struct time_base *mine = &line[cpu_id()];

    *mine = *b;
    mine->id = atomic_add(&last_id, 1);
    latest_of(b->stime);
    atomic_store(&own, true);
}

struct time_base time_follow(const struct time_base *old, uint64_t tsc_last, stime_t ref_last, uint64_t tsc,
                             stime_t ref, stime_t ahead)
{
    struct time_base b = {tsc, time_at(old, tsc), old->mul, old->shift, 0};
    uint64_t ticks = tsc - tsc_last;
    stime_t elapsed = ref - ref_last, wanted;
    uint64_t hz;

    if (ref - b.stime > ahead)
        b.stime = ref;
    wanted = ahead + MAX(ref - b.stime, -ahead / 2); /* ns to be counted until then */
    if ((int64_t)ticks <= 0 || elapsed <= 0)
        return b;
    hz = mul_div(mul_div(ticks, 1000000000, (uint64_t)elapsed), (uint64_t)ahead, (uint64_t)wanted);
    if (hz >= 1000 && hz < (1ULL << 62))
        time_set_slope(&b, hz);
    return b;
}

void time_set_wallclock(uint64_t sec, uint32_t nsec)
{
    wallclock_sec = sec;
    wallclock_nsec = nsec;
}

void time_get_wallclock(uint64_t *sec, uint32_t *nsec)
{
    *sec = wallclock_sec;
    *nsec = wallclock_nsec;
}
