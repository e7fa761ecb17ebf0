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
    LIST_HEAD(other);
    struct item items[4] = {{.value = 0}, {.value = 1}, {.value = 2}, {.value = 3}}, *item, *next;

    assert_true(list_empty(&list));
    list_add_tail(&items[1].link, &list);
    list_add_tail(&items[2].link, &list);
    list_add(&items[0].link, &list);
    assert_values(&list, (int[]){0, 1, 2}, 3);
    assert_int_equal(list_first_entry(&list, struct item, link)->value, 0);
    assert_int_equal(list_last_entry(&list, struct item, link)->value, 2);

    list_del(&items[1].link);
    assert_true(list_empty(&items[1].link));
    list_del(&items[1].link);
    assert_values(&list, (int[]){0, 2}, 2);

    list_add_tail(&items[3].link, &other);
    list_splice_tail(&list, &other);
    assert_true(list_empty(&list));
    assert_values(&other, (int[]){3, 0, 2}, 3);
    list_splice_tail(&list, &other);
    assert_values(&other, (int[]){3, 0, 2}, 3);

    list_for_each_entry_safe(item, next, &other, link) list_del(&item->link);
    assert_true(list_empty(&other));
}

static void test_bitmap(void **state)
{
    enum { BITS = 200 };

    srand(1);
    for (int round = 0; round < 200; round++) {
        uint64_t map[BITMAP_WORDS(BITS)] = {0};
        bool plain[BITS] = {false};
        size_t count = 0;

        for (int i = 0; i < round * 3; i++) {
            size_t bit = (size_t)rand() % BITS;
            bool set = rand() % 3 > 0;

            (set ? bitmap_set : bitmap_clear)(map, bit);
            plain[bit] = set;
        }
        for (size_t from = 0; from <= BITS; from++) {
            size_t one = from, zero = from;

            while (one < BITS && !plain[one])
                one++;
            while (zero < BITS && plain[zero])
                zero++;
            assert_int_equal(bitmap_next_set(map, BITS, from), one);
            assert_int_equal(bitmap_next_zero(map, BITS, from), zero);
            assert_int_equal(bitmap_count(map, from), count);
            if (from < BITS) {
                assert_int_equal(bitmap_test(map, from), plain[from]);
                count += plain[from];
            }
        }
        assert_int_equal(bitmap_first_set(map, BITS), bitmap_next_set(map, BITS, 0));
        assert_int_equal(bitmap_first_zero(map, BITS), bitmap_next_zero(map, BITS, 0));
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
    assert_true(checked_align_up_u64(4097, 4096, &r) && r == 8192);
    assert_false(checked_align_up_u64(~0ULL - 5, 4096, &r));

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
