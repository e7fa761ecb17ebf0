/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first question about an entry of a page table, and the second one on processors with L1TF, without an
 * instruction more on others: there the jump that answers the first one leads elsewhere (x86/patch.h).
 */
#ifndef X86_ABSENT_H
#define X86_ABSENT_H

#include "x86/patch.h"
#include "x86/pte.h"
#include "x86/spec.h"

enum presence { PTE_IS_PRESENT, PTE_IS_ABSENT, PTE_IS_SUSPECT /* absent, and what it names matters */ };

static ALWAYS_INLINE enum presence pte_presence(pte_t e)
{
    __asm__ goto("testb $1, %b0\n"
                 "1: .byte 0x0f, 0x84; .long %l3 - . - 4\n\t" /* JZ */
                 ".pushsection .patches, \"a\"\n\t"
                 ".balign 4; .long 1b - ., %l4 - ., %c1, %c2\n\t"
                 ".popsection" ::"q"(e), "i"(SPEC_L1TF), "i"(PATCH_JZ) : "cc" : absent, suspect);
    if (!(e & PTE_P))
        __builtin_unreachable(); /* so that it is not asked again */
    return PTE_IS_PRESENT;
absent:
    return PTE_IS_ABSENT;
suspect:
    return PTE_IS_SUSPECT;
}

#endif
