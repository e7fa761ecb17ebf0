/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debian's static libraries use SSE registers and read a stack-protector word
 * at FS:0x28. While they run, FS points at a block of ours. SSE is always on.
 */
#include "x86/bootfp.h"

#include "x86/insn.h"
#include "x86/msr.h"

static uint64_t fs_block[16] ALIGNED(64);

void bootfp_begin(void)
{
    wrmsr(MSR_FS_BASE, (uint64_t)fs_block);
}

void bootfp_end(void)
{
    wrmsr(MSR_FS_BASE, 0);
}
