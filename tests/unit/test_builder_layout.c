/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The start-of-day layout: order, padding, tables, and what cannot be laid out. */
#include "builder/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define KERNEL_BASE 0xffffffff80000000ULL
#define MB          (1024 * 1024ULL)
#define MB_PAGES    256ULL

static struct layout_input linux_input(uint64_t nr_pages)
{
    return (struct layout_input){
        .virt_base = KERNEL_BASE,
        .kernel_end = KERNEL_BASE + 60 * MB + 1,
        .ramdisk_size = 2 * MB + 5,
        .nr_pages = nr_pages,
    };
}

/* What every layout keeps. */
static void check_common(const struct layout_input *in, const struct layout *l)
{
    uint64_t tables = 1;

    assert_int_equal(l->v_end % (4 * MB), 0);
    assert_true(((l->v_end - l->v_start) >> PAGE_SHIFT) - (l->stack + 1) >= 128);
    for (unsigned int level = 1; level <= 3; level++)
        tables += layout_tables(l->v_start, l->v_end, level);
    assert_int_equal(l->tables_pages, tables);
    assert_int_equal(l->stack, l->tables + l->tables_pages);
    assert_true(l->end <= in->nr_pages);
    assert_true(l->p2m_pages * 512 >= in->nr_pages);
}

static void test_order(void **state)
{
    struct layout_input in = linux_input(128 * MB_PAGES);
    struct layout l;

    assert_int_equal(layout_compute(&in, &l), 0);
    check_common(&in, &l);
    assert_int_equal(l.ramdisk, 60 * MB_PAGES + 1);
    assert_int_equal(l.ramdisk_pages, 2 * MB_PAGES + 1);
    assert_int_equal(l.p2m, l.ramdisk + l.ramdisk_pages);
    assert_int_equal(l.p2m_va, KERNEL_BASE + (l.p2m << PAGE_SHIFT));
    assert_int_equal(l.start_info, l.p2m + 64);
    assert_int_equal(l.store, l.start_info + 1);
    assert_int_equal(l.console, l.start_info + 2);
    assert_int_equal(l.tables, l.start_info + 3);
    assert_int_equal(l.p2m_tables_pages, 0);
}

static void test_initial_domain(void **state)
{
    struct layout_input in = linux_input(128 * MB_PAGES);
    struct layout l;

    in.initial_domain = true;
    assert_int_equal(layout_compute(&in, &l), 0);
    check_common(&in, &l);
    assert_int_equal(l.tables, l.start_info + 1);
    assert_int_equal(l.store, 0);
}

static void test_unmapped(void **state)
{
    struct layout_input in = linux_input(4096 * MB_PAGES);
    struct layout l;

    in.has_init_p2m = true;
    in.init_p2m = 0x8000000000;
    in.ramdisk_unmapped = true;
    assert_int_equal(layout_compute(&in, &l), 0);
    check_common(&in, &l);
    assert_int_equal(l.start_info, 60 * MB_PAGES + 1);
    assert_int_equal(l.ramdisk, (l.v_end - l.v_start) >> PAGE_SHIFT);
    assert_int_equal(l.p2m, l.ramdisk + l.ramdisk_pages);
    assert_int_equal(l.p2m_va, 0x8000000000);
    assert_int_equal(l.p2m_pages, 2048);
    assert_int_equal(l.p2m_tables, l.p2m + 2048);
    assert_int_equal(l.p2m_tables_pages, 4 + 1 + 1);
    assert_int_equal(l.end, l.p2m_tables + 6);
}

static void test_p2m_shares_tables(void **state)
{
    struct layout_input in = linux_input(64 * MB_PAGES);
    struct layout l;

    in.kernel_end = KERNEL_BASE + 8 * MB;
    in.has_init_p2m = true;
    in.init_p2m = KERNEL_BASE + 512 * MB; /* the same 1 GB: only a level-1 table is its own */
    assert_int_equal(layout_compute(&in, &l), 0);
    assert_int_equal(l.p2m_tables_pages, 1);
    in.init_p2m = KERNEL_BASE + 1 * MB; /* within the first mapping */
    assert_int_equal(layout_compute(&in, &l), -EINVAL);
}

/* The end of the mapping at every distance from a boundary: the table count is the fixed point. */
static void test_every_end(void **state)
{
    for (uint64_t pages = 1; pages < 2 * 1024; pages++) {
        struct layout_input in = {
            .virt_base = KERNEL_BASE,
            .kernel_end = KERNEL_BASE + (pages << PAGE_SHIFT),
            .nr_pages = 64 * MB_PAGES,
        };
        struct layout l;

        assert_int_equal(layout_compute(&in, &l), 0);
        check_common(&in, &l);
        assert_true(l.v_end - l.v_start - ((l.stack + 1) << PAGE_SHIFT) < 4 * MB + 512 * 1024);
    }
}

static void test_refused(void **state)
{
    struct layout_input in = linux_input(63 * MB_PAGES);
    struct layout l;

    assert_int_equal(layout_compute(&in, &l), -ENOMEM);
    assert_true(l.end > 63 * MB_PAGES);
    in = linux_input(128 * MB_PAGES);
    in.virt_base += 1;
    assert_int_equal(layout_compute(&in, &l), -EINVAL);
    in = linux_input(128 * MB_PAGES);
    in.kernel_end = in.virt_base;
    assert_int_equal(layout_compute(&in, &l), -EINVAL);
    in.virt_base = 0xffff830000000000; /* the hypervisor's own */
    in.kernel_end = in.virt_base + MB;
    assert_int_equal(layout_compute(&in, &l), -EINVAL);
    in.virt_base = 0x7ffffff00000; /* runs into the hole of non-canonical addresses */
    in.kernel_end = in.virt_base + MB / 2;
    assert_int_equal(layout_compute(&in, &l), -EINVAL);
    in.virt_base = 0xffffffffff000000; /* wraps */
    in.kernel_end = 0xfffffffffffff000;
    assert_int_equal(layout_compute(&in, &l), -EINVAL);
    in = linux_input(128 * MB_PAGES);
    in.ramdisk_size = ~0ULL;
    assert_int_equal(layout_compute(&in, &l), -EINVAL);
    in.ramdisk_size = 1024 * MB;
    in.ramdisk_unmapped = true;
    assert_int_equal(layout_compute(&in, &l), -ENOMEM);
    in = linux_input(~0ULL);
    assert_int_equal(layout_compute(&in, &l), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_initial_domain),
        cmocka_unit_test(test_unmapped),
        cmocka_unit_test(test_p2m_shares_tables),
        cmocka_unit_test(test_every_end),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
