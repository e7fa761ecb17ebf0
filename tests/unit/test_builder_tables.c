/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's first page tables, walked entry by entry, in a machine whose RAM is an array. */
#include "builder/build.h"
#include "core/panic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BASE 0xffffffff80000000ULL
#define WANT (PTE_P | PTE_US)

void assert_failed(const char *expr, const char *file, int line)
{
    abort();
}

uintptr_t fake_direct, fake_frames, fake_m2p; /* machine frame 0 is where the array begins */

/* Machine frames are in the reverse order of the guest's. */
static struct build make_build(uint64_t nr_pages, bool init_p2m)
{
    struct layout_input in = {
        .virt_base = BASE,
        .kernel_end = BASE + (3 << 20),
        .ramdisk_size = 5000,
        .has_init_p2m = init_p2m,
        .init_p2m = 0x8000000000,
        .nr_pages = nr_pages,
    };
    struct build b = {0};
    void *memory = aligned_alloc(PAGE_SIZE, nr_pages * PAGE_SIZE);

    assert_int_equal(layout_compute(&in, &b.layout), 0);
    memset(memory, 0, nr_pages * PAGE_SIZE);
    fake_direct = (uintptr_t)memory;
    b.p2m = calloc(b.layout.p2m_pages, sizeof(b.p2m[0]));
    for (uint64_t i = 0; i < b.layout.p2m_pages; i++)
        b.p2m[i] = mfn_to_ptr(mfn(nr_pages - 1 - (b.layout.p2m + i)));
    for (uint64_t p = 0; p < nr_pages; p++)
        b.p2m[p / 512][p % 512] = nr_pages - 1 - p;
    return b;
}

static uint64_t mapped, writable, tables_seen;

/* Count what is below a table, and check each leaf. */
static void walk(const struct build *b, const pte_t *table, unsigned int level, uint64_t va)
{
    tables_seen++;
    for (uint64_t i = 0; i < 512; i++) {
        uint64_t at = va | i << (PAGE_SHIFT + 9 * (level - 1));

        if (level == 4 && i >= 256)
            at |= 0xffff000000000000;
        if (table[i] == 0)
            continue;
        assert_int_equal(table[i] & WANT, WANT);
        assert_int_equal(table[i] & (PTE_PS | PTE_NX | PTE_G), 0);
        if (level > 1) {
            walk(b, mfn_to_ptr(pte_mfn(table[i])), level - 1, at);
            continue;
        }
        mapped++;
        writable += (table[i] & PTE_RW) != 0;
        at = at >= b->layout.v_start ? (at - b->layout.v_start) >> PAGE_SHIFT
                                     : b->layout.p2m + ((at - b->layout.p2m_va) >> PAGE_SHIFT);
        assert_true(mfn_eq(pte_mfn(table[i]), build_mfn(b, at)));
    }
}

static void check_build(uint64_t nr_pages, bool init_p2m)
{
    struct build b = make_build(nr_pages, init_p2m);
    uint64_t pages = (b.layout.v_end - b.layout.v_start) >> PAGE_SHIFT;

    build_tables(&b);
    mapped = writable = tables_seen = 0;
    walk(&b, mfn_to_ptr(build_mfn(&b, b.layout.tables)), 4, 0);
    assert_int_equal(mapped, pages + (init_p2m ? b.layout.p2m_pages : 0));
    assert_int_equal(mapped - writable, b.layout.tables_pages);
    assert_int_equal(tables_seen, b.layout.tables_pages + b.layout.p2m_tables_pages);
    free(b.p2m);
    free((void *)fake_direct);
}

static void test_plain(void **state)
{
    check_build(4096, false);
}

static void test_init_p2m(void **state)
{
    check_build(4096, true);
}

static void test_smallest(void **state)
{
    check_build(1024, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_init_p2m),
        cmocka_unit_test(test_smallest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
