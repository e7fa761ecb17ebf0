/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cross-calls. Each CPU has one outgoing call at a time, in its own slot, and
 * an inbox: a mask of the CPUs whose calls it has not served. No lock is
 * needed. A CPU serves its inbox when the interrupt comes, while it waits for
 * its own call to be served, and while it spins on a lock; so any number of
 * CPUs may call each other at the same moment, under whatever locks.
 *
 * The flush clock. It counts full flushes; each CPU remembers the clock of its
 * latest. A stamp holds its low 31 bits: the time meant is the latest one that
 * ends so, which errs on the side of one flush too many. Bit 31 marks a stamp;
 * 0 is none.
 */
#include "core/crosscall.h"

#include "core/panic.h"
#include "core/watchdog.h"
#include "lib/bitmap.h"
#include "mem/frame.h"
#include "x86/atomic.h"
#include "x86/counters.h"
#include "x86/insn.h"
#include "x86/lapic.h"
#include "x86/msr.h"
#include "x86/upcalls.h"

struct slot {
    void (*fn)(void *arg); /* constant while todo is not 0 */
    void *arg;
    uint64_t todo;         /* atomic: CPUs that have not yet run it */
    uint64_t inbox;        /* atomic: callers */
    uint64_t flushed;      /* atomic: flush clock of this CPU's latest full flush */
    uint32_t rounds;       /* this CPU's own: how often it has looked */
} ALIGNED(64);

#define STAMP_MARK (1u << 31)
#define BEAT_ROUNDS 65536

static struct slot slot[NR_CPUS_MAX];
uint64_t tlb_flush_clock = 1;

void upcall_crosscall(void)
{
    unsigned int me = cpu_id();
    uint64_t callers;

    if (unlikely(++slot[me].rounds % BEAT_ROUNDS == 0)) /* it may be in a loop that waits */
        watchdog_wait();
    if (likely(READ_ONCE(slot[me].inbox) == 0))
        return;
    for (callers = atomic_xchg(&slot[me].inbox, 0); callers != 0; callers &= callers - 1) {
        struct slot *from = &slot[bit_lowest(callers)];

        from->fn(from->arg);
        atomic_and(&from->todo, ~BIT(me));
    }
}

void crosscall(uint64_t mask, void (*fn)(void *), void *arg)
{
    unsigned int me = cpu_id();
    struct slot *mine = &slot[me];
    uint64_t others = mask & cpus_online_mask & ~BIT(me);

    ASSERT(mine->todo == 0); /* fn does not call across */
    if (others != 0) {
        mine->fn = fn;
        mine->arg = arg;
        atomic_store(&mine->todo, others);
        for (uint64_t m = others; m != 0; m &= m - 1) {
            unsigned int cpu = bit_lowest(m);

            /* With calls waiting there already, its interrupt is on the way. */
            if (atomic_or(&slot[cpu].inbox, BIT(me)) == 0)
                lapic_send_ipi(cpu_apic_id[cpu], VEC_CROSSCALL);
        }
    }
    if (mask & BIT(me))
        fn(arg);
    while (atomic_load(&mine->todo) != 0) {
        upcall_crosscall();
        cpu_relax();
    }
}

static struct {
    uint32_t busy;                /* [atomic] */
    uint32_t missing, released;   /* [atomic] CPUs on their way; those here may go on */
    unsigned int host;            /* constant while busy, as are: */
    void (*alone)(void *arg), (*each)(void *arg);
} meeting;

static void attend(void *arg)
{
    if (cpu_id() == meeting.host) {
        while (atomic_load(&meeting.missing) != 0)
            cpu_relax();
        meeting.alone(arg);
        atomic_store(&meeting.released, 1);
    } else {
        atomic_sub(&meeting.missing, 1);
        while (!atomic_load(&meeting.released))
            cpu_relax();
    }
    if (meeting.each)
        meeting.each(arg);
}

static void begin_meeting(void)
{
    while (atomic_xchg(&meeting.busy, 1)) {
        upcall_crosscall();
        cpu_relax();
    }
}

void crosscall_set_online(bool online)
{
    begin_meeting();
    if (online)
        atomic_or(&cpus_online_mask, BIT(cpu_id()));
    else
        atomic_and(&cpus_online_mask, ~BIT(cpu_id()));
    atomic_store(&meeting.busy, 0);
}

void crosscall_meet(void (*alone)(void *arg), void (*each)(void *arg), void *arg)
{
    begin_meeting();
    meeting.missing = bit_count(cpus_online_mask) - 1;
    meeting.released = 0;
    meeting.host = cpu_id();
    meeting.alone = alone;
    meeting.each = each;
    crosscall(cpus_online_mask, attend, arg);
    atomic_store(&meeting.busy, 0);
}

/* --- flushes --- */

void tlb_note_flush(void)
{
    atomic_store(&slot[cpu_id()].flushed, atomic_add(&tlb_flush_clock, 1));
}

void tlb_flush_local(void)
{
    tlb_note_flush();
    count(COUNT_TLB_FLUSHES);
    count(COUNT_CR3_LOADS);
    write_cr3(read_cr3());
}

static void flush_fn(void *arg)
{
    tlb_flush_local();
}

static void flush_page_fn(void *arg)
{
    count(COUNT_PAGE_FLUSHES);
    invlpg((uint64_t)arg);
}

/* Clearing CR4.PGE drops global entries too. */
static void flush_global_fn(void *arg)
{
    uint64_t cr4 = read_cr4();

    write_cr4(cr4 & ~(uint64_t)CR4_PGE);
    write_cr4(cr4);
    tlb_flush_local();
}

void tlb_flush(uint64_t mask)
{
    crosscall(mask, flush_fn, NULL);
}

void tlb_flush_page(uint64_t mask, uint64_t va)
{
    crosscall(mask, flush_page_fn, (void *)va);
}

void tlb_flush_global(uint64_t mask)
{
    crosscall(mask, flush_global_fn, NULL);
}

/* Flushes since the stamp was taken, modulo 2^31. */
static uint32_t stamp_age(uint64_t now, uint32_t stamp)
{
    return ((uint32_t)now - stamp) & ~STAMP_MARK;
}

uint64_t tlb_filter(uint64_t mask, uint32_t stamp)
{
    uint64_t now = atomic_load(&tlb_flush_clock), age = stamp_age(now, stamp);
    uint64_t stale = 0;

    if (stamp == 0)
        return 0;
    for (uint64_t m = mask & cpus_online_mask; m != 0; m &= m - 1) {
        unsigned int cpu = bit_lowest(m);

        /* Before the clock has gone round once, a stamp can be older than the clock only by wrapping. */
        if (age > now || atomic_load(&slot[cpu].flushed) <= now - age)
            stale |= BIT(cpu);
    }
    return stale;
}

/* Most blocks were never a guest's, or long ago; the latest stamp alone decides. */
void upcall_frames_reused(struct frame *f, uint64_t n)
{
    uint64_t now = atomic_load(&tlb_flush_clock);
    uint32_t latest = 0;
    uint64_t stale;

    for (uint64_t i = 0; i < n; i++) {
        uint32_t stamp = f[i].flush_stamp;

        if (stamp == 0)
            continue;
        if (latest == 0 || stamp_age(now, stamp) < stamp_age(now, latest))
            latest = stamp;
        f[i].flush_stamp = 0;
    }
    stale = tlb_filter(~0ULL, latest);
    if (stale)
        tlb_flush(stale);
}
