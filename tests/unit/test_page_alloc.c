/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The buddy allocator: what it gives is free, aligned, where it was asked for, and all comes back in whole blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake.h"
#include "lib/string.h"
#include "mem/frame_init.h"
#include "mem/page_alloc.h"

#define MB (1ULL << 20)
#define GB (1ULL << 30)

static const struct mem_range ram[] = {
    {0, 640 * 1024}, /* the first MiB counts as device memory, and is never handed out */
    {1 * MB, 63 * MB + 4096 * 3},
    {3 * GB - 5 * 4096, 3 * GB + 64 * MB},
    {5 * GB, 5 * GB + 32 * MB},
    {900 * GB + 4096, 900 * GB + 17 * MB},
};

static uint64_t ram_frames(void)
{
    uint64_t n = 0;

    for (size_t i = 1; i < ARRAY_SIZE(ram); i++)
        n += (ram[i].end - ram[i].start) >> PAGE_SHIFT;
    return n;
}

static bool is_ram(uint64_t m)
{
    for (size_t i = 1; i < ARRAY_SIZE(ram); i++) {
        if (m >= ram[i].start >> PAGE_SHIFT && m < ram[i].end >> PAGE_SHIFT)
            return true;
    }
    return false;
}

static void test_totals(void **state)
{
    assert_int_equal(page_alloc_total_frames(), ram_frames());
    assert_int_equal(page_alloc_free_frames(), ram_frames());
}

static void test_valid(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(ram); i++) {
        for (uint64_t m = (ram[i].start >> PAGE_SHIFT) - 2; m != (ram[i].start >> PAGE_SHIFT) + 2; m++)
            assert_int_equal(mfn_valid(mfn(m)), is_ram(m));
        for (uint64_t m = (ram[i].end >> PAGE_SHIFT) - 2; m != (ram[i].end >> PAGE_SHIFT) + 2; m++)
            assert_int_equal(mfn_valid(mfn(m)), is_ram(m));
    }
    assert_false(mfn_valid(mfn(200 * GB >> PAGE_SHIFT)));
    assert_false(mfn_valid(MFN_INVALID));
    assert_false(mfn_valid(mfn(1ULL << 52)));
    assert_false(mfn_valid(mfn(1ULL << 63)));
}

/* Takes all of order 0: each frame once. */
static void test_every_frame(void **state)
{
    uint64_t total = page_alloc_free_frames();
    struct frame *f, *chain = NULL;

    for (uint64_t i = 0; i < total; i++) {
        f = page_alloc(0, 0);
        assert_non_null(f);
        assert_true(is_ram(frame_to_mfn(f).v));
        assert_int_not_equal(frame_to_mfn(f).v, 0);
        assert_null(f->owner);
        f->owner = (struct domain *)chain; /* a second time, this would not be NULL */
        chain = f;
        if (!f->owner)
            f->owner = (struct domain *)f;
    }
    assert_null(page_alloc(0, 0));
    assert_int_equal(page_alloc_free_frames(), 0);
    while (chain) {
        f = (struct frame *)chain->owner;
        f = f == chain ? NULL : f;
        page_free(chain, 0);
        chain = f;
    }
    assert_int_equal(page_alloc_free_frames(), total);
    /* Merged again: 32 MB aligned in one piece. */
    f = page_alloc(13, 0);
    assert_non_null(f);
    page_free(f, 13);
}

static void test_limits(void **state)
{
    static const unsigned int bits[] = {21, 22, 24, 32, 33, 40, 41};

    for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
        struct frame *f = page_alloc(0, PA_BITS(bits[i]));

        assert_non_null(f);
        assert_true(frame_to_mfn(f).v < BIT(bits[i] - PAGE_SHIFT));
        page_free(f, 0);
    }
    assert_null(page_alloc(0, PA_BITS(12)));
    assert_null(page_alloc(0, PA_BITS(1)));
    for (unsigned int order = 0; order <= 13; order++) {
        struct frame *f = page_alloc(order, PA_BELOW_4G);

        assert_non_null(f);
        assert_true(frame_to_mfn(f).v + BIT(order) <= 4 * GB >> PAGE_SHIFT);
        page_free(f, order);
    }
    assert_null(page_alloc(PAGE_ORDER_MAX, 0));
    assert_null(page_alloc(PAGE_ORDER_MAX + 1, 0));
    /* High memory first. */
    struct frame *f = page_alloc(0, 0);
    assert_true(frame_to_mfn(f).v >= 900 * GB >> PAGE_SHIFT);
    page_free(f, 0);
}

