/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding the payload of a bzImage: a right one, each way to be wrong, broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "abi/errno.h"
#include "lib/bzimage.h"

enum { SETUP_SECTORS = 3, CODE = 0x30, PAYLOAD = 200, SIZE = 512 * (SETUP_SECTORS + 1) + CODE + PAYLOAD };

static void put_u32(uint8_t *p, uint32_t value)
{
    memcpy(p, &value, sizeof(value));
}

/* @magic begins the payload. */
static void make_bzimage(uint8_t *image, const char *magic)
{
    memset(image, 0, SIZE);
    image[0x1f1] = SETUP_SECTORS;
    image[0x1fe] = 0x55;
    image[0x1ff] = 0xaa;
    memcpy(image + 0x202, "HdrS", 4);
    image[0x206] = 0x0f;
    image[0x207] = 0x02;
    put_u32(image + 0x248, CODE);
    put_u32(image + 0x24c, PAYLOAD);
    memcpy(image + SIZE - PAYLOAD, magic, strlen(magic));
    put_u32(image + SIZE - 4, 123456);
}

static void test_right(void **state)
{
    static const struct {
        const char *magic;
        enum packing packing;
        size_t size, unpacked_size;
    } cases[] = {
        {"\xfd"
         "7zXZ",
         PACKING_XZ, PAYLOAD - 4, 123456},
        {"\x1f\x8b", PACKING_GZIP, PAYLOAD, 123456},
        {"\x28\xb5\x2f\xfd", PACKING_ZSTD, PAYLOAD - 4, 123456},
        {"\x02\x21\x4c\x18", PACKING_LZ4, PAYLOAD - 4, 123456},
        {"\177ELF", PACKING_NONE, PAYLOAD, PAYLOAD},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t image[SIZE];
        struct payload payload;
        const char *why;

        make_bzimage(image, cases[i].magic);
        assert_int_equal(payload_find(&payload, image, SIZE, &why), 0);
        assert_ptr_equal(payload.data, image + SIZE - PAYLOAD);
        assert_int_equal(payload.packing, cases[i].packing);
        assert_int_equal(payload.size, cases[i].size);
        assert_int_equal(payload.unpacked_size, cases[i].unpacked_size);
    }
}

static void test_bare(void **state)
{
    uint8_t gzip[20] = {0x1f, 0x8b, [16] = 0x10, [17] = 0x27}, elf[] = "\177ELF and so on";
    struct payload payload;
    const char *why;

    assert_int_equal(payload_find(&payload, gzip, sizeof(gzip), &why), 0);
    assert_int_equal(payload.packing, PACKING_GZIP);
    assert_int_equal(payload.unpacked_size, 10000);
    assert_int_equal(payload.size, sizeof(gzip));
    assert_int_equal(payload_find(&payload, elf, sizeof(elf), &why), 0);
    assert_int_equal(payload.packing, PACKING_NONE);
    assert_ptr_equal(payload.data, elf);
    assert_int_equal(payload.size, sizeof(elf));
}

static void assert_refused(const uint8_t *image, size_t size, const char *word)
{
    struct payload payload;
    const char *why = NULL;

    assert_int_equal(payload_find(&payload, image, size, &why), -ENOEXEC);
    assert_non_null(why);
    if (strstr(why, word) == NULL)
        fail_msg("'%s' does not say '%s'", why, word);
}

static void test_wrong(void **state)
{
    uint8_t image[SIZE];

    assert_refused((const uint8_t *)"", 0, "no kernel");
    assert_refused((const uint8_t *)"#!/bin/sh", 9, "no kernel");
    assert_refused((const uint8_t *)"\x28\xb5\x2f\xfd........", 12, "no kernel");
    assert_refused((const uint8_t *)"\x1f\x8b", 2, "too early");
    make_bzimage(image, "\x1f\x8b");
    image[0x206] = 7;
    assert_refused(image, SIZE, "2.08");
    make_bzimage(image, "\x1f\x8b");
    put_u32(image + 0x24c, 0);
    assert_refused(image, SIZE, "2.08");
    make_bzimage(image, "\x1f\x8b");
    put_u32(image + 0x248, ~0u);
    assert_refused(image, SIZE, "outside the file");
    make_bzimage(image, "\x1f\x8b");
    put_u32(image + 0x24c, PAYLOAD + 1);
    assert_refused(image, SIZE, "outside the file");
    make_bzimage(image, "BZh9");
    assert_refused(image, SIZE, "unknown way");
    make_bzimage(image, "\x1f\x8b");
    put_u32(image + SIZE - 4, 0);
    assert_refused(image, SIZE, "unpacked size");
    make_bzimage(image, "\x1f\x8b");
    put_u32(image + SIZE - 4, (1u << 30) + 1);
    assert_refused(image, SIZE, "unpacked size");
}

static void test_broken(void **state)
{
    uint8_t image[SIZE];

    srand(4);
    make_bzimage(image, "\xfd"
                        "7zXZ");
    for (int round = 0; round < 50000; round++) {
        size_t size = round % 2 != 0 ? SIZE : (size_t)rand() % SIZE;
        uint8_t *copy = malloc(size + 1);
        struct payload payload;
        const char *why = NULL;

        memcpy(copy, image, size);
        for (int i = rand() % 4; i >= 0; i--) {
            size_t at = rand() % 2 != 0 ? 0x1f0 + (size_t)rand() % 0x60 : (size_t)rand() % SIZE;

            if (at < size)
                copy[at] = (uint8_t)rand();
        }
        copy = realloc(copy, size > 0 ? size : 1);
        if (payload_find(&payload, copy, size, &why) == 0) {
            assert_true(payload.data >= copy && payload.data + payload.size <= copy + size);
            assert_in_range(payload.unpacked_size, 1, PAYLOAD_MAX);
        } else {
            assert_non_null(why);
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),
        cmocka_unit_test(test_bare),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_broken),
    };

    return cmocka_run_group_tests_name("bzimage", tests, NULL, NULL);
}
