/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formatted text: the same as the C library's for what both know. */
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>
#include "lib/format.h"
#include "lib/string.h"

#define SAME(fmt, ...) \
    do { \
        char ours[200], theirs[200]; \
        int length = snprintf(theirs, sizeof(theirs), fmt, __VA_ARGS__); \
        assert_int_equal(format(ours, sizeof(ours), fmt, __VA_ARGS__), length); \
        assert_string_equal(ours, theirs); \
    } while (0)

static void test_numbers(void **state)
{
    static const int64_t values[] = {0,         1,         -1,   9, 10, 255, 0x7fffffff, -0x7fffffff - 1,
                                     INT64_MAX, INT64_MIN, 12345};

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        long v = values[i];
        unsigned long u = (unsigned long)v;

        SAME("%d|%i|%u|%x|%X", (int)v, (int)v, (unsigned)v, (unsigned)v, (unsigned)v);
        SAME("%ld|%lu|%lx|%lX|%zu", v, u, u, u, (size_t)u);
        SAME("%lld|%llu|%llx", (long long)v, (unsigned long long)v, (unsigned long long)v);
        SAME("%5d|%-5d|%05d|%25ld|%-25ld|%025ld", (int)v, (int)v, (int)v, v, v, v);
        SAME("%#x|%#lx|%#12x|%#-12x|%#012x|%016lx", (unsigned)v, u, (unsigned)v, (unsigned)v, (unsigned)v, u);
        SAME("%*d|%*x", 7, (int)v, 12, (unsigned)v);
    }
}

static void test_text(void **state)
{
    static const char unended[3] = {'a', 'b', 'c'};

    SAME("%s|%8s|%-8s|%.2s|%.*s|%8.1s", "text", "text", "text", "text", 3, unended, "text");
    SAME("%c|%3c|%-3c|%%", 'x', 'y', 'z');
    SAME("plain %s", "");
}

static void test_pointer(void **state)
{
    char buf[40];

    format(buf, sizeof(buf), "%p", (void *)0x1234abcd);
    assert_string_equal(buf, "0x1234abcd");
    format(buf, sizeof(buf), "%p", NULL);
    assert_string_equal(buf, "0x0");
}

static void test_cut_short(void **state)
{
    char buf[6] = "zzzzz";

    assert_int_equal(format(buf, 0, "%d", 12345), 5);
    assert_string_equal(buf, "zzzzz");
    assert_int_equal(format(buf, 1, "%d", 12345), 5);
    assert_string_equal(buf, "");
    assert_int_equal(format(buf, 4, "%d", 12345), 5);
    assert_string_equal(buf, "123");
    assert_int_equal(format(NULL, 0, "%s", "measured"), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_pointer),
        cmocka_unit_test(test_cut_short),
    };

    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
