/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CRC-32, by tables for eight bytes at a time: table k holds the effect of a byte with k bytes behind it. */
#include "lib/crc32.h"
#include "lib/string.h"

#define POLYNOMIAL 0xedb88320u  /* lowest bit first */

static uint32_t table[8][256];

static void make_table(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;

        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? POLYNOMIAL : 0);
        table[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        for (int k = 1; k < 8; k++)
            table[k][byte] = (table[k - 1][byte] >> 8) ^ table[0][table[k - 1][byte] & 0xff];
    }
}

uint32_t crc32_of(const uint8_t *data, size_t size)
{
    uint32_t crc = ~0u;

    if (table[0][1] == 0)
        make_table();
    for (; size >= 8; size -= 8, data += 8) {
        uint64_t eight;

        memcpy(&eight, data, sizeof(eight));
        eight ^= crc;
        crc = 0;
        for (uint32_t k = 0; k < 8; k++)
            crc ^= table[7 - k][(eight >> (8 * k)) & 0xff];
    }
    while (size-- > 0)
        crc = (crc >> 8) ^ table[0][(crc ^ *data++) & 0xff];
    return ~crc;
}
