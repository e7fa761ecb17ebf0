/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small kernel images made in memory, for the tests of what reads them. */
#ifndef TESTS_UNIT_KERNEL_IMAGE_H
#define TESTS_UNIT_KERNEL_IMAGE_H

#include <elf.h>
#include <stdlib.h>
#include <string.h>

/* Where things are in an image of make_kernel(). */
enum {
    KERNEL_NOTES_AT = 0x200,
    KERNEL_NOTES_MAX = 0x300,
    KERNEL_GUEST_AT = 0x500, /* contents of the section __xen_guest */
    KERNEL_GUEST_MAX = 0x180,
    KERNEL_NAMES_AT = 0x680,
    KERNEL_SECTIONS_AT = 0x700,
    KERNEL_TEXT_AT = 0x1000,
    KERNEL_SIZE = 0x1400,
    KERNEL_PADDR = 0x100000,
    KERNEL_MEMSZ = 0x4000,
};

struct kernel {
    union {
        uint8_t bytes[KERNEL_SIZE];
        Elf64_Ehdr file;
    };
    size_t notes_len;
};

static inline Elf64_Phdr *kernel_segments(struct kernel *k)
{
    return (Elf64_Phdr *)(k->bytes + sizeof(Elf64_Ehdr));
}

static inline Elf64_Shdr *kernel_sections(struct kernel *k)
{
    return (Elf64_Shdr *)(k->bytes + KERNEL_SECTIONS_AT);
}

/* An ELF with one segment to load and one of notes, no notes in it, and an empty section __xen_guest. */
static inline void make_kernel(struct kernel *k)
{
    static const char names[] = "\0__xen_guest\0.notes";

    memset(k, 0, sizeof(*k));
    k->file = (Elf64_Ehdr){
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_entry = KERNEL_PADDR,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_shoff = KERNEL_SECTIONS_AT,
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 2,
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = 4,
        .e_shstrndx = 3,
    };
    kernel_segments(k)[0] = (Elf64_Phdr){
        .p_type = PT_LOAD,
        .p_flags = PF_R | PF_X,
        .p_offset = KERNEL_TEXT_AT,
        .p_vaddr = KERNEL_PADDR,
        .p_paddr = KERNEL_PADDR,
        .p_filesz = KERNEL_SIZE - KERNEL_TEXT_AT,
        .p_memsz = KERNEL_MEMSZ,
    };
    kernel_segments(k)[1] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = KERNEL_NOTES_AT};
    memcpy(k->bytes + KERNEL_NAMES_AT, names, sizeof(names));
    kernel_sections(k)[1] = (Elf64_Shdr){.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = KERNEL_GUEST_AT};
    kernel_sections(k)[2] = (Elf64_Shdr){.sh_name = 13, .sh_type = SHT_NOTE, .sh_offset = KERNEL_NOTES_AT};
    kernel_sections(k)[3] =
        (Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_offset = KERNEL_NAMES_AT, .sh_size = sizeof(names)};
}

static inline void kernel_add_note(struct kernel *k, const char *name, uint32_t type, const void *desc,
                                   size_t size)
{
    uint8_t *at = k->bytes + KERNEL_NOTES_AT + k->notes_len;
    uint32_t header[3] = {(uint32_t)strlen(name) + 1, (uint32_t)size, type};

    memcpy(at, header, sizeof(header));
    memcpy(at + 12, name, header[0]);
    memcpy(at + 12 + ALIGN_UP(header[0], 4u), desc, size);
    k->notes_len += 12 + ALIGN_UP(header[0], 4u) + ALIGN_UP(size, 4ul);
    if (k->notes_len > KERNEL_NOTES_MAX)
        abort();
    kernel_segments(k)[1].p_filesz = k->notes_len;
    kernel_sections(k)[2].sh_size = k->notes_len;
}

static inline void kernel_note_text(struct kernel *k, uint32_t type, const char *text)
{
    kernel_add_note(k, "Xen", type, text, strlen(text) + 1);
}

static inline void kernel_note_number(struct kernel *k, uint32_t type, uint64_t number)
{
    kernel_add_note(k, "Xen", type, &number, sizeof(number));
}

static inline void kernel_guest_section(struct kernel *k, const char *text)
{
    if (strlen(text) + 1 > KERNEL_GUEST_MAX)
        abort();
    memcpy(k->bytes + KERNEL_GUEST_AT, text, strlen(text) + 1);
    kernel_sections(k)[1].sh_size = strlen(text) + 1;
}

/* A copy of exactly @size bytes, so that the sanitizer sees a read past the end. Free it. */
static inline uint8_t *exact_copy(const void *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    memcpy(copy, data, size);
    return copy;
}

#endif
