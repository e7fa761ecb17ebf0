/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of free ranges, sorted by address. Pieces are cut from the top of the
 * highest range that has one, so that low memory, which devices may need, is
 * left. A cut in the middle of a range makes two of it.
 */
#include "mem/early.h"

#include "x86/upcalls.h"

#define RANGES_MAX 512

bool early_active;

static struct mem_range range[RANGES_MAX];
static size_t nr_ranges;
static uint64_t take_limit;

/* What does not fit into the list is lost: a few pages of a machine with 512 holes. */
static void insert_range(size_t at, uint64_t start, uint64_t end)
{
    if (start >= end || nr_ranges == RANGES_MAX)
        return;
    for (size_t i = nr_ranges; i > at; i--)
        range[i] = range[i - 1];
    range[at] = (struct mem_range){start, end};
    nr_ranges++;
}

void early_init(const struct mem_range *ram, size_t n, const struct mem_range *reserved, size_t m,
                uint64_t limit)
{
    nr_ranges = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t start = ram[i].start;

        for (size_t j = 0; j < m; j++) {
            if (reserved[j].end <= start || reserved[j].start >= ram[i].end)
                continue;
            insert_range(nr_ranges, start, reserved[j].start);
            start = reserved[j].end;
        }
        insert_range(nr_ranges, start, ram[i].end);
    }
    take_limit = limit;
    early_active = true;
}

void early_set_limit(uint64_t limit)
{
    take_limit = limit;
}

paddr_t early_take(uint64_t size)
{
    for (size_t i = nr_ranges; i-- > 0;) {
        uint64_t start = range[i].start, end = range[i].end, at;

        if (MIN(end, take_limit) < size)
            continue;
        at = ALIGN_DOWN(MIN(end, take_limit) - size, size);
        if (at < start || at == 0)
            continue;
        range[i].end = at;
        insert_range(i + 1, at + size, end);
        return paddr(at);
    }
    upcall_panic(NULL, "not enough memory: no free block of %lu KB for the hypervisor's tables",
                 (unsigned long)(size >> 10));
}

void early_finish(void)
{
    early_active = false;
    for (size_t i = 0; i < nr_ranges; i++)
        page_alloc_release_range(range[i].start, range[i].end);
}
