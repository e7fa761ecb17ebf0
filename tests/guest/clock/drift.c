/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System time against the board's CMOS clock, which QEMU keeps by its own: `drift=SECONDS`, as dom0, which may
 * read its ports. A second begins between two readings of the clock, some microseconds apart.
 */
#include "clock/clock.h"
#include <xen/physdev.h>

#define PPM_MOST 50
#define CLOSE    (100 * US)

static u8 read_seconds(void)
{
    u8 v;

    __asm__ volatile("outb %0, $0x70" ::"a"((u8)0));
    __asm__ volatile("inb $0x71, %0" : "=a"(v));
    return v;
}

/* System time at the beginning of the CMOS clock's next second; *width: how long that may have been before. */
static u64 next_second(u64 *width)
{
    u8 first = read_seconds();
    u64 before, after = guest_time(0);

    do {
        before = after;
        after = guest_time(0);
    } while (read_seconds() == first);
    *width = guest_time(0) - before;
    return after;
}

/* The same of the first second that is seen closely: on a busy machine some are not. */
static u64 some_second(u64 *width)
{
    u64 at;

    for (unsigned i = 0; i < 20; i++) {
        at = next_second(width);
        if (*width < CLOSE)
            break;
    }
    return at;
}

void test_drift(void)
{
    struct physdev_set_iopl iopl = {.iopl = 1};
    u64 seconds = guest_number("drift=", 0), first, last, width[2];
    s64 off, ppb;

    if (!guest_is_dom0() || seconds == 0)
        return;
    CHECK_EQ(HYPERVISOR(physdev_op, PHYSDEVOP_set_iopl, &iopl, 0, 0, 0), 0);
    first = some_second(&width[0]);
    sleep_until(first + seconds * 1000 * MS - 500 * MS, 0);
    last = some_second(&width[1]);
    seconds = (last - first + 500 * MS) / (1000 * MS);
    off = (s64)(last - first) - (s64)(seconds * 1000 * MS);
    ppb = off / (s64)seconds;
    print("CLOCK drift: %lu s, off by %ld ns (readings took %lu and %lu): %s%ld.%03ld ppm\n", seconds, off, width[0],
          width[1], ppb < 0 ? "-" : "", (ppb < 0 ? -ppb : ppb) / 1000, (ppb < 0 ? -ppb : ppb) % 1000);
    CHECK(ppb > -PPM_MOST * 1000 && ppb < PPM_MOST * 1000);
}
