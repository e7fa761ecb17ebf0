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
typedef uint16_t __attribute__((may_alias)) lzma_probability;

/*
 * A tree of them is an array of words of three: in bits 48 to 63 that of the
 * node whose number is the word's index, in bits 0 to 15 and 32 to 47 those of
 * its children. The root is 1, the children of n are 2n and 2n + 1; so the nodes
 * that have a word are 1, 4 to 7, 16 to 31 and 64 to 127.
 */
typedef uint64_t lzma_tree_word;

struct lzma_length_model {
    lzma_probability is_long, is_longer;
    lzma_probability high[256];
    lzma_tree_word low[LZMA_POSITIONS][12]; /* two trees: from node 1, and from 2 for what is longer */
};

struct lzma_literal_model {
    lzma_tree_word plain[128];
    lzma_probability matched[2 * 256]; /* two trees: for a 0 and for a 1 in the match's byte */
};

struct lzma_model {
    lzma_probability is_match[LZMA_STATES][LZMA_POSITIONS];
    lzma_probability is_repeat[LZMA_STATES];
    lzma_probability is_not_repeat0[LZMA_STATES], is_not_repeat[2][LZMA_STATES];
    lzma_probability is_long_repeat0[LZMA_STATES][LZMA_POSITIONS];
    lzma_probability special[128];
    lzma_tree_word slot[4][32], align[8];
    struct lzma_length_model match_length, repeat_length;
    struct lzma_literal_model literal[16];
};

/* Which bits of the position and of the byte before select among models. */
struct lzma_props {
    uint32_t position_mask, literal_mask, literal_shift;
    uint32_t start; /* the address, modulo LZMA_POSITIONS, at which positions begin */
};

/* The decoder's memory, which the caller provides; it needs no preparation. */
struct lzma2 {
    uint32_t state;
    uint32_t repeats[4]; /* the last four distances, less one */
    uint32_t dict_size;
    struct lzma_props props;
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
