/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding and unpacking kernels. Streams are made by the libraries' own
 * packers; our xz decoder is held against liblzma's on right and broken ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include "abi/errno.h"
#include "lib/unpack.h"
#include "lib/xz.h"

/* Streams and results live on the heap at their exact size, so that the sanitizer sees each byte too far. */
struct stream {
    uint8_t *data;
    size_t size;
};

static struct stream stream_copy(const void *data, size_t size)
{
    struct stream s = {.data = malloc(size > 0 ? size : 1), .size = size};

    memcpy(s.data, data, size);
    return s;
}

/* Something like a program: runs, copies from near and far, calls, noise. */
static struct stream make_text(size_t size, unsigned int seed)
{
    struct stream s = {.data = malloc(size), .size = size};
    size_t at = 0;

    srand(seed);
    while (at < size) {
        size_t n = (size_t)rand() % MIN(60ul, size - at) + 1;
        size_t reach = rand() % 4 != 0 ? MIN(20ul, at) : at;
        size_t from = at > 0 ? (size_t)rand() % reach + 1 : 0;
        int kind = rand() % 5;

        for (size_t i = 0; i < n; i++, at++) {
            if (kind == 0 || from == 0)
                s.data[at] = (uint8_t)rand();
            else if (kind == 1)
                s.data[at] = (uint8_t) "\xe8\xe9\x00\xff\x00\xe8\x10"[rand() % 7];
            else if (kind == 2)
                s.data[at] = (uint8_t)("etaoin "[rand() % 7]);
            else
                s.data[at] = s.data[at - from];
        }
    }
    return s;
}

struct xz_options {
    uint32_t preset;
    bool x86;
    lzma_check check;
    uint32_t lc, lp, pb;
    uint32_t dict_size;
};

static struct stream pack_xz(struct stream text, struct xz_options options)
{
    struct stream s = {.data = malloc(text.size * 2 + 4096)};
    lzma_options_lzma lzma;
    lzma_filter filters[3];
    size_t n = 0;

    assert_false(lzma_lzma_preset(&lzma, options.preset));
    lzma.lc = options.lc;
    lzma.lp = options.lp;
    lzma.pb = options.pb;
    lzma.dict_size = options.dict_size;
    if (options.x86)
        filters[n++] = (lzma_filter){.id = LZMA_FILTER_X86};
    filters[n++] = (lzma_filter){.id = LZMA_FILTER_LZMA2, .options = &lzma};
    filters[n] = (lzma_filter){.id = LZMA_VLI_UNKNOWN};
    assert_int_equal(lzma_stream_buffer_encode(filters, options.check, NULL, text.data, text.size, s.data,
                                               &s.size, text.size * 2 + 4096),
                     LZMA_OK);
    return s;
}

static struct stream pack_gzip(struct stream text)
{
    struct stream s = {.data = malloc(text.size + 4096)};
    z_stream z = {.next_in = text.data, .avail_in = (uInt)text.size, .next_out = s.data};

    z.avail_out = (uInt)text.size + 4096;
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    s.size = z.total_out;
    deflateEnd(&z);
    return s;
}

static struct stream pack_zstd(struct stream text)
{
    size_t bound = ZSTD_compressBound(text.size);
    struct stream s = {.data = malloc(bound)};
    ZSTD_CCtx *context = ZSTD_createCCtx();

    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 15);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    s.size = ZSTD_compress2(context, s.data, bound, text.data, text.size);
    assert_false(ZSTD_isError(s.size));
    ZSTD_freeCCtx(context);
    return s;
}

static struct stream pack_lz4(struct stream text)
{
    enum { BLOCK = 8 << 20 };
    struct stream s = {.data = malloc((size_t)LZ4_compressBound(BLOCK) + text.size + 64)};

    memcpy(s.data, "\x02\x21\x4c\x18", 4);
    s.size = 4;
    for (size_t at = 0; at < text.size; at += BLOCK) {
        int made = LZ4_compress_default((const char *)text.data + at, (char *)s.data + s.size + 4,
                                        (int)MIN(text.size - at, (size_t)BLOCK), LZ4_compressBound(BLOCK));

        assert_true(made > 0);
        memcpy(s.data + s.size, &(uint32_t){(uint32_t)made}, 4);
        s.size += 4 + (size_t)made;
    }
    return s;
}

/* Unpacks an exact copy into room of the exact size; the result is NULL if it is refused. */
static uint8_t *unpack_exactly(struct stream packed, size_t size, size_t *made)
{
    struct stream copy = stream_copy(packed.data, packed.size);
    uint8_t *out = malloc(size + UNPACK_SLACK);
    static ALIGNED(64) uint8_t arena[UNPACK_ARENA];
    const char *why = NULL;

    unpack_set_arena(arena, sizeof(arena));
    if (unpack(copy.data, copy.size, out, size + UNPACK_SLACK, made, &why) != 0) {
        assert_non_null(why);
        free(out);
        out = NULL;
    } else {
        assert_true(*made <= size);
    }
    free(copy.data);
    return out;
}

