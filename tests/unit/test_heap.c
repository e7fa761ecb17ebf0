/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small objects: cleared, aligned, apart from each other, and nothing is kept when all are freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake.h"
#include "lib/string.h"
#include "mem/heap.h"
#include "mem/page_alloc.h"

static const struct mem_range ram[] = {{1 << 20, 64 << 20}};

static void test_sizes(void **state)
{
    uint64_t free_before = page_alloc_free_frames();

    for (size_t size = 1; size <= 20000; size += size < 5000 ? 1 : 97) {
        char *p = heap_alloc(size), *q = heap_alloc(size);

        assert_non_null(p);
        assert_non_null(q);
        assert_true(p + size <= q || q + size <= p);
        assert_int_equal((uintptr_t)p % (size >= 64 ? 64 : 16), 0);
        for (size_t i = 0; i < size; i++)
            assert_true(p[i] == 0 && q[i] == 0);
        memset(p, 0xff, size);
        memset(q, 0xff, size);
        heap_free(p);
        heap_free(q);
        assert_int_equal(page_alloc_free_frames(), free_before);
    }
    heap_free(NULL);
}

static void test_random(void **state)
{
    static struct { unsigned char *p; size_t size; } held[500];
    uint64_t free_before = page_alloc_free_frames();

    srand(2);
    for (int step = 0; step < 100000; step++) {
        size_t i = (size_t)rand() % ARRAY_SIZE(held);
        unsigned char tag = (unsigned char)(i + 1);

        if (held[i].p) {
            assert_int_equal(held[i].p[0], tag);
            assert_int_equal(held[i].p[held[i].size - 1], tag);
            heap_free(held[i].p);
            held[i].p = NULL;
            continue;
        }
        held[i].size = (size_t)rand() % (rand() % 8 == 0 ? 9000 : 600) + 1;
        held[i].p = heap_alloc(held[i].size);
        assert_non_null(held[i].p);
        assert_int_equal(held[i].p[held[i].size / 2], 0);
        memset(held[i].p, tag, held[i].size);
    }
    for (size_t i = 0; i < ARRAY_SIZE(held); i++)
        heap_free(held[i].p);
    assert_int_equal(page_alloc_free_frames(), free_before);
}

static void test_red_zone(void **state)
{
    static const size_t sizes[] = {1, 8, 9, 16, 100, 184, 500, 1976, 4024};

    for (volatile size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        char *p = heap_alloc(sizes[i]);

        p[sizes[i]] ^= 1;
        assert_true(fake_panics(heap_free(p)));
        p[sizes[i]] ^= 1;
        heap_free(p);
    }
}

static void test_use_after_free(void **state)
{
    char *keeps_slab = heap_alloc(100), *p = heap_alloc(100);

    heap_free(p);
    p[50] = 0;
    assert_true(fake_panics(heap_alloc(100)));
    heap_free(keeps_slab);
}

static void test_failing(void **state)
{
    void *p, *q;

    page_alloc_fail_at(2);
    p = heap_alloc(64 << 10); /* the object, then its pages */
    assert_null(p);
    q = heap_alloc(64 << 10);
    assert_non_null(q);
    heap_free(q);
    assert_int_equal(page_alloc_fail_at(0), 4);
}

static void test_refusals(void **state)
{
    char *p = heap_alloc(100);

    assert_null(heap_alloc(SIZE_MAX));
    assert_null(heap_alloc_array(SIZE_MAX / 2, 3));
    assert_null(heap_alloc((size_t)1 << 30));
    assert_true(fake_panics(heap_free(p + 8)));
    heap_free(p);
    assert_true(fake_panics(heap_free(p)));
}

static int set_up(void **state)
{
    fake_machine_init(1);
    fake_memory_init(ram, ARRAY_SIZE(ram));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_red_zone),
        cmocka_unit_test(test_failing),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_use_after_free),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
