/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Privileged instructions: arguments from registers, a callback, results to
 * registers. What CPL 0 alone may do is #GP unless ctx->privileged; the others
 * are judged by their callbacks.
 */
#include "emul/internal.h"

enum { RAX, RCX, RDX, RBX };

#define CR0_TS BIT(3)

/* EDX:EAX, as RDMSR and its kind return. */
static void write_pair(struct emul_ctx *ctx, uint64_t value)
{
    emul_reg_write(ctx, RAX, 4, (uint32_t)value);
    emul_reg_write(ctx, RDX, 4, value >> 32);
}

static uint64_t read_pair(const struct emul_ctx *ctx)
{
    return emul_reg_read(ctx, RAX, 4) | emul_reg_read(ctx, RDX, 4) << 32;
}

static int system_cpuid(struct emul_ctx *ctx)
{
    static const uint8_t order[4] = {RAX, RBX, RCX, RDX};
    uint32_t out[4] = {0};
    int rc;

    if (!ctx->ops->cpuid)
        return EMUL_UNHANDLEABLE;
    rc =
        ctx->ops->cpuid(ctx, (uint32_t)emul_reg_read(ctx, RAX, 4), (uint32_t)emul_reg_read(ctx, RCX, 4), out);
    for (int i = 0; rc == EMUL_OKAY && i < 4; i++)
        emul_reg_write(ctx, order[i], 4, out[i]);
    return rc;
}

static int system_msr(struct emul_ctx *ctx)
{
    const struct emul_ops *ops = ctx->ops;
    uint32_t msr = (uint32_t)ctx->regs->rcx;
    uint64_t value;
    int rc;

    if (ctx->insn.kind == EMUL_WRMSR)
        return ops->write_msr ? ops->write_msr(ctx, msr, read_pair(ctx)) : EMUL_UNHANDLEABLE;
    rc = ops->read_msr ? ops->read_msr(ctx, msr, &value) : EMUL_UNHANDLEABLE;
    if (rc == EMUL_OKAY)
        write_pair(ctx, value);
    return rc;
}

static int system_counter(struct emul_ctx *ctx)
{
    const struct emul_ops *ops = ctx->ops;
    uint64_t value;
    uint32_t aux = 0;
    int rc;

    if (ctx->insn.kind == EMUL_RDPMC)
        rc = ops->read_pmc ? ops->read_pmc(ctx, (uint32_t)ctx->regs->rcx, &value) : EMUL_UNHANDLEABLE;
    else if (!ops->read_tsc)
        rc = EMUL_UNHANDLEABLE;
    else
        rc = ops->read_tsc(ctx, &value, ctx->insn.kind == EMUL_RDTSCP ? &aux : NULL);
    if (rc != EMUL_OKAY)
        return rc;
    write_pair(ctx, value);
    if (ctx->insn.kind == EMUL_RDTSCP)
        emul_reg_write(ctx, RCX, 4, aux);
    return EMUL_OKAY;
}

static int system_cr(struct emul_ctx *ctx)
{
    const struct emul_ops *ops = ctx->ops;
    const struct emul_insn *insn = &ctx->insn;
    uint64_t value;
    int rc;

    if (insn->reg != 0 && insn->reg != 2 && insn->reg != 3 && insn->reg != 4 && insn->reg != 8)
        return emul_raise(ctx, EMUL_VEC_UD, 0);
    if (insn->kind == EMUL_WRITE_CR)
        return ops->write_cr ? ops->write_cr(ctx, insn->reg, emul_reg_read(ctx, insn->rm, insn->op_bytes))
                             : EMUL_UNHANDLEABLE;
    rc = ops->read_cr ? ops->read_cr(ctx, insn->reg, &value) : EMUL_UNHANDLEABLE;
    if (rc == EMUL_OKAY)
        emul_reg_write(ctx, insn->rm, insn->op_bytes, value);
    return rc;
}

static int system_dr(struct emul_ctx *ctx)
{
    const struct emul_ops *ops = ctx->ops;
    const struct emul_insn *insn = &ctx->insn;
    uint64_t value;
    int rc;

    if (insn->reg > 7)
        return emul_raise(ctx, EMUL_VEC_UD, 0);
    if (insn->kind == EMUL_WRITE_DR)
        return ops->write_dr ? ops->write_dr(ctx, insn->reg, emul_reg_read(ctx, insn->rm, insn->op_bytes))
                             : EMUL_UNHANDLEABLE;
    rc = ops->read_dr ? ops->read_dr(ctx, insn->reg, &value) : EMUL_UNHANDLEABLE;
    if (rc == EMUL_OKAY)
        emul_reg_write(ctx, insn->rm, insn->op_bytes, value);
    return rc;
}

