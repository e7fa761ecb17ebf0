/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking functions up, in a table as scripts/symbols.sh makes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/symbols.h"

__asm__(".data\n"
        ".globl text_start, text_end, symbols_start, symbols_end\n"
        ".balign 16\n"
        "text_start: .skip 0x100\n"
        "text_end: .skip 16\n"
        ".balign 4\n"
        "symbols_start: .long 4\n"
        ".long 0x00, 0\n"
        ".long 0x10, 6\n"
        ".long 0x40, 10\n"
        ".long 0xff, 15\n"
        ".asciz \"first\", \"two\", \"tail\", \"last\"\n"
        "symbols_end:\n"
        ".text\n");

extern const char text_start[], text_end[];

static void expect(uintptr_t at, const char *name, uintptr_t offset)
{
    uintptr_t found = 12345;

    assert_string_equal(symbol_find((uintptr_t)text_start + at, &found), name);
    assert_int_equal(found, offset);
}

static void test_find(void **state)
{
    uintptr_t offset;

    expect(0, "first", 0);
    expect(0xf, "first", 0xf);
    expect(0x10, "two", 0);
    expect(0x3f, "two", 0x2f);
    expect(0x40, "tail", 0);
    expect(0xfe, "tail", 0xbe);
    expect(0xff, "last", 0);
    assert_null(symbol_find((uintptr_t)text_start - 1, &offset));
    assert_null(symbol_find((uintptr_t)text_end, &offset));
    assert_null(symbol_find(0, &offset));
    assert_null(symbol_find(UINTPTR_MAX, &offset));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
