/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs of one guest against each other: the same tables, entries, grants,
 * ports and frames, from all sides at once. Most answers may be a refusal;
 * what counts is that the answers add up, that no table is ever written, and
 * that in the end every page is free again.
 */
#include "race/race.h"
#include <xen/sched.h>

#define TIME 700000000UL /* ns for each race */

const char guest_name[] = "race";
unsigned vcpus = 1;

static void (*volatile current_step)(unsigned cpu, u64 random);
static volatile unsigned round_number, stop, arrived, steps, wrong;
static volatile long wrong_code;
static const char *volatile wrong_what;

static void yield(void)
{
    hv_sched_op(SCHEDOP_yield, NULL);
}

bool expect(long rc, const long *allowed, const char *what)
{
    for (; *allowed <= 0; allowed++)
        if (rc == *allowed)
            return true;
    wrong_what = what;
    wrong_code = rc;
    __atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
    return false;
}

/* One vCPU's part of a race. vCPU 0 keeps the time. */
static void take_part(unsigned cpu)
{
    u64 random = cpu * 7919 + round_number, end = guest_time(0) + TIME;
    unsigned n = 0;

    while (!stop) {
        random = random * 6364136223846793005UL + 1442695040888963407UL;
        current_step(cpu, random >> 20);
        n++;
        if (cpu == 0 && guest_time(0) > end)
            stop = 1;
    }
    __atomic_add_fetch(&steps, n, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
}

static void secondary_main(u64 cpu)
{
    unsigned seen = 0;

    for (;;) {
        while (round_number == seen)
            yield();
        seen = round_number;
        take_part((unsigned)cpu);
    }
}

void race(const char *what, void (*step)(unsigned cpu, u64 random))
{
    arrived = stop = wrong = steps = 0;
    current_step = step;
    __atomic_add_fetch(&round_number, 1, __ATOMIC_SEQ_CST);
    take_part(0);
    while (arrived < vcpus)
        yield();
    print("%s: %u steps\n", what, steps);
    CHECK(steps >= vcpus);
    if (!CHECK_NAMED(what, wrong, 0))
        print("    last: %s: %s\n", wrong_what, error_name(wrong_code));
}

u64 pte(const void *page, u64 flags)
{
    return virt_to_mfn(page) << PAGE_SHIFT | flags;
}

u64 entry_address(const u64 *table, unsigned i)
{
    return (virt_to_mfn(table) << PAGE_SHIFT) + i * 8UL;
}

void check_free(void *page, const char *what)
{
    CHECK_NAMED(what, page_protect(page, true), 0);
    memset(page, 0, PAGE_SIZE);
    CHECK_NAMED(what, page_protect(page, false), 0);
    CHECK_NAMED(what, mmuext_mfn(MMUEXT_PIN_L1_TABLE, virt_to_mfn(page)), 0);
    CHECK_NAMED(what, mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(page)), 0);
    CHECK_NAMED(what, page_protect(page, true), 0);
}

void guest_main(void)
{
    unsigned n = vcpu_count();

    for (; vcpus < n; vcpus++)
        CHECK(vcpu_start(vcpus, secondary_main));
    print("%u vCPUs\n", vcpus);
    race_tables();
    race_entries();
    race_grants();
    race_events();
    race_balloon();
    race_lists();
}
