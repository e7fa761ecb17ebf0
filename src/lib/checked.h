/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arithmetic on numbers that others supplied: false, and no result to be used, on overflow. */
#ifndef LIB_CHECKED_H
#define LIB_CHECKED_H

static inline MUST_CHECK bool checked_add_u64(uint64_t a, uint64_t b, uint64_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

static inline MUST_CHECK bool checked_sub_u64(uint64_t a, uint64_t b, uint64_t *difference)
{
    return !__builtin_sub_overflow(a, b, difference);
}

static inline MUST_CHECK bool checked_mul_u64(uint64_t a, uint64_t b, uint64_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

/* Whether [offset, offset + length) lies within [0, size). */
static inline bool range_within(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

/* a * b / c, rounded down, with all 128 bits of the product; UINT64_MAX if that is more than 64 bits hold. */
static inline uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    uint64_t rest = (uint64_t)(product >> 64), low = (uint64_t)product;

    if (rest >= c)
        return UINT64_MAX;
    for (unsigned int i = 0; i < 64; i++) {
        bool carry = rest >> 63;

        rest = rest << 1 | low >> 63;
        low <<= 1;
        if (carry || rest >= c) {
            rest -= c;
            low |= 1;
        }
    }
    return low;
}

#endif
