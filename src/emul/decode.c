/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoding: prefixes, an opcode looked up in one of two tables, ModRM with its
 * address, immediate. A table's row says what the instruction is and where its
 * operands are; opcodes that mean several things by the reg field of ModRM are
 * settled by decode_group(). (AMD64 manual 24594, chapter 1 and appendix A.)
 */
#include "emul/internal.h"

enum {
    BYTE = 1, /* operands of one byte */
    MODRM = 2,
    IMM8 = 4,    /* the immediate is one byte, sign-extended */
    LOCK = 8,    /* LOCK is allowed when the destination is memory */
    GROUP = 16,  /* .kind is settled by the reg field */
    OP64 = 32,   /* operand size is that of the mode, prefixes notwithstanding */
    MOFFS = 64,  /* EMUL_AT_RM is memory at an absolute address in the instruction */
    COUNT = 128, /* .imm comes from decode_count() */
};

struct row {
    uint8_t kind, dst, src, flags;
};

#define RM  EMUL_AT_RM
#define REG EMUL_AT_REG
#define ACC EMUL_AT_ACC
#define IMM EMUL_AT_IMM
#define DX  EMUL_AT_DX

/* clang-format off */
#define ARITHMETIC(op, kind) \
    [op] = { kind, RM, REG, MODRM | BYTE | LOCK }, \
    [op + 1] = { kind, RM, REG, MODRM | LOCK }, \
    [op + 2] = { kind, REG, RM, MODRM | BYTE }, \
    [op + 3] = { kind, REG, RM, MODRM }, \
    [op + 4] = { kind, ACC, IMM, BYTE }, \
    [op + 5] = { kind, ACC, IMM, 0 }
/* clang-format on */

static const struct row one_byte[256] = {
    ARITHMETIC(0x00, EMUL_ADD),
    ARITHMETIC(0x08, EMUL_OR),
    ARITHMETIC(0x10, EMUL_ADC),
    ARITHMETIC(0x18, EMUL_SBB),
    ARITHMETIC(0x20, EMUL_AND),
    ARITHMETIC(0x28, EMUL_SUB),
    ARITHMETIC(0x30, EMUL_XOR),
    ARITHMETIC(0x38, EMUL_CMP),
    [0x6c] = {EMUL_INS, 0, 0, BYTE},
    [0x6d] = {EMUL_INS, 0, 0, 0},
    [0x6e] = {EMUL_OUTS, 0, 0, BYTE},
    [0x6f] = {EMUL_OUTS, 0, 0, 0},
    [0x80] = {0, RM, IMM, MODRM | GROUP | BYTE | LOCK},
    [0x81] = {0, RM, IMM, MODRM | GROUP | LOCK},
    [0x83] = {0, RM, IMM, MODRM | GROUP | IMM8 | LOCK},
    [0x84] = {EMUL_TEST, RM, REG, MODRM | BYTE},
    [0x85] = {EMUL_TEST, RM, REG, MODRM},
    [0x86] = {EMUL_XCHG, RM, REG, MODRM | BYTE | LOCK},
    [0x87] = {EMUL_XCHG, RM, REG, MODRM | LOCK},
    [0x88] = {EMUL_MOV, RM, REG, MODRM | BYTE},
    [0x89] = {EMUL_MOV, RM, REG, MODRM},
    [0x8a] = {EMUL_MOV, REG, RM, MODRM | BYTE},
    [0x8b] = {EMUL_MOV, REG, RM, MODRM},
    [0x8f] = {EMUL_POP, RM, 0, MODRM},
    [0xa0] = {EMUL_MOV, ACC, RM, MOFFS | BYTE},
    [0xa1] = {EMUL_MOV, ACC, RM, MOFFS},
    [0xa2] = {EMUL_MOV, RM, ACC, MOFFS | BYTE},
    [0xa3] = {EMUL_MOV, RM, ACC, MOFFS},
    [0xa4] = {EMUL_MOVS, 0, 0, BYTE},
    [0xa5] = {EMUL_MOVS, 0, 0, 0},
    [0xaa] = {EMUL_STOS, 0, 0, BYTE},
    [0xab] = {EMUL_STOS, 0, 0, 0},
    [0xc0] = {0, RM, 0, MODRM | GROUP | COUNT | BYTE},
    [0xc1] = {0, RM, 0, MODRM | GROUP | COUNT},
    [0xc6] = {0, RM, IMM, MODRM | GROUP | BYTE},
    [0xc7] = {0, RM, IMM, MODRM | GROUP},
    [0xd0] = {0, RM, 0, MODRM | GROUP | COUNT | BYTE},
    [0xd1] = {0, RM, 0, MODRM | GROUP | COUNT},
    [0xd2] = {0, RM, 0, MODRM | GROUP | COUNT | BYTE},
    [0xd3] = {0, RM, 0, MODRM | GROUP | COUNT},
    [0xe4] = {EMUL_IN, ACC, IMM, BYTE | IMM8},
    [0xe5] = {EMUL_IN, ACC, IMM, IMM8},
    [0xe6] = {EMUL_OUT, IMM, ACC, BYTE | IMM8},
    [0xe7] = {EMUL_OUT, IMM, ACC, IMM8},
    [0xec] = {EMUL_IN, ACC, DX, BYTE},
    [0xed] = {EMUL_IN, ACC, DX, 0},
    [0xee] = {EMUL_OUT, DX, ACC, BYTE},
    [0xef] = {EMUL_OUT, DX, ACC, 0},
    [0xf4] = {EMUL_HLT, 0, 0, 0},
    [0xf6] = {0, RM, 0, MODRM | GROUP | BYTE | LOCK},
    [0xf7] = {0, RM, 0, MODRM | GROUP | LOCK},
    [0xfa] = {EMUL_CLI, 0, 0, 0},
    [0xfb] = {EMUL_STI, 0, 0, 0},
    [0xfe] = {0, RM, 0, MODRM | GROUP | BYTE | LOCK},
    [0xff] = {0, RM, 0, MODRM | GROUP | LOCK},
};

