/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Do the CPUs' time-stamp counters agree?
 *
 * For a millisecond all CPUs read their TSC in turn, each under the same lock.
 * If one ever reads less than the one before it, system time can run
 * backwards between these two CPUs: that is named in the log, and guests are
 * not told that the TSC is stable.
 */
#include "core/crosscall.h"
#include "core/log.h"
#include "core/timer.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/insn.h"

static struct {
    uint32_t busy;    /* the lock: held for a few instructions, by CPUs that are all in check() */
    uint64_t last;    /* [busy] */
    uint64_t worst;   /* [busy] */
} tsc;

static void check(void *arg)
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

void time_check_tsc(void)
{
    if (cpus_online == 1)
        return;
    crosscall(cpus_online_mask, check, NULL);
    if (tsc.worst == 0)
        return;
    time_set_tsc_unstable();
    log_warn("time-stamp counters differ between CPUs: found %llu cycles, expected none; time may go back by them",
             (unsigned long long)tsc.worst);
}
