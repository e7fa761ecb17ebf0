/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Module arguments and the dom0 options: what is accepted, what is refused and in which words. */
#include "builder/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define MB (1024 * 1024ULL)

static const struct args_limits limits = {.cpus = 0x3, .vcpus_max = 128};

static void test_full(void **state)
{
    struct server_args a;
    struct fault f;

    assert_int_equal(args_parse_server("vmlinuz domain=web memory=256M vcpus=2 cpus=1 weight=512 console=no "
                                       "-- root=/dev/x quiet", &limits, &a, &f), 0);
    assert_string_equal(a.name, "web");
    assert_int_equal(a.memory, 256 * MB);
    assert_int_equal(a.vcpus, 2);
    assert_int_equal(a.cpus, 2);
    assert_int_equal(a.weight, 512);
    assert_false(a.console);
    assert_string_equal(a.cmdline, "root=/dev/x quiet");
}

static void test_defaults(void **state)
{
    struct server_args a;
    struct fault f;

    assert_int_equal(args_parse_server("domain=a", &limits, &a, &f), 0);
    assert_int_equal(a.memory, SERVER_MEMORY_USUAL);
    assert_int_equal(a.vcpus, 1);
    assert_int_equal(a.cpus, limits.cpus);
    assert_int_equal(a.weight, 256);
    assert_true(a.console);
    assert_string_equal(a.cmdline, "");
    assert_int_equal(args_parse_server("domain=a memory=64 --", &limits, &a, &f), 0);
    assert_int_equal(a.memory, 64 * MB);
    assert_string_equal(a.cmdline, "");
}

static void test_which_form(void **state)
{
    assert_true(args_is_server("domain=web"));
    assert_true(args_is_server("/boot/vmlinuz domain=web memory=1G"));
    assert_true(args_is_server("/boot/a=b/vmlinuz domain=web"));
    assert_true(args_is_server("  vmlinuz   domain= "));
    assert_false(args_is_server(""));
    assert_false(args_is_server("vmlinuz"));
    assert_false(args_is_server("vmlinuz console=hvc0 domain=web"));
    assert_false(args_is_server("root=/dev/sda domain=web"));
    assert_false(args_is_server("vmlinuz domain"));
}

static void test_refused(void **state)
{
    static const struct {
        const char *args, *name, *words[2];
    } cases[] = {
        {"domain=k colour=red", "k", {"unknown key", "colour"}},
        {"domain=k domain=l", "k", {"contradictory", "domain"}},
        {"domain=k memory=32M memory=64M", "k", {"contradictory", "memory"}},
        {"domain=k memory=99999999999999999999", "k", {"bad value", "memory"}},
        {"domain=k memory=0", "k", {"bad value", "memory"}},
        {"domain=k memory=100", "k", {NULL, NULL}},
        {"domain=k memory=100B", "k", {"bad value", "memory"}},
        {"domain=k memory", "k", {"bad value", "memory"}},
        {"domain=k memory=12Q", "k", {"bad value", "memory"}},
        {"domain=k vcpus=many", "k", {"bad value", "vcpus"}},
        {"domain=k vcpus=0", "k", {"bad value", "vcpus"}},
        {"domain=k vcpus=129", "k", {"too many vcpus", "129"}},
        {"domain=k vcpus=128", "k", {NULL, NULL}},
        {"domain=k cpus=7-9", "k", {"bad value", "cpus"}},
        {"domain=k cpus=1-0", "k", {"bad value", "cpus"}},
        {"domain=k cpus=0-1", "k", {NULL, NULL}},
        {"domain=k weight=0", "k", {"bad value", "weight"}},
        {"domain=k weight=65536", "k", {"bad value", "weight"}},
        {"domain=k console=maybe", "k", {"bad value", "console"}},
        {"domain=", "unnamed", {"bad value", "domain"}},
        {"domain=a/b", "unnamed", {"bad value", "domain"}},
        {"domain=0123456789012345678901234567890", "0123456789012345678901234567890", {NULL, NULL}},
        {"domain=01234567890123456789012345678901", "unnamed", {"bad value", "domain"}},
    };
    struct server_args a;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fault f = {""};
        int error = args_parse_server(cases[i].args, &limits, &a, &f);

        assert_string_equal(a.name, cases[i].name);
        assert_int_equal(error, cases[i].words[0] != NULL ? -EINVAL : 0);
        for (size_t w = 0; error != 0 && w < 2; w++)
            assert_non_null(strstr(f.text, cases[i].words[w]));
        if (error != 0) {
            assert_non_null(strstr(f.text, "found "));
            assert_non_null(strstr(f.text, "expected "));
        }
    }
}