static const struct row two_byte[256] = {
    [0x01] = {0, RM, 0, MODRM | GROUP},
    [0x06] = {EMUL_CLTS, 0, 0, 0},
    [0x08] = {EMUL_INVD, 0, 0, 0},
    [0x09] = {EMUL_WBINVD, 0, 0, 0},
    [0x20] = {EMUL_READ_CR, RM, 0, MODRM | OP64},
    [0x21] = {EMUL_READ_DR, RM, 0, MODRM | OP64},
    [0x22] = {EMUL_WRITE_CR, 0, RM, MODRM | OP64},
    [0x23] = {EMUL_WRITE_DR, 0, RM, MODRM | OP64},
    [0x30] = {EMUL_WRMSR, 0, 0, 0},
    [0x31] = {EMUL_RDTSC, 0, 0, 0},
    [0x32] = {EMUL_RDMSR, 0, 0, 0},
    [0x33] = {EMUL_RDPMC, 0, 0, 0},
    [0x90 ... 0x9f] = {EMUL_SETCC, RM, 0, MODRM | COUNT | BYTE},
    [0xa2] = {EMUL_CPUID, 0, 0, 0},
    [0xa3] = {EMUL_BT, RM, REG, MODRM},
    [0xa4] = {EMUL_SHLD, RM, REG, MODRM | COUNT},
    [0xa5] = {EMUL_SHLD, RM, REG, MODRM | COUNT},
    [0xab] = {EMUL_BTS, RM, REG, MODRM | LOCK},
    [0xac] = {EMUL_SHRD, RM, REG, MODRM | COUNT},
    [0xad] = {EMUL_SHRD, RM, REG, MODRM | COUNT},
    [0xb0] = {EMUL_CMPXCHG, RM, REG, MODRM | BYTE | LOCK},
    [0xb1] = {EMUL_CMPXCHG, RM, REG, MODRM | LOCK},
    [0xb3] = {EMUL_BTR, RM, REG, MODRM | LOCK},
    [0xba] = {0, RM, IMM, MODRM | GROUP | IMM8 | LOCK},
    [0xbb] = {EMUL_BTC, RM, REG, MODRM | LOCK},
    [0xc0] = {EMUL_XADD, RM, REG, MODRM | BYTE | LOCK},
    [0xc1] = {EMUL_XADD, RM, REG, MODRM | LOCK},
    [0xc3] = {EMUL_MOV, RM, REG, MODRM}, /* MOVNTI */
    [0xc7] = {0, RM, 0, MODRM | GROUP | LOCK},
};

/* 0F 38 F0 and F1. */
static const struct row movbe[2] = {{EMUL_MOVBE, REG, RM, MODRM}, {EMUL_MOVBE, RM, REG, MODRM}};

/* The bytes of the instruction, each fetched once. */
struct stream {
    struct emul_ctx *ctx;
    uint64_t va; /* linear address of byte 0 */
    uint8_t bytes[EMUL_INSN_MAX];
    unsigned int used, have;
    int status; /* of the first fetch that failed; then only zeros follow */
};

