/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying out moves and arithmetic. A change of memory (lock prefix or not) is
 * a read followed by the compare-and-exchange callback, repeated while another
 * processor gets in between, so that a page-table entry never takes a value
 * computed from one that it no longer had.
 */
#include "emul/internal.h"

#define CF    BIT(0)
#define ZF    BIT(6)
#define TF    BIT(8)
#define RF    BIT(16)
#define TRIES 16 /* before the guest is made to run the instruction again */

void emul_retire(struct emul_ctx *ctx)
{
    struct cpu_user_regs *regs = ctx->regs;

    regs->rip += ctx->insn.length;
    if (!ctx->mode64)
        regs->rip = (uint32_t)regs->rip;
    ctx->single_step = regs->rflags & TF;
    regs->rflags &= ~RF;
}

/* What the source operand holds; `va` is the address of the memory operand. */
static int source_read(struct emul_ctx *ctx, uint64_t va, uint64_t *value)
{
    const struct emul_insn *insn = &ctx->insn;

    *value = 0;
    switch (insn->src) {
    case EMUL_AT_REG:
        *value = emul_reg_read(ctx, insn->reg, insn->op_bytes);
        break;
    case EMUL_AT_ACC:
        *value = emul_reg_read(ctx, 0, insn->op_bytes);
        break;
    case EMUL_AT_IMM:
        *value = insn->imm;
        break;
    case EMUL_AT_RM:
        if (insn->memory)
            return emul_read(ctx, va, value, insn->op_bytes);
        *value = emul_reg_read(ctx, insn->rm, insn->op_bytes);
        break;
    default:
        break;
    }
    return EMUL_OKAY;
}

static unsigned int register_of(const struct emul_insn *insn, uint8_t operand)
{
    return operand == EMUL_AT_REG ? insn->reg : operand == EMUL_AT_RM ? insn->rm : 0;
}

static bool only_compares(uint8_t kind)
{
    return kind == EMUL_CMP || kind == EMUL_TEST || kind == EMUL_BT;
}

/* The new value of the destination; flags as after the instruction. */
static uint64_t compute(const struct emul_insn *insn, uint64_t old, uint64_t src, uint64_t *flags)
{
    uint64_t bit = BIT(src & (insn->op_bytes * 8u - 1));

    switch (insn->kind) {
    case EMUL_XCHG:
        return src;
    case EMUL_NOT:
        return ~old;
    case EMUL_BT:
    case EMUL_BTS:
    case EMUL_BTR:
    case EMUL_BTC:
        *flags = (*flags & ~CF) | (old & bit ? CF : 0);
        return insn->kind == EMUL_BTS ? old | bit : insn->kind == EMUL_BTR ? old & ~bit : old ^ bit;
    default:
        if (insn->kind >= EMUL_ROL && insn->kind <= EMUL_SHRD)
            return emul_shift(insn->kind, old, src, (unsigned int)insn->imm, insn->op_bytes, flags);
        return emul_alu(insn->kind, old, src, insn->op_bytes, flags);
    }
}

/* Read, compute, exchange, until memory stood still. *old is what it held; *flags are those after it. */
static int change_memory(struct emul_ctx *ctx, uint64_t va, uint64_t src, uint64_t *old, uint64_t *flags)
{
    const struct emul_insn *insn = &ctx->insn;
    int rc = emul_read(ctx, va, old, insn->op_bytes);

    if (rc == EMUL_OKAY && only_compares(insn->kind)) {
        compute(insn, *old, src, flags);
        return EMUL_OKAY;
    }
    if (!ctx->ops->cmpxchg)
        return EMUL_UNHANDLEABLE;
    for (int i = 0; rc == EMUL_OKAY && i < TRIES; i++) {
        uint64_t seen = *old, value;

        *flags = ctx->regs->rflags;
        value = compute(insn, *old, src, flags);
        rc = ctx->ops->cmpxchg(ctx, va, &seen, &value, insn->op_bytes);
        if (rc == EMUL_OKAY && seen == *old)
            return EMUL_OKAY;
        *old = seen;
    }
    return rc == EMUL_OKAY ? EMUL_RETRY : rc;
}

