/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pin rules, all of them: every state that up to three holders of each
 * kind can reach is visited, with every step out of it; and every entry a
 * guest can write is judged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "grant/pin.h"
#include "lib/string.h"

#define HOLDERS 3

static const struct { unsigned int use; bool readonly; } kind[4] = {
    {PIN_HOST, true}, {PIN_HOST, false}, {PIN_DEVICE, true}, {PIN_DEVICE, false},
};

static uint16_t expected_status(const unsigned int n[4])
{
    if (n[1] + n[3] > 0)
        return GTF_reading | GTF_writing;
    return n[0] + n[2] > 0 ? GTF_reading : 0;
}

static struct grant_pin state_of(const unsigned int n[4])
{
    return (struct grant_pin){(uint8_t)n[0], (uint8_t)n[1], (uint8_t)n[2], (uint8_t)n[3]};
}

/* From state n, take each step; what the granter's bits must do follows from the holders alone. */
static void check_state(const unsigned int n[4])
{
    struct grant_pin p = state_of(n);

    assert_int_equal(pin_status(p), expected_status(n));
    assert_int_equal(pin_is_held(p), n[0] + n[1] + n[2] + n[3] > 0);
    for (int k = 0; k < 4; k++) {
        unsigned int m[4];
        struct grant_pin q = p, next;

        memcpy(m, n, sizeof(m));
        m[k]++;
        assert_true(pin_add(&q, kind[k].use, kind[k].readonly));
        next = state_of(m);
        assert_memory_equal(&q, &next, sizeof(q));
        /* A holder never takes a bit away, and adds those it needs. */
        assert_int_equal(pin_status(p) & ~pin_status(q), 0);
        assert_true(pin_status(q) & (kind[k].readonly ? GTF_reading : GTF_writing));
        pin_remove(&q, kind[k].use, kind[k].readonly);
        assert_memory_equal(&q, &p, sizeof(q));
    }
}

static void test_every_state(void **state)
{
    unsigned int n[4], visited = 0;

    for (n[0] = 0; n[0] <= HOLDERS; n[0]++)
        for (n[1] = 0; n[1] <= HOLDERS; n[1]++)
            for (n[2] = 0; n[2] <= HOLDERS; n[2]++)
                for (n[3] = 0; n[3] <= HOLDERS; n[3]++, visited++)
                    check_state(n);
    assert_int_equal(visited, 256);
}

static void test_limit(void **state)
{
    for (int k = 0; k < 4; k++) {
        struct grant_pin p = {0};

        for (int i = 0; i < PIN_MAX; i++)
            assert_true(pin_add(&p, kind[k].use, kind[k].readonly));
        for (int other = 0; other < 4; other++) {
            struct grant_pin q = p;

            assert_int_equal(pin_add(&q, kind[other].use, kind[other].readonly), other != k);
            assert_int_equal(memcmp(&p, &q, sizeof(p)) == 0, other == k);
        }
        for (int i = 0; i < PIN_MAX; i++) {
            assert_true(pin_is_held(p));
            pin_remove(&p, kind[k].use, kind[k].readonly);
        }
        assert_false(pin_is_held(p));
    }
}

/* The rule in other words: of the interface's text, for each of the 65,536 values of the flags. */
static bool should_allow(unsigned int version, unsigned int flags, bool right_domain, bool readonly, bool map)
{
    bool page = (flags & 3) == GTF_permit_access && !(flags & GTF_sub_page);
    bool part = (flags & 3) == GTF_permit_access && (flags & GTF_sub_page);
    bool passed_on = (flags & 3) == GTF_transitive && version == 2;

    if (!right_domain || (!readonly && (flags & GTF_readonly)))
        return false;
    return page || (!map && (part || passed_on));
}

static void test_every_entry(void **state)
{
    for (unsigned int flags = 0; flags < 65536; flags++) {
        for (unsigned int bits = 0; bits < 16; bits++) {
            unsigned int version = bits & 1 ? 2 : 1;
            bool right = bits & 2, readonly = bits & 4, map = bits & 8;
            int got = entry_judge(version, (uint16_t)flags, right ? 7 : 8, 7, readonly,
                                  map ? ENTRY_MAP : ENTRY_COPY);
            int want = should_allow(version, flags, right, readonly, map) ? GNTST_okay : GNTST_general_error;

            if (got != want)
                fail_msg("version %u flags %#x right %d readonly %d map %d", version, flags, right, readonly, map);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_state),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_every_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
