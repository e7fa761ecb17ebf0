/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * May the CPUs' time-stamp counters be believed?
 *
 * They are, if the CPUs say that the TSC is invariant, or are of a model whose TSC runs evenly as
 * long as it runs at all (ours only halt), or are themselves virtual: Hospes' own guests are told so
 * in the same way. Even then the CPUs are compared with each other at start-up, each reading its TSC
 * in turn under the same lock for a millisecond, and the boot CPU's with a reference clock every ten
 * seconds, when it handles a timer anyway: an idle machine stays idle.
 *
 * If they are not to be believed (or `tsc=unstable` says so), each CPU has a line of its own, over its
 * own TSC. Each second all CPUs meet: the boot CPU reads the reference, and at one moment every CPU
 * looks where its line has got to and bends it so that it will be right in a second. Guests are told
 * that the TSC is not stable, and guard themselves against the remaining fractions of a microsecond.
 */
#include "core/cmdline.h"
#include "core/crosscall.h"
#include "core/log.h"
#include "core/timer.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/insn.h"

#define WATCH_PERIOD MILLISECS(10000)
#define READ_LIMIT   MICROSECS(50)     /* a reading that took longer says nothing */
#define DRIFT_LIMIT  2000              /* one part in so many: ten times what crystals differ by */
#define STRIKES      3                 /* in a row, and the TSC is out */
#define SYNC_PERIOD  MILLISECS(1000)

static stime_t (*reference)(void);
static stime_t reference_offset; /* the two agreed when the reference was set */
static void (*listener)(void), (*alarm)(void);

void time_set_reference(stime_t (*read)(void))
{
    reference_offset = stime_now() - read();
    reference = read;
}

void time_set_listener(void (*changed)(void))
{
    listener = changed;
}

void time_set_alarm(void (*unstable)(void))
{
    alarm = unstable;
}

/* --- a line for each CPU --- */

static struct { uint64_t tsc; stime_t ref; } met[NR_CPUS_MAX]; /* the CPU's own: its last meeting; 0: none yet */
static struct timer sync_timer;

/* What the host of a meeting has found. */
struct finding {
    stime_t now, ref;
    struct time_base base;
};

static void look(void *arg)
{
    struct finding *f = arg;

    f->now = stime_now();
    f->ref = reference() + reference_offset;
    time_get_base(&f->base);
}

/* A CPU that was never here takes over the host's time. */
static void bend(void *arg)
{
    const struct finding *f = arg;
    unsigned int cpu = cpu_id();
    uint64_t tsc = rdtsc();
    struct time_base b = f->base;

    if (met[cpu].tsc != 0) {
        time_get_base(&b);
        b = time_follow(&b, met[cpu].tsc, met[cpu].ref, tsc, f->ref, SYNC_PERIOD);
    } else {
        b.tsc = tsc;
        b.stime = f->now;
    }
    met[cpu].tsc = tsc;
    met[cpu].ref = f->ref;
    time_set_own(&b);
    if (listener)
        listener();
}

static void meet(void *unused)
{
    struct finding f;

    crosscall_meet(look, bend, &f);
    timer_set(&sync_timer, stime_now() + SYNC_PERIOD);
}

void time_join_cpu(void)
{
    met[cpu_id()].tsc = 0;
}

static void distrust(const char *why)
{
    if (!reference) {
        log_warn("time-stamp counters: %s, and there is no clock to correct them by", why);
        return;
    }
    log_warn("time-stamp counters: %s: each CPU's time is set by the reference clock every second", why);
    timer_init(&sync_timer, meet, NULL, 0);
    meet(NULL);
}

/* --- do they deserve it? --- */

static struct {
    uint32_t busy;    /* the lock: held for a few instructions, by CPUs that are all in compare() */
    uint64_t last;    /* [busy] */
    uint64_t worst;   /* [busy] */
} tsc;

static void compare(void *unused)
{
    uint64_t start = rdtsc(), now;

    do {
        while (atomic_xchg(&tsc.busy, 1u))
            cpu_relax();
        now = rdtsc();
        if (now < tsc.last)
            tsc.worst = MAX(tsc.worst, tsc.last - now);
        else
            tsc.last = now;
        atomic_store(&tsc.busy, 0u);
    } while (now - start < time_tsc_khz());
}

static void prepare(void *unused)
{
    tsc.last = tsc.worst = 0;
}

void time_check_tsc(void)
{
    const char *option = cmdline_get("tsc");

    if (!time_tsc_stable()) {
        meet(NULL); /* takes in who has just come */
        return;
    }
    if (option && strcmp(option, "unstable") == 0) {
        distrust("tsc=unstable");
        return;
    }
    if (cpus_online_mask & (cpus_online_mask - 1))
        crosscall_meet(prepare, compare, NULL);
    if (tsc.worst != 0)
        log_warn("time-stamp counters of two CPUs: found %llu cycles between them, expected none",
                 (unsigned long long)tsc.worst);
    if (tsc.worst != 0)
        distrust("they differ");
    else if (!cpu_features.tsc_constant && !(option && string_starts_with(option, "stable")))
        distrust("they may change their speed");
}

/* Between two readings of the TSC, so that a pause in between is noticed. */
void time_watch(stime_t now)
{
    static stime_t next, first, first_ref;
    static unsigned int strikes;
    stime_t before, after, ref, drift;

    if (now < next || cpu_id() != 0 || !time_tsc_stable() || !reference)
        return;
    before = stime_now();
    ref = reference() + reference_offset;
    after = stime_now();
    if (after - before > READ_LIMIT)
        return;
    drift = (after - first) - (ref - first_ref);
    if (next != 0 && MAX(drift, -drift) > (after - first) / DRIFT_LIMIT)
        strikes++;
    else
        strikes = 0;
    first = after;
    first_ref = ref;
    next = after + WATCH_PERIOD;
    if (strikes < STRIKES)
        return;
    distrust("they have drifted off the reference clock");
    if (alarm)
        alarm();
}