static int execute_arithmetic(struct emul_ctx *ctx, uint64_t va)
{
    const struct emul_insn *insn = &ctx->insn;
    unsigned int bytes = insn->op_bytes;
    uint64_t src, old, value, flags = ctx->regs->rflags;
    int rc = source_read(ctx, va, &src);

    if (rc != EMUL_OKAY)
        return rc;
    if (insn->dst == EMUL_AT_RM && insn->memory) {
        rc = change_memory(ctx, va, src, &old, &flags);
        if (rc != EMUL_OKAY)
            return rc;
    } else {
        old = emul_reg_read(ctx, register_of(insn, insn->dst), bytes);
        value = compute(insn, old, src, &flags);
        if (!only_compares(insn->kind))
            emul_reg_write(ctx, register_of(insn, insn->dst), bytes, value);
    }
    if (insn->kind == EMUL_XCHG || (insn->kind == EMUL_XADD && (insn->memory || insn->reg != insn->rm)))
        emul_reg_write(ctx, insn->reg, bytes, old);
    ctx->regs->rflags = flags;
    emul_retire(ctx);
    return EMUL_OKAY;
}

static int pop_read(struct emul_ctx *ctx, uint64_t *value)
{
    uint64_t rsp = ctx->mode64 ? ctx->regs->rsp : (uint32_t)ctx->regs->rsp, va;
    int rc = emul_linear(ctx, EMUL_SS, rsp, ctx->insn.op_bytes, &va);

    return rc == EMUL_OKAY ? emul_read(ctx, va, value, ctx->insn.op_bytes) : rc;
}

/* MOV and its kin: a value is got from somewhere and stored, nothing is computed from what was there. */
static int execute_mov(struct emul_ctx *ctx, uint64_t va)
{
    const struct emul_insn *insn = &ctx->insn;
    uint64_t value;
    int rc = insn->kind == EMUL_POP ? pop_read(ctx, &value) : source_read(ctx, va, &value);

    if (rc != EMUL_OKAY)
        return rc;
    if (insn->kind == EMUL_MOVBE)
        value = __builtin_bswap64(value) >> (64 - 8 * insn->op_bytes);
    else if (insn->kind == EMUL_SETCC)
        value = emul_condition((unsigned int)insn->imm, ctx->regs->rflags);
    if (insn->dst == EMUL_AT_RM && insn->memory) {
        rc = emul_write(ctx, va, value, insn->op_bytes);
        if (rc != EMUL_OKAY)
            return rc;
    }
    if (insn->kind == EMUL_POP)
        emul_reg_write(ctx, 4, ctx->mode64 ? 8 : 4, ctx->regs->rsp + insn->op_bytes);
    if (insn->dst != EMUL_AT_RM || !insn->memory)
        emul_reg_write(ctx, register_of(insn, insn->dst), insn->op_bytes, value);
    emul_retire(ctx);
    return EMUL_OKAY;
}

static int execute_cmpxchg(struct emul_ctx *ctx, uint64_t va)
{
    const struct emul_insn *insn = &ctx->insn;
    unsigned int bytes = insn->op_bytes;
    uint64_t acc = emul_reg_read(ctx, 0, bytes), new = emul_reg_read(ctx, insn->reg, bytes), old = acc;
    uint64_t flags = ctx->regs->rflags;

    if (insn->memory) {
        int rc = ctx->ops->cmpxchg ? ctx->ops->cmpxchg(ctx, va, &old, &new, bytes) : EMUL_UNHANDLEABLE;

        if (rc != EMUL_OKAY)
            return rc;
    } else
        old = emul_reg_read(ctx, insn->rm, bytes);
    emul_alu(EMUL_CMP, acc, old, bytes, &flags);
    if (!(flags & ZF))
        emul_reg_write(ctx, 0, bytes, old);
    else if (!insn->memory)
        emul_reg_write(ctx, insn->rm, bytes, new);
    ctx->regs->rflags = flags;
    emul_retire(ctx);
    return EMUL_OKAY;
}

