/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bits of LZMA: its range decoder, for lib/lzma2.c alone.
 *
 * Bits of a tree are decoded without a branch, since which way it goes is near
 * enough random, and two at a time: a word of memory holds the probabilities of
 * a node and of both its children (lib/lzma2.h). That is assembly because no
 * compiler can be made to keep it free of branches; it works on registers
 * alone, and memory is read and written in C. Where the bit decides what comes
 * next anyway, it is a plain branch.
 *
 * The four bytes that come next are kept in the low half of the register whose
 * high half is the range decoder's `code`, so that taking in a byte is a shift.
 * Four bits take in at most four bytes, then refill() is due.
 */
#ifndef LIB_LZMA_BITS_H
#define LIB_LZMA_BITS_H

#include "lib/lzma2.h"
#include "lib/string.h"

#define INLINE static inline __attribute__((always_inline))

struct range_decoder {
    const uint8_t *in; /* the first byte not yet in the high half of window */
    uint64_t range;    /* 32 bits; an emulator is quicker with all 64 */
    uint64_t window;   /* code << 32 | up to four bytes that follow, then zeroes */
};

/* Makes four bits decodable. What of the four bytes is in the window already stays as it is. */
INLINE void refill(struct range_decoder *rc)
{
    uint32_t next;

    memcpy(&next, rc->in, sizeof(next));
    rc->window |= __builtin_bswap32(next);
}

/* Takes in a byte if the range has become small. %[s], %[t] and %[c] are scratch. */
#define NORMALISE \
    "mov     %[range], %[t]\n\t" \
    "shl     $8, %[t]\n\t" \
    "mov     %[window], %[c]\n\t" \
    "shl     $8, %[c]\n\t" \
    "lea     1(%[in]), %[s]\n\t" \
    "cmp     $0x1000000, %[range]\n\t" \
    "cmovb   %[c], %[window]\n\t" \
    "cmovb   %[s], %[in]\n\t" \
    "cmovb   %[t], %[range]\n\t"

/*
 * Decodes a bit of probability %[p] and appends it to %[node]. %[s] becomes
 * what is to be taken off the probability. That moves by 1/32 towards 2048 or
 * 31, which for both is p -= x >> 5 with x = p for a 1 and x = p - 2017 for a 0.
 */
#define DECODE \
    "mov     %[range], %[s]\n\t" \
    "shr     $11, %[s]\n\t" \
    "imul    %[p], %[s]\n\t" /* s = bound */ \
    "mov     %[s], %[t]\n\t" \
    "shl     $32, %[t]\n\t" \
    "neg     %[t]\n\t" \
    "mov     %[window], %[c]\n\t" \
    "sub     %[s], %[range]\n\t" \
    "add     %[t], %[c]\n\t" /* c = window - bound; carry = the bit */ \
    "cmovnc  %[s], %[range]\n\t" \
    "cmovc   %[c], %[window]\n\t" \
    "lea     -2017(%[p]), %[s]\n\t" \
    "cmovc   %[p], %[s]\n\t" \
    "adc     %[node], %[node]\n\t" \
    "sar     $5, %[s]\n\t"

/* clang-format off */
INLINE void normalise(struct range_decoder *rc)
{
    uint64_t t, c, s;

    __asm__(NORMALISE
            : [range] "+r"(rc->range), [window] "+r"(rc->window), [in] "+r"(rc->in),
              [t] "=&r"(t), [c] "=&r"(c), [s] "=&r"(s)
            :
            : "cc");
}

/* Decodes one bit and appends it to @node. */
INLINE size_t tree_bit(struct range_decoder *rc, lzma_probability *probability, size_t node)
{
    uint64_t p = *probability, t, c, s;

    __asm__(NORMALISE
            DECODE
            "sub     %[s], %[p]"
            : [range] "+r"(rc->range), [window] "+r"(rc->window), [in] "+r"(rc->in), [node] "+r"(node),
              [p] "+r"(p), [t] "=&r"(t), [c] "=&r"(c), [s] "=&r"(s)
            :
            : "cc");
    *probability = (lzma_probability)p;
    return node;
}

/* Decodes two bits and appends them to @node, which has a word. One load, one store. */
INLINE size_t tree_pair(struct range_decoder *rc, lzma_tree_word *tree, size_t node)
{
    uint64_t w = tree[node], p, t, c, s;

    __asm__("mov     %[w], %[p]\n\t"
            "shr     $48, %[p]\n\t"
            NORMALISE
            DECODE
            "shl     $48, %[s]\n\t"
            "sub     %[s], %[w]\n\t"
            "mov     %[w], %[p]\n\t"
            "mov     %[w], %[t]\n\t"
            "shr     $32, %[t]\n\t"
            "test    $1, %[node]\n\t"
            "cmovnz  %[t], %[p]\n\t"
            "movzwl  %w[p], %k[p]\n\t"    /* the child's */
            NORMALISE
            DECODE
            "mov     %[s], %[t]\n\t"
            "shl     $32, %[t]\n\t"
            "test    $2, %[node]\n\t"
            "cmovnz  %[t], %[s]\n\t"
            "sub     %[s], %[w]\n\t"
            : [range] "+r"(rc->range), [window] "+r"(rc->window), [in] "+r"(rc->in), [node] "+r"(node),
              [w] "+r"(w), [p] "=&r"(p), [t] "=&r"(t), [c] "=&r"(c), [s] "=&r"(s)
            :
            : "cc");
    tree[node >> 2] = w;
    return node;
}
/* clang-format on */

/* Where the probability of a node is that has a word, and of one that has none. */
INLINE lzma_probability *with_word(lzma_tree_word *tree, size_t node)
{
    return (lzma_probability *)&tree[node] + 3;
}

INLINE lzma_probability *without_word(lzma_tree_word *tree, size_t node)
{
    return (lzma_probability *)tree + 2 * node;
}

/* Decodes a bit that the caller branches on. */
INLINE bool decide(struct range_decoder *rc, lzma_probability *probability)
{
    uint64_t p, bound;

    __asm__("" : "+r"(probability)); /* one register, not the several that it was made of */
    p = *probability;
    normalise(rc);
    bound = (rc->range >> 11) * p;
    if (rc->window >> 32 < bound) {
        rc->range = bound;
        *probability = (lzma_probability)(p + ((2048 - p) >> 5));
        return false;
    }
    rc->range -= bound;
    rc->window -= bound << 32;
    *probability = (lzma_probability)(p - (p >> 5));
    return true;
}

/* Appends @count bits, at most 26, of even probability to @value. They take in four bytes at most. */
INLINE size_t direct_bits(struct range_decoder *rc, size_t value, uint32_t count)
{
    refill(rc);
    do {
        uint64_t t;

        normalise(rc);
        rc->range >>= 1;
        t = rc->range << 32;
        __asm__("neg     %[t]\n\t"
                "add     %[window], %[t]\n\t"
                "cmovc   %[t], %[window]\n\t"
                "adc     %[value], %[value]"
                : [t] "+&r"(t), [window] "+r"(rc->window), [value] "+r"(value)
                :
                : "cc");
    } while (--count > 0);
    return value;
}

#endif
