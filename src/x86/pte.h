/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page-table entries of 4-level paging (Intel SDM vol. 3A, 4.5). */
#ifndef X86_PTE_H
#define X86_PTE_H

#include "lib/addr.h"

#define PTE_P        BIT(0)
#define PTE_RW       BIT(1)
#define PTE_US       BIT(2)
#define PTE_PWT      BIT(3)
#define PTE_PCD      BIT(4)
#define PTE_A        BIT(5)
#define PTE_D        BIT(6)
#define PTE_PS       BIT(7)  /* level 2 and 3: a superpage */
#define PTE_PAT      BIT(7)  /* level 1 */
#define PTE_G        BIT(8)
#define PTE_AVAIL    (BIT(9) | BIT(10) | BIT(11))
#define PTE_NX       BIT(63)
#define PTE_ADDR     0x000ffffffffff000ULL /* bits 51:12 */

#define PTES_PER_TABLE 512
#define PT_INDEX(va, level) (((uint64_t)(va) >> (PAGE_SHIFT + 9 * ((level) - 1))) & 511)

typedef uint64_t pte_t;

static inline pte_t pte_make(mfn_t m, uint64_t flags) { return (m.v << PAGE_SHIFT) | flags; }
static inline mfn_t pte_mfn(pte_t e) { return mfn((e & PTE_ADDR) >> PAGE_SHIFT); }
static inline uint64_t pte_flags(pte_t e) { return e & ~PTE_ADDR; }

static inline bool va_canonical(uint64_t va) { return (uint64_t)((int64_t)(va << 16) >> 16) == va; }

#endif
