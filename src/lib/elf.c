/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a 64-bit ELF image.
 *
 * Three tables matter: the file header names the other two, the program
 * headers say what to load, the section headers find things by name. Headers
 * are copied out before they are looked at, because nothing says that they
 * are aligned. Offsets are 64-bit numbers of somebody else's choice, so a
 * range is only ever tested by range_within(), which cannot overflow.
 */
#include "lib/elf.h"
#include "lib/checked.h"

struct file_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct program_header {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct section_header {
    uint32_t name, type;
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t addralign, entsize;
};

struct note_header {
    uint32_t namesz, descsz, type;
};

_Static_assert(sizeof(struct file_header) == 64, "as the ABI lays it out");
_Static_assert(sizeof(struct program_header) == 56, "as the ABI lays it out");
_Static_assert(sizeof(struct section_header) == 64, "as the ABI lays it out");
_Static_assert(sizeof(struct note_header) == 12, "as the ABI lays it out");

enum { IDENT_CLASS = 4, IDENT_DATA = 5, CLASS_32 = 1, CLASS_64 = 2, DATA_LITTLE = 1 };
enum { TYPE_RELOCATABLE = 1, TYPE_CORE = 4, MACHINE_X86_64 = 62 };
enum { SEGMENT_LOAD = 1, SEGMENT_NOTE = 4, SECTION_SYMBOLS = 2, SECTION_NOTE = 7, SECTION_NOBITS = 8 };

static const char *check_ident(const uint8_t *image, size_t size)
{
    if (size < 16 || memcmp(image, "\177ELF", 4) != 0)
        return "it does not begin with the ELF magic number; an ELF or a bzImage was expected";
    if (image[IDENT_CLASS] == CLASS_32)
        return "it is a 32-bit ELF; a 64-bit one was expected";
    if (image[IDENT_CLASS] != CLASS_64)
        return "its ELF class is unknown; a 64-bit ELF was expected";
    if (image[IDENT_DATA] != DATA_LITTLE)
        return "it is a big-endian ELF; a little-endian one was expected";
    if (size < sizeof(struct file_header))
        return "it ends inside the ELF file header";
    return NULL;
}

static const char *check_tables(struct elf *elf, const struct file_header *file)
{
    if (file->machine != MACHINE_X86_64)
        return "it is an ELF for another processor; one for x86-64 was expected";
    if (file->type == TYPE_RELOCATABLE || file->type == TYPE_CORE)
        return "it is an object file or a core dump; an executable ELF was expected";
    if (file->phnum == 0)
        return "it has no program headers; an executable ELF was expected";
    if (file->phentsize < sizeof(struct program_header))
        return "its program headers are smaller than those of a 64-bit ELF";
    if (!range_within(file->phoff, (uint64_t)file->phentsize * file->phnum, elf->size))
        return "its program headers lie outside the file (is it truncated?)";
    if (file->shnum != 0 && file->shentsize < sizeof(struct section_header))
        return "its section headers are smaller than those of a 64-bit ELF";
    if (!range_within(file->shoff, (uint64_t)file->shentsize * file->shnum, elf->size))
        return "its section headers lie outside the file (is it truncated?)";
    if (file->shstrndx != 0 && file->shstrndx >= file->shnum)
        return "its section names are in a section that does not exist";
    return NULL;
}

static struct program_header read_segment(const struct elf *elf, uint32_t i)
{
    struct program_header header;

    memcpy(&header, elf->image + elf->segments_at + (uint64_t)elf->segment_size * i, sizeof(header));
    return header;
}

static struct section_header read_section(const struct elf *elf, uint32_t i)
{
    struct section_header header;