static void stream_fill(struct stream *s)
{
    struct emul_ctx *ctx = s->ctx;
    uint64_t va = s->va + s->have;
    unsigned int bytes =
        (unsigned int)MIN((uint64_t)PAGE_SIZE - va % PAGE_SIZE, (uint64_t)(EMUL_INSN_MAX - s->have));

    if (!ctx->mode64)
        va = (uint32_t)va;
    if (bytes == 0)
        s->status = emul_raise(ctx, EMUL_VEC_GP, 0); /* longer than 15 bytes */
    else
        s->status = ctx->ops->fetch(ctx, va, s->bytes + s->have, bytes);
    if (s->status == EMUL_OKAY)
        s->have += bytes;
}

static uint8_t next_byte(struct stream *s)
{
    if (s->status == EMUL_OKAY && s->used == s->have)
        stream_fill(s);
    return s->status == EMUL_OKAY ? s->bytes[s->used++] : 0;
}

/* A little-endian number of 1, 2, 4 or 8 bytes, sign-extended. */
static uint64_t next_signed(struct stream *s, unsigned int bytes)
{
    uint64_t value = 0;

    for (unsigned int i = 0; i < bytes; i++)
        value |= (uint64_t)next_byte(s) << (8 * i);
    return (uint64_t)((int64_t)(value << (64 - 8 * bytes)) >> (64 - 8 * bytes));
}

/* What the prefixes said. */
struct prefixes {
    bool op_size, addr_size;
    uint8_t rex;
};

/* Takes all prefixes; returns the byte behind them. */
static uint8_t decode_prefixes(struct stream *s, struct emul_insn *insn, struct prefixes *p)
{
    static const uint8_t seg_prefix[6] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65}; /* by enum emul_seg */

    for (;;) {
        uint8_t byte = next_byte(s);
        bool known = true;

        if (s->status != EMUL_OKAY)
            return 0;
        if (s->ctx->mode64 && (byte & 0xf0) == 0x40) {
            p->rex = byte;
            continue;
        }
        switch (byte) {
        case 0x66:
            p->op_size = true;
            break;
        case 0x67:
            p->addr_size = true;
            break;
        case 0xf0:
            insn->lock = true;
            break;
        case 0xf2:
        case 0xf3:
            insn->rep = byte;
            break;
        default:
            known = false;
        }
        for (unsigned int seg = 0; seg < ARRAY_SIZE(seg_prefix); seg++) {
            if (byte != seg_prefix[seg])
                continue;
            known = true;
            if (s->ctx->mode64 && seg < EMUL_FS)
                continue; /* without effect there, also on an FS or GS before it */
            insn->seg = (uint8_t)seg;
            insn->seg_override = true;
        }
        if (!known)
            return byte;
        p->rex = 0; /* REX counts only right before the opcode */
    }
}

/* Base, index and displacement by a SIB byte. */
static uint64_t decode_sib(struct stream *s, const struct prefixes *p, struct emul_insn *insn,
                           unsigned int mod)
{
    const struct cpu_user_regs *regs = s->ctx->regs;
    uint8_t sib = next_byte(s);
    unsigned int index = ((sib >> 3) & 7u) | (p->rex & 2u) << 2, base = (sib & 7u) | (p->rex & 1u) << 3;
    uint64_t offset = 0;

    if (index != 4)
        offset = emul_reg_full(regs, index) << (sib >> 6);
    if ((base & 7) == 5 && mod == 0)
        return offset + next_signed(s, 4);
    if (!insn->seg_override && (base == 4 || base == 5))
        insn->seg = EMUL_SS;
    if (insn->kind == EMUL_POP && base == 4)
        offset += insn->op_bytes; /* the stack pointer as it is after the pop */
    return offset + emul_reg_full(regs, base);
}

/* The ModRM byte and the address behind it; RIP-relative ones are completed by the caller. */
static bool decode_modrm(struct stream *s, const struct prefixes *p, struct emul_insn *insn,
                         uint8_t *modrm_out)
{
    const struct cpu_user_regs *regs = s->ctx->regs;
    uint8_t modrm = next_byte(s);
    unsigned int mod = modrm >> 6, rm = modrm & 7;
    bool rip_relative = false;

    *modrm_out = modrm;
    insn->reg = (uint8_t)(((modrm >> 3) & 7) | (p->rex & 4) << 1);
    insn->rm = (uint8_t)(rm | (p->rex & 1u) << 3);
    insn->memory = mod != 3;
    if (!insn->memory)
        return false;
    if (rm == 4)
        insn->offset = decode_sib(s, p, insn, mod);
    else if (rm == 5 && mod == 0) {
        insn->offset = next_signed(s, 4);
        rip_relative = s->ctx->mode64;
    } else {
        insn->offset = emul_reg_full(regs, insn->rm);
        if (insn->rm == 5 && !insn->seg_override)
            insn->seg = EMUL_SS;
    }
    if (mod == 1)
        insn->offset += next_signed(s, 1);
    else if (mod == 2)
        insn->offset += next_signed(s, 4);
    return rip_relative;
}

