/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end: this CPU stops the others by NMI, since they may not listen to
 * anything else, and reports. The stack is followed by frame pointers, which
 * all of the hypervisor's code keeps, and never left; `addr2line -e build/hospes`
 * tells the lines.
 */
#include "core/panic.h"

#include "abi/xen.h"
#include "core/log.h"
#include "core/symbols.h"
#include "core/timer.h"
#include "lib/format.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/lapic.h"
#include "x86/spinlock.h"
#include "x86/upcalls.h"

#define TEXT_MAX       256
#define BACKTRACE_MAX  24
#define REBOOT_SECONDS 5
#define NO_CPU         (~0u)

static uint32_t panic_cpu = NO_CPU; /* atomic: who reports */
static bool reboot_after;
static void (*reset_machine)(void);

void panic_set_reboot(bool reboot, void (*machine_reset)(void))
{
    reboot_after = reboot;
    reset_machine = machine_reset;
}

/* One line: an address of code, and the function if it is the hypervisor's. `back`: it is where a call returns to. */
static void print_place(const char *what, uintptr_t address, bool back)
{
    uintptr_t offset = 0;
    const char *name = symbol_find(address - back, &offset);

    if (name)
        log_always("%s %016lx %s+0x%lx", what, (unsigned long)address, name, (unsigned long)offset + back);
    else
        log_always("%s %016lx", what, (unsigned long)address);
}

static void print_locks(void)
{
    const struct cpu_local *c = cpu_local();

    for (uint32_t i = 0; i < c->locks_held && i < LOCKS_HELD_MAX; i++)
        log_always("  holds a lock of level %u at %016lx", c->held[i]->level, (unsigned long)c->held[i]);
}

static void print_registers(const struct cpu_user_regs *r)
{
    log_always("rip %016lx cs %04x  rsp %016lx ss %04x  rflags %08lx", (unsigned long)r->rip, r->cs,
               (unsigned long)r->rsp, r->ss, (unsigned long)r->rflags);
    log_always("rax %016lx rbx %016lx rcx %016lx rdx %016lx", (unsigned long)r->rax, (unsigned long)r->rbx,
               (unsigned long)r->rcx, (unsigned long)r->rdx);
    log_always("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", (unsigned long)r->rsi, (unsigned long)r->rdi,
               (unsigned long)r->rbp, (unsigned long)r->r8);
    log_always("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", (unsigned long)r->r9, (unsigned long)r->r10,
               (unsigned long)r->r11, (unsigned long)r->r12);
    log_always("r13 %016lx r14 %016lx r15 %016lx", (unsigned long)r->r13, (unsigned long)r->r14,
               (unsigned long)r->r15);
    log_always("cr0 %08lx cr2 %016lx cr3 %016lx cr4 %08lx", (unsigned long)read_cr0(), (unsigned long)read_cr2(),
               (unsigned long)read_cr3(), (unsigned long)read_cr4());
}

/* A frame is the caller's frame pointer and the return address above it; outer frames lie higher. */
static void print_backtrace(uintptr_t frame)
{
    uintptr_t end = (uintptr_t)cpu_local(), start = end - CPU_LOCAL_OFFSET;

    for (unsigned int i = 0; i < BACKTRACE_MAX; i++) {
        const uintptr_t *f = (const uintptr_t *)frame;

        if (frame < start || frame > end - 2 * sizeof(*f) || (frame & 7) != 0)
            return;
        print_place("  called from", f[1], true);
        if (f[0] <= frame)
            return;
        frame = f[0];
    }
}

static NORETURN void finish(void)
{
    if (reboot_after && reset_machine) {
        stime_t until = stime_now() + MILLISECS(1000 * REBOOT_SECONDS);

        log_always("reset in %u seconds", REBOOT_SECONDS);
        while (time_tsc_khz() != 0 && stime_now() < until)
            cpu_relax();
        reset_machine();
    }
    log_always("the machine has stopped");
    halt_forever();
    __builtin_unreachable();
}

static NORETURN void report(const struct cpu_user_regs *regs, uintptr_t frame, const char *text)
{
    unsigned int me = cpu_id();
    uint32_t nobody = NO_CPU;

    irq_disable();
    if (!atomic_cas(&panic_cpu, &nobody, me)) { /* another reports, or the report has failed */
        halt_forever();
        __builtin_unreachable();
    }
    for (unsigned int cpu = 0; cpu < cpus_online && cpu < NR_CPUS_MAX; cpu++) {
        if (cpu != me)
            lapic_send_nmi(cpu_apic_id[cpu]);
    }
    log_enter_panic();
    log_always("panic: %s", text);
    log_always("CPU %u of %u", me, cpus_online);
    if (regs) {
        print_registers(regs);
        if ((regs->cs & 3) == 0) {
            print_place("  in", regs->rip, false);
            frame = regs->rbp;
        }
    }
    print_backtrace(frame);
    print_locks();
    finish();
}

void upcall_panic(struct cpu_user_regs *regs, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    format_v(text, sizeof(text), fmt, args);
    va_end(args);
    report(regs, (uintptr_t)__builtin_frame_address(0), text);
}

void panic(const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    format_v(text, sizeof(text), fmt, args);
    va_end(args);
    report(NULL, (uintptr_t)__builtin_frame_address(0), text);
}

void assert_failed(const char *expr, const char *file, int line)
{
    panic("%s:%d: %s does not hold", file, line, expr);
}

void panic_join(void)
{
    if (atomic_load(&panic_cpu) != NO_CPU)
        halt_forever();
}
