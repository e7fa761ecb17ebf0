/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log: marks, levels, the rate limit, the ring, late sinks, and the last words in a panic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/log.h"
#include "core/timer.h"
#include "fake.h"

static char out[200000];
static size_t out_len;

static void sink(const char *s, size_t n)
{
    memcpy(out + out_len, s, n);
    out_len += n;
    out[out_len] = '\0';
}

static int start(void **state)
{
    fake_machine_init(2);
    time_init(1000000000);
    fake.tsc = (uint64_t)MILLISECS(100000);
    log_set_levels("info", "none/warning");
    log_raw("\n", 1);
    out_len = 0;
    out[0] = '\0';
    return 0;
}

static void test_late_sink(void **state)
{
    log_info("before the sink");
    log_add_sink(sink);
    log_info("after it");
    assert_string_equal(out, "(hv) before the sink\n(hv) after it\n");
}

static void test_lines(void **state)
{
    log_info("one\n");
    log_raw("web$ ", 5);
    log_info("a %s b", "\033[2J\r\nx");
    log_raw("", 0);
    log_info("tab\there");
    assert_string_equal(out, "(hv) one\nweb$ \n(hv) a ?[2J??x b\n(hv) tab\there\n");
}

static void test_long_line(void **state)
{
    char text[2000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_info("%s", text);
    assert_in_range(out_len, 400, 512);
    assert_int_equal(out[out_len - 1], '\n');
}

static void test_levels(void **state)
{
    log_debug("no");
    log_info("i");
    log_set_levels("warning", NULL);
    log_info("no");
    log_warn("w");
    log_set_levels("none", NULL);
    log_error("no");
    log_always("a");
    log_set_levels("all", NULL);
    log_debug("d");
    assert_string_equal(out, "(hv) i\n(hv) w\n(hv) a\n(hv) d\n");
    assert_int_not_equal(log_set_levels("loud", NULL), 0);
    assert_int_not_equal(log_set_levels("", NULL), 0);
    assert_int_not_equal(log_set_levels("error/", NULL), 0);
    assert_int_not_equal(log_set_levels("none", "error/warnin"), 0);
    log_debug("still");
    assert_non_null(strstr(out, "still"));
}

static unsigned int lines_with(const char *what)
{
    unsigned int n = 0;

    for (const char *p = out; (p = strstr(p, what)) != NULL; p++)
        n++;
    return n;
}

static void test_guest_rate(void **state)
{
    for (int i = 0; i < 100; i++) {
        log_guest(3, LOG_WARNING, "oops %d", i);
        log_guest(3, LOG_INFO, "never");
    }
    log_guest(4, LOG_ERROR, "another");
    assert_int_equal(lines_with("(hv) d3: oops"), 10);
    assert_int_equal(lines_with("never"), 0);
    assert_int_equal(lines_with("(hv) d4: another"), 1);
    fake.tsc += (uint64_t)MILLISECS(6000);
    log_guest(3, LOG_WARNING, "again");
    assert_int_equal(lines_with("(hv) d3: 90 lines suppressed\n(hv) d3: again\n"), 1);

    log_set_levels(NULL, "all");
    for (int i = 0; i < 100; i++)
        log_guest(3, LOG_DEBUG, "free");
    assert_int_equal(lines_with("free"), 100);
}

static void test_ring(void **state)
{
    char buf[100];
    uint64_t index = 0;
    size_t n, total = 0;

    for (int i = 0; i < 10000; i++)
        log_info("line %d", i);
    while ((n = log_read(&index, buf, sizeof(buf))) > 0) {
        assert_memory_equal(buf, out + out_len - 65536 + total, n);
        total += n;
    }
    assert_int_equal(total, 65536);
    log_info("more");
    assert_int_equal(log_read(&index, buf, 4), 4);
    assert_int_equal(log_read(&index, buf, sizeof(buf)), strlen("(hv) more\n") - 4);
    log_clear();
    index = 0;
    assert_int_equal(log_read(&index, buf, sizeof(buf)), 0);
    log_info("new");
    n = log_read(&index, buf, sizeof(buf));
    assert_int_equal(n, strlen("(hv) new\n"));
    index = UINT64_MAX;
    assert_int_equal(log_read(&index, buf, sizeof(buf)), 0);
}

/* Last: there is no way back. */
static void test_panic(void **state)
{
    log_enter_panic();
    log_always("last words");
    fake_cpu = 1;
    log_always("not mine");
    fake_cpu = 0;
    assert_string_equal(out, "(hv) last words\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_late_sink, start),
        cmocka_unit_test_setup(test_lines, start),
        cmocka_unit_test_setup(test_long_line, start),
        cmocka_unit_test_setup(test_levels, start),
        cmocka_unit_test_setup(test_guest_rate, start),
        cmocka_unit_test_setup(test_ring, start),
        cmocka_unit_test_setup(test_panic, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