static void assert_unpacks(struct stream packed, struct stream text)
{
    size_t made = 0;
    uint8_t *out = unpack_exactly(packed, text.size, &made);

    assert_non_null(out);
    assert_int_equal(made, text.size);
    assert_memory_equal(out, text.data, text.size);
    free(out);

    assert_null(unpack_exactly(packed, text.size - 1, &made));
}

static const struct xz_options xz_plain = {
    .preset = 1, .check = LZMA_CHECK_CRC32, .lc = 3, .pb = 2, .dict_size = 1 << 16};

static void test_each_packing(void **state)
{
    static const size_t sizes[] = {1, 7, 8, 9, 100, 5000, 300000, 5000000};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct stream text = make_text(sizes[i], (unsigned int)i);
        struct stream packed[] = {pack_xz(text, xz_plain), pack_gzip(text), pack_zstd(text), pack_lz4(text)};

        for (size_t k = 0; k < ARRAY_SIZE(packed); k++) {
            assert_unpacks(packed[k], text);
            free(packed[k].data);
        }
        free(text.data);
    }
}

static void test_lz4_blocks(void **state)
{
    struct stream text = make_text(17 << 20, 5), packed = pack_lz4(text);

    assert_unpacks(packed, text);
    free(text.data);
    free(packed.data);
}

static void test_xz_options(void **state)
{
    static const uint32_t models[][3] = {{3, 0, 2}, {0, 0, 0}, {4, 0, 4}, {0, 4, 4}, {2, 2, 1}, {1, 3, 0}};

    for (uint32_t i = 0; i < 48; i++) {
        struct stream text = make_text(200000 + i, 10 + i), packed;

        packed = pack_xz(text, (struct xz_options){
                                   .preset = i % 4 * 3,
                                   .x86 = i % 2 != 0,
                                   .check = i % 3 == 0 ? LZMA_CHECK_NONE : LZMA_CHECK_CRC32,
                                   .lc = models[i % 6][0],
                                   .lp = models[i % 6][1],
                                   .pb = models[i % 6][2],
                                   .dict_size = i % 5 == 0 ? 4096 : 1 << 20,
                               });
        assert_unpacks(packed, text);
        free(packed.data);
        free(text.data);
    }
}

/* Data that cannot be packed, so that LZMA2 stores chunks as they are, between others. */
static void test_xz_stored_chunks(void **state)
{
    struct stream text = make_text(1000000, 77), packed;

    for (size_t i = 300000; i < 700000; i++)
        text.data[i] = (uint8_t)rand();
    packed = pack_xz(text, xz_plain);
    assert_unpacks(packed, text);
    free(packed.data);
    free(text.data);
}

/* Several blocks in one stream, as xz with threads makes them, each at an odd address. */
static void test_xz_blocks(void **state)
{
    struct stream text = make_text(1000000, 78), packed = {.data = malloc(2000000)};
    lzma_mt options = {.threads = 2, .block_size = 100003, .preset = 1, .check = LZMA_CHECK_CRC32};
    lzma_stream lzma = LZMA_STREAM_INIT;

    assert_int_equal(lzma_stream_encoder_mt(&lzma, &options), LZMA_OK);
    lzma.next_in = text.data;
    lzma.avail_in = text.size;
    lzma.next_out = packed.data;
    lzma.avail_out = 2000000;
    assert_int_equal(lzma_code(&lzma, LZMA_FINISH), LZMA_STREAM_END);
    packed.size = lzma.total_out;
    lzma_end(&lzma);
    assert_unpacks(packed, text);
    free(packed.data);
    free(text.data);
}

/* The x86 filter alone, on data full of opcodes, against liblzma's. */
static void test_xz_x86_filter(void **state)
{
    for (unsigned int round = 0; round < 3000; round++) {
        uint8_t text[64], packed[512], out[64 + XZ_SLACK];
        lzma_filter filters[] = {
            {.id = LZMA_FILTER_X86}, {.id = LZMA_FILTER_LZMA2}, {.id = LZMA_VLI_UNKNOWN}};
        lzma_options_lzma lzma;
        struct lzma2 *work = malloc(sizeof(*work));
        size_t size = 0, made = 0, length = (size_t)rand() % sizeof(text) + 1;
        const char *why;

        for (size_t i = 0; i < length; i++)
            text[i] = rand() % 8 == 0 ? (uint8_t)rand() : (uint8_t) "\xe8\xe9\x00\xff"[rand() % 4];
        lzma_lzma_preset(&lzma, 0);
        filters[1].options = &lzma;
        assert_int_equal(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, text, length, packed,
                                                   &size, sizeof(packed)),
                         LZMA_OK);
        assert_int_equal(xz_decode(work, packed, size, out, sizeof(out), &made, &why), 0);
        assert_int_equal(made, length);
        assert_memory_equal(out, text, length);
        free(work);
    }
}

