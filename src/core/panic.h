/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When an invariant of the hypervisor itself does not hold. Never reached by anything a guest passes in. */
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

/* Stop all CPUs, print the message, registers and stack, then reboot or (noreboot) halt. */
NORETURN void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);

NORETURN void assert_failed(const char *expr, const char *file, int line);

/* Checked in every build. */
#define ASSERT(e) ((e) ? (void)0 : assert_failed(#e, __FILE__, __LINE__))

/* Panics print this many CPUs' state and then do: set from the command line (noreboot). */
void panic_set_reboot(bool reboot, void (*machine_reset)(void));

/* In an NMI: stops this CPU for good if another panics. */
void panic_join(void);

#endif
