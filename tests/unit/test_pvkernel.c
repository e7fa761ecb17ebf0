/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a PV kernel says about itself, in both tongues; what is refused; broken images. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "abi/xen.h"
#include "kernel_image.h"
#include "lib/pvkernel.h"

#define OFFERED (BIT(XENFEAT_writable_page_tables) | BIT(XENFEAT_dom0))

static int read_kernel(struct kernel *k, struct pv_kernel *kernel, const char **why)
{
    struct elf elf;

    assert_int_equal(elf_open(&elf, k->bytes, KERNEL_SIZE, why), 0);
    return pv_kernel_read(kernel, &elf, OFFERED, why);
}

static void assert_span(struct span span, const char *text)
{
    assert_int_equal(span.len, strlen(text));
    assert_memory_equal(span.at, text, span.len);
}

#define VIRT_BASE 0xffffffff80000000ULL

/* What Linux says. */
static void make_linux(struct kernel *k)
{
    static const uint64_t l1_mfn_valid[2] = {1, 1};

    make_kernel(k);
    kernel_note_text(k, XEN_ELFNOTE_GUEST_OS, "linux");
    kernel_note_text(k, XEN_ELFNOTE_GUEST_VERSION, "2.6");
    kernel_note_text(k, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
    kernel_note_number(k, XEN_ELFNOTE_VIRT_BASE, VIRT_BASE);
    kernel_note_number(k, XEN_ELFNOTE_INIT_P2M, 0x8000000000ULL);
    kernel_note_number(k, XEN_ELFNOTE_ENTRY, VIRT_BASE + KERNEL_PADDR + 0x40);
    kernel_note_number(k, XEN_ELFNOTE_HYPERCALL_PAGE, VIRT_BASE + KERNEL_PADDR + 0x1000);
    kernel_note_text(k, XEN_ELFNOTE_FEATURES, "!writable_page_tables|pae_pgdir_above_4gb|news");
    kernel_add_note(k, "Xen", XEN_ELFNOTE_SUPPORTED_FEATURES, &(uint32_t){BIT(XENFEAT_dom0)}, 4);
    kernel_note_text(k, XEN_ELFNOTE_PAE_MODE, "yes");
    kernel_note_text(k, XEN_ELFNOTE_LOADER, "generic");
    kernel_add_note(k, "Xen", XEN_ELFNOTE_L1_MFN_VALID, l1_mfn_valid, 16);
    kernel_add_note(k, "Xen", XEN_ELFNOTE_SUSPEND_CANCEL, &(uint32_t){1}, 4);
    kernel_add_note(k, "Xen", XEN_ELFNOTE_MOD_START_PFN, &(uint32_t){1}, 4);
    kernel_note_number(k, XEN_ELFNOTE_HV_START_LOW, 0xffff800000000000ULL);
    kernel_note_number(k, XEN_ELFNOTE_PADDR_OFFSET, 0);
}

static void test_linux(void **state)
{
    struct kernel k;
    struct pv_kernel kernel;
    const char *why;

    make_linux(&k);
    assert_int_equal(read_kernel(&k, &kernel, &why), 0);
    assert_int_equal(kernel.virt_base, VIRT_BASE);
    assert_int_equal(kernel.paddr_offset, 0);
    assert_int_equal(kernel.vstart, VIRT_BASE + KERNEL_PADDR);
    assert_int_equal(kernel.vend, VIRT_BASE + KERNEL_PADDR + KERNEL_MEMSZ);
    assert_int_equal(kernel.entry, VIRT_BASE + KERNEL_PADDR + 0x40);
    assert_true(kernel.has_hypercall_page);
    assert_int_equal(kernel.hypercall_page, VIRT_BASE + KERNEL_PADDR + 0x1000);
    assert_true(kernel.has_init_p2m);
    assert_int_equal(kernel.init_p2m, 0x8000000000ULL);
    assert_true(kernel.has_hv_start_low);
    assert_int_equal(kernel.hv_start_low, 0xffff800000000000ULL);
    assert_true(kernel.has_l1_mfn_valid);
    assert_int_equal(kernel.l1_mfn_valid_mask, 1);
    assert_int_equal(kernel.l1_mfn_valid_value, 1);
    assert_true(kernel.mod_start_pfn);
    assert_true(kernel.suspend_cancel);
    assert_false(kernel.bsd_symtab);
    assert_int_equal(kernel.features_required, BIT(XENFEAT_writable_page_tables));
    assert_int_equal(kernel.features_supported, BIT(XENFEAT_writable_page_tables) |
                                                    BIT(XENFEAT_pae_pgdir_above_4gb) | BIT(XENFEAT_dom0));
    assert_span(kernel.guest_os, "linux");
    assert_span(kernel.guest_version, "2.6");
    assert_span(kernel.xen_version, "xen-3.0");
    assert_span(kernel.loader, "generic");
    assert_span(kernel.pae_mode, "yes");
}

static void test_least(void **state)
{
    struct kernel k;
    struct pv_kernel kernel;
    const char *why;

    make_kernel(&k);
    kernel_note_text(&k, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
    assert_int_equal(read_kernel(&k, &kernel, &why), 0);
    assert_int_equal(kernel.virt_base, 0);
    assert_int_equal(kernel.entry, KERNEL_PADDR);
    assert_int_equal(kernel.vstart, KERNEL_PADDR);
    assert_false(kernel.has_hypercall_page);
    assert_false(kernel.has_init_p2m);
    assert_false(kernel.mod_start_pfn);
}

static void test_guest_section(void **state)
{
    struct kernel k;
    struct pv_kernel kernel;
    const char *why;

    make_kernel(&k);
    kernel_segments(&k)[0].p_paddr = VIRT_BASE + KERNEL_PADDR;
    kernel_guest_section(
        &k, "GUEST_OS=NetBSD,GUEST_VER=4.99,XEN_VER=xen-3.0,LOADER=generic,"
            "VIRT_BASE=0xffffffff80000000,VIRT_ENTRY=0xffffffff80100040,"
            "HYPERCALL_PAGE=0x101,FEATURES=writable_page_tables,PAE=yes,BSD_SYMTAB=yes,UNKNOWN=1");
    assert_int_equal(read_kernel(&k, &kernel, &why), 0);
    assert_span(kernel.guest_os, "NetBSD");
    assert_span(kernel.guest_version, "4.99");
    assert_span(kernel.pae_mode, "yes");
    assert_int_equal(kernel.paddr_offset, VIRT_BASE); /* the older tongue's default */
    assert_int_equal(kernel.vstart, VIRT_BASE + KERNEL_PADDR);
    assert_int_equal(kernel.entry, VIRT_BASE + KERNEL_PADDR + 0x40);
    assert_int_equal(kernel.hypercall_page, VIRT_BASE + 0x101000);
    assert_int_equal(kernel.features_supported, BIT(XENFEAT_writable_page_tables));
    assert_true(kernel.bsd_symtab);

    kernel_segments(&k)[0].p_paddr = KERNEL_PADDR;
    kernel_guest_section(&k, "XEN_VER=xen-3.0,VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0x0,BSD_SYMTAB,"
                             "VIRT_ENTRY=0xffffffff80100000");
    assert_int_equal(read_kernel(&k, &kernel, &why), 0);
    assert_int_equal(kernel.paddr_offset, 0);
    assert_int_equal(kernel.vstart, VIRT_BASE + KERNEL_PADDR);
    assert_true(kernel.bsd_symtab);
    assert_false(kernel.has_hypercall_page);
}

static void assert_refused(struct kernel *k, const char *word)
{
    struct pv_kernel kernel;
    const char *why = NULL;

    if (read_kernel(k, &kernel, &why) != -ENOEXEC)
        fail_msg("not refused; expected: %s", word);
    assert_non_null(why);
    if (strstr(why, word) == NULL)
        fail_msg("'%s' does not say '%s'", why, word);
    make_kernel(k);
}

static void test_wrong(void **state)
{
    struct kernel k;

    make_kernel(&k);
    assert_refused(&k, "neither Xen notes");
    kernel_note_number(&k, XEN_ELFNOTE_PHYS32_ENTRY, 0x100000);
    assert_refused(&k, "PVH only");
    kernel_note_text(&k, XEN_ELFNOTE_XEN_VERSION, "xen-2.0");
    assert_refused(&k, "xen-3.0 was expected");
    kernel_note_number(&k, XEN_ELFNOTE_VIRT_BASE, 0xffff800000000000ULL - KERNEL_PADDR);
    assert_refused(&k, "no 64-bit guest may map");
    kernel_note_number(&k, XEN_ELFNOTE_VIRT_BASE, 0x7fffffefd000ULL);
    assert_refused(&k, "no 64-bit guest may map");
    kernel_note_number(&k, XEN_ELFNOTE_VIRT_BASE, ~0ULL - KERNEL_PADDR - 10);
    assert_refused(&k, "wraps");
    kernel_note_text(&k, XEN_ELFNOTE_GUEST_OS, "x");
    kernel_note_number(&k, XEN_ELFNOTE_PADDR_OFFSET, KERNEL_PADDR + 1);
    assert_refused(&k, "below the paddr offset");
    kernel_note_number(&k, XEN_ELFNOTE_ENTRY, KERNEL_PADDR + KERNEL_MEMSZ);
    assert_refused(&k, "entry point");
    kernel_note_number(&k, XEN_ELFNOTE_HYPERCALL_PAGE, KERNEL_PADDR + 0x100);
    assert_refused(&k, "hypercall page");
    kernel_note_number(&k, XEN_ELFNOTE_HYPERCALL_PAGE, KERNEL_PADDR + KERNEL_MEMSZ);
    assert_refused(&k, "hypercall page");
    kernel_note_text(&k, XEN_ELFNOTE_GUEST_OS, "x");
    kernel_note_number(&k, XEN_ELFNOTE_INIT_P2M, 0xffff800000000000ULL);
    assert_refused(&k, "INIT_P2M");
    kernel_note_text(&k, XEN_ELFNOTE_GUEST_OS, "x");
    kernel_note_number(&k, XEN_ELFNOTE_HV_START_LOW, 0xffff800000001000ULL);
    assert_refused(&k, "HV_START_LOW");
    kernel_note_text(&k, XEN_ELFNOTE_GUEST_OS, "x");
    kernel_note_text(&k, XEN_ELFNOTE_FEATURES, "dom0|!auto_translated_physmap");
    assert_refused(&k, "not offered");
    kernel_note_text(&k, XEN_ELFNOTE_GUEST_OS, "x");
    kernel_note_text(&k, XEN_ELFNOTE_FEATURES, "!from_the_future");
    assert_refused(&k, "requires a feature");
    kernel_guest_section(&k, "VIRT_BASE=somewhere");
    assert_refused(&k, "number");
    kernel_guest_section(&k, "HYPERCALL_PAGE=0xffffffffffffffff");
    assert_refused(&k, "page number");
}

static void test_mutated(void **state)
{
    struct kernel linux_kernel, old_kernel;

    srand(3);
    make_linux(&linux_kernel);
    make_kernel(&old_kernel);
    kernel_guest_section(&old_kernel,
                         "GUEST_OS=x,XEN_VER=xen-3.0,VIRT_BASE=0x0,FEATURES=a|b|!dom0,HYPERCALL_PAGE=0x2");
    for (int round = 0; round < 60000; round++) {
        const uint8_t *image = round % 2 != 0 ? linux_kernel.bytes : old_kernel.bytes;
        uint8_t *copy = exact_copy(image, KERNEL_SIZE);
        struct pv_kernel kernel;
        struct elf elf;
        const char *why = NULL;

        for (int i = rand() % 6; i >= 0; i--)
            copy[(size_t)rand() % KERNEL_TEXT_AT] = (uint8_t)rand();
        if (elf_open(&elf, copy, KERNEL_SIZE, &why) == 0 &&
            pv_kernel_read(&kernel, &elf, OFFERED, &why) == 0) {
            assert_true(kernel.vstart < kernel.vend);
            assert_in_range(kernel.entry, kernel.vstart, kernel.vend - 1);
        } else {
            assert_non_null(why);
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linux), cmocka_unit_test(test_least),   cmocka_unit_test(test_guest_section),
        cmocka_unit_test(test_wrong), cmocka_unit_test(test_mutated),
    };

    return cmocka_run_group_tests_name("pvkernel", tests, NULL, NULL);
}
