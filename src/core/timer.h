/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time and timers. System time: nanoseconds since boot, the same on all CPUs,
 * from the TSC. Timers are per CPU, in a heap; handlers run in the
 * TIMER softirq of their CPU, with no lock held. A handler may arm its own timer
 * again, but what holds it must live until timer_kill() has returned.
 */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

typedef int64_t stime_t;
#define STIME_NEVER INT64_MAX
#define MILLISECS(n) ((stime_t)(n) * 1000000)
#define MICROSECS(n) ((stime_t)(n) * 1000)

stime_t stime_now(void);

/* The relation that now() uses, for the guests' time records: time = base + scale(tsc - tsc_base). */
struct time_base { uint64_t tsc; stime_t stime; uint32_t mul; int8_t shift; };
void time_get_base(struct time_base *b);
uint64_t time_tsc_khz(void);

/* Once all CPUs run: do their TSCs agree? Takes a millisecond. Until then, and on one CPU, they do. */
void time_check_tsc(void);
void time_set_tsc_unstable(void);
bool time_tsc_stable(void);

/* Called once by platform/ after calibration. */
void time_init(uint64_t tsc_hz);

/* Wall clock: seconds and ns of 1970-01-01 UTC at system time 0. */
void time_set_wallclock(uint64_t sec, uint32_t nsec);
void time_get_wallclock(uint64_t *sec, uint32_t *nsec);

struct timer {
    stime_t expires;
    void (*fn)(void *data);
    void *data;
    struct timer *child, *next, *prev; /* its place in the CPU's heap */
    uint32_t cpu;                      /* where it is or will be queued */
    bool queued, dead;
};

void timer_init(struct timer *t, void (*fn)(void *), void *data, unsigned int cpu);

/* (Re)arm for `expires`; from any CPU. In the past: fires at once. */
void timer_set(struct timer *t, stime_t expires);
/* Not queued afterwards, though the handler may be running on its CPU. */
void timer_stop(struct timer *t);
/* Stop for good and wait until the handler is not running. The caller is not the handler. */
void timer_kill(struct timer *t);
void timer_migrate(struct timer *t, unsigned int cpu);

/* Each CPU, once; also makes its softirqs known to the others. */
void timer_init_cpu(void);

#endif
