/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unpacking an .xz file.
 *
 * A stream is a header, blocks, an index of the blocks' sizes and a footer.
 * All of it but the packed data is guarded by CRCs, but a hostile file has
 * right CRCs: each field is checked for itself. A cursor that cannot be moved
 * past the end of the file, and that remembers that somebody tried, takes the
 * place of a check after each read.
 */
#include "lib/xz.h"
#include "abi/errno.h"
#include "lib/checked.h"
#include "lib/string.h"
#include <zlib.h> /* for its CRC-32 */

enum { CHECK_NONE = 0, CHECK_CRC32 = 1 };
enum { FILTER_X86 = 0x04, FILTER_LZMA2 = 0x21 };
enum { HEADER_SIZE = 12, FOOTER_SIZE = 12 };
enum { BLOCK = 4096 }; /* so much is looked at for being all zeroes */

struct cursor {
    const uint8_t *at, *end;
    bool failed; /* something was read past the end, or was not what it must be */
};

/* What the blocks turned out to be, to be held against the index. */
struct totals {
    uint64_t blocks, unpadded, size;
};

/* What a block's header says. */
struct block {
    bool has_packed_size, has_size, has_x86;
    uint64_t packed_size, size;
    uint32_t dict_size, x86_start;
};

static const uint8_t *take(struct cursor *cursor, uint64_t n)
{
    const uint8_t *taken = cursor->at;

    if (n > (uint64_t)(cursor->end - cursor->at)) {
        cursor->failed = true;
        cursor->at = cursor->end;
        return NULL;
    }
    cursor->at += n;
    return taken;
}

static uint8_t take_byte(struct cursor *cursor)
{
    const uint8_t *p = take(cursor, 1);

    return p != NULL ? *p : 0;
}

static uint32_t read_u32(const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof(value));
    return value;
}

static uint32_t take_u32(struct cursor *cursor)
{
    const uint8_t *p = take(cursor, 4);

    return p != NULL ? read_u32(p) : 0;
}

static bool is_zero(const uint8_t *block)
{
    for (size_t i = 0; i < BLOCK; i += 16) {
        uint64_t word[2];

        memcpy(word, block + i, sizeof(word));
        if ((word[0] | word[1]) != 0)
            return false;
    }
    return true;
}

/* A third of a kernel is zeroes: a block of them is appended by arithmetic instead of being read into the CRC. */
static uint32_t crc32_of(const uint8_t *data, size_t size)
{
    const uLong of_zeroes = 0xc71c0011;
    uLong crc = 0, appending = size >= BLOCK ? crc32_combine_gen(BLOCK) : 0;

    for (; size >= BLOCK; data += BLOCK, size -= BLOCK)
        crc = is_zero(data) ? crc32_combine_op(crc, of_zeroes, appending) : crc32_z(crc, data, BLOCK);
    return (uint32_t)crc32_z(crc, data, size);
}

/* A number of at most 63 bits, seven in a byte, lowest first; the last byte lacks bit 7 and is not 0. */
static uint64_t take_number(struct cursor *cursor)
{
    uint64_t number = 0;

    for (uint32_t shift = 0; shift < 63; shift += 7) {
        uint8_t byte = take_byte(cursor);

        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            if (byte == 0 && shift > 0)
                cursor->failed = true;
            return number;
        }
    }
    cursor->failed = true;
    return 0;
}

static void take_zeroes(struct cursor *cursor, size_t n)
{
    while (n-- > 0) {
        if (take_byte(cursor) != 0)
            cursor->failed = true;
    }
}

/* The stream header, and which check its blocks have. */
static const char *take_stream_header(struct cursor *file, uint8_t *check)
{
    const uint8_t *header = take(file, HEADER_SIZE);

    if (header == NULL || memcmp(header,
                                 "\xfd"
                                 "7zXZ",
                                 6) != 0)
        return "it does not begin as an xz file does";
    if (read_u32(header + 8) != crc32_of(header + 6, 2))
        return "its xz header is corrupt";
    if (header[6] != 0 || (header[7] != CHECK_NONE && header[7] != CHECK_CRC32))
        return "its xz check is not one that a Linux kernel may have; CRC-32 or none was expected";
    *check = header[7];
    return NULL;
}

/* One filter's id, and its properties as a cursor. */
static uint64_t take_filter(struct cursor *header, struct cursor *props)
{
    uint64_t id = take_number(header);
    uint64_t size = take_number(header);
    const uint8_t *at = take(header, size);

    *props = (struct cursor){.at = at, .end = at != NULL ? at + size : NULL};
    return id;
}

