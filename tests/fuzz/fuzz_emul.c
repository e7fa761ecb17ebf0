/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: any bytes as an instruction, in any state. What the emulator
 * promises (emul/emul.h) is checked: a refusal or a fault leaves the registers
 * as they were; code is fetched once, within a page, and no longer than an
 * instruction may be.
 */
#include "emul/emul.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CODE_VA 0x400ff4ULL /* a page ends 12 bytes on */
#define DATA_VA 0x500000ULL

/* The beginning of an input; code follows, and it is all that memory holds. */
struct head {
    uint8_t
        mode; /* bit 0: 64 bits, 1: privileged, 2: forced prefix, 3: callbacks are missing, 4: rep from high RCX */
    uint8_t
        answers; /* bit 0: data faults, 1: fetch faults, 2: privileged refuse, 3: retry, 4: memory changes */
    uint16_t rflags;
    uint8_t reg[16]; /* each register points near DATA_VA, by this much */
};

static struct head head;
static uint8_t code[64], memory[256];
static uint64_t fetched;

static int do_fetch(struct emul_ctx *c, uint64_t va, void *to, unsigned int bytes)
{
    if (bytes == 0 || va / PAGE_SIZE != (va + bytes - 1) / PAGE_SIZE || (c->mode64 && va < CODE_VA))
        __builtin_trap();
    fetched += bytes;
    if (fetched > EMUL_INSN_MAX + 5)
        __builtin_trap();
    if ((head.answers & 2) && va + bytes > CODE_VA + 12)
        return emul_raise_page_fault(c, va, 0x14);
    for (unsigned int i = 0; i < bytes; i++)
        ((uint8_t *)to)[i] = code[(va - CODE_VA + i) % sizeof(code)];
    return EMUL_OKAY;
}

static int judge(struct emul_ctx *c, uint64_t va)
{
    if (head.answers & 1)
        return emul_raise_page_fault(c, va, 6);
    return head.answers & 8 ? EMUL_RETRY : EMUL_OKAY;
}

/* Where the address leads to, with room for 16 bytes. */
static uint8_t *at(uint64_t va, unsigned int bytes)
{
    if (bytes == 0 || bytes > 16)
        __builtin_trap();
    return &memory[va % (sizeof(memory) - 16)];
}

static int do_read(struct emul_ctx *c, uint64_t va, void *to, unsigned int bytes)
{
    memcpy(to, at(va, bytes), bytes);
    return judge(c, va);
}

static int do_write(struct emul_ctx *c, uint64_t va, const void *from, unsigned int bytes)
{
    memcpy(at(va, bytes), from, bytes);
    return judge(c, va);
}

static int do_cmpxchg(struct emul_ctx *c, uint64_t va, void *old, const void *new, unsigned int bytes)
{
    uint8_t *p = at(va, bytes);

    if (head.answers & 16) {
        head.answers &= (uint8_t)~16;
        p[0]++;
    }
    if (memcmp(p, old, bytes) == 0)
        memcpy(p, new, bytes);
    else
        memcpy(old, p, bytes);
    return judge(c, va);
}

static int do_segment(struct emul_ctx *c, enum emul_seg seg, struct emul_segment *out)
{
    *out = (struct emul_segment){.base = seg == EMUL_CS ? 0 : seg * 16u,
                                 .limit = head.reg[seg] & 1 ? 0x500010 : ~0u};
    return EMUL_OKAY;
}

static int privileged(struct emul_ctx *c)
{
    if (!c->privileged)
        __builtin_trap();
    return head.answers & 4 ? emul_raise(c, 13, 0) : EMUL_OKAY;
}

