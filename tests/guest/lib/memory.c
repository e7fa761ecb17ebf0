/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames and page tables, seen through the initial mapping: the boot region is
 * VIRT_BASE + pfn * 4096, so a table found by its machine frame can be read at
 * the address of its pseudo-physical frame (machine-to-phys table).
 */
#include "lib/guest.h"
#include "lib/hypercall.h"

#define POOL_PAGES 96
static u8 pool[POOL_PAGES][PAGE_SIZE] PAGE_ALIGNED;
static unsigned pool_used;

void *memset(void *dst, int c, size_t n)
{
    void *start = dst;

    __asm__ volatile("rep stosb" : "+D"(dst), "+c"(n) : "a"(c) : "memory");
    return start;
}

void *memcpy(void *dst, const void *src, size_t n)
{
    void *start = dst;

    __asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(n) : : "memory");
    return start;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const u8 *x = a, *y = b;

    for (size_t i = 0; i < n; i++) {
        if (x[i] != y[i])
            return x[i] - y[i];
    }
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (u8)*a - (u8)*b;
}

u64 pfn_to_mfn(u64 pfn)
{
    return ((u64 *)start_info->mfn_list)[pfn];
}

u64 mfn_to_pfn(u64 mfn)
{
    return machine_to_phys_mapping[mfn];
}

void *pfn_to_virt(u64 pfn)
{
    return (void *)(VIRT_BASE + (pfn << PAGE_SHIFT));
}

u64 virt_to_pfn(const void *va)
{
    return ((u64)va - VIRT_BASE) >> PAGE_SHIFT;
}

u64 virt_to_mfn(const void *va)
{
    return pfn_to_mfn(virt_to_pfn(va));
}

u64 initial_end(void)
{
    u64 va = VIRT_BASE;

    while (walk_address(va).present)
        va += PAGE_SIZE;
    return va;
}

struct walk walk_address(u64 va)
{
    struct walk walk = {.levels = 0};
    const u64 *table = (const u64 *)start_info->pt_base;
    u64 mfn = virt_to_mfn(table);

    for (int level = 4; level >= 1; level--) {
        u64 entry = table[(va >> (3 + 9 * level)) & 511];

        walk.table[level] = mfn;
        walk.entry[level] = entry;
        walk.levels++;
        if (!(entry & PTE_P))
            return walk;
        if (level == 1 || (level < 4 && (entry & PTE_PS)))
            break;
        mfn = (entry & PTE_ADDR) >> PAGE_SHIFT;
        table = pfn_to_virt(mfn_to_pfn(mfn));
    }
    walk.present = true;
    return walk;
}

u64 walk_entry_machine(u64 va, int level)
{
    return (walk_address(va).table[level] << PAGE_SHIFT) + ((va >> (3 + 9 * level)) & 511) * 8;
}

void *page_alloc(void)
{
    if (pool_used == POOL_PAGES)
        guest_panic("out of pages\n");
    memset(pool[pool_used], 0, PAGE_SIZE);
    return pool[pool_used++];
}

long page_protect(void *va, bool writable)
{
    u64 pte = virt_to_mfn(va) << PAGE_SHIFT | PTE_P | PTE_U | PTE_A | PTE_D | (writable ? PTE_W : 0);

    return hv_update_va_mapping((u64)va, pte, UVMF_INVLPG | UVMF_LOCAL);
}