    memcpy(&header, elf->image + elf->sections_at + (uint64_t)elf->section_size * i, sizeof(header));
    return header;
}

static const char *check_segments(const struct elf *elf)
{
    bool any = false;

    for (uint32_t i = 0; i < elf->segment_count; i++) {
        struct program_header header = read_segment(elf, i);
        uint64_t end;

        if (header.type != SEGMENT_LOAD)
            continue;
        if (!range_within(header.offset, header.filesz, elf->size))
            return "the contents of a segment lie outside the file (is it truncated?)";
        if (header.filesz > header.memsz)
            return "a segment has more bytes in the file than in memory";
        if (!checked_add_u64(header.paddr, header.memsz, &end) ||
            !checked_add_u64(header.vaddr, header.memsz, &end))
            return "the addresses of a segment wrap around the end of memory";
        any = any || header.memsz > 0;
    }
    return any ? NULL : "it has no segment to load";
}

int elf_open(struct elf *elf, const void *image, size_t size, const char **why)
{
    struct file_header file;

    *why = check_ident(image, size);
    if (*why != NULL)
        return -ENOEXEC;
    memcpy(&file, image, sizeof(file));
    *elf = (struct elf){
        .image = image,
        .size = size,
        .entry = file.entry,
        .segments_at = file.phoff,
        .segment_size = file.phentsize,
        .segment_count = file.phnum,
        .sections_at = file.shoff,
        .section_size = file.shentsize,
        .section_count = file.shnum,
        .section_names = file.shstrndx,
    };
    *why = check_tables(elf, &file);
    if (*why == NULL)
        *why = check_segments(elf);
    return *why == NULL ? 0 : -ENOEXEC;
}

bool elf_next_load(const struct elf *elf, uint32_t *cursor, struct elf_segment *segment)
{
    while (*cursor < elf->segment_count) {
        struct program_header header = read_segment(elf, (*cursor)++);

        if (header.type != SEGMENT_LOAD || header.memsz == 0)
            continue;
        *segment = (struct elf_segment){
            .offset = header.offset,
            .vaddr = header.vaddr,
            .paddr = header.paddr,
            .filesz = header.filesz,
            .memsz = header.memsz,
            .flags = header.flags,
        };
        return true;
    }
    return false;
}

/* The bytes [offset, offset + size) of the image; none of them if they are not all inside it. */
static struct span contents_at(const struct elf *elf, uint64_t offset, uint64_t size)
{
    if (!range_within(offset, size, elf->size))
        return (struct span){(const char *)elf->image, 0};
    return (struct span){(const char *)elf->image + offset, size};
}

/* Looks through one run of notes: each a header, a name and contents, the latter two padded to four bytes. */
static bool find_note(struct span notes, uint32_t type, struct span *contents)
{
    struct note_header header;

    while (notes.len >= sizeof(header)) {
        uint64_t name_at = sizeof(header), desc_at, next;

        memcpy(&header, notes.at, sizeof(header));
        /* Sums of 32-bit numbers in 64 bits: no overflow. */
        desc_at = name_at + ALIGN_UP((uint64_t)header.namesz, 4ULL);
        next = desc_at + ALIGN_UP((uint64_t)header.descsz, 4ULL);
        if (desc_at + header.descsz > notes.len)
            return false;
        if (header.type == type && header.namesz == 4 && memcmp(notes.at + name_at, "Xen", 4) == 0) {
            *contents = (struct span){notes.at + desc_at, header.descsz};
            return true;
        }
        if (next > notes.len)
            return false;
        notes.at += next;
        notes.len -= next;
    }
    return false;
}

bool elf_find_xen_note(const struct elf *elf, uint32_t type, struct span *contents)
{
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        struct program_header header = read_segment(elf, i);

        if (header.type == SEGMENT_NOTE &&
            find_note(contents_at(elf, header.offset, header.filesz), type, contents))
            return true;
    }
    for (uint32_t i = 0; i < elf->section_count; i++) {
        struct section_header header = read_section(elf, i);

        if (header.type == SECTION_NOTE &&
            find_note(contents_at(elf, header.offset, header.size), type, contents))
            return true;
    }
    return false;
}

bool elf_find_section(const struct elf *elf, const char *name, struct span *contents)
{
    size_t name_size = strlen(name) + 1;
    struct section_header names;

    if (elf->section_names == 0)
        return false;
    names = read_section(elf, elf->section_names);
    for (uint32_t i = 0; i < elf->section_count; i++) {
        struct section_header header = read_section(elf, i);
        struct span text;

        if (header.type == SECTION_NOBITS || !range_within(header.name, name_size, names.size) ||
            !range_within(names.offset, names.size, elf->size))
            continue;
        text = contents_at(elf, names.offset + header.name, name_size);
        if (text.len == name_size && memcmp(text.at, name, name_size) == 0) {
            *contents = contents_at(elf, header.offset, header.size);
            return true;
        }
    }
    return false;
}

/* What Xen leaves as it is in the two headers (the names, which mean nothing any more) stays here too. */
static void write_symbols_head(const struct elf *elf, struct elf_symbols *s, struct section_header symbols,
                               struct section_header names)
{
    struct file_header file;
    uint32_t following = (uint32_t)(s->size - sizeof(following));
    uint8_t *to = s->head;

    memcpy(&file, elf->image, sizeof(file));
    file.phoff = 0;
    file.shoff = sizeof(file);
    file.phentsize = file.phnum = file.shstrndx = 0;
    file.shnum = 3;
    symbols.offset = ELF_SYMBOLS_AT - sizeof(following);
    symbols.link = 2;
    names.offset = s->names_at - sizeof(following);
    memcpy(to, &following, sizeof(following));
    to += sizeof(following);
    memcpy(to, &file, sizeof(file));
    to += sizeof(file) + sizeof(struct section_header);
    memcpy(to, &symbols, sizeof(symbols));
    memcpy(to + sizeof(symbols), &names, sizeof(names));
}

bool elf_read_symbols(const struct elf *elf, struct elf_symbols *s)
{
    for (uint32_t i = 0; i < elf->section_count; i++) {
        struct section_header symbols = read_section(elf, i), names;

        if (symbols.type != SECTION_SYMBOLS || symbols.link >= elf->section_count)
            continue;
        names = read_section(elf, symbols.link);
        *s = (struct elf_symbols){
            .symbols = contents_at(elf, symbols.offset, symbols.size),
            .names = contents_at(elf, names.offset, names.size),
        };
        s->names_at = ALIGN_UP(ELF_SYMBOLS_AT + s->symbols.len, 8ULL);
        s->size = s->names_at + s->names.len;
        if (s->symbols.len == 0 || s->names.len == 0 || s->size > UINT32_MAX)
            return false;
        write_symbols_head(elf, s, symbols, names);
        return true;
    }
    return false;
}
