/* SPDX-License-Identifier: GPL-2.0-or-later */
/* References to frames, their lists, and the machine-to-physical table. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "fake.h"
#include "mem/page_alloc.h"

static const struct mem_range ram[] = {{1 << 20, 16 << 20}};
static char a_domain, another_domain; /* only their addresses matter */
#define D1 ((struct domain *)&a_domain)
#define D2 ((struct domain *)&another_domain)

static struct frame *released;

static void release(struct frame *f)
{
    released = f;
    f->owner = NULL;
    page_free(f, 0);
}

static struct frame *owned_frame(struct domain *d)
{
    struct frame *f = page_alloc(0, 0);

    f->owner = d;
    f->count = FC_ALLOCATED | 1;
    return f;
}

static void test_get_put(void **state)
{
    uint64_t free_before = page_alloc_free_frames();
    struct frame *f = owned_frame(D1);

    assert_true(frame_get(f, D1));
    assert_int_equal(f->count, FC_ALLOCATED | 2);
    assert_false(frame_get(f, D2));
    assert_false(frame_get(f, NULL));
    assert_int_equal(f->count, FC_ALLOCATED | 2);
    frame_get_known(f);
    frame_put(f);
    frame_put(f);
    assert_null(released);

    f->count &= ~FC_ALLOCATED;
    frame_put(f);
    assert_ptr_equal(released, f);
    assert_int_equal(page_alloc_free_frames(), free_before);
    assert_false(frame_get(f, D1));
    assert_true(fake_panics(frame_put(f)));
    assert_true(fake_panics(frame_get_known(f)));
    f->count = 0;
}

static void test_full_count(void **state)
{
    struct frame *f = owned_frame(D1);

    f->count = FC_ALLOCATED | FC_COUNT_MASK;
    assert_false(frame_get(f, D1));
    f->count = FC_ALLOCATED | (FC_COUNT_MASK - 1);
    assert_true(frame_get(f, D1));
    f->count = 1;
    frame_put(f);
}

static void test_hypervisor_page(void **state)
{
    uint64_t free_before = page_alloc_free_frames();
    void *p = hv_page_alloc();
    struct frame *f = mfn_to_frame(ptr_to_mfn(p));

    released = NULL;
    assert_false(frame_get(f, D1));
    frame_put(f);
    assert_null(released);
    assert_int_equal(page_alloc_free_frames(), free_before);
}

static void test_m2p(void **state)
{
    assert_int_equal(m2p_get(mfn(0x200)).v, M2P_INVALID);
    m2p_set(mfn(0x200), pfn(7));
    assert_int_equal(m2p_get(mfn(0x200)).v, 7);
    m2p_set(mfn(0x200), PFN_INVALID);
    assert_int_equal(m2p_get(mfn(0x200)).v, M2P_INVALID);
}

static void test_lists(void **state)
{
    struct frame *a = page_alloc(2, 0);
    struct frame_list l;

    frame_list_init(&l);
    assert_null(frame_list_first(&l));
    frame_list_add(&l, &a[1]);
    frame_list_add(&l, &a[0]);
    frame_list_add_tail(&l, &a[2]);
    frame_list_add_tail(&l, &a[3]);
    assert_int_equal(l.count, 4);
    for (struct frame *f = frame_list_first(&l), *want = a; f; f = frame_list_next(&l, f))
        assert_ptr_equal(f, want++);

    frame_list_del(&l, &a[1]);
    assert_ptr_equal(frame_list_next(&l, &a[0]), &a[2]);
    frame_list_del(&l, &a[3]);
    assert_null(frame_list_next(&l, &a[2]));
    frame_list_del(&l, &a[0]);
    assert_ptr_equal(frame_list_first(&l), &a[2]);
    frame_list_add_tail(&l, &a[0]);
    assert_ptr_equal(frame_list_next(&l, &a[2]), &a[0]);
    frame_list_del(&l, &a[2]);
    frame_list_del(&l, &a[0]);
    assert_null(frame_list_first(&l));
    assert_int_equal(l.count, 0);
    frame_list_add_tail(&l, &a[3]);
    assert_ptr_equal(frame_list_first(&l), &a[3]);
    page_free(a, 2);
}

static int set_up(void **state)
{
    fake_machine_init(1);
    fake_memory_init(ram, ARRAY_SIZE(ram));
    frame_set_release(release);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get_put),
        cmocka_unit_test(test_full_count),
        cmocka_unit_test(test_hypervisor_page),
        cmocka_unit_test(test_m2p),
        cmocka_unit_test(test_lists),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