/* clang-format off */
static int get(struct emul_ctx *c, uint32_t n, uint64_t *v) { *v = 0x1122334455667788ULL * n; return privileged(c); }
static int set(struct emul_ctx *c, uint32_t n, uint64_t v) { return privileged(c); }
static int do_invlpg(struct emul_ctx *c, uint64_t va) { return privileged(c); }
static int do_wbinvd(struct emul_ctx *c, bool invd) { return privileged(c); }
static int do_hlt(struct emul_ctx *c) { return privileged(c); }
static int own(struct emul_ctx *c) { return head.answers & 4 ? emul_raise(c, 13, 0) : EMUL_OKAY; }
static int do_in(struct emul_ctx *c, uint16_t port, unsigned int bytes, uint32_t *v) { *v = port; return own(c); }
static int do_out(struct emul_ctx *c, uint16_t port, unsigned int bytes, uint32_t v) { return own(c); }
static int do_set_if(struct emul_ctx *c, bool on) { return own(c); }
static int do_pmc(struct emul_ctx *c, uint32_t n, uint64_t *v) { *v = n; return own(c); }
/* clang-format on */

static int do_cpuid(struct emul_ctx *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    memset(out, (int)leaf, 16);
    return own(c);
}

static int do_tsc(struct emul_ctx *c, uint64_t *tsc, uint32_t *aux)
{
    *tsc = 0x9900000011;
    if (aux)
        *aux = 7;
    return own(c);
}

static const struct emul_ops none = {.fetch = do_fetch};
static const struct emul_ops all = {
    .fetch = do_fetch,
    .read = do_read,
    .write = do_write,
    .cmpxchg = do_cmpxchg,
    .segment = do_segment,
    .read_msr = get,
    .write_msr = set,
    .read_cr = get,
    .write_cr = set,
    .read_dr = get,
    .write_dr = set,
    .write_xcr = set,
    .invlpg = do_invlpg,
    .wbinvd = do_wbinvd,
    .hlt = do_hlt,
    .cpuid = do_cpuid,
    .port_in = do_in,
    .port_out = do_out,
    .set_if = do_set_if,
    .read_tsc = do_tsc,
    .read_pmc = do_pmc,
};

static void set_registers(struct cpu_user_regs *r)
{
    uint64_t *const to[16] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp, &r->rsi, &r->rdi,
                              &r->r8,  &r->r9,  &r->r10, &r->r11, &r->r12, &r->r13, &r->r14, &r->r15};

    memset(r, 0, sizeof(*r));
    for (unsigned int i = 0; i < 16; i++)
        *to[i] = head.reg[i] < 128 ? DATA_VA + head.reg[i] : head.reg[i] - 160u;
    if (head.mode & 16)
        r->rcx |= 0xffff000000000000;
    r->rip = CODE_VA;
    r->rflags = head.rflags | 2u;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cpu_user_regs regs, before;
    struct emul_ctx ctx = {.regs = &regs};
    int rc;

    if (size < sizeof(head))
        return 0;
    memcpy(&head, data, sizeof(head));
    memset(code, 0, sizeof(code));
    memcpy(code, data + sizeof(head), MIN(size - sizeof(head), sizeof(code)));
    memcpy(memory, code, sizeof(code));
    set_registers(&regs);
    before = regs;
    fetched = 0;
    ctx.ops = head.mode & 8 ? &none : &all;
    ctx.mode64 = head.mode & 1;
    ctx.privileged = head.mode & 2;
    ctx.forced_prefix = head.mode & 4;
    rc = emul_decode(&ctx);
    if (memcmp(&regs, &before, sizeof(regs)) != 0)
        __builtin_trap();
    if (rc == EMUL_OKAY) {
        if (ctx.insn.length == 0 || ctx.insn.length > EMUL_INSN_MAX + 5)
            __builtin_trap();
        rc = emul_execute(&ctx);
    }
    if (rc == EMUL_OKAY && regs.rip != before.rip + ctx.insn.length &&
        (regs.rip != before.rip || !ctx.insn.rep))
        __builtin_trap();
    if (rc == EMUL_EXCEPTION && ctx.fault.vector >= 32)
        __builtin_trap();
    if (rc != EMUL_OKAY && !ctx.insn.rep && memcmp(&regs, &before, sizeof(regs)) != 0)
        __builtin_trap();
    return 0;
}