/* 0F 01: by reg field if memory, by the whole byte if not. */
static void decode_group_0f01(struct emul_insn *insn, uint8_t modrm)
{
    unsigned int reg = (modrm >> 3) & 7;

    if (reg == 6) {
        insn->kind = EMUL_LMSW;
        insn->src = EMUL_AT_RM;
        insn->op_bytes = 2;
    } else if (reg == 7 && insn->memory)
        insn->kind = EMUL_INVLPG;
    else if (modrm == 0xd1)
        insn->kind = EMUL_XSETBV;
    else if (modrm == 0xf9)
        insn->kind = EMUL_RDTSCP;
}

/* Opcodes whose meaning lies in the reg field. */
static void decode_group(struct emul_insn *insn, bool two, uint8_t opcode, uint8_t modrm)
{
    static const uint8_t group_f6[4] = {EMUL_TEST, EMUL_TEST, EMUL_NOT, EMUL_NEG};
    uint8_t reg = (modrm >> 3) & 7;

    if (two && opcode == 0x01)
        decode_group_0f01(insn, modrm);
    else if (two && opcode == 0xba && reg >= 4)
        insn->kind = (uint8_t)(EMUL_BT + reg - 4);
    else if (two && opcode == 0xc7 && reg == 1 && insn->memory)
        insn->kind = EMUL_CMPXCHG_PAIR;
    else if (two)
        return;
    else if (opcode <= 0x83)
        insn->kind = (uint8_t)(EMUL_ADD + reg);
    else if ((opcode & ~1) == 0xc0 || (opcode & ~3) == 0xd0)
        insn->kind = (uint8_t)(EMUL_ROL + reg);
    else if (opcode == 0xc6 || opcode == 0xc7)
        insn->kind = reg == 0 ? EMUL_MOV : EMUL_NONE;
    else if (opcode == 0xf6 || opcode == 0xf7)
        insn->kind = reg < 4 ? group_f6[reg] : EMUL_NONE;
    else
        insn->kind = reg == 0 ? EMUL_INC : reg == 1 ? EMUL_DEC : EMUL_NONE;
    if (insn->kind == EMUL_TEST)
        insn->src = EMUL_AT_IMM;
}

/* LOCK with anything but a change of memory is #UD. */
static bool lock_is_wrong(const struct emul_insn *insn, const struct row *row)
{
    bool changes = (row->flags & LOCK) && insn->memory && insn->dst == EMUL_AT_RM;

    return insn->lock &&
           (!changes || insn->kind == EMUL_CMP || insn->kind == EMUL_BT || insn->kind == EMUL_TEST);
}

/* What the tables cannot say: forms that are another instruction or none. */
static bool form_is_known(const struct emul_insn *insn, bool two, uint8_t opcode)
{
    if (two && opcode == 0xc3)
        return insn->memory && insn->op_bytes != 2; /* MOVNTI stores 4 or 8 bytes to memory */
    if (insn->kind == EMUL_MOVBE)
        return insn->memory;
    if (insn->kind == EMUL_POP)
        return (insn->reg & 7) == 0;
    return insn->kind != EMUL_NONE;
}

static void decode_sizes(const struct emul_ctx *ctx, const struct prefixes *p, struct emul_insn *insn)
{
    insn->op_bytes = p->rex & 8 ? 8 : p->op_size ? 2 : 4;
    insn->addr_bytes = ctx->mode64 ? (p->addr_size ? 4 : 8) : (p->addr_size ? 2 : 4);
    insn->rex = p->rex != 0;
    if (!insn->seg_override)
        insn->seg = EMUL_DS;
}

/* By how much a shift shifts (a byte of the instruction, one, or CL), which condition SETcc sets. */
static uint64_t decode_count(struct stream *s, bool two, uint8_t opcode)
{
    if (two && (opcode & 0xf0) == 0x90)
        return opcode & 15;
    if (!two && (opcode & ~1) == 0xd0)
        return 1;
    if (two ? opcode & 1 : opcode >= 0xd2)
        return (uint8_t)s->ctx->regs->rcx;
    return next_byte(s);
}

