/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading ELF images: a right one, each way to be wrong, and thousands of broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "kernel_image.h"
#include "lib/elf.h"

static void test_right(void **state)
{
    struct kernel k;
    struct elf elf;
    struct elf_segment segment;
    struct span contents;
    const char *why;
    uint32_t cursor = 0;

    make_kernel(&k);
    kernel_add_note(&k, "GNU", 6, "other", 5);
    kernel_add_note(&k, "Xen", 7, "abc", 3);
    kernel_add_note(&k, "Xen", 6, "right", 6);
    kernel_guest_section(&k, "GUEST_OS=test");
    assert_int_equal(elf_open(&elf, k.bytes, KERNEL_SIZE, &why), 0);
    assert_int_equal(elf.entry, KERNEL_PADDR);

    assert_true(elf_next_load(&elf, &cursor, &segment));
    assert_int_equal(segment.paddr, KERNEL_PADDR);
    assert_int_equal(segment.filesz, KERNEL_SIZE - KERNEL_TEXT_AT);
    assert_int_equal(segment.memsz, KERNEL_MEMSZ);
    assert_int_equal(segment.flags, ELF_READ | ELF_EXECUTE);
    assert_false(elf_next_load(&elf, &cursor, &segment));

    assert_true(elf_find_xen_note(&elf, 6, &contents));
    assert_string_equal(contents.at, "right");
    assert_int_equal(contents.len, 6);
    assert_true(elf_find_xen_note(&elf, 7, &contents));
    assert_int_equal(contents.len, 3);
    assert_false(elf_find_xen_note(&elf, 8, &contents));

    assert_true(elf_find_section(&elf, "__xen_guest", &contents));
    assert_string_equal(contents.at, "GUEST_OS=test");
    assert_false(elf_find_section(&elf, "__xen", &contents));
    assert_false(elf_find_section(&elf, "__xen_guest_", &contents));
}

static void test_notes_in_section_only(void **state)
{
    struct kernel k;
    struct elf elf;
    struct span contents;
    const char *why;

    make_kernel(&k);
    kernel_note_text(&k, 6, "linux");
    kernel_segments(&k)[1].p_type = PT_NULL;
    assert_int_equal(elf_open(&elf, k.bytes, KERNEL_SIZE, &why), 0);
    assert_true(elf_find_xen_note(&elf, 6, &contents));
    assert_string_equal(contents.at, "linux");
}

static void assert_refused(struct kernel *k, const char *word)
{
    struct elf elf;
    const char *why = NULL;

    assert_int_equal(elf_open(&elf, k->bytes, KERNEL_SIZE, &why), -ENOEXEC);
    assert_non_null(why);
    if (strstr(why, word) == NULL)
        fail_msg("'%s' does not say '%s'", why, word);
    make_kernel(k);
}

static void test_wrong(void **state)
{
    struct kernel k;

    make_kernel(&k);
    k.bytes[0] = 0;
    assert_refused(&k, "magic");
    k.file.e_ident[EI_CLASS] = ELFCLASS32;
    assert_refused(&k, "32-bit");
    k.file.e_ident[EI_CLASS] = 9;
    assert_refused(&k, "class");
    k.file.e_ident[EI_DATA] = ELFDATA2MSB;
    assert_refused(&k, "big-endian");
    k.file.e_machine = EM_AARCH64;
    assert_refused(&k, "another processor");
    k.file.e_type = ET_REL;
    assert_refused(&k, "object file");
    k.file.e_phnum = 0;
    assert_refused(&k, "no program headers");
    k.file.e_phentsize = 32;
    assert_refused(&k, "program headers are smaller");
    k.file.e_phoff = ~0ULL - 8;
    assert_refused(&k, "program headers lie outside");
    k.file.e_phnum = 0xffff;
    assert_refused(&k, "program headers lie outside");
    k.file.e_shoff = KERNEL_SIZE - 1;
    assert_refused(&k, "section headers lie outside");
    k.file.e_shentsize = 8;
    assert_refused(&k, "section headers are smaller");
    k.file.e_shstrndx = 4;
    assert_refused(&k, "does not exist");
    kernel_segments(&k)[0].p_offset = ~0ULL;
    assert_refused(&k, "contents of a segment");
    kernel_segments(&k)[0].p_filesz = ~0ULL;
    assert_refused(&k, "contents of a segment");
    kernel_segments(&k)[0].p_memsz = 1;
    assert_refused(&k, "more bytes in the file");
    kernel_segments(&k)[0].p_paddr = ~0ULL - 5;
    assert_refused(&k, "wrap");
    kernel_segments(&k)[0].p_vaddr = ~0ULL - 5;
    assert_refused(&k, "wrap");
    kernel_segments(&k)[0].p_type = PT_NULL;
    assert_refused(&k, "no segment");
}

