/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory map made orderly: known cases, and random maps held against a plain count of pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "boot/memmap.h"

#define PAGES 64

static struct boot_region map[BOOT_REGIONS_MAX];

static void expect_region(size_t i, uint64_t start, uint64_t end, enum region_type type)
{
    assert_int_equal(map[i].start, start);
    assert_int_equal(map[i].end, end);
    assert_int_equal(map[i].type, type);
}

static void test_sorted_and_joined(void **state)
{
    map[0] = (struct boot_region){0x8000, 0xa000, REGION_RAM};
    map[1] = (struct boot_region){0x1000, 0x4000, REGION_RAM};
    map[2] = (struct boot_region){0x4000, 0x8000, REGION_RAM};
    map[3] = (struct boot_region){0x10000, 0x11000, REGION_ACPI};
    assert_int_equal(memmap_normalise(map, 4), 2);
    expect_region(0, 0x1000, 0xa000, REGION_RAM);
    expect_region(1, 0x10000, 0x11000, REGION_ACPI);
}

static void test_worse_type_wins(void **state)
{
    map[0] = (struct boot_region){0, 0x10000, REGION_RAM};
    map[1] = (struct boot_region){0x4000, 0x6000, REGION_RESERVED};
    map[2] = (struct boot_region){0x5000, 0x7000, REGION_ACPI};
    map[3] = (struct boot_region){0x5000, 0x6000, REGION_UNUSABLE};
    assert_int_equal(memmap_normalise(map, 4), 5);
    expect_region(0, 0, 0x4000, REGION_RAM);
    expect_region(1, 0x4000, 0x5000, REGION_RESERVED);
    expect_region(2, 0x5000, 0x6000, REGION_UNUSABLE);
    expect_region(3, 0x6000, 0x7000, REGION_ACPI);
    expect_region(4, 0x7000, 0x10000, REGION_RAM);
}

static void test_whole_pages(void **state)
{
    map[0] = (struct boot_region){0x100, 0x9fc00, REGION_RAM};
    map[1] = (struct boot_region){0x9fc00, 0xa0000, REGION_RESERVED};
    map[2] = (struct boot_region){0x200100, 0x200f00, REGION_RAM};
    map[3] = (struct boot_region){0x300000, 0x300000, REGION_RAM};
    map[4] = (struct boot_region){0x500000, 0x400000, REGION_RAM};
    map[5] = (struct boot_region){1ULL << 60, UINT64_MAX, REGION_RAM};
    assert_int_equal(memmap_normalise(map, 6), 2);
    expect_region(0, 0x1000, 0x9f000, REGION_RAM);
    expect_region(1, 0x9f000, 0xa0000, REGION_RESERVED);
}

static unsigned int badness(enum region_type type)
{
    static const unsigned int order[] = {[REGION_RAM] = 1, [REGION_ACPI] = 2, [REGION_NVS] = 3,
                                         [REGION_RESERVED] = 4, [REGION_UNUSABLE] = 5};

    return order[type];
}

/* Each page of the result has the worst type that any given region gives it. */
static void test_random_maps(void **state)
{
    srandom(1);
    for (unsigned int round = 0; round < 20000; round++) {
        unsigned int worst[PAGES] = {0};
        size_t n = (size_t)random() % 12;

        for (size_t i = 0; i < n; i++) {
            uint64_t a = (uint64_t)random() % PAGES, b = (uint64_t)random() % PAGES;
            enum region_type type = (enum region_type)(1 + random() % 5);

            map[i] = (struct boot_region){a * PAGE_SIZE, b * PAGE_SIZE, type};
            for (uint64_t p = a; p < b; p++)
                worst[p] = MAX(worst[p], badness(type));
        }
        n = memmap_normalise(map, n);
        for (size_t i = 0; i < n; i++) {
            assert_true(map[i].start < map[i].end);
            assert_true(i == 0 || map[i - 1].end <= map[i].start);
            assert_true(i == 0 || map[i - 1].end < map[i].start || map[i - 1].type != map[i].type);
            for (uint64_t p = map[i].start / PAGE_SIZE; p < map[i].end / PAGE_SIZE; p++) {
                assert_int_equal(worst[p], badness(map[i].type));
                worst[p] = 0;
            }
        }
        for (size_t p = 0; p < PAGES; p++)
            assert_int_equal(worst[p], 0);
    }
}

static void test_full(void **state)
{
    /* Every second page reserved inside RAM: more stretches than fit; none is beyond the array or wrong. */
    map[0] = (struct boot_region){0, 1000 * PAGE_SIZE, REGION_RAM};
    for (size_t i = 1; i < BOOT_REGIONS_MAX; i++)
        map[i] = (struct boot_region){(2 * i) * PAGE_SIZE, (2 * i + 1) * PAGE_SIZE, REGION_RESERVED};
    assert_int_equal(memmap_normalise(map, BOOT_REGIONS_MAX), BOOT_REGIONS_MAX);
    expect_region(BOOT_REGIONS_MAX - 2, 255 * PAGE_SIZE, 256 * PAGE_SIZE, REGION_RAM);
}

static void test_ranges(void **state)
{
    struct mem_range r[4] = {{0x5000, 0x6001}, {0x1000, 0x2000}, {0x2000, 0x2800}, {0x9000, 0x9000}};
    struct mem_range taken = {0x8000, 0x9001}, ram[2];

    assert_int_equal(memmap_join(r, 4), 2);
    assert_int_equal(r[0].start, 0x1000);
    assert_int_equal(r[0].end, 0x3000);
    assert_int_equal(r[1].end, 0x7000);
    assert_int_equal(memmap_bytes(r, 2), 0x4000);

    map[0] = (struct boot_region){0, 0xa000, REGION_RAM};
    map[1] = (struct boot_region){0xa000, 0xb000, REGION_RESERVED};
    map[2] = (struct boot_region){0x100000, 0x200000, REGION_RAM};
    assert_int_equal(memmap_low_page(map, 3, NULL, 0, 0xa0000), 0x9000);
    assert_int_equal(memmap_low_page(map, 3, &taken, 1, 0xa0000), 0x7000);
    assert_int_equal(memmap_low_page(map, 1, NULL, 0, 0x1000), 0);
    assert_true(memmap_is_ram(map, 3, 0x100000, 0x200000));
    assert_false(memmap_is_ram(map, 3, 0x9000, 0xb000));
    assert_int_equal(memmap_ram(map, 3, 0x180000, ram, 2), 2);
    assert_int_equal(ram[1].end, 0x180000);
    assert_int_equal(memmap_ram(map, 3, UINT64_MAX, ram, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorted_and_joined), cmocka_unit_test(test_worse_type_wins),
        cmocka_unit_test(test_whole_pages),       cmocka_unit_test(test_random_maps),
        cmocka_unit_test(test_full),              cmocka_unit_test(test_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
