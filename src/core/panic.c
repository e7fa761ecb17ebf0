/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end. The CPU that panics leaves its stack, which may be what is broken,
 * for one kept for this; stops the others by NMI, since they may not listen to
 * anything else, and has them tell where they were; and takes the steps of
 * the report (core/crash.c). If one of them faults, it comes back here, begins
 * that stack anew and goes on with the next step.
 */
#include "core/panic.h"

#include "core/log.h"
#include "core/timer.h"
#include "lib/format.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "x86/insn.h"
#include "x86/lapic.h"
#include "x86/spinlock.h"
#include "x86/upcalls.h"

#define TEXT_MAX       256
#define REBOOT_SECONDS 5
#define STOP_SECONDS   3 /* for the others to answer */
#define NO_CPU         (~0u)

static uint32_t panic_cpu = NO_CPU; /* atomic: who reports */
static unsigned int next_step;
static bool reboot_after;
static void (*reset_machine)(void);

void panic_set_reboot(bool reboot, void (*machine_reset)(void))
{
    reboot_after = reboot;
    reset_machine = machine_reset;
}

static NORETURN void stop_here(void)
{
    halt_forever();
    __builtin_unreachable();
}

static void stop_others(void)
{
    stime_t until = stime_now() + MILLISECS(1000 * STOP_SECONDS);
    bool missing = true;

    for (unsigned int cpu = 0; cpu < cpus_online && cpu < NR_CPUS_MAX; cpu++) {
        if (cpu != crash.cpu)
            lapic_send_nmi(cpu_apic_id[cpu]);
    }
    while (missing && stime_now() < until) {
        missing = false;
        for (unsigned int cpu = 0; cpu < cpus_online; cpu++)
            missing |= !atomic_load(&crash.cpus[cpu].stopped);
        cpu_relax();
    }
}

static void take_steps(void)
{
    if (next_step == 0) {
        next_step++;
        stop_others();
    }
    while (crash_steps[next_step - 1])
        crash_steps[next_step++ - 1]();
}

/* Every line once: what prints it may be what is broken. */
static NORETURN void finish(void)
{
    static bool said;
    bool resets = reboot_after && reset_machine;

    take_steps();
    if (!said) {
        said = true;
        log_always(resets ? "reset in %u seconds" : "the machine has stopped", REBOOT_SECONDS);
    }
    if (resets) {
        stime_t until = stime_now() + MILLISECS(1000 * REBOOT_SECONDS);

        while (time_tsc_khz() != 0 && stime_now() < until)
            cpu_relax();
        reset_machine();
    }
    stop_here();
}

static NORETURN void finish_on_panic_stack(void)
{
    struct cpu_local *local = (struct cpu_local *)(desc_panic_block + CPU_LOCAL_OFFSET);

    *local = (struct cpu_local){.id = crash.cpu, .apic_id = cpu_apic_id[crash.cpu]};
    stack_leave(local, finish);
}

/* The first CPU to come here reports; false: it is this CPU's own report that has failed. Others stop. */
static bool begin(enum crash_kind kind, const struct cpu_user_regs *regs, uintptr_t place, uintptr_t frame)
{
    uint32_t nobody = NO_CPU;

    irq_disable();
    if (!atomic_cas(&panic_cpu, &nobody, cpu_id())) {
        if (nobody == cpu_id())
            return false;
        crash_note_cpu(regs, place, frame);
        stop_here();
    }
    crash.cpu = cpu_id();
    crash.kind = kind;
    crash_note_cpu(regs, place, frame);
    log_enter_panic();
    return true;
}

static NORETURN void report(enum crash_kind kind, const struct cpu_user_regs *regs, uintptr_t place, uintptr_t frame,
                            const char *text)
{
    static unsigned int failures;

    if (begin(kind, regs, place, frame)) {
        string_copy(crash.text, text, sizeof(crash.text));
        log_always("panic: %s", crash.text);
    } else if (failures++ == 0) {
        log_always("the report failed in step %u: %s, at %016lx", next_step, text,
                   regs ? (unsigned long)regs->rip : place);
    }
    finish_on_panic_stack();
}

#define CALLER (uintptr_t)__builtin_return_address(0)
#define FRAME  (uintptr_t)__builtin_frame_address(0)

static enum crash_kind kind_of(const struct cpu_user_regs *regs)
{
    uintptr_t guard = (uintptr_t)cpu_local() - CPU_LOCAL_OFFSET + CPU_GUARD_OFFSET;

    if (!regs)
        return CRASH_PANIC;
    if (regs->entry_vector == VEC_DF) /* has the stack grown into its guard page, which lies just below it? */
        return read_cr2() - guard < PAGE_SIZE || regs->rsp - guard < PAGE_SIZE ? CRASH_STACK_OVERFLOW
                                                                               : CRASH_DOUBLE_FAULT;
    return regs->entry_vector == VEC_NMI  ? CRASH_NMI
           : regs->entry_vector == VEC_MC ? CRASH_MACHINE_CHECK
                                          : CRASH_EXCEPTION;
}

void upcall_panic(struct cpu_user_regs *regs, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    format_v(text, sizeof(text), fmt, args);
    va_end(args);
    report(kind_of(regs), regs, CALLER, FRAME, text);
}

void panic_with(enum crash_kind kind, const struct cpu_user_regs *regs, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    format_v(text, sizeof(text), fmt, args);
    va_end(args);
    report(kind, regs, CALLER, FRAME, text);
}

void panic(const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    format_v(text, sizeof(text), fmt, args);
    va_end(args);
    report(CRASH_PANIC, NULL, CALLER, FRAME, text);
}

void assert_failed(const char *expr, const char *file, int line)
{
    char text[TEXT_MAX];

    format(text, sizeof(text), "%s:%d: %s does not hold", file, line, expr);
    report(CRASH_ASSERTION, NULL, CALLER, FRAME, text);
}

void panic_report(enum crash_kind kind, const char *fmt, ...)
{
    va_list args;

    if (!begin(kind, NULL, CALLER, FRAME))
        return;
    va_start(args, fmt);
    format_v(crash.text, sizeof(crash.text), fmt, args);
    va_end(args);
    take_steps();
}

void panic_join(const struct cpu_user_regs *regs)
{
    if (atomic_load(&panic_cpu) == NO_CPU || panic_cpu == cpu_id())
        return;
    crash_note_cpu(regs, 0, 0);
    stop_here();
}
