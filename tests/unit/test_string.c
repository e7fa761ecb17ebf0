/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory and strings, every small length and offset, against plain loops. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "string_names.h"
#include "lib/string.h"

enum { MAX = 40, GUARD = 16 };

static void fill(uint8_t *p, size_t n, uint8_t seed)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(seed + i * 7);
}

static void test_copy(void **state)
{
    for (size_t from = 0; from < MAX; from++) {
        for (size_t to = 0; to < MAX; to++) {
            for (size_t n = 0; n < MAX; n++) {
                uint8_t a[2 * MAX], expected[2 * MAX], src[2 * MAX], dst[2 * MAX];

                fill(a, sizeof(a), 1);
                fill(expected, sizeof(a), 1);
                for (size_t i = 0; i < n; i++)
                    expected[to + i] = (uint8_t)(1 + (from + i) * 7);
                assert_ptr_equal(memmove(a + to, a + from, n), a + to);
                assert_memory_equal(a, expected, sizeof(a));

                fill(src, sizeof(src), 1);
                fill(dst, sizeof(dst), 1);
                assert_ptr_equal(memcpy(dst + to, src + from, n), dst + to);
                assert_memory_equal(dst, expected, sizeof(dst));
            }
        }
    }
}

static void test_set(void **state)
{
    for (size_t at = 0; at < 8; at++) {
        for (size_t n = 0; n < MAX; n++) {
            uint8_t a[MAX + GUARD], expected[MAX + GUARD];

            fill(a, sizeof(a), 3);
            fill(expected, sizeof(a), 3);
            for (size_t i = 0; i < n; i++)
                expected[at + i] = 0xa5;
            assert_ptr_equal(memset(a + at, 0xffa5, n), a + at);
            assert_memory_equal(a, expected, sizeof(a));
        }
    }
}

static void test_compare(void **state)
{
    assert_int_equal(memcmp("abc", "abd", 2), 0);
    assert_true(memcmp("abc", "abd", 3) < 0);
    assert_true(memcmp("\xff", "\1", 1) > 0);
    assert_int_equal(strcmp("abc", "abc"), 0);
    assert_true(strcmp("ab", "abc") < 0);
    assert_true(strcmp("\xff", "a") > 0);
    assert_int_equal(strncmp("abcd", "abce", 3), 0);
    assert_int_equal(strncmp("ab", "ab", 100), 0);
    assert_true(strncmp("abcd", "abce", 4) < 0);
}

static void test_search(void **state)
{
    const char *text = "key=value";

    assert_int_equal(strlen(""), 0);
    assert_int_equal(strlen(text), 9);
    assert_int_equal(strnlen(text, 4), 4);
    assert_int_equal(strnlen(text, 100), 9);
    assert_ptr_equal(strchr(text, '='), text + 3);
    assert_ptr_equal(strchr(text, '\0'), text + 9);
    assert_null(strchr(text, 'z'));
    assert_ptr_equal(memchr(text, 'v', 9), text + 4);
    assert_null(memchr(text, 'v', 4));
}

static void test_string_copy(void **state)
{
    char buf[5] = "....";

    assert_int_equal(string_copy(buf, "longer", sizeof(buf)), 6);
    assert_string_equal(buf, "long");
    assert_int_equal(string_copy(buf, "ab", sizeof(buf)), 2);
    assert_string_equal(buf, "ab");
    assert_int_equal(string_copy(buf, "xyz", 0), 3);
    assert_string_equal(buf, "ab");
    assert_true(string_starts_with("domain=web", "domain="));
    assert_false(string_starts_with("dom", "domain="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),   cmocka_unit_test(test_set),         cmocka_unit_test(test_compare),
        cmocka_unit_test(test_search), cmocka_unit_test(test_string_copy),
    };

    return cmocka_run_group_tests_name("string", tests, NULL, NULL);
}
