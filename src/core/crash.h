/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of each CPU at the end, and how it is told: to a person (crash_print) and as a JSON document
 * (crash_write; docs/crash-report.md). Neither takes a lock or memory, and either may be left by a fault of its own:
 * panic.c goes on with the next step.
 */
#ifndef CORE_CRASH_H
#define CORE_CRASH_H

#include "abi/xen.h"
#include "lib/json.h"
#include "x86/cpu.h"

enum crash_kind {
    CRASH_PANIC, CRASH_ASSERTION, CRASH_EXCEPTION, CRASH_DOUBLE_FAULT, CRASH_STACK_OVERFLOW, CRASH_NMI,
    CRASH_MACHINE_CHECK, CRASH_WATCHDOG, CRASH_DEADLOCK, CRASH_DOM0,
    CRASH_KINDS
};

/* A CPU as it was when it stopped; written by itself, the rest of the report by the CPU that crashed. */
struct crash_cpu {
    uint32_t stopped;              /* [atomic] the rest is valid */
    bool has_regs;                 /* `regs` are where it was: in the hypervisor or in a guest */
    struct cpu_user_regs regs;
    uint64_t cs, ss, cr0, cr2, cr3, cr4;
    uintptr_t place, frame;        /* without regs: where it was called from, and that frame */
    const struct cpu_local *local; /* of the stack block that it was on */
};

struct crash {
    enum crash_kind kind;
    uint32_t cpu;
    char text[256];
    struct crash_cpu cpus[NR_CPUS_MAX];
};
extern struct crash crash;

/* This CPU, now; regs NULL: it was called from `place`, with frame pointer `frame`. */
void crash_note_cpu(const struct cpu_user_regs *regs, uintptr_t place, uintptr_t frame);

/* The steps, in their order; each stands for itself. NULL ends the list. */
extern void (*const crash_steps[])(void);

/* What the layers below tell: what a CPU's guest_cpu belongs to (`running`), and all domains. */
void crash_set_guests(void (*running)(struct json *j, const struct guest_cpu *g), void (*domains)(struct json *j));

#endif
