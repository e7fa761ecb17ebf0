/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding CPUs that have stopped getting on. Each CPU notes the time whenever
 * it serves its timers, and while it waits for another. One that does not rest
 * and whose note is old is told to serve its timers; if it does not come, it
 * gets an NMI once a second. It reports itself, and where it was, at the third
 * with nothing in between: a CPU that had no time to run, as in an emulator on a
 * busy host, takes one NMI and then its timers. One that does not even take
 * NMIs is reported by another.
 *
 * A CPU that has no timers looks after the others once a second, while one of
 * them does not rest. When all rest nobody looks: the first that has something
 * to do sees to it that another does.
 *
 * CPUs that wait for locks in a circle do get on, in this sense; who waits for
 * one lock for twice the time reports that.
 */
#include "core/watchdog.h"

#include "core/cmdline.h"
#include "core/panic.h"
#include "core/softirq.h"
#include "core/symbols.h"
#include "lib/bitmap.h"
#include "lib/format.h"
#include "lib/parse.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/lapic.h"
#include "x86/spinlock.h"
#include "x86/upcalls.h"

#define TIMEOUT_DEFAULT 5 /* seconds, as Xen's */
#define STRIKES         3
#define NMI_TIMEOUT     MILLISECS(60000)
#define SECOND          MILLISECS(1000)

static bool on;
static stime_t timeout;

static struct heart {
    stime_t last;          /* [atomic] 0: it is not watched yet */
    stime_t told;          /* [atomic] when it was told to serve its timers */
    stime_t asked;         /* [atomic] when it was sent an NMI */
    uint32_t is_asked;     /* [atomic] the NMI is on its way */
    uint32_t strikes;      /* the CPU's own */
    stime_t lock_since;    /* the same */
} ALIGNED(64) heart[NR_CPUS_MAX];

static uint64_t resting, looking; /* [atomic] CPUs that rest; that look within a second */

void watchdog_start(void)
{
    const char *value = cmdline_get("watchdog_timeout");
    uint64_t seconds = TIMEOUT_DEFAULT;

    if (value)
        (void)parse_u64(span_of(value), &seconds);
    timeout = (stime_t)MIN(seconds, 3600ULL) * SECOND;
    if (timeout == 0 || !cmdline_flag("watchdog", true))
        return;
    on = true;
    for (unsigned int cpu = 0; cpu < cpus_online; cpu++)
        softirq_raise_cpu(cpu, SOFTIRQ_TIMER);
}

static void ask(unsigned int cpu, stime_t now)
{
    struct heart *h = &heart[cpu];
    stime_t asked = atomic_load(&h->asked);

    if (atomic_load(&h->is_asked) && now - asked > NMI_TIMEOUT)
        panic_with(CRASH_WATCHDOG, NULL, "CPU %u has been stuck for %lld s and does not take NMIs", cpu,
                   (long long)((now - h->told) / SECOND));
    if (atomic_load(&h->is_asked) || now - asked < SECOND || !atomic_cas(&h->asked, &asked, now))
        return;
    atomic_store(&h->is_asked, 1u);
    lapic_send_nmi(cpu_apic_id[cpu]);
}

static void look_after(unsigned int cpu, stime_t now)
{
    struct heart *h = &heart[cpu];
    stime_t last = atomic_load(&h->last), told = atomic_load(&h->told);

    if (last == 0 || now - last < timeout / 2 || (atomic_load(&resting) & BIT(cpu)))
        return;
    if (told - last > 0) {
        if (now - told >= timeout / 2)
            ask(cpu, now);
    } else if (atomic_cas(&h->told, &told, now)) {
        softirq_raise_cpu(cpu, SOFTIRQ_TIMER);
    }
}

/* While this CPU has more to do than to look itself, another has to look. */
static void see_to_looker(void)
{
    const struct cpu_local *local = cpu_local();
    uint64_t others = READ_ONCE(cpus_online_mask) & ~BIT(cpu_id());

    if (on && others && !(atomic_load(&looking) & others) &&
        (local->guest || READ_ONCE(local->softirq_pending) & ~BIT(SOFTIRQ_TIMER)))
        softirq_raise_cpu(bit_lowest(others), SOFTIRQ_TIMER);
}

void watchdog_beat(stime_t now)
{
    unsigned int me = cpu_id();

    if (!on)
        return;
    heart[me].strikes = 0;
    atomic_store(&heart[me].last, now);
    see_to_looker();
    for (unsigned int cpu = 0; cpu < cpus_online; cpu++) {
        if (cpu != me && (READ_ONCE(cpus_online_mask) & BIT(cpu)))
            look_after(cpu, now);
    }
}

void watchdog_wait(void)
{
    watchdog_beat(stime_now());
}

void watchdog_allow(stime_t time)
{
    if (on)
        atomic_store(&heart[cpu_id()].last, stime_now() + time);
}

bool watchdog_needs_look(bool has_timer)
{
    uint64_t me = BIT(cpu_id());
    bool looks = has_timer || (on && READ_ONCE(cpus_online_mask) & ~atomic_load(&resting) & ~me);

    if (looks != ((READ_ONCE(looking) & me) != 0))
        atomic_xor(&looking, me);
    return looks;
}

void watchdog_rest(void)
{
    atomic_or(&resting, BIT(cpu_id()));
}

void watchdog_wake(void)
{
    atomic_and(&resting, ~BIT(cpu_id()));
    see_to_looker();
}

bool watchdog_answer(const struct cpu_user_regs *regs)
{
    struct heart *h = &heart[cpu_id()];
    stime_t now = stime_now();

    if (!atomic_xchg(&h->is_asked, 0u))
        return false;
    if (now - h->last >= timeout && ++h->strikes >= STRIKES)
        panic_with(CRASH_WATCHDOG, regs, "CPU %u has been stuck for %lld s", cpu_id(),
                   (long long)((now - h->told) / SECOND));
    return true;
}

static void name_holder(const struct spinlock *l, char *text, size_t size)
{
    string_copy(text, HOSPES_DEBUG ? "nobody" : "another CPU", size);
    for (unsigned int cpu = 0; cpu < cpus_online; cpu++) {
        const struct cpu_local *local = cpu_locals[cpu];

        for (uint32_t i = 0; local && i < local->locks_held && i < LOCKS_HELD_MAX; i++) {
            if (local->held[i] == l)
                format(text, size, "CPU %u", cpu);
        }
    }
}

void upcall_lock_wait(const struct spinlock *l, uint32_t times, const void *place)
{
    struct heart *h = &heart[cpu_id()];
    stime_t now = stime_now();
    uintptr_t offset = 0;
    const char *name;
    char holder[16];

    if (times == 1)
        h->lock_since = now;
    if (!on || now - h->lock_since < 2 * timeout)
        return;
    name_holder(l, holder, sizeof(holder));
    name = symbol_find((uintptr_t)place, &offset);
    panic_with(CRASH_DEADLOCK, NULL, "deadlock: CPU %u in %s+0x%lx has waited %lld s for the lock %s (%p), held by %s",
               cpu_id(), name ? name : "?", (unsigned long)offset, (long long)((now - h->lock_since) / SECOND),
               spin_level_name(l), (const void *)l, holder);
}