/* Reads all there is to read in an image that may be broken; the sanitizer judges. */
static void read_everything(const uint8_t *image, size_t size)
{
    struct elf elf;
    struct elf_segment segment;
    struct span contents;
    struct elf_symbols symbols;
    const char *why = NULL;
    uint32_t cursor = 0;
    volatile uint8_t sum = 0;

    if (elf_open(&elf, image, size, &why) != 0) {
        assert_non_null(why);
        return;
    }
    while (elf_next_load(&elf, &cursor, &segment)) {
        for (uint64_t i = 0; i < segment.filesz; i++)
            sum = (uint8_t)(sum + image[segment.offset + i]);
    }
    for (uint32_t type = 0; type < 20; type++) {
        if (elf_find_xen_note(&elf, type, &contents))
            assert_true((size_t)((const uint8_t *)contents.at - image) + contents.len <= size);
    }
    if (elf_find_section(&elf, "__xen_guest", &contents))
        assert_true((size_t)((const uint8_t *)contents.at - image) + contents.len <= size);
    if (elf_read_symbols(&elf, &symbols)) {
        assert_true((size_t)((const uint8_t *)symbols.symbols.at - image) + symbols.symbols.len <= size);
        assert_true((size_t)((const uint8_t *)symbols.names.at - image) + symbols.names.len <= size);
        assert_true(symbols.size == symbols.names_at + symbols.names.len);
    }
}

/* The sections of notes and of __xen_guest serve as symbols and names. */
static void as_symbols(struct kernel *k)
{
    Elf64_Shdr *s = kernel_sections(k);

    s[2].sh_type = SHT_SYMTAB;
    s[2].sh_link = 1;
}

static void test_symbols(void **state)
{
    struct elf_symbols symbols;
    struct kernel k;
    Elf64_Shdr headers[3];
    Elf64_Ehdr file;
    struct elf elf;
    const char *why;
    uint32_t following;

    make_kernel(&k);
    kernel_guest_section(&k, "GUEST_OS=test");
    assert_int_equal(elf_open(&elf, k.bytes, KERNEL_SIZE, &why), 0);
    assert_false(elf_read_symbols(&elf, &symbols));
    kernel_note_number(&k, 1, 2);
    as_symbols(&k);
    assert_true(elf_read_symbols(&elf, &symbols));
    memcpy(&following, symbols.head, 4);
    memcpy(&file, symbols.head + 4, sizeof(file));
    memcpy(headers, symbols.head + 4 + sizeof(file), sizeof(headers));
    assert_int_equal(following + 4, symbols.size);
    assert_int_equal(file.e_phnum, 0);
    assert_int_equal(file.e_shnum, 3);
    assert_int_equal(file.e_shoff, sizeof(file));
    assert_int_equal(headers[1].sh_offset, ELF_SYMBOLS_AT - 4);
    assert_int_equal(headers[1].sh_link, 2);
    assert_int_equal(headers[2].sh_offset, symbols.names_at - 4);
    assert_int_equal(symbols.names.len, strlen("GUEST_OS=test") + 1);
    kernel_sections(&k)[2].sh_link = 99;
    assert_false(elf_read_symbols(&elf, &symbols));
    kernel_sections(&k)[2].sh_link = 1;
    kernel_sections(&k)[1].sh_offset = KERNEL_SIZE;
    assert_false(elf_read_symbols(&elf, &symbols));
}

static void make_full(struct kernel *k)
{
    make_kernel(k);
    for (uint32_t type = 1; type < 18; type++)
        kernel_note_number(k, type, type * 0x1000);
    kernel_guest_section(k, "GUEST_OS=test,VIRT_BASE=0x1000");
}

static void test_truncated(void **state)
{
    struct kernel k;

    make_full(&k);
    for (size_t size = 0; size < KERNEL_SIZE; size++) {
        uint8_t *copy = exact_copy(k.bytes, size);
        struct elf elf;
        const char *why;

        assert_int_equal(elf_open(&elf, copy, size, &why), -ENOEXEC);
        free(copy);
    }
}

static void test_mutated(void **state)
{
    struct kernel k;

    srand(2);
    make_full(&k);
    for (int round = 0; round < 60000; round++) {
        if (round == 30000)
            as_symbols(&k);
        size_t size = round % 2 != 0 ? KERNEL_SIZE : (size_t)rand() % KERNEL_SIZE;
        uint8_t *copy = exact_copy(k.bytes, size);

        for (int i = rand() % 8; i >= 0 && size > 0; i--) {
            /* Mostly where the tables and notes are. */
            size_t at = (size_t)rand() % MIN(size, (size_t)KERNEL_TEXT_AT);

            copy[at] = (uint8_t)(rand() % 3 == 0 ? 0xff : rand());
        }
        read_everything(copy, size);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),
        cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_notes_in_section_only),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_mutated),
    };

    return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
