/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a 64-bit ELF image in memory. The image is hostile: elf_open() checks
 * all that the other functions rely on, and these never leave the image.
 * Nothing is copied: what is found points into the image, which must outlive
 * struct elf. Source: System V ABI (gABI chapters 4 and 5, x86-64 psABI).
 */
#ifndef LIB_ELF_H
#define LIB_ELF_H

#include "lib/parse.h"

struct elf {
    const uint8_t *image;
    uint64_t size;
    uint64_t entry;
    uint64_t segments_at, sections_at;   /* offsets of the two tables */
    uint32_t segment_size, section_size; /* bytes of one row */
    uint32_t segment_count, section_count;
    uint32_t section_names; /* which section holds the names; 0: none */
};

/* One row of the program header table that is to be loaded. */
struct elf_segment {
    uint64_t offset; /* of its contents in the image */
    uint64_t vaddr, paddr;
    uint64_t filesz; /* bytes in the image, all of them inside it */
    uint64_t memsz;  /* bytes in memory, >= filesz; the rest is zero */
    uint32_t flags;  /* ELF_EXECUTE and so on */
};

#define ELF_EXECUTE 1
#define ELF_WRITE   2
#define ELF_READ    4

/*
 * Checks that @image is a 64-bit little-endian x86-64 ELF with something to
 * load, whose tables and contents lie within its @size bytes and whose
 * addresses do not wrap. 0, or -ENOEXEC and in *@why a sentence that says
 * what was found and what was expected.
 */
int elf_open(struct elf *elf, const void *image, size_t size, const char **why);

/* The next segment to load, from *@cursor (at first 0) on. False after the last. */
bool elf_next_load(const struct elf *elf, uint32_t *cursor, struct elf_segment *segment);

/* The contents of a note of @type and name "Xen", from the note segments or else the note sections. */
bool elf_find_xen_note(const struct elf *elf, uint32_t type, struct span *contents);

/*
 * The symbol table as BSD kernels want it behind themselves, as Xen 4.17 lays it out: the number of
 * bytes that follow (32 bits), a file header with no segments, three section headers (none, symbols,
 * names), the symbols, the names. Offsets count from the file header; symbols and names begin at
 * multiples of 8 if the whole does.
 */
#define ELF_SYMBOLS_AT 264
struct elf_symbols {
    uint8_t head[ELF_SYMBOLS_AT]; /* all up to the symbols */
    struct span symbols, names;   /* in the image */
    uint64_t names_at, size;      /* bytes from the start of the head */
};

/* False if the image has no symbol table, or one whose contents are not inside it. */
bool elf_read_symbols(const struct elf *elf, struct elf_symbols *s);

/* The contents of the section called @name. */
bool elf_find_section(const struct elf *elf, const char *name, struct span *contents);

#endif
