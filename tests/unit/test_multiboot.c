/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What loaders hand over, in both formats, as it should be and damaged at random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "boot/multiboot.h"
#include "core/log.h"
#include "mem/layout.h"

/* The machine's memory below 4 GiB is this much, from address BASE; text may be followed beyond it, where zeroes are. */
#define BASE 0x10000u
#define SIZE 0x4000u
#define SLACK 8192

static uint8_t *memory;
static struct boot_info info;

const void *boot_memory(uint64_t at, uint64_t size)
{
    return at >= BASE && at - BASE <= SIZE && size <= SIZE - (at - BASE) ? memory + (at - BASE) : NULL;
}

paddr_t ptr_to_paddr(const void *p)
{
    return paddr((uint64_t)(uintptr_t)p);
}

void log_at(enum log_level level, const char *fmt, ...)
{
}

static void put32(uint32_t at, uint32_t v) { memcpy(memory + (at - BASE), &v, 4); }
static void put64(uint32_t at, uint64_t v) { memcpy(memory + (at - BASE), &v, 8); }
static void put_text(uint32_t at, const char *s) { memcpy(memory + (at - BASE), s, strlen(s) + 1); }

static int setup(void **state)
{
    memory = calloc(1, SIZE + SLACK);
    return memory ? 0 : -1;
}

static int teardown(void **state)
{
    free(memory);
    return 0;
}

enum { INFO = BASE, MAP = BASE + 0x200, MODS = BASE + 0x400, TEXT = BASE + 0x800 };

static uint32_t put_map1(uint32_t at, uint64_t start, uint64_t length, uint32_t type)
{
    put32(at, 20);
    put64(at + 4, start);
    put64(at + 12, length);
    put32(at + 20, type);
    return at + 24;
}

/* A good multiboot 1 structure with two modules. */
static void build1(void)
{
    uint32_t end = put_map1(MAP, 0, 0x9fc00, 1);

    end = put_map1(end, 0x100000, 0x7f00000, 1);
    end = put_map1(end, 0xfffc0000, 0x40000, 2);
    put32(INFO, 0x24d);
    put32(INFO + 16, TEXT);
    put32(INFO + 20, 2);
    put32(INFO + 24, MODS);
    put32(INFO + 44, end - MAP);
    put32(INFO + 48, MAP);
    put32(INFO + 64, TEXT + 100);
    put32(MODS, 0x400000);
    put32(MODS + 4, 0x480001);
    put32(MODS + 8, TEXT + 200);
    put32(MODS + 16, 0x500000);
    put32(MODS + 20, 0x500100);
    put32(MODS + 24, 0);
    put_text(TEXT, "hospes console=com1");
    put_text(TEXT + 100, "qemu");
    put_text(TEXT + 200, "vmlinuz domain=web memory=128M");
}

static uint32_t put_tag(uint32_t at, uint32_t type, const void *body, uint32_t size)
{
    put32(at, type);
    put32(at + 4, size + 8);
    memcpy(memory + (at - BASE) + 8, body, size);
    return at + ((size + 8 + 7) & ~7u);
}

/* The same by multiboot 2. */
static uint32_t build2(bool with_map, bool with_efi)
{
    static const char module[] = "\0\0\x40\0\1\0\x48\0domain=web memory=128M";
    uint8_t map[8 + 3 * 24] = {24}, efi[8 + 40] = {40}, rsdp[36] = "RSD PTR ";
    uint32_t at = INFO + 8;
    const uint64_t entries[3][3] = {{0, 0x9fc00, 1}, {0x100000, 0x7f00000, 1}, {0xfffc0000, 0x40000, 2}};

    memcpy(map + 8, entries, sizeof(entries));
    efi[8] = 7;
    memcpy(efi + 16, &(uint64_t){0x200000}, 8);
    memcpy(efi + 32, &(uint64_t){0x1000}, 8);
    at = put_tag(at, 1, "console=com1", 13);
    at = put_tag(at, 2, "GRUB", 5);
    at = put_tag(at, 3, module, sizeof(module));
    if (with_map)
        at = put_tag(at, 6, map, sizeof(map));
    if (with_efi)
        at = put_tag(at, 17, efi, sizeof(efi));
    at = put_tag(at, 15, rsdp, sizeof(rsdp));
    at = put_tag(at, 14, "RSD PTR old old old old", 20);
    at = put_tag(at, 0, "", 0);
    put32(INFO, at - INFO);
    return at;
}

static void test_multiboot1(void **state)
{
    build1();
    assert_true(multiboot_read(MULTIBOOT1_LOADER_MAGIC, INFO, &info));
    assert_string_equal(info.cmdline, "console=com1"); /* QEMU's file name is not a part of it */
    assert_string_equal(info.loader, "qemu");
    assert_int_equal(info.nr_regions, 3);
    assert_int_equal(info.region[1].end, 0x8000000);
    assert_int_equal(info.nr_modules, 2);
    assert_int_equal(info.module[0].size, 0x80001);
    assert_string_equal(info.module[0].args, "vmlinuz domain=web memory=128M");
    assert_string_equal(info.module[1].args, "");
    assert_false(info.efi);

    /* Texts are copies. */
    memset(memory, 'x', SIZE);
    assert_string_equal(info.module[0].args, "vmlinuz domain=web memory=128M");
}

