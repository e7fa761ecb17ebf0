/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the ELF in what a boot loader brought: a Linux bzImage, which has it
 * packed inside, or the ELF itself, packed by gzip or not at all. Hostile
 * input. Source: Linux, Documentation/arch/x86/boot.rst.
 */
#ifndef LIB_BZIMAGE_H
#define LIB_BZIMAGE_H

/* The largest kernel we care to unpack, in bytes. */
#define PAYLOAD_MAX (1UL << 30)

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_XZ, PACKING_ZSTD, PACKING_LZ4, PACKING_OTHER };

/* A payload points into the module. */
struct payload {
    const uint8_t *data;
    size_t size;
    enum packing packing; /* PACKING_NONE: data are the ELF */
    size_t unpacked_size; /* what the file says, at most PAYLOAD_MAX; the truth is not known yet */
};

/* How @data are packed, by their first bytes. */
enum packing packing_identify(const uint8_t *data, size_t size);

/*
 * Finds the payload of the @size bytes at @module. 0, or -ENOEXEC and in *@why
 * a sentence that says what was found and what was expected. A payload that is
 * PACKING_NONE begins with the magic number of an ELF and is not known to be one.
 */
int payload_find(struct payload *payload, const void *module, size_t size, const char **why);

#endif