/* CMPXCHG8B and CMPXCHG16B: EDX:EAX or RDX:RAX against memory, ECX:EBX or RCX:RBX into it. */
static int execute_cmpxchg_pair(struct emul_ctx *ctx, uint64_t va)
{
    struct cpu_user_regs *regs = ctx->regs;
    unsigned int half = ctx->insn.op_bytes == 8 ? 8 : 4;
    union {
        uint64_t quad[2];
        uint32_t dword[4];
    } old, expected, new;
    int rc;

    if (half == 8 && va % 16)
        return emul_raise(ctx, EMUL_VEC_GP, 0);
    if (half == 8) {
        old.quad[0] = regs->rax;
        old.quad[1] = regs->rdx;
        new.quad[0] = regs->rbx;
        new.quad[1] = regs->rcx;
    } else {
        old.quad[0] = (uint32_t)regs->rax | regs->rdx << 32;
        new.quad[0] = (uint32_t)regs->rbx | regs->rcx << 32;
        old.quad[1] = new.quad[1] = 0;
    }
    expected = old;
    rc = ctx->ops->cmpxchg ? ctx->ops->cmpxchg(ctx, va, &old, &new, 2 * half) : EMUL_UNHANDLEABLE;
    if (rc != EMUL_OKAY)
        return rc;
    if (old.quad[0] == expected.quad[0] && old.quad[1] == expected.quad[1])
        regs->rflags |= ZF;
    else {
        regs->rflags &= ~ZF;
        emul_reg_write(ctx, 0, half, half == 8 ? old.quad[0] : old.dword[0]);
        emul_reg_write(ctx, 2, half, half == 8 ? old.quad[1] : old.dword[1]);
    }
    emul_retire(ctx);
    return EMUL_OKAY;
}

/*
 * BT and its kin with a register as bit number reach beyond the operand: the bit is
 * counted, signed, from the operand's address.
 */
static uint64_t bit_string_displacement(const struct emul_ctx *ctx)
{
    const struct emul_insn *insn = &ctx->insn;
    unsigned int bits = insn->op_bytes * 8u;
    uint64_t raw = emul_reg_read(ctx, insn->reg, insn->op_bytes);
    int64_t index = (int64_t)(raw << (64 - bits)) >> (64 - bits);

    return (uint64_t)((index & ~(int64_t)(bits - 1)) / 8);
}

static int operand_address(struct emul_ctx *ctx, uint64_t *va)
{
    const struct emul_insn *insn = &ctx->insn;
    unsigned int bytes = insn->kind == EMUL_CMPXCHG_PAIR ? (insn->op_bytes == 8 ? 16 : 8) : insn->op_bytes;
    uint64_t offset = insn->offset;

    *va = 0;
    if (!insn->memory)
        return EMUL_OKAY;
    if (insn->kind >= EMUL_BT && insn->kind <= EMUL_BTC && insn->src == EMUL_AT_REG) {
        offset += bit_string_displacement(ctx);
        if (insn->addr_bytes == 4)
            offset = (uint32_t)offset;
    }
    return emul_linear(ctx, insn->seg, offset, bytes, va);
}

int emul_execute(struct emul_ctx *ctx)
{
    uint64_t va;
    int rc;

    ctx->single_step = false;
    if (ctx->insn.kind >= EMUL_IN)
        return emul_execute_system(ctx);
    if (ctx->insn.kind >= EMUL_STOS)
        return emul_execute_string(ctx);
    rc = operand_address(ctx, &va);
    if (rc != EMUL_OKAY)
        return rc;
    switch (ctx->insn.kind) {
    case EMUL_NONE:
        return EMUL_UNHANDLEABLE;
    case EMUL_MOV:
    case EMUL_MOVBE:
    case EMUL_POP:
    case EMUL_SETCC:
        return execute_mov(ctx, va);
    case EMUL_CMPXCHG:
        return execute_cmpxchg(ctx, va);
    case EMUL_CMPXCHG_PAIR:
        return execute_cmpxchg_pair(ctx, va);
    default:
        return execute_arithmetic(ctx, va);
    }
}

int emul_run(struct emul_ctx *ctx)
{
    int rc = emul_decode(ctx);

    return rc == EMUL_OKAY ? emul_execute(ctx) : rc;
}
