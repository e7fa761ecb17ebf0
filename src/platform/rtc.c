/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wall clock of the PC: the CMOS clock (Motorola MC146818), taken to hold UTC. */
#include "core/log.h"
#include "core/timer.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "x86/insn.h"

enum { CMOS_INDEX = 0x70, CMOS_DATA = 0x71 };
enum { SECONDS = 0, MINUTES = 2, HOURS = 4, DAY = 7, MONTH = 8, YEAR = 9, STATUS_A = 10, STATUS_B = 11 };
#define STATUS_A_UPDATING 0x80
#define STATUS_B_24_HOURS 0x02
#define STATUS_B_BINARY   0x04
#define HOURS_PM          0x80
#define UPDATE_POLLS      20000 /* an update takes 2 ms; each poll more than 100 ns */

struct rtc_time {
    uint8_t second, minute, hour, day, month, year;
};

static uint8_t cmos_read(uint8_t reg)
{
    outb(CMOS_INDEX, reg);
    return inb(CMOS_DATA);
}

static struct rtc_time read_once(void)
{
    for (unsigned int i = 0; i < UPDATE_POLLS && (cmos_read(STATUS_A) & STATUS_A_UPDATING); i++)
        cpu_relax();
    return (struct rtc_time){cmos_read(SECONDS), cmos_read(MINUTES), cmos_read(HOURS),
                             cmos_read(DAY),     cmos_read(MONTH),   cmos_read(YEAR)};
}

static uint8_t from_bcd(uint8_t v)
{
    return (uint8_t)((v >> 4) * 10 + (v & 15));
}

static void to_binary(struct rtc_time *t)
{
    uint8_t status = cmos_read(STATUS_B);
    bool pm = !(status & STATUS_B_24_HOURS) && (t->hour & HOURS_PM);

    if (!(status & STATUS_B_24_HOURS))
        t->hour &= (uint8_t)~HOURS_PM;
    if (!(status & STATUS_B_BINARY)) {
        t->second = from_bcd(t->second);
        t->minute = from_bcd(t->minute);
        t->hour = from_bcd(t->hour);
        t->day = from_bcd(t->day);
        t->month = from_bcd(t->month);
        t->year = from_bcd(t->year);
    }
    if (!(status & STATUS_B_24_HOURS))
        t->hour = (uint8_t)(t->hour % 12 + (pm ? 12 : 0));
}

/* Seconds since 1970: days are counted in years that begin in March, so that the leap day comes last. */
static uint64_t to_seconds(const struct rtc_time *t)
{
    uint64_t year = 2000u + t->year - (t->month <= 2 ? 1 : 0);
    uint64_t month = t->month <= 2 ? t->month + 9u : t->month - 3u;
    uint64_t days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + t->day - 1u;

    days -= 719468; /* the 1st of January 1970 */
    return ((days * 24 + t->hour) * 60 + t->minute) * 60 + t->second;
}

void rtc_read_wallclock(void)
{
    struct rtc_time a = read_once(), b = read_once();
    stime_t now;
    uint64_t ns;

    /* An update between two registers: the second reading comes after it. */
    if (memcmp(&a, &b, sizeof(a)) != 0)
        b = read_once();
    now = stime_now();
    to_binary(&b);
    if (b.month < 1 || b.month > 12 || b.day < 1 || b.day > 31 || b.hour > 23 || b.minute > 59 ||
        b.second > 59) {
        log_warn("CMOS clock: found no date in it, expected one; the wall clock starts at 1970");
        return;
    }
    ns = to_seconds(&b) * 1000000000ULL - (uint64_t)now;
    time_set_wallclock(ns / 1000000000, (uint32_t)(ns % 1000000000));
}
