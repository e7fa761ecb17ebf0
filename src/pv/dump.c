/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report of a vCPU that crashed: its registers, the code at RIP and the
 * words on its kernel's stack. Each line is printed whatever the log's levels
 * say, begins with the domain's name, and can be written by one crash only once.
 */
#include "core/log.h"
#include "lib/format.h"
#include "lib/string.h"
#include "pv/pv.h"

#define CODE_BEFORE 16
#define CODE_BYTES  32
#define STACK_LINES 8
#define WORDS       4   /* in a line */

/*
 * Reads `n` bytes at `va`, within one page, by the vCPU's page tables of this
 * moment. The bytes are the guest's, which may change them: they are only printed.
 */
static bool peek(struct vcpu *v, uint64_t va, void *to, size_t n)
{
    pte_t e = pv_read_l1e(v, va);

    if (!(e & PTE_P) || !mfn_valid(pte_mfn(e)) || mfn_to_frame(pte_mfn(e))->owner != v->domain)
        return false;
    memcpy(to, (const uint8_t *)mfn_to_ptr(pte_mfn(e)) + (va & (PAGE_SIZE - 1)), n);
    return true;
}

static void dump_registers(const struct vcpu *v)
{
    const struct cpu_user_regs *r = &v->cpu.regs;
    const struct { const char *name; uint64_t value; } reg[] = {
        {"rax", r->rax}, {"rbx", r->rbx}, {"rcx", r->rcx}, {"rdx", r->rdx}, {"rsi", r->rsi}, {"rdi", r->rdi},
        {"rbp", r->rbp}, {"r8 ", r->r8},  {"r9 ", r->r9},  {"r10", r->r10}, {"r11", r->r11}, {"r12", r->r12},
        {"r13", r->r13}, {"r14", r->r14}, {"r15", r->r15}, {"cr2", v->cpu.vcpu_info->arch.cr2},
        {"fs ", v->cpu.fs_base}, {"gs ", v->cpu.gs_base_kernel},
        {"cr3", v->cpu.cr3_kernel}, {"its user's cr3", v->cpu.cr3_user},
    };
    const char *name = v->domain->name;

    log_always("%s: rip %04x:%016lx rsp %04x:%016lx rflags %08lx", name, r->cs, (unsigned long)r->rip, r->ss,
               (unsigned long)r->rsp, (unsigned long)r->rflags);
    for (size_t i = 0; i < ARRAY_SIZE(reg); i += WORDS)
        log_always("%s: %s %016lx %s %016lx %s %016lx %s %016lx", name, reg[i].name, (unsigned long)reg[i].value,
                   reg[i + 1].name, (unsigned long)reg[i + 1].value, reg[i + 2].name,
                   (unsigned long)reg[i + 2].value, reg[i + 3].name, (unsigned long)reg[i + 3].value);
}

/* The byte at RIP is in angle brackets. */
static void dump_code(struct vcpu *v)
{
    uint64_t rip = v->cpu.regs.rip;
    char text[CODE_BYTES * 5 + 1];
    size_t length = 0;
    uint8_t byte;

    for (uint64_t va = rip - CODE_BEFORE; va != rip - CODE_BEFORE + CODE_BYTES; va++) {
        if (peek(v, va, &byte, 1))
            length += format(text + length, sizeof(text) - length, va == rip ? " <%02x>" : " %02x", byte);
        else
            length += format(text + length, sizeof(text) - length, va == rip ? " <-->" : " --");
    }
    log_always("%s: code%s", v->domain->name, text);
}

static void dump_stack(struct vcpu *v)
{
    uint64_t va = v->cpu.regs.rsp & ~7UL;

    for (unsigned int line = 0; line < STACK_LINES; line++) {
        char text[WORDS * 17 + 1];
        uint64_t word, at = va;
        size_t length = 0;

        for (unsigned int i = 0; i < WORDS && peek(v, va, &word, sizeof(word)); i++, va += 8)
            length += format(text + length, sizeof(text) - length, " %016lx", (unsigned long)word);
        if (length != 0)
            log_always("%s: stack %016lx:%s", v->domain->name, (unsigned long)at, text);
        if (va - at != WORDS * 8) {
            log_always("%s: stack %016lx: not readable", v->domain->name, (unsigned long)va);
            return;
        }
    }
}

void pv_dump_vcpu(struct vcpu *v)
{
    bool kernel = guest_in_kernel(&v->cpu);

    log_always("%s: vCPU %u, in %s mode, events %s", v->domain->name, v->id, kernel ? "kernel" : "user",
               READ_ONCE(v->cpu.vcpu_info->evtchn_upcall_mask) ? "masked" : "unmasked");
    dump_registers(v);
    dump_code(v);
    if (kernel)
        dump_stack(v);
}
