/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A decoded instruction. */
#ifndef EMUL_DECODE_H
#define EMUL_DECODE_H

#define EMUL_INSN_MAX 15 /* bytes; longer ones raise #GP */

/* clang-format off */
enum emul_kind {
    EMUL_NONE,
    /* In the order of the processor's encoding (bits 5:3 of the opcode; the reg field of 80..83). */
    EMUL_ADD, EMUL_OR, EMUL_ADC, EMUL_SBB, EMUL_AND, EMUL_SUB, EMUL_XOR, EMUL_CMP,
    EMUL_BT, EMUL_BTS, EMUL_BTR, EMUL_BTC, /* likewise, reg field of 0F BA less 4 */
    EMUL_ROL, EMUL_ROR, EMUL_RCL, EMUL_RCR, EMUL_SHL, EMUL_SHR, EMUL_SAL, EMUL_SAR, /* reg field of C0 */
    EMUL_SHLD, EMUL_SHRD,
    EMUL_MOV, EMUL_MOVBE, EMUL_POP, EMUL_SETCC,
    EMUL_XCHG, EMUL_TEST, EMUL_INC, EMUL_DEC, EMUL_NOT, EMUL_NEG, EMUL_XADD, EMUL_CMPXCHG,
    EMUL_CMPXCHG_PAIR, /* CMPXCHG8B, CMPXCHG16B */
    EMUL_STOS, EMUL_MOVS, EMUL_INS, EMUL_OUTS,
    EMUL_IN, EMUL_OUT, EMUL_CLI, EMUL_STI, EMUL_HLT,
    EMUL_CPUID, EMUL_RDMSR, EMUL_WRMSR, EMUL_RDTSC, EMUL_RDTSCP, EMUL_RDPMC,
    EMUL_READ_CR, EMUL_WRITE_CR, EMUL_READ_DR, EMUL_WRITE_DR, EMUL_CLTS, EMUL_LMSW,
    EMUL_INVLPG, EMUL_INVD, EMUL_WBINVD, EMUL_XSETBV,
};
/* clang-format on */

/* Where an operand is. */
enum emul_operand {
    EMUL_AT_NONE,
    EMUL_AT_RM,  /* register or memory of the ModRM byte */
    EMUL_AT_REG, /* register of the ModRM byte */
    EMUL_AT_ACC, /* AL, AX, EAX, RAX */
    EMUL_AT_IMM, /* immediate, sign-extended */
    EMUL_AT_DX,
};

struct emul_insn {
    uint8_t kind;       /* enum emul_kind */
    uint8_t length;     /* bytes, the forced-emulation prefix included */
    uint8_t op_bytes;   /* operand size: 1, 2, 4, 8 */
    uint8_t addr_bytes; /* address size: 4, 8 (2 for string instructions in 32-bit mode) */
    uint8_t dst, src;   /* enum emul_operand */
    uint8_t reg, rm;    /* register numbers 0..15 */
    uint8_t seg;        /* enum emul_seg of the memory operand */
    uint8_t rep;        /* 0, 0xf2 or 0xf3 */
    bool seg_override, lock, rex;
    bool memory;     /* EMUL_AT_RM is memory: */
    uint64_t offset; /* its effective address, before the segment's base */
    uint64_t imm;    /* also the count of a shift and the condition of SETcc */
};

#endif
