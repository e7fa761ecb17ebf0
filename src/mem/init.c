/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order in which memory comes to life. Each step needs the one before it:
 * page tables come from the first 4 GiB, which the early tables map; the frame
 * table from anywhere in RAM, once all of it is mapped; the free lists live in
 * the frame table.
 */
#include "mem/init.h"

#include "mem/early.h"
#include "mem/frame_init.h"
#include "mem/hvmap_init.h"
#include "x86/upcalls.h"

#define RAM_RANGES_MAX 256
#define EARLY_MAPPED   (4ULL << 30)

/*
 * Page tables of this much of the vCPU areas (512 of them) are made now, 32
 * pages; what is needed beyond stays with the hypervisor for good.
 */
#define VCPU_AREAS_READY (512ULL * VCPU_AREA_SIZE)

void mem_init(const struct mem_range *ram, size_t n, const struct mem_range *reserved, size_t m)
{
    static struct mem_range usable[RAM_RANGES_MAX];
    size_t count = 0;

    /* Whole pages, as far as the direct map reaches. */
    for (size_t i = 0; i < n && count < RAM_RANGES_MAX; i++) {
        uint64_t start = ALIGN_UP(ram[i].start, (uint64_t)PAGE_SIZE);
        uint64_t end = ALIGN_DOWN(MIN(ram[i].end, DIRECT_SIZE), (uint64_t)PAGE_SIZE);

        if (start < end)
            usable[count++] = (struct mem_range){start, end};
    }
    early_init(usable, count, reserved, m, EARLY_MAPPED);
    hvmap_init(usable, count);
    early_set_limit(DIRECT_SIZE);
    frame_init(usable, count);
    hvmap_make_tables(VCPU_AREA_START, VCPU_AREA_START + VCPU_AREAS_READY);
    early_finish();
    if (page_alloc_total_frames() == 0)
        upcall_panic(NULL, "not enough memory: the hypervisor's tables took all of it");
}
