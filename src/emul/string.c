/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * STOS, MOVS, INS and OUTS, with their repeat prefix. Each step is complete in
 * itself, registers included; when one cannot be done after others were, or the
 * quota is used up, RIP stays and the guest meets the rest of the instruction
 * anew.
 */
#include "emul/internal.h"

#define TF    BIT(8)
#define DF    BIT(10)
#define QUOTA 512 /* steps at a time: a table's entries */

enum { RCX = 1, RSI = 6, RDI = 7 };

static uint64_t index_read(const struct emul_ctx *ctx, unsigned int n)
{
    return emul_reg_read(ctx, n, ctx->insn.addr_bytes);
}

static void index_advance(struct emul_ctx *ctx, unsigned int n, unsigned int bytes)
{
    uint64_t step = ctx->regs->rflags & DF ? 0 - (uint64_t)bytes : bytes;

    emul_reg_write(ctx, n, ctx->insn.addr_bytes, index_read(ctx, n) + step);
}

static int string_value(struct emul_ctx *ctx, unsigned int bytes, uint64_t *value)
{
    const struct emul_insn *insn = &ctx->insn;
    uint32_t port_value = 0;
    uint64_t va;
    int rc;

    switch (insn->kind) {
    case EMUL_STOS:
        *value = emul_reg_full(ctx->regs, 0);
        return EMUL_OKAY;
    case EMUL_INS:
        if (!ctx->ops->port_in)
            return EMUL_UNHANDLEABLE;
        rc = ctx->ops->port_in(ctx, (uint16_t)ctx->regs->rdx, bytes, &port_value);
        *value = port_value;
        return rc;
    default: /* MOVS, OUTS */
        rc = emul_linear(ctx, insn->seg, index_read(ctx, RSI), bytes, &va);
        return rc == EMUL_OKAY ? emul_read(ctx, va, value, bytes) : rc;
    }
}

/* One element. The destination's address is checked before a port is read: that cannot be undone. */
static int string_step(struct emul_ctx *ctx, unsigned int bytes)
{
    uint8_t kind = ctx->insn.kind;
    uint64_t to = 0, value = 0;
    int rc = EMUL_OKAY;

    if (kind != EMUL_OUTS)
        rc = emul_linear(ctx, EMUL_ES, index_read(ctx, RDI), bytes, &to);
    if (rc == EMUL_OKAY)
        rc = string_value(ctx, bytes, &value);
    if (rc != EMUL_OKAY)
        return rc;
    if (kind == EMUL_OUTS)
        rc = ctx->ops->port_out ? ctx->ops->port_out(ctx, (uint16_t)ctx->regs->rdx, bytes, (uint32_t)value)
                                : EMUL_UNHANDLEABLE;
    else
        rc = emul_write(ctx, to, value, bytes);
    if (rc != EMUL_OKAY)
        return rc;
    if (kind == EMUL_MOVS || kind == EMUL_OUTS)
        index_advance(ctx, RSI, bytes);
    if (kind != EMUL_OUTS)
        index_advance(ctx, RDI, bytes);
    return EMUL_OKAY;
}

int emul_execute_string(struct emul_ctx *ctx)
{
    const struct emul_insn *insn = &ctx->insn;
    bool port = insn->kind == EMUL_INS || insn->kind == EMUL_OUTS;
    unsigned int bytes = port ? MIN(insn->op_bytes, 4) : insn->op_bytes;

    if (!insn->rep) {
        int rc = string_step(ctx, bytes);

        if (rc == EMUL_OKAY)
            emul_retire(ctx);
        return rc;
    }
    for (unsigned int done = 0; done < QUOTA; done++) {
        uint64_t count = index_read(ctx, RCX);
        int rc = count ? string_step(ctx, bytes) : EMUL_OKAY;

        if (rc != EMUL_OKAY)
            return done ? EMUL_OKAY : rc;
        if (count)
            emul_reg_write(ctx, RCX, insn->addr_bytes, count - 1);
        if (count <= 1) {
            emul_retire(ctx);
            return EMUL_OKAY;
        }
        if (ctx->regs->rflags & TF) { /* a trap after every step */
            ctx->single_step = true;
            return EMUL_OKAY;
        }
    }
    return EMUL_OKAY;
}
