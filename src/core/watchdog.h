/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding CPUs that have stopped getting on: `watchdog=` and `watchdog_timeout=` (docs/crash-report.md). */
#ifndef CORE_WATCHDOG_H
#define CORE_WATCHDOG_H

#include "core/time.h"

struct cpu_user_regs;

/* When start-up is over: reads the options and begins, unless they say no. */
void watchdog_start(void);
/* This CPU gets on. Looks after the others, too. Any context but NMI. */
void watchdog_beat(stime_t now);
/* The same, where it waits for another. */
void watchdog_wait(void);
/* What this CPU begins now may last that long. */
void watchdog_allow(stime_t time);
/* Should this CPU serve its timers in a second, whether it has any or not? Always if it has. */
bool watchdog_needs_look(bool has_timer);
/* Around this CPU's rest: it has nothing to do, and takes interrupts. */
void watchdog_rest(void);
void watchdog_wake(void);
/* In an NMI: was it another CPU's question? Does not return if this CPU is found stuck. */
bool watchdog_answer(const struct cpu_user_regs *regs);

#endif
