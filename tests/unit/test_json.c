/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON writer: escaping, nesting, and a document that stays valid whatever there is room for. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "lib/json.h"
#include "lib/string.h"

static char buf[4096];

/* --- a reader that knows the grammar and nothing more: the end of the value at `s`, or NULL --- */

static const char *skip_space(const char *s)
{
    while (*s == '\n' || *s == ' ')
        s++;
    return s;
}

static const char *skip_string(const char *s)
{
    if (*s++ != '"')
        return NULL;
    for (; *s != '"'; s++) {
        if (*s < ' ' || *s == 0x7f)
            return NULL;
        if (*s == '\\' && *++s != '"' && *s != '\\') {
            for (int i = 0; i < 4; i++) {
                s++;
                if (strchr("0123456789abcdef", *s) == NULL || *s == '\0')
                    return NULL;
            }
        }
    }
    return s + 1;
}

static const char *skip_value(const char *s);

/* Members of an object or elements of an array, up to `closer`. */
static const char *skip_members(const char *s, char closer)
{
    s = skip_space(s + 1);
    if (*s == closer)
        return s + 1;
    for (;;) {
        if (closer == '}') {
            s = skip_string(skip_space(s));
            if (s == NULL || *s++ != ':')
                return NULL;
        }
        s = skip_value(s);
        if (s == NULL)
            return NULL;
        s = skip_space(s);
        if (*s == closer)
            return s + 1;
        if (*s++ != ',')
            return NULL;
    }
}

static const char *skip_value(const char *s)
{
    const char *start;

    s = skip_space(s);
    if (*s == '{' || *s == '[')
        return skip_members(s, *s == '{' ? '}' : ']');
    if (*s == '"')
        return skip_string(s);
    if (strncmp(s, "true", 4) == 0)
        return s + 4;
    if (strncmp(s, "false", 5) == 0)
        return s + 5;
    for (start = s; (*s >= '0' && *s <= '9') || *s == '-'; s++)
        ;
    return s > start ? s : NULL;
}

static bool is_valid(const char *s)
{
    s = skip_value(s);
    return s != NULL && strcmp(skip_space(s), "") == 0;
}

static bool ends_with(const char *end)
{
    return strlen(buf) >= strlen(end) && strcmp(buf + strlen(buf) - strlen(end), end) == 0;
}

/* --- the tests --- */

static void test_values(void **state)
{
    struct json j;
    size_t length;

    json_begin(&j, buf, sizeof(buf));
    json_value(&j, "n", "%d", -5);
    json_value(&j, "h", "\"0x%llx\"", 0xdeadbeef12345678ULL);
    json_value(&j, "b", "true");
    json_open(&j, "a", "[]", 0);
    json_string(&j, NULL, "x");
    json_open(&j, NULL, "{}", 0);
    json_close(&j);
    json_close(&j);
    length = json_end(&j);
    assert_int_equal(length, strlen(buf));
    assert_string_equal(buf, "{\"n\":-5,\"h\":\"0xdeadbeef12345678\",\"b\":true,\"a\":\n[\"x\",\n{}],"
                             "\"truncated\":false}\n");
    assert_true(is_valid(buf));
}

static void test_escapes(void **state)
{
    struct json j;

    json_begin(&j, buf, sizeof(buf));
    json_string(&j, "s", "q\" b\\ n\n t\t d\x7f u\xff /");
    json_bytes(&j, "z", "a\0b", 3);
    json_end(&j);
    assert_string_equal(buf, "{\"s\":\"q\\\" b\\\\ n\\u000a t\\u0009 d\\u007f u\\u00ff /\",\"z\":\"a\\u0000b\","
                             "\"truncated\":false}\n");
    assert_true(is_valid(buf));
}

static void write_much(struct json *j)
{
    json_string(j, "text", "some \"text\"");
    json_open(j, "list", "[]", 0);
    for (int i = 0; i < 5; i++) {
        json_open(j, NULL, "{}", 40);
        json_value(j, "i", "%d", i);
        json_open(j, "inner", "[]", 0);
        json_value(j, NULL, "{\"x\":%d}", 1234);
        json_close(j);
        json_close(j);
    }
    json_close(j);
    json_value(j, "last", "true");
}

/* Every size there is: valid, within its bounds, and it says whether something is missing. */
static void test_sizes(void **state)
{
    size_t whole;
    struct json j;

    json_begin(&j, buf, sizeof(buf));
    write_much(&j);
    whole = json_end(&j);
    assert_false(j.truncated);
    for (size_t size = JSON_LEAST; size < sizeof(buf); size++) {
        memset(buf, '#', sizeof(buf));
        json_begin(&j, buf, size);
        write_much(&j);
        assert_true(json_end(&j) < size);
        assert_int_equal(buf[size], '#');
        assert_true(is_valid(buf));
        assert_true(ends_with(j.truncated ? "\"truncated\":true}\n" : "\"truncated\":false}\n"));
        assert_true(j.truncated || strlen(buf) == whole);
    }
    assert_false(j.truncated);
}

/* A section that was left in its middle; more levels than there may be. */
static void test_depth(void **state)
{
    struct json j;

    json_begin(&j, buf, sizeof(buf));
    for (int i = 0; i < 3 * JSON_DEPTH_MAX; i++)
        json_open(&j, i == 0 ? "deep" : NULL, "[]", 0);
    json_close_to(&j, 1);
    json_value(&j, "after", "1");
    json_end(&j);
    assert_true(is_valid(buf));
    assert_true(ends_with("],\"after\":1,\"truncated\":true}\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