static void test_long(void **state)
{
    char text[SERVER_CMDLINE_MAX + 64] = "domain=k -- ";
    size_t head = strlen(text);
    struct server_args a;
    struct fault f;

    memset(text + head, 'x', SERVER_CMDLINE_MAX - 1);
    assert_int_equal(args_parse_server(text, &limits, &a, &f), 0);
    text[head + SERVER_CMDLINE_MAX - 1] = 'x';
    assert_int_equal(args_parse_server(text, &limits, &a, &f), -EINVAL);
    assert_non_null(strstr(f.text, "1024"));
    memset(text, 'y', sizeof(text) - 1);
    memcpy(text, "domain=k ", 9);
    assert_int_equal(args_parse_server(text, &limits, &a, &f), -EINVAL);
    assert_true(strlen(f.text) < sizeof(f.text));
}

static void test_plain(void **state)
{
    assert_string_equal(args_plain_cmdline("vmlinuz console=hvc0 quiet", "qemu"), "console=hvc0 quiet");
    assert_string_equal(args_plain_cmdline("vmlinuz", "qemu"), "");
    assert_string_equal(args_plain_cmdline("quiet console=hvc0", "GRUB 2.06-13"), "quiet console=hvc0");
    assert_string_equal(args_plain_cmdline("root=/dev/sda quiet", "other"), "root=/dev/sda quiet");
    assert_string_equal(args_plain_cmdline("", "qemu"), "");
}

static void test_dom0_mem(void **state)
{
    struct dom0_memory m;
    struct fault f;
    uint64_t max;

    assert_int_equal(args_parse_dom0_mem("1G,max:2G", &m, &f), 0);
    assert_int_equal(args_dom0_pages(&m, 1 << 20, &max), 262144);
    assert_int_equal(max, 524288);
    assert_int_equal(args_parse_dom0_mem("524288", &m, &f), 0); /* kilobytes */
    assert_int_equal(args_dom0_pages(&m, 1 << 20, &max), 131072);
    assert_true(max == UINT64_MAX);
    assert_int_equal(args_parse_dom0_mem("-256M", &m, &f), 0);
    assert_int_equal(args_dom0_pages(&m, 1 << 18, &max), (1 << 18) - 65536);
    assert_int_equal(args_parse_dom0_mem("64M,min:128M,max:1G", &m, &f), 0);
    assert_int_equal(args_dom0_pages(&m, 1 << 18, &max), 32768);
    assert_int_equal(args_parse_dom0_mem("max:128M", &m, &f), 0);
    assert_int_equal(args_dom0_pages(&m, 1 << 18, &max), 32768);
    assert_int_equal(args_parse_dom0_mem(NULL, &m, &f), 0);
    assert_int_equal(args_dom0_pages(&m, 1 << 18, &max), (1 << 18) - (1 << 14));
    assert_int_equal(args_dom0_pages(&m, 1 << 20, &max), (1 << 20) - 32768);
    assert_int_equal(args_parse_dom0_mem("lots", &m, &f), -EINVAL);
    assert_non_null(strstr(f.text, "bad value"));
    assert_int_equal(args_parse_dom0_mem("", &m, &f), -EINVAL);
    assert_int_equal(args_parse_dom0_mem("1G,", &m, &f), -EINVAL);
    assert_int_equal(args_parse_dom0_mem("max:", &m, &f), -EINVAL);
}

static void test_dom0_vcpus(void **state)
{
    struct fault f;
    uint32_t n;

    assert_int_equal(args_parse_dom0_vcpus(NULL, 4, 128, &n, &f), 0);
    assert_int_equal(n, 4);
    assert_int_equal(args_parse_dom0_vcpus("2", 4, 128, &n, &f), 0);
    assert_int_equal(n, 2);
    assert_int_equal(args_parse_dom0_vcpus("6", 4, 128, &n, &f), 0);
    assert_int_equal(n, 6);
    assert_int_equal(args_parse_dom0_vcpus("1-3", 4, 128, &n, &f), 0);
    assert_int_equal(n, 3);
    assert_int_equal(args_parse_dom0_vcpus("8-", 4, 128, &n, &f), 0);
    assert_int_equal(n, 8);
    assert_int_equal(args_parse_dom0_vcpus("-2", 4, 128, &n, &f), 0);
    assert_int_equal(n, 2);
    assert_int_equal(args_parse_dom0_vcpus("0", 4, 128, &n, &f), -EINVAL);
    assert_int_equal(args_parse_dom0_vcpus("3-2", 4, 128, &n, &f), -EINVAL);
    assert_int_equal(args_parse_dom0_vcpus("x", 4, 128, &n, &f), -EINVAL);
    assert_int_equal(args_parse_dom0_vcpus("500", 4, 128, &n, &f), -EINVAL);
    assert_non_null(strstr(f.text, "too many vcpus"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),      cmocka_unit_test(test_defaults), cmocka_unit_test(test_which_form),
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_long),     cmocka_unit_test(test_plain),
        cmocka_unit_test(test_dom0_mem),  cmocka_unit_test(test_dom0_vcpus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
