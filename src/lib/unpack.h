/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unpacking a kernel: gzip, xz, zstd, lz4. For gzip, zstd and lz4 it calls
 * Debian's static libraries, which were built for user space: the caller sees
 * to it that SSE instructions may be used and %fs:0x28 may be read. One call
 * at a time.
 */
#ifndef LIB_UNPACK_H
#define LIB_UNPACK_H

#include "lib/bzimage.h"

/* Memory to work in, in bytes. */
#define UNPACK_ARENA (512UL << 10)

/* So many bytes behind the result may be overwritten with anything. */
#define UNPACK_SLACK 16

/* Lends @memory, at least UNPACK_ARENA bytes aligned to 64, to the calls of unpack() from now on. */
void unpack_set_arena(void *memory, size_t size);

/*
 * Unpacks the @in_len bytes at @in, recognised by their magic number, to @out,
 * which has room for @out_cap bytes including UNPACK_SLACK, and makes *@out_len
 * bytes. 0, or -EINVAL and in *@why a sentence that says what was wrong.
 */
int unpack(const void *in, size_t in_len, void *out, size_t out_cap, size_t *out_len, const char **why);

#endif
