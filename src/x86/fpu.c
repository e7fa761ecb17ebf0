/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FPU state of a vCPU, switched whole at every change of vCPU: nothing of one
 * server is ever left in registers for another (and CR0.TS stays the guest's).
 * Intel SDM vol. 1, chapter 13.
 */
#include "x86/fpu.h"

#include "abi/errno.h"
#include "lib/string.h"
#include "x86/cpu.h"
#include "x86/insn.h"

/* Offsets in a save area: Intel SDM vol. 1, 10.5.1 and 13.4. */
#define MXCSR       24
#define MXCSR_MASK  28
#define LEGACY_USED 464 /* the rest of the 512 bytes is reserved or software's */
#define XSTATE_BV   512
#define HEADER_END  576 /* the header's other words are 0 in the standard format */

size_t fpu_area_size(void)
{
    return ALIGN_UP((size_t)cpu_features.xsave_size, (size_t)64);
}

void fpu_area_init(void *area)
{
    uint8_t *p = area;

    memset(p, 0, fpu_area_size());
    *(uint16_t *)(void *)p = 0x037f;         /* FCW */
    *(uint32_t *)(void *)(p + MXCSR) = 0x1f80;
}

void fpu_area_set_legacy(void *area, const void *fxsave)
{
    static uint8_t probe[512] ALIGNED(16);
    uint8_t *p = area;
    uint32_t mask;

    __asm__ volatile("fxsave64 (%0)" ::"r"(probe) : "memory");
    mask = *(const uint32_t *)(const void *)(probe + MXCSR_MASK);
    memcpy(p, fxsave, LEGACY_USED);
    *(uint32_t *)(void *)(p + MXCSR) &= mask ? mask : 0xffbf;
    if (cpu_features.xsave)
        *(uint64_t *)(void *)(p + XSTATE_BV) |= 3;
}

size_t fpu_area_size_of(uint64_t xcr0)
{
    size_t size = HEADER_END;
    uint32_t r[4];

    for (uint32_t i = 2; i < 63; i++) {
        if (!(xcr0 & BIT(i)))
            continue;
        cpuid_count(13, i, r);
        size = MAX(size, (size_t)r[0] + r[1]);
    }
    return size;
}

/* x87 always; AVX only with SSE; AVX-512's three together, and only with AVX. */
bool fpu_xcr0_ok(uint64_t xcr0)
{
    return !(xcr0 & ~cpu_features.xcr0) && (xcr0 & 1) && (!(xcr0 & 4) || (xcr0 & 2)) &&
           (!(xcr0 & 0xe0) || ((xcr0 & 0xe0) == 0xe0 && (xcr0 & 4)));
}

static uint64_t *xstate_bv(void *area)
{
    return (uint64_t *)(void *)((uint8_t *)area + XSTATE_BV);
}

void fpu_area_get(void *out, const void *area, uint64_t mask)
{
    memcpy(out, area, fpu_area_size());
    *xstate_bv(out) &= mask;
}

int fpu_area_set(void *area, const void *in, size_t size, uint64_t mask)
{
    const uint8_t *p = in;
    uint64_t bv;

    if (size < HEADER_END || size > fpu_area_size())
        return -EINVAL;
    memcpy(&bv, p + XSTATE_BV, sizeof(bv));
    for (size_t i = XSTATE_BV + sizeof(bv); i < HEADER_END; i++)
        if (p[i] != 0)
            return -EINVAL;
    if ((bv & ~mask) || (bv & ~cpu_features.xcr0) || fpu_area_size_of(bv) > size)
        return -EINVAL;
    memset(area, 0, fpu_area_size());
    memcpy(area, in, size);
    fpu_area_set_legacy(area, in);
    *xstate_bv(area) = bv;
    return 0;
}

void fpu_save(void *area)
{
    if (cpu_features.xsaveopt)
        __asm__ volatile("xsaveopt64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
    else if (cpu_features.xsave)
        __asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

void fpu_restore(const void *area)
{
    if (cpu_features.xsave)
        __asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}