static void test_random(void **state)
{
    static struct { struct frame *f; unsigned int order; } held[600];
    uint64_t total = page_alloc_free_frames(), out = 0;

    srand(1);
    for (int step = 0; step < 60000; step++) {
        size_t i = (size_t)rand() % ARRAY_SIZE(held);

        if (held[i].f) {
            for (uint64_t k = 0; k < BIT(held[i].order); k++)
                assert_int_equal(held[i].f[k].type, i + 1);
            page_free(held[i].f, held[i].order);
            out -= BIT(held[i].order);
            held[i].f = NULL;
        } else {
            held[i].order = (unsigned int)rand() % 10;
            held[i].f = page_alloc(held[i].order, rand() % 4 == 0 ? PA_BELOW_4G : 0);
            if (!held[i].f)
                continue;
            out += BIT(held[i].order);
            assert_int_equal(frame_to_mfn(held[i].f).v & (BIT(held[i].order) - 1), 0);
            for (uint64_t k = 0; k < BIT(held[i].order); k++) {
                assert_int_equal(held[i].f[k].type, 0);
                assert_int_equal(held[i].f[k].count, 0);
                held[i].f[k].type = i + 1;
            }
        }
        assert_int_equal(page_alloc_free_frames() + out, total);
    }
    for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
        if (held[i].f)
            page_free(held[i].f, held[i].order);
    }
    assert_int_equal(page_alloc_free_frames(), total);
    struct frame *f = page_alloc(13, 0);
    assert_non_null(f);
    page_free(f, 13);
}

static void test_zero_and_hv_pages(void **state)
{
    uint64_t total = page_alloc_free_frames();
    struct frame *f = page_alloc(2, 0);
    char *p = frame_to_ptr(f);

    memset(p, 0xa5, 4 * PAGE_SIZE);
    page_free(f, 2);
    for (int fresh = 0; fresh < 2; fresh++) {
        f = page_alloc(2, PA_ZERO);
        p = frame_to_ptr(f);
        for (size_t i = 0; i < 4 * PAGE_SIZE; i++)
            assert_int_equal(p[i], 0);
        /* Then the last byte of a page, as if nobody had had it since boot. */
        p[2 * PAGE_SIZE - 1] = 1;
        page_free(f, 2);
        f[1].flags &= (uint8_t)~FRAME_USED;
    }

    p = hv_page_alloc();
    assert_int_equal(mfn_to_frame(ptr_to_mfn(p))->count, FC_HV | FC_ALLOCATED | 1);
    hv_page_free(p);
    assert_int_equal(page_alloc_free_frames(), total);
}

static void test_misuse(void **state)
{
    struct frame *f = page_alloc(0, 0);

    page_free(f, 0);
    assert_true(fake_panics(page_free(f, 0)));
    f = page_alloc(1, 0);
    assert_true(fake_panics(page_free(f + 1, 1)));
    assert_true(fake_panics(hv_page_free(frame_to_ptr(f))));
    page_free(f, 1);
}

static int set_up(void **state)
{
    fake_machine_init(1);
    fake_memory_init(ram, ARRAY_SIZE(ram));
    return 0;
}

/* The last test: it takes all pages there are, until it comes to the one that was written. */
static void take_all(void)
{
    while (hv_page_alloc())
        ;
}

static void test_write_after_free(void **state)
{
    uint8_t *page = hv_page_alloc();

    assert_non_null(page);
    hv_page_free(page);
    page[100] = 1;
    assert_true(fake_panics(take_all()));
    assert_memory_equal(fake_panic_text, "page ", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_totals),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_every_frame),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_zero_and_hv_pages),
        cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_write_after_free),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
