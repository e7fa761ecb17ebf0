/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start-of-day layout. The elements follow each other in pseudo-physical
 * memory, and the first mapping shows them in the same order. The page tables
 * are among what they map, so their number is found by trying: more tables
 * may push the end over a boundary that needs one more; the end only grows.
 *
 * A ramdisk and a frame list that the kernel does not want in the first
 * mapping follow after its padded end.
 */
#include "builder/layout.h"
#include "lib/checked.h"
#include "mem/layout.h"
#include "x86/pte.h"

#define REGION_ALIGN 0x400000ULL /* the mapping ends on 4 MB */
#define REGION_SPARE 0x80000ULL  /* with at least 512 KB behind the last element */
#define PAGES_MAX    (1ULL << 40)

static uint64_t pages_of(uint64_t bytes)
{
    return (bytes >> PAGE_SHIFT) + ((bytes & (PAGE_SIZE - 1)) != 0);
}

/* May a guest's kernel have [start, end)? */
static bool range_allowed(uint64_t start, uint64_t end)
{
    if (start >= end || (start & (PAGE_SIZE - 1)) != 0 || !va_canonical(start) || !va_canonical(end - 1))
        return false;
    return end <= BIT(47) || start >= HV_END;
}

static unsigned int level_shift(unsigned int level)
{
    return PAGE_SHIFT + 9 * level;
}

uint64_t layout_tables(uint64_t start, uint64_t end, unsigned int level)
{
    return ((end - 1) >> level_shift(level)) - (start >> level_shift(level)) + 1;
}

/* Tables of `level` that both ranges need. */
static uint64_t tables_shared(const struct layout *l, uint64_t start, uint64_t end, unsigned int level)
{
    unsigned int shift = level_shift(level);
    uint64_t first = MAX(start >> shift, l->v_start >> shift);
    uint64_t last = MIN((end - 1) >> shift, (l->v_end - 1) >> shift);

    return first <= last ? last - first + 1 : 0;
}

/* Place the tables at l->tables, the stack behind them, and find the end of the mapping. */
static int place_tables(struct layout *l)
{
    uint64_t count = 0, need = 4;

    while (need != count) {
        uint64_t size;

        count = need;
        l->stack = l->tables + count;
        size = ALIGN_UP(((l->stack + 1) << PAGE_SHIFT) + REGION_SPARE, REGION_ALIGN);
        if (!checked_add_u64(l->v_start, size, &l->v_end))
            return -EINVAL;
        l->v_end = ALIGN_UP(l->v_end, REGION_ALIGN);
        if (!range_allowed(l->v_start, l->v_end))
            return -EINVAL;
        need = 1;
        for (unsigned int level = 1; level <= 3; level++)
            need += layout_tables(l->v_start, l->v_end, level);
    }
    l->tables_pages = count;
    l->end = (l->v_end - l->v_start) >> PAGE_SHIFT;
    return 0;
}

/* Behind the mapping: the frame list at an address of its own. */
static int place_p2m(struct layout *l, uint64_t va)
{
    uint64_t end;

    if (!checked_add_u64(va, l->p2m_pages << PAGE_SHIFT, &end) || !range_allowed(va, end) ||
        (va < l->v_end && end > l->v_start))
        return -EINVAL;
    l->p2m = l->end;
    l->p2m_va = va;
    l->p2m_tables = l->p2m + l->p2m_pages;
    for (unsigned int level = 1; level <= 3; level++)
        l->p2m_tables_pages += layout_tables(va, end, level) - tables_shared(l, va, end, level);
    l->end = l->p2m_tables + l->p2m_tables_pages;
    return 0;
}

int layout_compute(const struct layout_input *in, struct layout *out)
{
    struct layout l = {
        .v_start = in->virt_base,
        .ramdisk_pages = pages_of(in->ramdisk_size),
        .p2m_pages = pages_of(in->nr_pages * sizeof(uint64_t)),
    };
    uint64_t next;
    int error;

    if (!range_allowed(in->virt_base, in->kernel_end) || in->nr_pages > PAGES_MAX ||
        l.ramdisk_pages > PAGES_MAX)
        return -EINVAL;
    next = pages_of(in->kernel_end - in->virt_base);
    if (!in->ramdisk_unmapped) {
        l.ramdisk = next;
        next += l.ramdisk_pages;
    }
    if (!in->has_init_p2m) {
        l.p2m = next;
        l.p2m_va = l.v_start + (next << PAGE_SHIFT);
        next += l.p2m_pages;
    }
    l.start_info = next++;
    if (!in->initial_domain) {
        l.store = next++;
        l.console = next++;
    }
    l.tables = next;
    error = place_tables(&l);
    if (error == 0 && in->ramdisk_unmapped) {
        l.ramdisk = l.end;
        l.end += l.ramdisk_pages;
    }
    if (error == 0 && in->has_init_p2m)
        error = place_p2m(&l, in->init_p2m);
    if (error != 0)
        return error;
    *out = l;
    return l.end <= in->nr_pages ? 0 : -ENOMEM;
}
