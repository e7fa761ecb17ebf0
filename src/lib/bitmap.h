/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bitmaps: arrays of uint64_t, bit n in word n / 64. Plain accesses, for one
 * owner at a time; the atomic ones are in x86/.
 *
 * Searches return the number of the bit found, or @bits if there is none.
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)

static inline bool bitmap_test(const uint64_t *map, size_t bit)
{
    return (map[bit / 64] >> (bit % 64)) & 1;
}

static inline void bitmap_set(uint64_t *map, size_t bit)
{
    map[bit / 64] |= 1ULL << (bit % 64);
}

static inline void bitmap_clear(uint64_t *map, size_t bit)
{
    map[bit / 64] &= ~(1ULL << (bit % 64));
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

/* The first bit >= @from that differs from the bits of @flip (0 or ~0). */
static inline size_t bitmap_search(const uint64_t *map, size_t bits, size_t from, uint64_t flip)
{
    for (size_t i = from / 64; from < bits; i++, from = i * 64) {
        uint64_t word = (map[i] ^ flip) >> (from % 64);

        if (word != 0) {
            size_t found = from + bit_lowest(word);

            return found < bits ? found : bits;
        }
    }
    return bits;
}

static inline size_t bitmap_next_set(const uint64_t *map, size_t bits, size_t from)
{
    return bitmap_search(map, bits, from, 0);
}

static inline size_t bitmap_next_zero(const uint64_t *map, size_t bits, size_t from)
{
    return bitmap_search(map, bits, from, ~0ULL);
}

static inline size_t bitmap_first_set(const uint64_t *map, size_t bits)
{
    return bitmap_search(map, bits, 0, 0);
}

static inline size_t bitmap_first_zero(const uint64_t *map, size_t bits)
{
    return bitmap_search(map, bits, 0, ~0ULL);
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
