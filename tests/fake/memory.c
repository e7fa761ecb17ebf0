/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RAM and the tables about it: large empty mappings, which the host fills page by page as they are touched. */
#include "fake.h"

#include "mem/fill.h"
#include "mem/frame_init.h"
#include "mem/hvmap_init.h"
#include "mem/layout.h"
#include "mem/page_alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define FAKE_RAM_MAX (1ULL << 40)

uintptr_t fake_direct, fake_frames, fake_m2p;

static uintptr_t reserve(uint64_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        perror("fake memory");
        abort();
    }
    return (uintptr_t)p;
}

void fake_memory_init(const struct mem_range *ram, size_t n)
{
    uint64_t frames = FAKE_RAM_MAX >> PAGE_SHIFT;

    fake_direct = reserve(FAKE_RAM_MAX);
    fake_frames = reserve(frames * sizeof(struct frame));
    fake_m2p = reserve(frames * sizeof(pfn_t));
    frame_init(ram, n);
    for (size_t i = 0; i < n; i++)
        page_alloc_release_range(MAX(ram[i].start, 1ULL << 20), ram[i].end);
}

paddr_t ptr_to_paddr(const void *p)
{
    return paddr((uintptr_t)p - fake_direct);
}

/* The frame table is there already, and clear. */
void hvmap_back_table(uint64_t start, uint64_t end, uint64_t flags, uint64_t fill, uint64_t alias_offset)
{
    if (fill != 0)
        fill_words((void *)start, fill, ALIGN_UP(end - start, 64ULL));
}
