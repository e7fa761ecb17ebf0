/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of this folder alone. */
#ifndef EMUL_INTERNAL_H
#define EMUL_INTERNAL_H

#include "emul/emul.h"

#define EMUL_VEC_UD 6
#define EMUL_VEC_SS 12
#define EMUL_VEC_GP 13
#define EMUL_VEC_PF 14

/* operand.c: general registers by number, as the encoding counts them. */
uint64_t emul_reg_full(const struct cpu_user_regs *regs, unsigned int n);
/* With a size of 1 and no REX prefix, numbers 4..7 are AH, CH, DH, BH. Values are zero-extended. */
uint64_t emul_reg_read(const struct emul_ctx *ctx, unsigned int n, unsigned int bytes);
/* A write of 4 bytes clears the upper half, one of 1 or 2 leaves the rest. */
void emul_reg_write(struct emul_ctx *ctx, unsigned int n, unsigned int bytes, uint64_t value);

/* alu.c: dst OP src of `bytes` bytes; RFLAGS' six arithmetic flags are updated in *flags. */
uint64_t emul_alu(enum emul_kind kind, uint64_t dst, uint64_t src, unsigned int bytes, uint64_t *flags);
/* Likewise for a shift or rotation by `count`; SHLD and SHRD fill from `fill`. OF and AF as for one step. */
uint64_t emul_shift(enum emul_kind kind, uint64_t dst, uint64_t fill, unsigned int count, unsigned int bytes,
                    uint64_t *flags);
/* Condition 0..15 of SETcc, as the encoding counts them. */
bool emul_condition(unsigned int cc, uint64_t flags);

/* operand.c: the linear address of seg:offset, checked; then the callbacks. */
int emul_linear(struct emul_ctx *ctx, unsigned int seg, uint64_t offset, unsigned int bytes, uint64_t *va);
int emul_read(struct emul_ctx *ctx, uint64_t va, uint64_t *value, unsigned int bytes);
int emul_write(struct emul_ctx *ctx, uint64_t va, uint64_t value, unsigned int bytes);

/* execute.c: RIP past the instruction, and what follows from TF. */
void emul_retire(struct emul_ctx *ctx);

/* string.c, system.c: the kinds that they carry out. They retire the instruction themselves. */
int emul_execute_string(struct emul_ctx *ctx);
int emul_execute_system(struct emul_ctx *ctx);

#endif