/* The filters of a block: the x86 filter or not, then LZMA2. */
static bool take_filters(struct cursor *header, uint32_t count, struct block *block)
{
    struct cursor props;
    uint64_t id = take_filter(header, &props);
    uint8_t dict;

    if (count == 2) {
        if (id != FILTER_X86)
            return false;
        block->has_x86 = true;
        if (props.at != props.end)
            block->x86_start = take_u32(&props);
        if (props.failed || props.at != props.end)
            return false;
        id = take_filter(header, &props);
    }
    if (count > 2 || id != FILTER_LZMA2)
        return false;
    dict = take_byte(&props);
    if (props.failed || props.at != props.end || dict > 40)
        return false;
    block->dict_size = dict == 40 ? ~0u : (2u | (dict & 1)) << (dict / 2 + 11);
    return true;
}

static const char *take_block_header(struct cursor *file, struct block *block)
{
    const uint8_t *start = file->at;
    size_t size = 4 * ((size_t)take_byte(file) + 1);
    struct cursor header = {.at = start + 1, .end = start + size - 4};
    uint8_t flags;

    *block = (struct block){.has_size = false};
    file->at = start;
    if (take(file, size) == NULL)
        return "it ends inside an xz block header (is it truncated?)";
    if (read_u32(header.end) != crc32_of(start, size - 4))
        return "an xz block header is corrupt";
    flags = take_byte(&header);
    block->has_packed_size = (flags & 0x40) != 0;
    block->has_size = (flags & 0x80) != 0;
    if (block->has_packed_size)
        block->packed_size = take_number(&header);
    if (block->has_size)
        block->size = take_number(&header);
    if ((flags & 0x3c) != 0 || !take_filters(&header, (flags & 3u) + 1, block))
        return "its xz filters are none that a Linux kernel may have; LZMA2, perhaps after x86, was expected";
    take_zeroes(&header, (size_t)(header.end - header.at));
    return header.failed ? "an xz block header is corrupt" : NULL;
}

/* Unpacks one block; *@size is that of its result. */
static const char *take_block(struct lzma2 *lzma2, struct cursor *file, uint8_t check, uint8_t *out,
                              size_t out_cap, struct totals *totals)
{
    const uint8_t *start = file->at;
    const char *why;
    struct block block;
    size_t packed, size, unpadded;

    why = take_block_header(file, &block);
    if (why != NULL)
        return why;
    if (lzma2_decode(lzma2, block.dict_size, file->at, (size_t)(file->end - file->at), &packed, out, out_cap,
                     &size, &why) != 0)
        return why;
    take(file, packed);
    if ((block.has_packed_size && block.packed_size != packed) || (block.has_size && block.size != size))
        return "an xz block has not the size that its header says";
    unpadded = (size_t)(file->at - start);
    take_zeroes(file, -unpadded % 4);
    if (block.has_x86)
        xz_unfilter_x86(out, size, block.x86_start);
    if (check == CHECK_CRC32) {
        unpadded += 4;
        if (take_u32(file) != crc32_of(out, size))
            return "the CRC-32 of its contents is wrong: it is corrupt";
    }
    totals->blocks++;
    totals->unpadded += unpadded;
    totals->size += size;
    return file->failed ? "it ends inside an xz block (is it truncated?)" : NULL;
}

/* The index and the footer, which must agree with the blocks and end the file. */
static bool take_index(struct cursor *file, uint8_t check, const struct totals *totals)
{
    const uint8_t *start = file->at, *footer;
    struct totals sums = {.blocks = 0};
    uint64_t count;
    size_t size;

    take_byte(file); /* 0, where a block header would have its size */
    count = take_number(file);
    if (count != totals->blocks)
        return false;
    for (; sums.blocks < count && !file->failed; sums.blocks++) {
        sums.unpadded += take_number(file);
        sums.size += take_number(file);
    }
    take_zeroes(file, -(size_t)(file->at - start) % 4);
    size = (size_t)(file->at - start);
    if (take_u32(file) != crc32_of(start, size) || sums.unpadded != totals->unpadded ||
        sums.size != totals->size)
        return false;

    footer = take(file, FOOTER_SIZE);
    return footer != NULL && !file->failed && file->at == file->end &&
           read_u32(footer) == crc32_of(footer + 4, 6) &&
           4 * ((uint64_t)read_u32(footer + 4) + 1) == size + 4 && footer[8] == 0 && footer[9] == check &&
           memcmp(footer + 10, "YZ", 2) == 0;
}

int xz_decode(struct lzma2 *lzma2, const uint8_t *in, size_t in_len, uint8_t *out, size_t out_cap,
              size_t *out_len, const char **why)
{
    struct cursor file = {.at = in, .end = in + in_len};
    struct totals totals = {.blocks = 0};
    uint8_t check = CHECK_NONE;

    *why = take_stream_header(&file, &check);
    while (*why == NULL) {
        if (file.at == file.end)
            *why = "it ends before its xz index (is it truncated?)";
        else if (*file.at == 0)
            break;
        else
            *why = take_block(lzma2, &file, check, out + totals.size, out_cap - totals.size, &totals);
    }
    if (*why == NULL && !take_index(&file, check, &totals))
        *why = "its xz index is corrupt, truncated or followed by something else";
    if (*why != NULL)
        return -EINVAL;
    *out_len = totals.size;
    return 0;
}
