/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bits of a word, and bitmaps: arrays of uint64_t, bit n in word n / 64. Plain
 * accesses, for one owner at a time; the atomic ones are in x86/.
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

static inline void bitmap_set(uint64_t *map, size_t bit)
{
    map[bit / 64] |= 1ULL << (bit % 64);
}

/* The lowest set bit of @word, which is not 0. */
static inline unsigned int bit_lowest(uint64_t word)
{
    return (unsigned int)__builtin_ctzll(word);
}

/* The highest set bit of @word, which is not 0. */
static inline unsigned int bit_highest(uint64_t word)
{
    return 63 - (unsigned int)__builtin_clzll(word);
}

/* How many bits of @word are set: pairs, nibbles and bytes are summed side by side. */
static inline unsigned int bit_count(uint64_t word)
{
    word -= (word >> 1) & 0x5555555555555555ULL;
    word = (word & 0x3333333333333333ULL) + ((word >> 2) & 0x3333333333333333ULL);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
    return (unsigned int)((word * 0x0101010101010101ULL) >> 56);
}

/* How many of the first @bits bits are set. */
static inline size_t bitmap_count(const uint64_t *map, size_t bits)
{
    size_t count = 0;

    for (size_t i = 0; i < bits / 64; i++)
        count += bit_count(map[i]);
    if (bits % 64 != 0)
        count += bit_count(map[bits / 64] & (BIT(bits % 64) - 1));
    return count;
}

#endif
