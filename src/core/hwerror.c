/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NMIs and machine checks come between any two instructions, also while this
 * CPU holds the very lock that a report would need. So they are only noted,
 * without locks, and a softirq tells; what the processor has corrected by
 * itself raises nothing and is looked for every ten seconds. What makes it senseless to go on (the
 * processor's context is corrupt, the interrupted program cannot be continued)
 * panics at once.
 */
#include "core/hwerror.h"

#include "abi/xen.h"
#include "core/cmdline.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/softirq.h"
#include "core/watchdog.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/lapic.h"
#include "x86/msr.h"
#include "x86/upcalls.h"

#include <xen/nmi.h>

#define NOTES 32
#define POLL MILLISECS(10000)

#define PORT_REASON   0x61
#define REASON_SERR   0x80 /* the board: memory or PCI */
#define REASON_IOCHK  0x40
#define CLEAR_SERR    0x04
#define CLEAR_IOCHK   0x08
#define REASON_KEPT   0x0f

#define CPUID_1D_MCA   BIT(14)
#define MCG_COUNT      0xff
#define MCG_RIPV       BIT(0)
#define MCI_VALID      BIT(63)
#define MCI_UNCORRECTED BIT(61)
#define MCI_MISC_VALID BIT(59)
#define MCI_ADDR_VALID BIT(58)
#define MCI_CORRUPT    BIT(57)

enum note_state { NOTE_FREE, NOTE_BUSY, NOTE_NEW, NOTE_TOLD };

/* Who moves `state` (atomic) to BUSY owns the rest until it moves it on. */
static struct note {
    uint32_t state;
    struct machine_check check;
} notes[NOTES];

static uint64_t nmi_reasons; /* atomic: not told yet */
static bool nmi_fatal, nmi_ignored, has_banks;
static void (*tell_nmi)(uint64_t reasons);
static void (*tell_check)(void);

static bool claim(struct note *n, uint32_t from)
{
    return atomic_cas(&n->state, &from, (uint32_t)NOTE_BUSY);
}

/* A place for a machine check: one that is free, or else what has been told and nobody took. */
static struct note *claim_any(void)
{
    static const uint32_t from[] = {NOTE_FREE, NOTE_TOLD};

    for (size_t k = 0; k < ARRAY_SIZE(from); k++)
        for (size_t i = 0; i < NOTES; i++)
            if (claim(&notes[i], from[k]))
                return &notes[i];
    return NULL;
}

bool hwerror_take_check(struct machine_check *out)
{
    for (size_t i = 0; i < NOTES; i++) {
        if (!claim(&notes[i], NOTE_TOLD))
            continue;
        *out = notes[i].check;
        atomic_store(&notes[i].state, (uint32_t)NOTE_FREE);
        return true;
    }
    return false;
}

static void report_nmi(uint64_t reasons)
{
    log_warn("NMI from the hardware:%s%s%s", reasons & XEN_NMIREASON_pci_serr ? " memory or PCI error" : "",
             reasons & XEN_NMIREASON_io_error ? " I/O check" : "",
             reasons & XEN_NMIREASON_unknown ? " no reason given" : "");
    if (tell_nmi)
        tell_nmi(reasons);
}

static void hwerror_softirq(void)
{
    uint64_t reasons = atomic_xchg(&nmi_reasons, 0UL);
    bool any = false;

    if (reasons)
        report_nmi(reasons);
    for (size_t i = 0; i < NOTES; i++) {
        const struct machine_check *c = &notes[i].check;

        if (!claim(&notes[i], NOTE_NEW))
            continue;
        any = true;
        log_warn("machine check on CPU %u, survived: bank %u status %#lx address %#lx", c->cpu, c->bank,
                 (unsigned long)c->status, (unsigned long)c->address);
        atomic_store(&notes[i].state, (uint32_t)NOTE_TOLD);
    }
    if (any && tell_check)
        tell_check();
}

void hwerror_init(void)
{
    const char *value = cmdline_get("nmi");
    uint32_t r[4];

    if (value && strcmp(value, "fatal") == 0)
        nmi_fatal = true;
    else if (value && strcmp(value, "ignore") == 0)
        nmi_ignored = true;
    else if (value && strcmp(value, "dom0") != 0)
        log_always("option nmi: bad value: found %s, expected dom0, ignore or fatal", value);
    softirq_set_handler(SOFTIRQ_HWERROR, hwerror_softirq);
    cpuid_count(1, 0, r);
    has_banks = r[3] & CPUID_1D_MCA;
}

void hwerror_set_listener(void (*nmi)(uint64_t reasons), void (*check)(void))
{
    tell_nmi = nmi;
    tell_check = check;
}

/* Why the board has pulled the line; it is made ready to do so again. */
static uint64_t read_reason(void)
{
    uint8_t reason = inb(PORT_REASON);
    uint8_t kept = reason & REASON_KEPT;

    if (!(reason & (REASON_SERR | REASON_IOCHK)))
        return XEN_NMIREASON_unknown;
    outb(PORT_REASON, kept | (reason & REASON_SERR ? CLEAR_SERR : CLEAR_IOCHK));
    outb(PORT_REASON, kept & (uint8_t)~(CLEAR_SERR | CLEAR_IOCHK));
    return reason & REASON_SERR ? XEN_NMIREASON_pci_serr : XEN_NMIREASON_io_error;
}

/* What has been interrupted may be a guest, or on its way there past the last look: an interrupt makes sure. */
static void raise_softirq(void)
{
    softirq_raise(SOFTIRQ_HWERROR);
    lapic_send_self(VEC_WAKE);
}

void upcall_nmi(struct cpu_user_regs *regs, bool from_guest)
{
    uint64_t reason;
    bool asked;

    panic_join(regs);
    asked = watchdog_answer(regs);
    if (nmi_ignored || cpu_id() != 0) /* the board's go to the boot CPU */
        return;
    reason = read_reason();
    if (asked && reason == XEN_NMIREASON_unknown)
        return;
    if (nmi_fatal)
        upcall_panic(regs, "NMI from the hardware, in %s, reason %#lx", from_guest ? "a server" : "the hypervisor",
                     (unsigned long)reason);
    atomic_or(&nmi_reasons, reason);
    raise_softirq();
}

/* Notes one bank and clears it; false: it was empty. */
static bool note_bank(uint32_t bank, uint64_t global_status, struct machine_check *c)
{
    uint32_t msr = MSR_MC0_CTL + 4 * bank;
    struct note *n;

    *c = (struct machine_check){.cpu = cpu_id(), .bank = bank, .global_status = global_status, .tsc = rdtsc()};
    c->status = rdmsr(msr + 1);
    if (!(c->status & MCI_VALID))
        return false;
    if (c->status & MCI_ADDR_VALID)
        c->address = rdmsr(msr + 2);
    if (c->status & MCI_MISC_VALID)
        c->misc = rdmsr(msr + 3);
    wrmsr(msr + 1, 0);
    n = claim_any();
    if (n) {
        n->check = *c;
        atomic_store(&n->state, (uint32_t)NOTE_NEW);
    }
    return true;
}

void upcall_machine_check(struct cpu_user_regs *regs, bool from_guest)
{
    uint64_t global = rdmsr(MSR_MCG_STATUS);
    uint32_t banks = (uint32_t)(rdmsr(MSR_MCG_CAP) & MCG_COUNT);
    const char *where = from_guest ? "a server" : "the hypervisor";
    struct machine_check c;

    for (uint32_t i = 0; i < banks; i++) {
        /* An uncorrected error that nobody handles here: the memory is somebody's, and its contents are lost. */
        if (note_bank(i, global, &c) && (c.status & (MCI_UNCORRECTED | MCI_CORRUPT)))
            upcall_panic(regs, "machine check in %s: bank %u status %#lx address %#lx", where, i,
                         (unsigned long)c.status, (unsigned long)c.address);
    }
    if (!(global & MCG_RIPV))
        upcall_panic(regs, "machine check in %s: it cannot be continued, status %#lx", where, (unsigned long)global);
    wrmsr(MSR_MCG_STATUS, 0);
    raise_softirq();
}

void hwerror_look(stime_t now)
{
    static stime_t next[NR_CPUS_MAX]; /* the CPU's own */
    struct machine_check c;
    uint32_t banks;

    if (!has_banks || now < next[cpu_id()])
        return;
    next[cpu_id()] = now + POLL;
    banks = (uint32_t)(rdmsr(MSR_MCG_CAP) & MCG_COUNT);
    for (uint32_t i = 0; i < banks; i++)
        if (!(rdmsr(MSR_MC0_CTL + 4 * i + 1) & MCI_UNCORRECTED) && note_bank(i, 0, &c))
            raise_softirq();
}