/* ModRM, absolute address, immediate. False if the form is not known here. */
static bool decode_operands(struct stream *s, const struct prefixes *p, struct emul_insn *insn,
                            const struct row *row, bool two, uint8_t opcode)
{
    uint8_t modrm = 0;
    bool rip_relative = false, byte = row->flags & BYTE;

    if (byte)
        insn->op_bytes = 1;
    if (row->flags & MODRM) {
        if (insn->addr_bytes == 2)
            return false;
        if (row->flags &
            OP64) { /* control and debug registers: always a register, whatever the mod field says */
            modrm = next_byte(s);
            insn->reg = (uint8_t)(((modrm >> 3) & 7) | (p->rex & 4) << 1);
            insn->rm = (uint8_t)((modrm & 7) | (p->rex & 1) << 3);
            insn->op_bytes = s->ctx->mode64 ? 8 : 4;
        } else
            rip_relative = decode_modrm(s, p, insn, &modrm);
    }
    if (row->flags & GROUP)
        decode_group(insn, two, opcode, modrm);
    if (row->flags & MOFFS) {
        insn->memory = true;
        insn->offset = next_signed(s, insn->addr_bytes);
    }
    if (insn->dst == EMUL_AT_IMM || insn->src == EMUL_AT_IMM)
        insn->imm = next_signed(s, byte || (row->flags & IMM8) ? 1 : MIN(insn->op_bytes, 4));
    if (row->flags & COUNT)
        insn->imm = decode_count(s, two, opcode);
    if (rip_relative)
        insn->offset += s->ctx->regs->rip + s->used + (s->ctx->forced_prefix ? 5 : 0);
    if (insn->addr_bytes == 4)
        insn->offset = (uint32_t)insn->offset;
    else if (insn->addr_bytes == 2)
        insn->offset = (uint16_t)insn->offset;
    return true;
}

/* The linear address of the first byte; passes over the forced-emulation prefix. */
static int stream_start(struct stream *s, struct emul_ctx *ctx)
{
    static const uint8_t prefix[5] = {0x0f, 0x0b, 'x', 'e', 'n'};
    struct emul_segment cs = {.base = 0};
    uint8_t seen[5];
    int rc;

    *s = (struct stream){.ctx = ctx, .va = ctx->regs->rip, .status = EMUL_OKAY};
    if (!ctx->mode64) {
        if (!ctx->ops->segment)
            return EMUL_UNHANDLEABLE;
        rc = ctx->ops->segment(ctx, EMUL_CS, &cs);
        if (rc != EMUL_OKAY)
            return rc;
        s->va = (uint32_t)(s->va + cs.base);
    }
    if (!ctx->forced_prefix)
        return EMUL_OKAY;
    for (unsigned int i = 0; i < sizeof(prefix); i++) {
        rc = ctx->ops->fetch(ctx, s->va + i, &seen[i], 1);
        if (rc != EMUL_OKAY)
            return rc;
        if (seen[i] != prefix[i])
            return EMUL_UNHANDLEABLE;
    }
    s->va += sizeof(prefix);
    return EMUL_OKAY;
}

int emul_decode(struct emul_ctx *ctx)
{
    struct emul_insn *insn = &ctx->insn;
    struct prefixes prefixes = {.rex = 0};
    struct stream s;
    const struct row *row;
    uint8_t opcode;
    bool two, known;
    int rc;

    *insn = (struct emul_insn){.kind = EMUL_NONE};
    rc = stream_start(&s, ctx);
    if (rc != EMUL_OKAY)
        return rc;
    opcode = decode_prefixes(&s, insn, &prefixes);
    two = opcode == 0x0f;
    if (two)
        opcode = next_byte(&s);
    if (s.status != EMUL_OKAY)
        return s.status;
    row = two ? &two_byte[opcode] : &one_byte[opcode];
    if (two && opcode == 0x38) {
        opcode = next_byte(&s);
        row = (opcode & 0xfe) == 0xf0 && !insn->rep ? &movbe[opcode & 1] : &two_byte[0x38];
    }
    insn->kind = row->kind;
    insn->dst = row->dst;
    insn->src = row->src;
    decode_sizes(ctx, &prefixes, insn);
    if (insn->kind == EMUL_POP && ctx->mode64 && insn->op_bytes == 4)
        insn->op_bytes = 8;
    known = decode_operands(&s, &prefixes, insn, row, two, opcode) && form_is_known(insn, two, opcode);
    if (s.status != EMUL_OKAY)
        return s.status;
    if (!known)
        return EMUL_UNHANDLEABLE;
    if (lock_is_wrong(insn, row))
        return emul_raise(ctx, EMUL_VEC_UD, 0);
    insn->length = (uint8_t)(s.used + (ctx->forced_prefix ? 5 : 0));
    return EMUL_OKAY;
}
