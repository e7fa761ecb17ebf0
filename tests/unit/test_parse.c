/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading what a person typed: what is right, and every error. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "lib/parse.h"

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        int error;
        uint64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"18446744073709551615", 0, ~0ULL},
        {"18446744073709551616", -EOVERFLOW, 0},
        {"0xffffFFFFffffFFFF", 0, ~0ULL},
        {"0x10000000000000000", -EOVERFLOW, 0},
        {"0x", -EINVAL, 0},
        {"", -ENODATA, 0},
        {"-1", -EINVAL, 0},
        {"12a", -EINVAL, 0},
        {"0xg", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"007", 0, 7},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t value = 77;

        assert_int_equal(parse_u64(span_of(cases[i].text), &value), cases[i].error);
        assert_int_equal(value, cases[i].error == 0 ? cases[i].value : 77);
    }
}

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        int error;
        uint64_t bytes;
    } cases[] = {
        {"5", 0, 5 << 10},
        {"5b", 0, 5},
        {"5K", 0, 5 << 10},
        {"512m", 0, 512ULL << 20},
        {"1G", 0, 1ULL << 30},
        {"0x2t", 0, 2ULL << 40},
        {"16777215T", 0, 16777215ULL << 40},
        {"16777216T", -EOVERFLOW, 0},
        {"18446744073709551615", -EOVERFLOW, 0},
        {"5X", -EOPNOTSUPP, 0},
        {"5MB", -EINVAL, 0},
        {"M", -EINVAL, 0},
        {"", -ENODATA, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t bytes = 77;

        assert_int_equal(parse_size(span_of(cases[i].text), 1024, &bytes), cases[i].error);
        assert_int_equal(bytes, cases[i].error == 0 ? cases[i].bytes : 77);
    }
}

static void test_cpu_lists(void **state)
{
    static const struct {
        const char *text;
        int error;
        uint64_t mask;
    } cases[] = {
        {"0", 0, 1},           {"0-3,5", 0, 0x2f},    {"0-63", 0, ~0ULL},
        {"63", 0, 1ULL << 63}, {"5,5-6,1", 0, 0x62},  {"64", -ERANGE, 0},
        {"0-64", -ERANGE, 0},  {"3-1", -EDOM, 0},     {"", -ENODATA, 0},
        {"1,", -ENODATA, 0},   {"1-", -ENODATA, 0},   {",1", -EINVAL, 0},
        {"1;2", -EINVAL, 0},   {"1-2-3", -EINVAL, 0}, {"99999999999999999999", -EOVERFLOW, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t mask = 77;

        assert_int_equal(parse_cpu_list(span_of(cases[i].text), &mask), cases[i].error);
        assert_int_equal(mask, cases[i].error == 0 ? cases[i].mask : 77);
    }
}

static void test_booleans(void **state)
{
    static const char *const yes[] = {"yes", "on", "true", "1"}, *const no[] = {"no", "off", "false", "0"};
    bool value;

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        assert_int_equal(parse_bool(span_of(yes[i]), &value), 0);
        assert_true(value);
        assert_int_equal(parse_bool(span_of(no[i]), &value), 0);
        assert_false(value);
    }
    assert_int_equal(parse_bool(span_of("Yes"), &value), -EINVAL);
    assert_int_equal(parse_bool(span_of(""), &value), -ENODATA);
}

static void test_errors_have_words(void **state)
{
    static const int errors[] = {0, -ENODATA, -EINVAL, -EOVERFLOW, -EOPNOTSUPP, -ERANGE, -EDOM, -EPERM};

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(parse_error(errors[i]), parse_error(errors[j]));
    }
}

static void assert_span(struct span span, const char *text)
{
    assert_int_equal(span.len, strlen(text));
    assert_memory_equal(span.at, text, span.len);
}

static void test_options(void **state)
{
    const char *text = "  domain=web\tmemory=  quiet a=b=c -- ";
    struct option option;

    assert_true(parse_next_option(&text, &option));
    assert_span(option.word, "domain=web");
    assert_span(option.key, "domain");
    assert_span(option.value, "web");
    assert_true(option.has_value);

    assert_true(parse_next_option(&text, &option));
    assert_span(option.key, "memory");
    assert_span(option.value, "");
    assert_true(option.has_value);

    assert_true(parse_next_option(&text, &option));
    assert_span(option.key, "quiet");
    assert_span(option.value, "");
    assert_false(option.has_value);

    assert_true(parse_next_option(&text, &option));
    assert_span(option.key, "a");
    assert_span(option.value, "b=c");

    assert_true(parse_next_option(&text, &option));
    assert_span(option.word, "--");
    assert_false(parse_next_option(&text, &option));
    assert_string_equal(text, "");
}

static void test_span_copy(void **state)
{
    char buf[4];

    assert_true(span_copy(buf, sizeof(buf), span_of("abc")));
    assert_string_equal(buf, "abc");
    assert_false(span_copy(buf, sizeof(buf), span_of("abcd")));
    assert_string_equal(buf, "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),           cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_cpu_lists),         cmocka_unit_test(test_booleans),
        cmocka_unit_test(test_errors_have_words), cmocka_unit_test(test_options),
        cmocka_unit_test(test_span_copy),
    };

    return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
