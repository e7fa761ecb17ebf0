/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CRC-32 of IEEE 802.3, as gzip and xz use it. Of no bytes it is 0. */
#ifndef LIB_CRC32_H
#define LIB_CRC32_H

uint32_t crc32_of(const uint8_t *data, size_t size);

#endif
