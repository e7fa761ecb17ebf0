/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FPU state of a vCPU, switched whole at every change of vCPU: nothing of one
 * server is ever left in registers for another (and CR0.TS stays the guest's).
 * Intel SDM vol. 1, chapter 13.
 */
#include "x86/fpu.h"

#include "x86/cpu.h"

size_t fpu_area_size(void)
{
    return ALIGN_UP((size_t)cpu_features.xsave_size, (size_t)64);
}

void fpu_area_init(void *area)
{
    uint8_t *p = area;

    for (size_t i = 0; i < fpu_area_size(); i++)
        p[i] = 0;
    *(uint16_t *)(void *)p = 0x037f;         /* FCW */
    *(uint32_t *)(void *)(p + 24) = 0x1f80;  /* MXCSR */
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