static void test_multiboot1_sizes_only(void **state)
{
    build1();
    put32(INFO, 1);
    put32(INFO + 4, 639);
    put32(INFO + 8, 1024);
    assert_true(multiboot_read(MULTIBOOT1_LOADER_MAGIC, INFO, &info));
    assert_int_equal(info.nr_regions, 2);
    assert_int_equal(info.region[1].end, 0x200000);
}

static void test_file_name(void **state)
{
    static const struct { const char *loader, *given, *expected; } cases[] = {
        {"qemu", "hospes", ""},
        {"qemu", "console=com1 noreboot", "console=com1 noreboot"},
        {"GRUB 2.06", "noreboot console=com1", "noreboot console=com1"},
        {"other", "/boot/hospes noreboot", "noreboot"},
        {"other", "console=com1,/dev", "console=com1,/dev"},
        {"other", "", ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        build1();
        put_text(TEXT, cases[i].given);
        put_text(TEXT + 100, cases[i].loader);
        assert_true(multiboot_read(MULTIBOOT1_LOADER_MAGIC, INFO, &info));
        assert_string_equal(info.cmdline, cases[i].expected);
    }
}

static void test_modules_outside_ram(void **state)
{
    build1();
    put32(MODS + 4, 0x300000);      /* ends before it starts */
    put32(MODS + 16, 0xfffd0000);   /* in the firmware */
    put32(MODS + 20, 0xfffd1000);
    assert_true(multiboot_read(MULTIBOOT1_LOADER_MAGIC, INFO, &info));
    assert_int_equal(info.nr_modules, 2);
    assert_int_equal(info.module[0].size, 0);
    assert_int_equal(info.module[1].size, 0);
    assert_string_equal(info.module[0].args, "vmlinuz domain=web memory=128M");
}

static void test_multiboot2(void **state)
{
    build2(true, true);
    assert_true(multiboot_read(MULTIBOOT2_LOADER_MAGIC, INFO, &info));
    assert_string_equal(info.cmdline, "console=com1");
    assert_string_equal(info.loader, "GRUB");
    assert_true(info.efi);
    assert_int_equal(info.nr_regions, 3);
    assert_int_equal(info.nr_modules, 1);
    assert_int_equal(info.module[0].start.v, 0x400000);
    assert_int_equal(info.module[0].size, 0x80001);
    assert_string_equal(info.module[0].args, "domain=web memory=128M");
    /* The new root pointer, not the old one after it, in memory of ours. */
    assert_memory_equal((const void *)(uintptr_t)info.rsdp.v, "RSD PTR \0\0\0", 12);
}

static void test_multiboot2_efi_map(void **state)
{
    build2(false, true);
    assert_true(multiboot_read(MULTIBOOT2_LOADER_MAGIC, INFO, &info));
    assert_int_equal(info.nr_regions, 1);
    assert_int_equal(info.region[0].start, 0x200000);
    assert_int_equal(info.region[0].end, 0x1200000);
    assert_int_equal(info.region[0].type, REGION_RAM);
    assert_int_equal(info.module[0].size, 0x80001);

    build2(false, false);
    assert_false(multiboot_read(MULTIBOOT2_LOADER_MAGIC, INFO, &info));
}

static void test_nothing_there(void **state)
{
    assert_false(multiboot_read(MULTIBOOT1_LOADER_MAGIC, 0, &info));
    assert_false(multiboot_read(MULTIBOOT2_LOADER_MAGIC, 0xfffffff8, &info));
    assert_string_equal(info.cmdline, "");
}

static void test_long_text(void **state)
{
    build1();
    memset(memory + (TEXT - BASE), 'a', 6000);
    assert_true(multiboot_read(MULTIBOOT1_LOADER_MAGIC, INFO, &info));
    assert_int_equal(strlen(info.cmdline), 4095);
}

/* Whatever is damaged, reading ends, stays inside, and the result is orderly. */
static void damage(uint32_t magic, uint32_t end)
{
    uint8_t *good = malloc(SIZE);

    assert_non_null(good);
    memcpy(good, memory, SIZE);
    for (unsigned int round = 0; round < 30000; round++) {
        memcpy(memory, good, SIZE);
        for (long i = random() % 6; i >= 0; i--) {
            uint32_t at = (uint32_t)random() % (end - BASE);

            memory[at] = (uint8_t)(random() % 3 == 0 ? 0xff : random());
        }
        multiboot_read(magic, INFO, &info);
        assert_true(info.nr_regions <= BOOT_REGIONS_MAX);
        assert_true(info.nr_modules <= BOOT_MODULES_MAX);
        for (size_t i = 1; i < info.nr_regions; i++)
            assert_true(info.region[i - 1].end <= info.region[i].start);
        for (size_t i = 0; i < info.nr_modules; i++)
            assert_true(strlen(info.module[i].args) < 4096);
    }
    free(good);
}

static void test_damaged(void **state)
{
    srandom(2);
    build1();
    damage(MULTIBOOT1_LOADER_MAGIC, TEXT + 256);
    memset(memory, 0, SIZE);
    damage(MULTIBOOT2_LOADER_MAGIC, build2(true, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_multiboot1, setup, teardown),
        cmocka_unit_test_setup_teardown(test_multiboot1_sizes_only, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_modules_outside_ram, setup, teardown),
        cmocka_unit_test_setup_teardown(test_multiboot2, setup, teardown),
        cmocka_unit_test_setup_teardown(test_multiboot2_efi_map, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