/* CLTS and LMSW change the low bits of CR0; LMSW cannot clear PE. */
static int system_msw(struct emul_ctx *ctx)
{
    const struct emul_insn *insn = &ctx->insn;
    uint64_t cr0, va, word;
    int rc;

    if (!ctx->ops->read_cr || !ctx->ops->write_cr)
        return EMUL_UNHANDLEABLE;
    rc = ctx->ops->read_cr(ctx, 0, &cr0);
    if (rc != EMUL_OKAY)
        return rc;
    if (insn->kind == EMUL_CLTS)
        return ctx->ops->write_cr(ctx, 0, cr0 & ~CR0_TS);
    word = emul_reg_read(ctx, insn->rm, 2);
    if (insn->memory) {
        rc = emul_linear(ctx, insn->seg, insn->offset, 2, &va);
        if (rc == EMUL_OKAY)
            rc = emul_read(ctx, va, &word, 2);
        if (rc != EMUL_OKAY)
            return rc;
    }
    return ctx->ops->write_cr(ctx, 0, (cr0 & ~0xeULL) | (word & 0xf));
}

static int system_port(struct emul_ctx *ctx)
{
    const struct emul_insn *insn = &ctx->insn;
    unsigned int bytes = MIN(insn->op_bytes, 4);
    bool immediate = insn->dst == EMUL_AT_IMM || insn->src == EMUL_AT_IMM;
    uint16_t port = immediate ? (uint8_t)insn->imm : (uint16_t)ctx->regs->rdx;
    uint32_t value = 0;
    int rc;

    if (insn->kind == EMUL_OUT)
        return ctx->ops->port_out
                   ? ctx->ops->port_out(ctx, port, bytes, (uint32_t)emul_reg_read(ctx, RAX, bytes))
                   : EMUL_UNHANDLEABLE;
    rc = ctx->ops->port_in ? ctx->ops->port_in(ctx, port, bytes, &value) : EMUL_UNHANDLEABLE;
    if (rc == EMUL_OKAY)
        emul_reg_write(ctx, RAX, bytes, value);
    return rc;
}

static int system_invlpg(struct emul_ctx *ctx)
{
    struct emul_segment segment = {.base = 0};
    int rc = EMUL_OKAY;

    if (!ctx->ops->invlpg)
        return EMUL_UNHANDLEABLE;
    if (!ctx->mode64 || ctx->insn.seg >= EMUL_FS)
        rc = ctx->ops->segment ? ctx->ops->segment(ctx, ctx->insn.seg, &segment) : EMUL_UNHANDLEABLE;
    /* No fault for a bad address: it is only a name. */
    return rc == EMUL_OKAY ? ctx->ops->invlpg(ctx, segment.base + ctx->insn.offset) : rc;
}

static bool needs_privilege(uint8_t kind)
{
    switch (kind) {
    case EMUL_IN:
    case EMUL_OUT:
    case EMUL_CLI:
    case EMUL_STI:
    case EMUL_CPUID:
    case EMUL_RDTSC:
    case EMUL_RDTSCP:
    case EMUL_RDPMC:
        return false;
    default:
        return true;
    }
}

static int system_perform(struct emul_ctx *ctx)
{
    const struct emul_ops *ops = ctx->ops;

    switch (ctx->insn.kind) {
    case EMUL_IN:
    case EMUL_OUT:
        return system_port(ctx);
    case EMUL_CLI:
    case EMUL_STI:
        return ops->set_if ? ops->set_if(ctx, ctx->insn.kind == EMUL_STI) : EMUL_UNHANDLEABLE;
    case EMUL_HLT:
        return ops->hlt ? ops->hlt(ctx) : EMUL_UNHANDLEABLE;
    case EMUL_CPUID:
        return system_cpuid(ctx);
    case EMUL_RDMSR:
    case EMUL_WRMSR:
        return system_msr(ctx);
    case EMUL_RDTSC:
    case EMUL_RDTSCP:
    case EMUL_RDPMC:
        return system_counter(ctx);
    case EMUL_READ_CR:
    case EMUL_WRITE_CR:
        return system_cr(ctx);
    case EMUL_READ_DR:
    case EMUL_WRITE_DR:
        return system_dr(ctx);
    case EMUL_CLTS:
    case EMUL_LMSW:
        return system_msw(ctx);
    case EMUL_INVLPG:
        return system_invlpg(ctx);
    case EMUL_INVD:
    case EMUL_WBINVD:
        return ops->wbinvd ? ops->wbinvd(ctx, ctx->insn.kind == EMUL_INVD) : EMUL_UNHANDLEABLE;
    default: /* XSETBV */
        return ops->write_xcr ? ops->write_xcr(ctx, (uint32_t)ctx->regs->rcx, read_pair(ctx))
                              : EMUL_UNHANDLEABLE;
    }
}

int emul_execute_system(struct emul_ctx *ctx)
{
    int rc;

    if (needs_privilege(ctx->insn.kind) && !ctx->privileged)
        return emul_raise(ctx, EMUL_VEC_GP, 0);
    rc = system_perform(ctx);
    if (rc == EMUL_OKAY)
        emul_retire(ctx);
    return rc;
}
