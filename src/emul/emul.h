/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instruction emulator: decodes and carries out one instruction of a guest
 * that runs at CPL 3, in 64-bit mode or in a 32-bit code segment. It knows two
 * sets of instructions, for its two customers:
 *
 *   - those by which kernels write page-table entries (mov, xchg, cmpxchg, add,
 *     and, or, bts, ..., stos, movs): for faulting writes to read-only tables;
 *   - privileged ones that a PV kernel may leave in its code (CPUID, RDMSR,
 *     MOV CR, IN, OUT, ...).
 *
 * It touches nothing but *ctx, the registers and what the callbacks touch, so it
 * is also a host library. Nothing here trusts the code bytes: each is fetched
 * once.
 */
#ifndef EMUL_EMUL_H
#define EMUL_EMUL_H

#include "abi/xen.h"
#include "emul/decode.h"

/* What every callback and emul_*() function returns. */
enum {
    EMUL_OKAY,
    EMUL_EXCEPTION,    /* ctx->fault says which; the registers are those from before the instruction */
    EMUL_UNHANDLEABLE, /* not an instruction or operand that is known here, or no callback for it */
    EMUL_RETRY,        /* nothing was done: run the instruction again */
};

enum emul_seg { EMUL_ES, EMUL_CS, EMUL_SS, EMUL_DS, EMUL_FS, EMUL_GS };

struct emul_ctx;

struct emul_segment {
    uint64_t base;
    uint32_t limit; /* last byte; looked at in 32-bit mode only */
};

/*
 * The world of the instruction. Addresses are linear. A callback returns EMUL_OKAY or
 * the code with which the instruction ends; for EMUL_EXCEPTION it calls emul_raise().
 * A callback that is NULL makes its instructions EMUL_UNHANDLEABLE. Sizes are in bytes.
 */
struct emul_ops {
    /* Code bytes, all of them within one page. */
    int (*fetch)(struct emul_ctx *ctx, uint64_t va, void *to, unsigned int bytes);
    int (*read)(struct emul_ctx *ctx, uint64_t va, void *to, unsigned int bytes);
    int (*write)(struct emul_ctx *ctx, uint64_t va, const void *from, unsigned int bytes);
    /*
     * One atomic compare and exchange of 1, 2, 4, 8 or 16 bytes. If memory differs
     * from *old, *old is set to what it holds, nothing is written and EMUL_OKAY returned.
     */
    int (*cmpxchg)(struct emul_ctx *ctx, uint64_t va, void *old, const void *new, unsigned int bytes);
    /* Base (and limit) of a segment; in 64-bit mode called for FS and GS only. */
    int (*segment)(struct emul_ctx *ctx, enum emul_seg seg, struct emul_segment *out);

    /* Privileged: called only if ctx->privileged. Register numbers are the instruction's. */
    int (*read_msr)(struct emul_ctx *ctx, uint32_t msr, uint64_t *value);
    int (*write_msr)(struct emul_ctx *ctx, uint32_t msr, uint64_t value);
    int (*read_cr)(struct emul_ctx *ctx, unsigned int cr, uint64_t *value); /* 0, 2, 3, 4, 8 */
    int (*write_cr)(struct emul_ctx *ctx, unsigned int cr, uint64_t value);
    int (*read_dr)(struct emul_ctx *ctx, unsigned int dr, uint64_t *value); /* 0..7 */
    int (*write_dr)(struct emul_ctx *ctx, unsigned int dr, uint64_t value);
    int (*write_xcr)(struct emul_ctx *ctx, uint32_t xcr, uint64_t value);
    int (*invlpg)(struct emul_ctx *ctx, uint64_t va);
    int (*wbinvd)(struct emul_ctx *ctx, bool invd);
    int (*hlt)(struct emul_ctx *ctx);

    /* These judge by themselves (IOPL, I/O bitmap, TSD, PCE, CPUID faulting). */
    int (*cpuid)(struct emul_ctx *ctx, uint32_t leaf, uint32_t subleaf, uint32_t out[4]); /* EAX..EDX */
    int (*port_in)(struct emul_ctx *ctx, uint16_t port, unsigned int bytes, uint32_t *value);
    int (*port_out)(struct emul_ctx *ctx, uint16_t port, unsigned int bytes, uint32_t value);
    int (*set_if)(struct emul_ctx *ctx, bool on);                        /* STI, CLI */
    int (*read_tsc)(struct emul_ctx *ctx, uint64_t *tsc, uint32_t *aux); /* aux is NULL for RDTSC */
    int (*read_pmc)(struct emul_ctx *ctx, uint32_t counter, uint64_t *value);
};

struct emul_fault {
    uint8_t vector;
    uint32_t error_code;
    uint64_t cr2; /* for #PF */
};

struct emul_ctx {
    /* In: set by the caller. */
    struct cpu_user_regs *regs;
    const struct emul_ops *ops;
    void *opaque;
    bool mode64;        /* else a 32-bit code segment */
    bool privileged;    /* in kernel mode: what CPL 0 may do is allowed */
    bool forced_prefix; /* the instruction must follow `ud2; .ascii "xen"` */

    /* Out. */
    struct emul_insn insn;   /* after emul_decode() */
    struct emul_fault fault; /* with EMUL_EXCEPTION */
    bool single_step;        /* with EMUL_OKAY: TF was set, #DB with DR6.BS is due */
};

/* Where struct cpu_user_regs has general register n, as instructions number them: 0..15. */
extern const uint8_t emul_reg_offset[16];

static inline uint64_t *emul_reg_address(struct cpu_user_regs *regs, unsigned int n)
{
    return (uint64_t *)(void *)((char *)regs + emul_reg_offset[n]);
}

/*
 * Fetch and decode the instruction at CS:RIP into ctx->insn. No effects.
 * EMUL_UNHANDLEABLE if it is none of those known.
 */
int emul_decode(struct emul_ctx *ctx);

/*
 * Carry out ctx->insn. With EMUL_OKAY the registers are those after it, except that a
 * repeated string instruction may have been done in part: RIP then stays, and the rest
 * follows when the guest runs it again.
 */
int emul_execute(struct emul_ctx *ctx);

/* emul_decode(), then emul_execute(). */
int emul_run(struct emul_ctx *ctx);

/* For callbacks: record an exception; returns EMUL_EXCEPTION. */
int emul_raise(struct emul_ctx *ctx, unsigned int vector, uint32_t error_code);
int emul_raise_page_fault(struct emul_ctx *ctx, uint64_t cr2, uint32_t error_code);

#endif
