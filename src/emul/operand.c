/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operands: general registers by number, linear addresses, memory through the callbacks. */
#include "emul/internal.h"

int emul_raise(struct emul_ctx *ctx, unsigned int vector, uint32_t error_code)
{
    ctx->fault = (struct emul_fault){.vector = (uint8_t)vector, .error_code = error_code};
    return EMUL_EXCEPTION;
}

int emul_raise_page_fault(struct emul_ctx *ctx, uint64_t cr2, uint32_t error_code)
{
    ctx->fault = (struct emul_fault){.vector = EMUL_VEC_PF, .error_code = error_code, .cr2 = cr2};
    return EMUL_EXCEPTION;
}

const uint8_t emul_reg_offset[16] = {
    offsetof(struct cpu_user_regs, rax), offsetof(struct cpu_user_regs, rcx),
    offsetof(struct cpu_user_regs, rdx), offsetof(struct cpu_user_regs, rbx),
    offsetof(struct cpu_user_regs, rsp), offsetof(struct cpu_user_regs, rbp),
    offsetof(struct cpu_user_regs, rsi), offsetof(struct cpu_user_regs, rdi),
    offsetof(struct cpu_user_regs, r8),  offsetof(struct cpu_user_regs, r9),
    offsetof(struct cpu_user_regs, r10), offsetof(struct cpu_user_regs, r11),
    offsetof(struct cpu_user_regs, r12), offsetof(struct cpu_user_regs, r13),
    offsetof(struct cpu_user_regs, r14), offsetof(struct cpu_user_regs, r15),
};

uint64_t emul_reg_full(const struct cpu_user_regs *regs, unsigned int n)
{
    return *(const uint64_t *)(const void *)((const char *)regs + emul_reg_offset[n]);
}

static bool is_high_byte(const struct emul_ctx *ctx, unsigned int n, unsigned int bytes)
{
    return bytes == 1 && !ctx->insn.rex && n >= 4 && n <= 7;
}

static uint64_t size_mask(unsigned int bytes)
{
    return ~0ULL >> (64 - 8 * bytes);
}

uint64_t emul_reg_read(const struct emul_ctx *ctx, unsigned int n, unsigned int bytes)
{
    if (is_high_byte(ctx, n, bytes))
        return (emul_reg_full(ctx->regs, n - 4) >> 8) & 0xff;
    return emul_reg_full(ctx->regs, n) & size_mask(bytes);
}

void emul_reg_write(struct emul_ctx *ctx, unsigned int n, unsigned int bytes, uint64_t value)
{
    bool high = is_high_byte(ctx, n, bytes);
    uint64_t *reg = emul_reg_address(ctx->regs, high ? n - 4 : n);
    uint64_t mask = high ? 0xff00 : size_mask(bytes);

    if (high)
        value <<= 8;
    if (bytes == 4)
        *reg = value & mask;
    else
        *reg = (*reg & ~mask) | (value & mask);
}

static bool is_canonical(uint64_t va)
{
    return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}

int emul_linear(struct emul_ctx *ctx, unsigned int seg, uint64_t offset, unsigned int bytes, uint64_t *va)
{
    unsigned int vector = seg == EMUL_SS ? EMUL_VEC_SS : EMUL_VEC_GP;
    struct emul_segment segment = {.base = 0};

    if (!ctx->mode64 || seg >= EMUL_FS) {
        int rc;

        if (!ctx->ops->segment)
            return EMUL_UNHANDLEABLE;
        rc = ctx->ops->segment(ctx, (enum emul_seg)seg, &segment);
        if (rc != EMUL_OKAY)
            return rc;
    }
    *va = segment.base + offset;
    if (!ctx->mode64) {
        *va = (uint32_t)*va;
        if (offset + bytes - 1 > segment.limit)
            return emul_raise(ctx, vector, 0);
    } else if (!is_canonical(*va) || !is_canonical(*va + bytes - 1))
        return emul_raise(ctx, vector, 0);
    return EMUL_OKAY;
}

int emul_read(struct emul_ctx *ctx, uint64_t va, uint64_t *value, unsigned int bytes)
{
    *value = 0;
    return ctx->ops->read ? ctx->ops->read(ctx, va, value, bytes) : EMUL_UNHANDLEABLE;
}

int emul_write(struct emul_ctx *ctx, uint64_t va, uint64_t value, unsigned int bytes)
{
    return ctx->ops->write ? ctx->ops->write(ctx, va, &value, bytes) : EMUL_UNHANDLEABLE;
}
