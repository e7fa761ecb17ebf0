/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FPU state of a vCPU, switched whole at every change of vCPU: nothing of one
 * server is ever left in registers for another (and CR0.TS stays the guest's).
 * Intel SDM vol. 1, chapter 13.
 */
#include "x86/fpu.h"

#include "lib/string.h"
#include "x86/cpu.h"

/* Offsets in a save area: Intel SDM vol. 1, 10.5.1 and 13.4. */
#define MXCSR       24
#define MXCSR_MASK  28
#define LEGACY_USED 464 /* the rest of the 512 bytes is reserved or software's */
#define XSTATE_BV   512

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
