/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System time: nanoseconds since boot. It never goes back, on one CPU or seen from another; time.c
 * says what it is made from.
 */
#ifndef CORE_TIME_H
#define CORE_TIME_H

typedef int64_t stime_t;
#define STIME_NEVER INT64_MAX
#define MILLISECS(n) ((stime_t)(n) * 1000000)
#define MICROSECS(n) ((stime_t)(n) * 1000)

/* 0 until time_init(). */
stime_t stime_now(void);

/*
 * A line over a TSC: time = stime + ((tsc - .tsc) << shift) * mul / 2^32, as guests are given it. A new
 * line has a new id; 0 is no line's.
 */
struct time_base { uint64_t tsc; stime_t stime; uint32_t mul; int8_t shift; uint32_t id; };
/* The line of this CPU's TSC. */
void time_get_base(struct time_base *b);
uint64_t time_tsc_khz(void);

/* Do all CPUs' TSCs agree and run evenly, so that one line holds for all, for good? */
bool time_tsc_stable(void);

/* A TSC runs at tsc_hz, time begins now. Called once by platform/ after the first measurement. */
void time_init(uint64_t tsc_hz);
/*
 * It runs at tsc_hz, as is known better now. Time goes on without a step. Before any guest is told of it: the
 * line of a stable TSC does not change under guests. No lock is held.
 */
void time_refine(uint64_t tsc_hz);

/*
 * A clock that runs evenly whatever the CPUs do, in ns since any moment; called on the boot CPU only.
 * tscsync.c watches the TSCs by it.
 */
void time_set_reference(stime_t (*read)(void));
/* Called on every CPU, in a cross-call, after its line has changed (each second where TSCs are not stable). */
void time_set_listener(void (*changed)(void));
/* Called on the boot CPU when the TSCs turn out not to be stable after guests were told that they are. */
void time_set_alarm(void (*unstable)(void));

/* Once all CPUs run, and when another has come up (which called time_join_cpu): do their TSCs agree? A millisecond. */
void time_check_tsc(void);
void time_join_cpu(void);
/* From the timers of the boot CPU, no lock held: compares TSC and reference if it is time to. */
void time_watch(stime_t now);

/* Wall clock: seconds and ns of 1970-01-01 UTC at system time 0. */
void time_set_wallclock(uint64_t sec, uint32_t nsec);
void time_get_wallclock(uint64_t *sec, uint32_t *nsec);

/* --- between time.c and tscsync.c --- */

stime_t time_at(const struct time_base *b, uint64_t tsc);
/* The slope for a TSC of that frequency. 1 kHz .. 2^63 Hz. */
void time_set_slope(struct time_base *b, uint64_t tsc_hz);
/* This CPU has a line of its own from now on. */
void time_set_own(const struct time_base *b);
/*
 * How a line goes on at `tsc`, when the reference shows `ref`, so that it meets the reference again `ahead` ns
 * later. At tsc_last the reference showed ref_last. It never goes back, and steps forward only if it is more than
 * `ahead` behind.
 */
struct time_base time_follow(const struct time_base *old, uint64_t tsc_last, stime_t ref_last, uint64_t tsc,
                             stime_t ref, stime_t ahead);

#endif
