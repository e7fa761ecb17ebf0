/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A panic that the test expects returns to it; any other ends the program. */
#include "fake.h"

#include "core/hwerror.h"
#include "core/panic.h"
#include "core/trace.h"
#include "core/watchdog.h"
#include "x86/upcalls.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool fake_panic_expected;
jmp_buf fake_panic_return;
char fake_panic_text[256];

static NORETURN void end(const char *fmt, va_list args) PRINTF_LIKE(1, 0);
static NORETURN void end(const char *fmt, va_list args)
{
    vsnprintf(fake_panic_text, sizeof(fake_panic_text), fmt, args);
    if (fake_panic_expected)
        longjmp(fake_panic_return, 1);
    fprintf(stderr, "panic: %s\n", fake_panic_text);
    abort();
}

void upcall_panic(struct cpu_user_regs *regs, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    end(fmt, args);
}

void panic(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    end(fmt, args);
}

void panic_with(enum crash_kind kind, const struct cpu_user_regs *regs, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    end(fmt, args);
}

void assert_failed(const char *expr, const char *file, int line)
{
    panic("%s:%d: %s does not hold", file, line, expr);
}

/* What the report would tell, and the watchdog, which sleeps. */
struct trace_ring trace_ring[NR_CPUS_MAX];
bool watchdog_needs_look(bool has_timer) { return has_timer; }

void watchdog_beat(stime_t now) {}
void hwerror_look(stime_t now) {}
void watchdog_wait(void) {}
void upcall_lock_wait(const struct spinlock *l, uint32_t times, const void *place) {}
