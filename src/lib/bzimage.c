/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the ELF in what a boot loader brought.
 *
 * A bzImage is a boot sector, some sectors of 16-bit setup code and a
 * 32-bit program that unpacks the kernel proper. The setup header, at a fixed
 * place in the boot sector, says where in that program the packed kernel is.
 * Its unpacked size is its last four bytes: in gzip these belong to the
 * format, behind the others Linux puts them.
 */
#include "lib/bzimage.h"
#include "abi/errno.h"
#include "lib/checked.h"
#include "lib/string.h"

/* Offsets in a bzImage. */
enum {
    SETUP_SECTORS = 0x1f1,
    BOOT_FLAG = 0x1fe,
    HEADER_MAGIC = 0x202,
    VERSION = 0x206,
    PAYLOAD_OFFSET = 0x248,
    PAYLOAD_LENGTH = 0x24c,
    HEADER_END = 0x250,
};

enum { SECTOR = 512, VERSION_WITH_PAYLOAD = 0x0208 };

static uint32_t read_u32(const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof(value));
    return value;
}

enum packing packing_identify(const uint8_t *data, size_t size)
{
    static const struct {
        char magic[7];
        uint8_t length;
        enum packing packing;
    } packings[] = {
        {"\177ELF", 4, PACKING_NONE},
        {"\x1f\x8b", 2, PACKING_GZIP},
        {"\xfd"
         "7zXZ",
         6, PACKING_XZ},
        {"\x28\xb5\x2f\xfd", 4, PACKING_ZSTD},
        {"\x02\x21\x4c\x18", 4, PACKING_LZ4},
    };

    for (size_t i = 0; i < ARRAY_SIZE(packings); i++) {
        if (size >= packings[i].length && memcmp(data, packings[i].magic, packings[i].length) == 0)
            return packings[i].packing;
    }
    return PACKING_OTHER;
}

static bool is_bzimage(const uint8_t *module, size_t size)
{
    return size >= HEADER_END && module[BOOT_FLAG] == 0x55 && module[BOOT_FLAG + 1] == 0xaa &&
           memcmp(module + HEADER_MAGIC, "HdrS", 4) == 0;
}

/* Fills in where the payload of a bzImage is. */
static const char *locate(struct payload *payload, const uint8_t *module, size_t size)
{
    uint32_t setup_sectors = module[SETUP_SECTORS] != 0 ? module[SETUP_SECTORS] : 4;
    uint32_t version = module[VERSION] | (uint32_t)module[VERSION + 1] << 8;
    uint64_t offset = (uint64_t)SECTOR * (setup_sectors + 1) + read_u32(module + PAYLOAD_OFFSET);

    payload->size = read_u32(module + PAYLOAD_LENGTH);
    if (version < VERSION_WITH_PAYLOAD || payload->size == 0)
        return "it is a bzImage that does not say where its payload is; boot protocol 2.08 or later was "
               "expected";
    if (!range_within(offset, payload->size, size))
        return "the payload of the bzImage lies outside the file (is it truncated?)";
    payload->data = module + offset;
    return NULL;
}

/* Takes the unpacked size from the end of a packed payload. */
static const char *read_unpacked_size(struct payload *payload, bool in_bzimage)
{
    if (payload->size < 8)
        return "it ends too early (is it truncated?)";
    payload->unpacked_size = read_u32(payload->data + payload->size - 4);
    if (in_bzimage && payload->packing != PACKING_GZIP)
        payload->size -= 4;
    if (payload->unpacked_size == 0 || payload->unpacked_size > PAYLOAD_MAX)
        return "the unpacked size that it states is nothing or more than 1 GB (is it truncated?)";
    return NULL;
}

int payload_find(struct payload *payload, const void *module, size_t size, const char **why)
{
    bool in_bzimage = is_bzimage(module, size);

    *payload = (struct payload){.data = module, .size = size};
    *why = in_bzimage ? locate(payload, module, size) : NULL;
    if (*why != NULL)
        return -ENOEXEC;

    payload->packing = packing_identify(payload->data, payload->size);
    if (payload->packing == PACKING_OTHER && in_bzimage)
        *why = "the payload of the bzImage is packed in an unknown way; gzip, xz, zstd or lz4 was expected";
    else if (payload->packing == PACKING_OTHER || (payload->packing > PACKING_GZIP && !in_bzimage))
        *why = "it is no kernel; an ELF, an ELF packed by gzip, or a bzImage was expected";
    else if (payload->packing != PACKING_NONE)
        *why = read_unpacked_size(payload, in_bzimage);
    else
        payload->unpacked_size = payload->size;
    return *why == NULL ? 0 : -ENOEXEC;
}
