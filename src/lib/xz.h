/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unpacking an .xz file from memory to memory: LZMA2, with or without the x86
 * filter, checked by CRC-32 or not at all. That is what a Linux kernel's own
 * unpacker accepts, hence all that a kernel can be packed with.
 * Source: "The .xz File Format" 1.1.
 */
#ifndef LIB_XZ_H
#define LIB_XZ_H

#include "lib/lzma2.h"

/* So many bytes behind its result the decoder may overwrite with anything. */
#define XZ_SLACK LZMA2_SLACK

/*
 * Unpacks the one stream that is all of [@in, @in + @in_len) to @out, which has
 * room for @out_cap bytes including XZ_SLACK, and makes *@out_len bytes.
 * @lzma2 is memory to work in. 0, or -EINVAL and a sentence in *@why.
 */
int xz_decode(struct lzma2 *lzma2, const uint8_t *in, size_t in_len, uint8_t *out, size_t out_cap,
              size_t *out_len, const char **why);

/*
 * Undoes the x86 filter on a block that is @size bytes at @data: the targets
 * of near calls and jumps become relative again. @start is the address that
 * the filter gave to the first byte.
 */
void xz_unfilter_x86(uint8_t *data, size_t size, uint32_t start);

#endif
