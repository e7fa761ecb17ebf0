/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations, counted. */
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
