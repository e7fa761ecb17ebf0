/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists, bitmaps and checked arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "lib/bitmap.h"
#include "lib/checked.h"
#include "lib/list.h"

struct item {
    int value;
    struct list_head link;
};

static void assert_values(const struct list_head *list, const int *values, int count)
{
    struct item *item;
    int i = 0;

    list_for_each_entry(item, list, link)
    {
        assert_true(i < count);
        assert_int_equal(item->value, values[i++]);
    }
    assert_int_equal(i, count);
}

static void test_list(void **state)
{
    LIST_HEAD(list);
    struct item items[3] = {{.value = 0}, {.value = 1}, {.value = 2}}, *item, *next;

    assert_true(list_empty(&list));
    list_add_tail(&items[1].link, &list);
    list_add_tail(&items[2].link, &list);
    list_add(&items[0].link, &list);
    assert_values(&list, (int[]){0, 1, 2}, 3);
    assert_int_equal(list_first_entry(&list, struct item, link)->value, 0);

    list_del(&items[1].link);
    assert_true(list_empty(&items[1].link));
    list_del(&items[1].link);
    assert_values(&list, (int[]){0, 2}, 2);

    list_for_each_entry_safe(item, next, &list, link) list_del(&item->link);
    assert_true(list_empty(&list));
}

static void test_bitmap(void **state)
{
    enum { BITS = 200 };

    uint64_t map[(BITS + 63) / 64] = {0};
    bool plain[BITS] = {false};

    srand(1);
    for (int i = 0; i < BITS / 2; i++) {
        size_t bit = (size_t)rand() % BITS, count = 0;

        bitmap_set(map, bit);
        plain[bit] = true;
        for (size_t n = 0; n <= BITS; n++) {
            assert_int_equal(bitmap_count(map, n), count);
            count += n < BITS && plain[n];
        }
    }
    assert_int_equal(bit_count(~0ULL), 64);
    assert_int_equal(bit_count(0x8000000000000001ULL), 2);
    assert_int_equal(bit_lowest(0x8000000000000100ULL), 8);
    assert_int_equal(bit_highest(0x0000000000000101ULL), 8);
}

static void test_checked(void **state)
{
    uint64_t r;

    assert_true(checked_add_u64(~0ULL, 0, &r) && r == ~0ULL);
    assert_false(checked_add_u64(~0ULL, 1, &r));
    assert_true(checked_sub_u64(5, 5, &r) && r == 0);
    assert_false(checked_sub_u64(5, 6, &r));
    assert_true(checked_mul_u64(1ULL << 32, (1ULL << 32) - 1, &r));
    assert_false(checked_mul_u64(1ULL << 32, 1ULL << 32, &r));

    assert_true(range_within(0, 0, 0));
    assert_true(range_within(5, 5, 10));
    assert_false(range_within(5, 6, 10));
    assert_false(range_within(11, 0, 10));
    assert_false(range_within(~0ULL, 2, 10));
    assert_false(range_within(2, ~0ULL, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_bitmap),
        cmocka_unit_test(test_checked),
    };

    return cmocka_run_group_tests_name("containers", tests, NULL, NULL);
}
