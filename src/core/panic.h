/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When an invariant of the hypervisor itself does not hold. Never reached by anything a guest passes in. */
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

#include "core/crash.h"

/* Stop all CPUs, report (core/crash.h, docs/crash-report.md), then reboot or (noreboot) halt. */
NORETURN void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);

NORETURN void assert_failed(const char *expr, const char *file, int line);

/* Checked in every build. */
#define ASSERT(e) ((e) ? (void)0 : assert_failed(#e, __FILE__, __LINE__))

/* The same for another reason; `regs` is where this CPU was when it showed, or NULL: here. */
NORETURN void panic_with(enum crash_kind kind, const struct cpu_user_regs *regs, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* The machine ends for a reason that is not ours: stop the other CPUs for good, report, and return. */
void panic_report(enum crash_kind kind, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* What comes after a report: a reset some seconds later, or nothing more. Set from the command line (noreboot). */
void panic_set_reboot(bool reboot, void (*machine_reset)(void));

/* In an NMI: if another CPU panics, tells where this one was and stops it for good. */
void panic_join(const struct cpu_user_regs *regs);

#endif
