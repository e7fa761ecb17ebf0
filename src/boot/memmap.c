/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory map made orderly. Firmware gives regions in any order, with
 * overlaps and odd bounds. All bounds are sorted, and each stretch between two
 * of them takes the worst type that covers it: what only one entry calls RAM is
 * not touched if another does not.
 */
#include "boot/memmap.h"

static uint64_t bound[2 * BOOT_REGIONS_MAX];
static struct boot_region given[BOOT_REGIONS_MAX];

/* How bad a type is; 0 is no memory at all. */
static unsigned int rank(enum region_type type)
{
    switch (type) {
    case REGION_RAM:      return 1;
    case REGION_ACPI:     return 2;
    case REGION_NVS:      return 3;
    case REGION_UNUSABLE: return 5;
    case REGION_RESERVED:
    default:              return 4;
    }
}

/* Whole pages; RAM may vanish. */
static struct boot_region whole_pages(struct boot_region r)
{
    if (r.end > (1ULL << 52))
        r.end = 1ULL << 52;         /* no processor has more address bits */
    if (r.start >= r.end)
        return (struct boot_region){0, 0, r.type};
    if (r.type == REGION_RAM) {
        r.start = ALIGN_UP(r.start, (uint64_t)PAGE_SIZE);
        r.end = ALIGN_DOWN(r.end, (uint64_t)PAGE_SIZE);
    } else {
        r.start = ALIGN_DOWN(r.start, (uint64_t)PAGE_SIZE);
        r.end = ALIGN_UP(r.end, (uint64_t)PAGE_SIZE);
    }
    return r;
}

static void sort_bounds(size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint64_t b = bound[i];
        size_t k = i;

        for (; k > 0 && bound[k - 1] > b; k--)
            bound[k] = bound[k - 1];
        bound[k] = b;
    }
}

size_t memmap_normalise(struct boot_region region[BOOT_REGIONS_MAX], size_t n)
{
    size_t count = 0, out = 0;

    for (size_t i = 0; i < n; i++) {
        struct boot_region r = whole_pages(region[i]);

        if (r.start >= r.end)
            continue;
        bound[2 * count] = r.start;
        bound[2 * count + 1] = r.end;
        given[count++] = r;
    }
    sort_bounds(2 * count);

    for (size_t i = 0; i + 1 < 2 * count; i++) {
        uint64_t start = bound[i], end = bound[i + 1];
        const struct boot_region *worst = NULL;

        for (size_t k = 0; k < count && start < end; k++)
            if (given[k].start <= start && end <= given[k].end &&
                (!worst || rank(given[k].type) > rank(worst->type)))
                worst = &given[k];
        if (!worst)
            continue;
        if (out > 0 && region[out - 1].end == start && region[out - 1].type == worst->type)
            region[out - 1].end = end;
        else if (out < BOOT_REGIONS_MAX)
            region[out++] = (struct boot_region){start, end, worst->type};
    }
    return out;
}

size_t memmap_ram(const struct boot_region *region, size_t n, uint64_t limit, struct mem_range *ram,
                  size_t max)
{
    size_t out = 0;

    for (size_t i = 0; i < n && out < max; i++)
        if (region[i].type == REGION_RAM && region[i].start < limit)
            ram[out++] = (struct mem_range){region[i].start, MIN(region[i].end, limit)};
    return out;
}

size_t memmap_join(struct mem_range *range, size_t n)
{
    size_t out = 0;

    for (size_t i = 1; i < n; i++) {
        struct mem_range r = range[i];
        size_t k = i;

        for (; k > 0 && range[k - 1].start > r.start; k--)
            range[k] = range[k - 1];
        range[k] = r;
    }
    for (size_t i = 0; i < n; i++) {
        struct mem_range r = {ALIGN_DOWN(range[i].start, (uint64_t)PAGE_SIZE),
                              ALIGN_UP(range[i].end, (uint64_t)PAGE_SIZE)};

        if (r.start >= r.end)
            continue;
        if (out > 0 && r.start <= range[out - 1].end)
            range[out - 1].end = MAX(range[out - 1].end, r.end);
        else
            range[out++] = r;
    }
    return out;
}

uint64_t memmap_bytes(const struct mem_range *range, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += range[i].end - range[i].start;
    return sum;
}

bool memmap_is_ram(const struct boot_region *region, size_t n, uint64_t start, uint64_t end)
{
    for (size_t i = 0; i < n; i++)
        if (region[i].type == REGION_RAM && region[i].start <= start && end <= region[i].end)
            return true;
    return false;
}

uint64_t memmap_low_page(const struct boot_region *region, size_t n, const struct mem_range *taken, size_t m,
                         uint64_t limit)
{
    for (uint64_t page = limit - PAGE_SIZE; page > 0; page -= PAGE_SIZE) {
        bool is_free = memmap_is_ram(region, n, page, page + PAGE_SIZE);

        for (size_t i = 0; i < m && is_free; i++)
            is_free = page + PAGE_SIZE <= taken[i].start || taken[i].end <= page;
        if (is_free)
            return page;
    }
    return 0;
}
