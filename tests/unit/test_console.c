/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A server's bytes on their way to the screen, and a console ring whose other end lies. */
#include "builder/console_line.h"
#include "builder/console_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* Feed a text; what would be shown is gathered, "|" after each complete line and "+" after a full one. */
static const char *shown(const char *text, bool has_input)
{
    static char out[4096];
    static struct line l;
    size_t n = 0;

    l = (struct line){0};
    for (; *text != '\0'; text++) {
        enum line_event e = line_feed(&l, *text, has_input);

        if (e == LINE_GATHERING)
            continue;
        memcpy(out + n, l.text, l.len);
        n += l.len;
        out[n++] = e == LINE_COMPLETE ? '|' : '+';
        line_taken(&l);
    }
    memcpy(out + n, l.text, l.len);
    out[n + l.len] = '\0';
    return out;
}

static void test_lines(void **state)
{
    assert_string_equal(shown("one\ntwo\r\nthree", false), "one|two|three");
    assert_string_equal(shown("\n\n", false), "||");
    assert_string_equal(shown("a\tb\bc\ad", false), "a\tb\bc\ad");
    assert_string_equal(shown("a\001b\013c\177d", true), "a?b?c?d");
    assert_string_equal(shown("gr\303\274\303\237e\n", false), "gr\303\274\303\237e|");
}

static void test_escapes(void **state)
{
    /* colours pass, and nothing else of a server without the input */
    assert_string_equal(shown("\033[1;32mok\033[0m\n", false), "\033[1;32mok\033[0m|");
    assert_string_equal(shown("a\033[6nb\033[2Jc\033[Ad\033ce\n", false), "abcde|");
    assert_string_equal(shown("a\033]0;title\ab\033P1;2\033\\c\n", false), "abc|");
    /* all pass of the one that has it */
    assert_string_equal(shown("a\033[6nb\033[2J\n", true), "a\033[6nb\033[2J|");
    assert_string_equal(shown("\033]0;t\a", true), "\033]0;t\a");
    /* an unfinished one ends with the line */
    assert_string_equal(shown("a\033[12\nb", true), "a|b");
    assert_string_equal(shown("a\033\nb", false), "a|b");
    assert_string_equal(shown("a\033]never ended\nb", false), "a|b");
}

static void test_long(void **state)
{
    char text[1024];
    const char *out;

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    out = shown(text, false);
    assert_int_equal(strchr(out, '+') - out, LINE_MAX);
    memset(text, ';', sizeof(text) - 1);
    memcpy(text, "\033[", 2);
    out = shown(text, true);
    assert_non_null(strchr(out, '+'));
    /* every pair of a state and a byte, at the edge of the buffer */
    for (int c = 1; c < 256; c++) {
        struct line l = {.len = LINE_MAX - 1};

        line_feed(&l, '\033', true);
        line_feed(&l, '[', true);
        for (size_t i = 0; i < 2 * ESCAPE_MAX; i++) {
            if (line_feed(&l, (char)c, c & 1) != LINE_GATHERING)
                line_taken(&l);
            assert_true(l.len <= sizeof(l.text));
        }
    }
}

static void test_ring(void **state)
{
    static struct xencons_interface page;
    struct console_ring r;
    char buf[4096];

    memset(&page, 0, sizeof(page));
    console_ring_init(&r, &page);
    assert_int_equal(console_ring_read(&r, buf, sizeof(buf)), 0);
    memcpy(page.out, "hello", 5);
    page.out_prod = 5;
    assert_int_equal(console_ring_read(&r, buf, 3), 3);
    assert_int_equal(console_ring_read(&r, buf + 3, sizeof(buf)), 2);
    assert_memory_equal(buf, "hello", 5);
    assert_int_equal(page.out_cons, 5);
    for (size_t i = 0; i < sizeof(page.in); i++)
        assert_true(console_ring_write(&r, (char)i));
    assert_false(console_ring_write(&r, 'x'));
    page.in_cons = 1;
    assert_true(console_ring_write(&r, 'x'));
    assert_int_equal(page.in[0], 'x');
    assert_int_equal(page.in_prod, 1025);
}

static void test_ring_lies(void **state)
{
    static struct xencons_interface page;
    struct console_ring r;
    char buf[4096];

    memset(&page, 0, sizeof(page));
    console_ring_init(&r, &page);
    page.out_prod = 0x80000000; /* more than there can be */
    assert_int_equal(console_ring_read(&r, buf, sizeof(buf)), 0);
    page.out_prod += 2048;
    assert_int_equal(console_ring_read(&r, buf, sizeof(buf)), 2048);
    page.out_cons = 12345; /* ours is kept elsewhere */
    page.out_prod += 7;
    assert_int_equal(console_ring_read(&r, buf, sizeof(buf)), 7);
    page.in_cons = 100; /* ahead of what it was given */
    assert_false(console_ring_write(&r, 'x'));
    page.in_cons = 0;
    assert_true(console_ring_write(&r, 'x'));
    page.out_prod = 0xffffffff; /* and over the wrap */
    console_ring_read(&r, buf, sizeof(buf));
    page.out_prod += 10;
    assert_int_equal(console_ring_read(&r, buf, sizeof(buf)), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines), cmocka_unit_test(test_escapes),   cmocka_unit_test(test_long),
        cmocka_unit_test(test_ring),  cmocka_unit_test(test_ring_lies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
