/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypervisor's command line: what is found in it, and what is said about mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "core/cmdline.h"
#include "core/log.h"
#include "fake.h"

static char out[4096];
static size_t out_len;

static void sink(const char *s, size_t n)
{
    memcpy(out + out_len, s, n);
    out_len += n;
    out[out_len] = '\0';
}

static int set_up(void **state)
{
    fake_machine_init(1);
    log_add_sink(sink);
    return 0;
}

static int start(void **state)
{
    out_len = 0;
    out[0] = '\0';
    return 0;
}

static void test_values(void **state)
{
    cmdline_init("console=com1 com1=115200,8n1  loglvl=all dom0_mem=1024M loglvl=info noreboot console=vga");
    assert_string_equal(cmdline_get("console"), "vga");
    assert_string_equal(cmdline_get("com1"), "115200,8n1");
    assert_string_equal(cmdline_get("loglvl"), "info");
    assert_string_equal(cmdline_get("noreboot"), "");
    assert_null(cmdline_get("com2"));
    assert_null(cmdline_get("com"));
    assert_true(cmdline_flag("noreboot", false));
    assert_string_equal(out, "");
    assert_string_equal(cmdline_text(),
                        "console=com1 com1=115200,8n1  loglvl=all dom0_mem=1024M loglvl=info noreboot console=vga");
}

static void test_flags(void **state)
{
    cmdline_init("");
    assert_false(cmdline_flag("noreboot", false));
    assert_true(cmdline_flag("noreboot", true));
    cmdline_init("noreboot=off");
    assert_false(cmdline_flag("noreboot", true));
    cmdline_init("noreboot=1");
    assert_true(cmdline_flag("noreboot", false));
    cmdline_init("no-noreboot");
    assert_false(cmdline_flag("noreboot", true));
    cmdline_init("no-noreboot noreboot");
    assert_true(cmdline_flag("noreboot", false));
    assert_string_equal(out, "");
}

static void test_file_name(void **state)
{
    cmdline_init("build/hospes console=com1");
    assert_string_equal(cmdline_text(), "console=com1");
    cmdline_init("/boot/xen.gz");
    assert_string_equal(cmdline_text(), "");
    cmdline_init("hospes noreboot");
    assert_true(cmdline_flag("noreboot", false));
    cmdline_init("noreboot");
    assert_true(cmdline_flag("noreboot", false));
    assert_string_equal(out, "");
}

static void test_mistakes(void **state)
{
    cmdline_init("consle=com1 noreboot=perhaps no-loglvl maxcpus=many no-noreboot=yes loglvl=all");
    assert_non_null(strstr(out, "(hv) option consle: unknown key"));
    assert_non_null(strstr(out, "(hv) option noreboot: bad value: found perhaps, expected yes or no"));
    assert_non_null(strstr(out, "(hv) option no-loglvl: unknown key"));
    assert_non_null(strstr(out, "(hv) option maxcpus: bad value: found many, expected a number"));
    assert_non_null(strstr(out, "(hv) option no-noreboot: bad value"));
    assert_null(cmdline_get("consle"));
    assert_null(cmdline_get("maxcpus"));
    assert_false(cmdline_flag("noreboot", false));
    assert_string_equal(cmdline_get("loglvl"), "all");
}

static void test_too_long(void **state)
{
    char line[3000];

    memset(line, ' ', sizeof(line));
    memcpy(line, "noreboot", 8);
    memcpy(line + 1019, "console=com1", 12);
    line[sizeof(line) - 1] = '\0';
    cmdline_init(line);
    assert_non_null(strstr(out, "too long"));
    assert_true(cmdline_flag("noreboot", false));
    assert_int_equal(strlen(cmdline_text()), 1023);

    memset(line, 'x', sizeof(line) - 1); /* one word without end */
    cmdline_init(line);
    memset(line, '-', sizeof(line) - 1);
    cmdline_init(line);
}

static void test_dom0_part(void **state)
{
    cmdline_init("loglvl=all -- root=/dev/sda1 quiet");
    assert_string_equal(out, "");
    assert_null(cmdline_get("root"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_values, start),
        cmocka_unit_test_setup(test_flags, start),
        cmocka_unit_test_setup(test_file_name, start),
        cmocka_unit_test_setup(test_mistakes, start),
        cmocka_unit_test_setup(test_too_long, start),
        cmocka_unit_test_setup(test_dom0_part, start),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
