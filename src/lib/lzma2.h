/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoding LZMA2 from memory to memory, as it stands inside an .xz file.
 * Source: "The .xz File Format" 1.1, section 5.3.1, and the LZMA specification
 * of Igor Pavlov's LZMA SDK. Why this is not liblzma: docs/decisions/0008-our-own-xz-decoder.md.
 */
#ifndef LIB_LZMA2_H
#define LIB_LZMA2_H

/* So many bytes behind its result the decoder may overwrite with anything. */
#define LZMA2_SLACK 16

/* A chunk holds at most so many packed bytes. */
#define LZMA2_CHUNK 65536

/*
 * The decoder may look so many bytes past the end of a chunk: a symbol, checked
 * only at its start, takes at most 20 bytes, and four are looked ahead.
 */
#define LZMA2_LOOKAHEAD 32

#define LZMA_STATES    12
#define LZMA_POSITIONS 16 /* 1 << the largest pb */

/* Probabilities, in 1/2048, that a bit is 0. */
struct lzma_length_model {
    uint16_t is_long, is_longer;
    uint16_t low[LZMA_POSITIONS][8], middle[LZMA_POSITIONS][8], high[256];
};

struct lzma_model {
    uint16_t is_match[LZMA_STATES][LZMA_POSITIONS];
    uint16_t is_repeat[LZMA_STATES];
    uint16_t is_not_repeat0[LZMA_STATES], is_not_repeat1[LZMA_STATES], is_not_repeat2[LZMA_STATES];
    uint16_t is_long_repeat0[LZMA_STATES][LZMA_POSITIONS];
    uint16_t slot[4][64], special[128], align[16];
    struct lzma_length_model match_length, repeat_length;
    uint16_t literal[0x300 << 4];
};

/* The decoder's memory, which the caller provides; it needs no preparation. */
struct lzma2 {
    uint32_t state;
    uint32_t repeats[4]; /* the last four distances, less one */
    uint32_t literal_mask, literal_shift, position_mask;
    uint32_t dict_size;
    bool need_props;
    uint8_t *dict; /* what was unpacked since its last reset begins here; NULL: none yet */
    struct lzma_model model;
    uint8_t tail[LZMA2_CHUNK + LZMA2_LOOKAHEAD];
};

/*
 * Decodes @in_len bytes at @in, of which the LZMA2 data are the first *@used,
 * to @out, which has room for @out_cap bytes including LZMA2_SLACK, and makes
 * *@out_len bytes. 0, or -EINVAL and a sentence in *@why.
 */
int lzma2_decode(struct lzma2 *lzma2, uint32_t dict_size, const uint8_t *in, size_t in_len, size_t *used,
                 uint8_t *out, size_t out_cap, size_t *out_len, const char **why);

#endif
