/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations, counted; and questions, whose answers run.py compares with those of Xen. */
#include "lib/guest.h"

unsigned checks_passed, checks_failed;

bool check_true(bool ok, const char *what, const char *file, int line)
{
    if (ok)
        checks_passed++;
    else {
        checks_failed++;
        print("FAIL %s:%d: %s\n", file, line, what);
    }
    return ok;
}

bool check_equal(u64 got, u64 want, const char *what, const char *file, int line)
{
    if (got == want) {
        checks_passed++;
        return true;
    }
    checks_failed++;
    print("FAIL %s:%d: %s is %s, not %s\n", file, line, what, error_name((long)got), error_name((long)want));
    return false;
}

const char *error_name(long code)
{
    static const struct {
        int code;
        const char *name;
    } names[] = {
#define XEN_ERRNO(name, value) {value, #name},
#include <xen/errno.h>
    };
    static char text[4][24];
    static unsigned turn;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (code == -names[i].code)
            return names[i].name;
    }
    turn = (turn + 1) % 4;
    guest_snprintf(text[turn], sizeof(text[turn]), "0x%lx", (u64)code);
    return text[turn];
}

void ask(const char *question, const char *format, ...)
{
    static char text[256];
    __builtin_va_list args;

    __builtin_va_start(args, format);
    guest_vsnprintf(text, sizeof(text), format, args);
    __builtin_va_end(args);
    print("ASK %s: %s\n", question, text);
    checks_passed++;
}

const char *code_text(long code)
{
    static char text[8][24];
    static unsigned next;
    char *to = text[next++ % 8];

    if (code < 0 && code > -200)
        return error_name(code);
    guest_snprintf(to, sizeof(text[0]), "%lx", (u64)code);
    return to;
}
