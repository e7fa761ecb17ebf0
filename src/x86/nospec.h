/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Indices that a guest chooses. The processor may run ahead of the check of an
 * index, read beyond the table with it, and leave in its caches which line the
 * value that was found there led to (Spectre v1).
 */
#ifndef X86_NOSPEC_H
#define X86_NOSPEC_H

/* `i`, which has been found below `n`; 0, without a branch, where the processor only believes that it is. */
static inline uint64_t index_nospec(uint64_t i, uint64_t n)
{
    uint64_t mask;

    __asm__("cmp %2, %1; sbb %0, %0" : "=r"(mask) : "r"(i), "erm"(n) : "cc");
    return i & mask;
}

#endif
