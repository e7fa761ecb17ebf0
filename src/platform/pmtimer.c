/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ACPI power-management timer: ACPI 6.5, 4.8.3.3. */
#include "platform/clock.h"
#include "platform/platform.h"
#include "x86/insn.h"

#define PM_TIMER_HZ 3579545

static uint64_t read_timer(void)
{
    return inl(machine.pm_timer_port);
}

bool pmtimer_clock(struct clock *c)
{
    if (machine.pm_timer_port == 0)
        return false;
    *c = (struct clock){"PM timer", PM_TIMER_HZ, machine.pm_timer_32bit ? 0xffffffff : 0xffffff, read_timer};
    return true;
}
