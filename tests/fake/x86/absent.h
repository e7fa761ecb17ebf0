/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code that is not patched: the answer by what `spec` says. */
#ifndef X86_ABSENT_H
#define X86_ABSENT_H

#include "x86/pte.h"
#include "x86/spec.h"

enum presence { PTE_IS_PRESENT, PTE_IS_ABSENT, PTE_IS_SUSPECT };

static inline enum presence pte_presence(pte_t e)
{
    return e & PTE_P ? PTE_IS_PRESENT : spec_on(SPEC_L1TF) ? PTE_IS_SUSPECT : PTE_IS_ABSENT;
}

#endif