static void test_truncated(void **state)
{
    struct stream text = make_text(3000, 20);
    struct stream packed[] = {pack_xz(text, xz_plain), pack_gzip(text), pack_zstd(text), pack_lz4(text)};

    for (size_t k = 0; k < ARRAY_SIZE(packed); k++) {
        for (size_t size = 0; size < packed[k].size; size++) {
            size_t made = 0;
            uint8_t *out = unpack_exactly((struct stream){packed[k].data, size}, text.size, &made);

            /* Only the old lz4 frame may end between two blocks: here, before the only one. */
            if (out != NULL)
                assert_true(k == 3 && size == 4 && made == 0);
            free(out);
        }
        free(packed[k].data);
    }
    free(text.data);
}

/* What liblzma makes of a stream, to be held against ours. */
static uint8_t *reference_xz(struct stream packed, size_t size, size_t *made)
{
    uint8_t *out = malloc(size);
    uint64_t memory_limit = UINT64_MAX;
    size_t used = 0;

    *made = 0;
    if (lzma_stream_buffer_decode(&memory_limit, 0, NULL, packed.data, &used, packed.size, out, made, size) ==
            LZMA_OK &&
        used == packed.size)
        return out;
    free(out);
    return NULL;
}

/* With no check, and so with headers that are never wrong, the broken data themselves are decoded. */
static void test_mutated_xz(void **state)
{
    struct stream text = make_text(6000, 21), packed[32];
    size_t accepted = 0;

    for (size_t k = 0; k < ARRAY_SIZE(packed); k++) {
        struct xz_options options = xz_plain;

        options.check = LZMA_CHECK_NONE;
        options.x86 = k % 2 != 0;
        packed[k] = pack_xz((struct stream){text.data, 200 + (size_t)rand() % 5000}, options);
    }
    for (int round = 0; round < 10000; round++) {
        const struct stream *s = &packed[(size_t)round % ARRAY_SIZE(packed)];
        struct stream broken = stream_copy(s->data, s->size);
        uint8_t *ours, *theirs;
        size_t made = 0, reference_made = 0;

        for (int i = rand() % 3; i > 0; i--)
            broken.data[24 + (size_t)rand() % (broken.size - 24)] ^= (uint8_t)(1 << rand() % 8);
        ours = unpack_exactly(broken, text.size, &made);
        theirs = reference_xz(broken, text.size, &reference_made);
        if ((ours == NULL) != (theirs == NULL))
            fail_msg("liblzma %s what we %s", theirs != NULL ? "takes" : "refuses",
                     ours != NULL ? "take" : "refuse");
        if (ours != NULL) {
            accepted++;
            assert_int_equal(made, reference_made);
            assert_memory_equal(ours, theirs, made);
        }
        free(ours);
        free(theirs);
        free(broken.data);
    }
    assert_true(accepted > 0);
    for (size_t k = 0; k < ARRAY_SIZE(packed); k++)
        free(packed[k].data);
    free(text.data);
}

static void test_mutated(void **state)
{
    struct stream text = make_text(20000, 22);
    struct stream packed[] = {pack_xz(text, xz_plain), pack_gzip(text), pack_zstd(text), pack_lz4(text)};

    for (int round = 0; round < 10000; round++) {
        struct stream *s = &packed[(size_t)round % ARRAY_SIZE(packed)];
        struct stream broken = stream_copy(s->data, s->size);
        size_t made = 0;

        for (int i = rand() % 5; i >= 0; i--)
            broken.data[(size_t)rand() % (rand() % 2 != 0 ? broken.size : MIN(broken.size, 40ul))] =
                (uint8_t)rand();
        free(unpack_exactly(broken, text.size, &made));
        free(broken.data);
    }
    for (size_t k = 0; k < ARRAY_SIZE(packed); k++)
        free(packed[k].data);
    free(text.data);
}

static void test_no_arena(void **state)
{
    struct stream text = make_text(1000, 30);
    struct stream packed[] = {pack_xz(text, xz_plain), pack_gzip(text), pack_zstd(text)};
    uint8_t out[1000 + UNPACK_SLACK];
    size_t made;
    const char *why = NULL;

    unpack_set_arena(NULL, 0);
    for (size_t k = 0; k < ARRAY_SIZE(packed); k++) {
        assert_int_equal(unpack(packed[k].data, packed[k].size, out, sizeof(out), &made, &why), -EINVAL);
        assert_non_null(why);
        free(packed[k].data);
    }
    assert_int_equal(unpack("what", 4, out, sizeof(out), &made, &why), -EINVAL);
    assert_int_equal(unpack("what", 4, out, UNPACK_SLACK - 1, &made, &why), -EINVAL);
    free(text.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_packing), cmocka_unit_test(test_lz4_blocks),
        cmocka_unit_test(test_xz_options),   cmocka_unit_test(test_xz_stored_chunks),
        cmocka_unit_test(test_xz_blocks),    cmocka_unit_test(test_xz_x86_filter),
        cmocka_unit_test(test_truncated),    cmocka_unit_test(test_mutated_xz),
        cmocka_unit_test(test_mutated),      cmocka_unit_test(test_no_arena),
    };

    return cmocka_run_group_tests_name("unpack", tests, NULL, NULL);
}
