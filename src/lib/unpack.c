/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unpacking a kernel. Each packing has a function here that hands the whole
 * input and the whole output to the library at once, and memory from the arena.
 */
#include "lib/unpack.h"
#include "abi/errno.h"
#include "lib/string.h"
#include "lib/xz.h"

#define ZSTD_STATIC_LINKING_ONLY /* for ZSTD_initStaticDCtx() */
#include <lz4.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

_Static_assert(UNPACK_SLACK >= XZ_SLACK, "the slack is enough for every packing");
_Static_assert(UNPACK_ARENA >= sizeof(struct lzma2), "the arena is enough for xz");

struct job {
    const uint8_t *in;
    size_t in_len;
    uint8_t *out;
    size_t out_cap; /* without the slack */
    size_t out_len;
};

static struct {
    uint8_t *memory;
    size_t size, used;
} arena;

void unpack_set_arena(void *memory, size_t size)
{
    arena.memory = memory;
    arena.size = size;
}

static void *arena_alloc(size_t size)
{
    size = ALIGN_UP(size, 64UL);
    if (size > arena.size - arena.used)
        return NULL;
    arena.used += size;
    return arena.memory + arena.used - size;
}

static void *zlib_alloc(void *opaque, unsigned int count, unsigned int size)
{
    return arena_alloc((size_t)count * size);
}

static void zlib_free(void *opaque, void *memory)
{
    /* The arena is emptied at the next unpack(). */
}

static const char *unpack_gzip(struct job *job)
{
    z_stream stream = {
        .zalloc = zlib_alloc,
        .zfree = zlib_free,
        .next_in = (z_const Bytef *)(uintptr_t)job->in,
        .avail_in = (unsigned int)job->in_len,
        .next_out = job->out,
        .avail_out = (unsigned int)job->out_cap,
    };
    const int window_bits = 15 + 16; /* the largest window, in a gzip wrapper */
    int result;

    if (job->in_len > PAYLOAD_MAX || inflateInit2(&stream, window_bits) != Z_OK)
        return "it is too large for gzip";
    result = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    job->out_len = stream.total_out;
    if (result == Z_BUF_ERROR && stream.avail_out == 0)
        return "it unpacks to more than was announced";
    if (result == Z_BUF_ERROR)
        return "its gzip data end too early (is it truncated?)";
    if (result != Z_STREAM_END)
        return "its gzip data are corrupt";
    return stream.avail_in == 0 ? NULL : "its gzip data are followed by something else";
}

static const char *unpack_xz(struct job *job)
{
    struct lzma2 *lzma2 = arena_alloc(sizeof(*lzma2));
    const char *why = "there is no memory for unpacking xz";

    if (lzma2 != NULL)
        xz_decode(lzma2, job->in, job->in_len, job->out, job->out_cap + UNPACK_SLACK, &job->out_len, &why);
    return why;
}

static const char *unpack_zstd(struct job *job)
{
    size_t size = ZSTD_estimateDCtxSize();
    void *memory = arena_alloc(size);
    ZSTD_DCtx *context = memory != NULL ? ZSTD_initStaticDCtx(memory, size) : NULL;

    if (context == NULL)
        return "there is no memory for unpacking zstd";
    job->out_len = ZSTD_decompressDCtx(context, job->out, job->out_cap, job->in, job->in_len);
    switch (ZSTD_getErrorCode(job->out_len)) {
    case ZSTD_error_no_error:
        return NULL;
    case ZSTD_error_srcSize_wrong:
        return "its zstd data end too early (is it truncated?) or are followed by something else";
    case ZSTD_error_dstSize_tooSmall:
        return "it unpacks to more than was announced";
    case ZSTD_error_checksum_wrong:
        return "the checksum of its zstd data is wrong: they are corrupt";
    default:
        return "its zstd data are corrupt";
    }
}

/* Linux uses lz4's old frame: the magic number, then blocks, each behind its packed size. */
static const char *unpack_lz4(struct job *job)
{
    enum { MAGIC_SIZE = 4, BLOCK_UNPACKED = 8 << 20 };
    size_t at = MAGIC_SIZE;

    while (at < job->in_len) {
        uint32_t packed;
        int made;

        if (job->in_len - at < sizeof(packed))
            return "its lz4 data end inside a block size (is it truncated?)";
        memcpy(&packed, job->in + at, sizeof(packed));
        at += sizeof(packed);
        if (packed > job->in_len - at)
            return "its lz4 data end inside a block (is it truncated?)";
        if (packed > (uint32_t)LZ4_COMPRESSBOUND(BLOCK_UNPACKED))
            return "its lz4 data are corrupt: a block is too large";
        made = LZ4_decompress_safe((const char *)job->in + at, (char *)job->out + job->out_len, (int)packed,
                                   (int)MIN(job->out_cap - job->out_len, (size_t)BLOCK_UNPACKED));
        if (made < 0)
            return "its lz4 data are corrupt, or unpack to more than was announced";
        at += packed;
        job->out_len += (size_t)made;
    }
    return NULL;
}

int unpack(const void *in, size_t in_len, void *out, size_t out_cap, size_t *out_len, const char **why)
{
    struct job job = {.in = in, .in_len = in_len, .out = out, .out_cap = out_cap - UNPACK_SLACK};

    arena.used = 0;
    if (out_cap < UNPACK_SLACK || job.out_cap > PAYLOAD_MAX) {
        *why = "there is no room for unpacking it";
        return -EINVAL;
    }
    switch (packing_identify(in, in_len)) {
    case PACKING_GZIP:
        *why = unpack_gzip(&job);
        break;
    case PACKING_XZ:
        *why = unpack_xz(&job);
        break;
    case PACKING_ZSTD:
        *why = unpack_zstd(&job);
        break;
    case PACKING_LZ4:
        *why = unpack_lz4(&job);
        break;
    default:
        *why = "it is packed in an unknown way; gzip, xz, zstd or lz4 was expected";
        break;
    }
    *out_len = job.out_len;
    return *why == NULL ? 0 : -EINVAL;
}
