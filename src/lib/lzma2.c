/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoding LZMA2 from memory to memory.
 *
 * A kernel takes tens of millions of decoded bits, so this file is about the
 * cost of one bit, on a processor and under an emulator alike:
 *
 * - The output is the dictionary: nothing is copied twice.
 *
 * - Bits of a tree are decoded without a branch, since which way it goes is
 *   near enough random. The arithmetic of one bit is assembly because no
 *   compiler can be made to keep it free of branches; it works on registers
 *   alone, and memory is read and written in C. Where the bit decides what
 *   comes next anyway, it is a plain branch.
 *
 * - The four bytes that come next are kept in the low half of the register
 *   whose high half is the range decoder's `code`, so that taking in a byte is
 *   a shift. Four bits take in at most four bytes, then refill() is due.
 *
 * - decode_symbols(), into which all else is inlined, fits one page of code
 *   and calls nothing: emulators chain jumps within a page and look up others.
 *
 * The input is hostile. A symbol's effect is checked before the output is
 * touched; the input is checked once for each symbol, which is what the
 * lookahead behind a chunk is for.
 */
#include "lib/lzma2.h"
#include "abi/errno.h"
#include "lib/checked.h"
#include "lib/string.h"

#define INLINE static inline __attribute__((always_inline))

#define RANGE_MINIMUM (1u << 24)

struct range_decoder {
    const uint8_t *in; /* the first byte not yet in the high half of window */
    uint64_t range;    /* 32 bits; an emulator is quicker with all 64 */
    uint64_t window;   /* code << 32 | up to four bytes that follow */
};

/* Makes four bits decodable. */
INLINE void refill(struct range_decoder *rc)
{
    uint32_t next;

    memcpy(&next, rc->in, sizeof(next));
    rc->window = (rc->window >> 32 << 32) | __builtin_bswap32(next);
}

/* Takes in a byte if the range has become small. %[t] and %[c] are scratch. */
#define NORMALISE \
    "mov     %[range], %[t]\n\t" \
    "shl     $8, %[t]\n\t" \
    "mov     %[window], %[c]\n\t" \
    "shl     $8, %[c]\n\t" \
    "cmp     $0x1000000, %[range]\n\t" \
    "cmovb   %[t], %[range]\n\t" \
    "cmovb   %[c], %[window]\n\t" \
    "lea     1(%[in]), %[t]\n\t" \
    "cmovb   %[t], %[in]\n\t"

/* clang-format off */
INLINE void normalise(struct range_decoder *rc)
{
    uint64_t t, c;

    __asm__(NORMALISE
            : [range] "+r"(rc->range), [window] "+r"(rc->window), [in] "+r"(rc->in),
              [t] "=&r"(t), [c] "=&r"(c)
            :
            : "cc");
}

/*
 * Decodes one bit of a tree: @node is where in the tree we are; the result is
 * 2 * @node + the bit. The probability p moves by 1/32 towards 2048 or 31,
 * which for both is p -= x >> 5 with x = p for a 1 and x = p - 2017 for a 0.
 */
INLINE size_t tree_bit(struct range_decoder *rc, uint16_t *tree, size_t node)
{
    uint16_t *probability;
    uint64_t p, t, c;

    __asm__("lea     (%1, %2, 2), %0" : "=r"(probability) : "r"(tree), "r"(node));
    p = *probability;
    __asm__(NORMALISE
            "mov     %[range], %[t]\n\t"
            "shr     $11, %[t]\n\t"
            "imul    %[p], %[t]\n\t"            /* t = bound */
            "mov     %[t], %[c]\n\t"
            "shl     $32, %[c]\n\t"
            "sub     %[t], %[range]\n\t"
            "neg     %[c]\n\t"
            "add     %[window], %[c]\n\t"       /* c = window - bound; carry = the bit */
            "cmovnc  %[t], %[range]\n\t"
            "cmovc   %[c], %[window]\n\t"
            "lea     -2017(%[p]), %[c]\n\t"
            "cmovc   %[p], %[c]\n\t"
            "adc     %[node], %[node]\n\t"
            "sar     $5, %[c]\n\t"
            "sub     %[c], %[p]"
            : [range] "+r"(rc->range), [window] "+r"(rc->window), [in] "+r"(rc->in), [node] "+r"(node),
              [p] "+r"(p), [t] "=&r"(t), [c] "=&r"(c)
            :
            : "cc");
    *probability = (uint16_t)p;
    return node;
}
/* clang-format on */

/* Decodes a bit that the caller branches on. */
INLINE bool decide(struct range_decoder *rc, uint16_t *probability)
{
    uint64_t p = *probability, bound;

    normalise(rc);
    bound = (rc->range >> 11) * p;
    if (rc->window >> 32 < bound) {
        rc->range = bound;
        *probability = (uint16_t)(p + ((2048 - p) >> 5));
        return false;
    }
    rc->range -= bound;
    rc->window -= bound << 32;
    *probability = (uint16_t)(p - (p >> 5));
    return true;
}

/* Appends @count bits of even probability to @value. */
INLINE size_t direct_bits(struct range_decoder *rc, size_t value, uint32_t count)
{
    do {
        refill(rc);
        normalise(rc);
        do {
            uint64_t t;

            rc->range >>= 1;
            t = rc->range << 32;
            __asm__("neg     %[t]\n\t"
                    "add     %[window], %[t]\n\t"
                    "cmovc   %[t], %[window]\n\t"
                    "adc     %[value], %[value]"
                    : [t] "+&r"(t), [window] "+r"(rc->window), [value] "+r"(value)
                    :
                    : "cc");
        } while (--count > 0 && rc->range >= RANGE_MINIMUM);
    } while (count > 0);
    return value;
}

/* A literal is a tree of eight bits. */
INLINE uint8_t plain_literal(struct range_decoder *rc, uint16_t *tree)
{
    size_t node = 1;

    do {
        refill(rc);
        node = tree_bit(rc, tree, node);
        node = tree_bit(rc, tree, node);
        node = tree_bit(rc, tree, node);
        node = tree_bit(rc, tree, node);
    } while (node < 0x100);
    return (uint8_t)node;
}

/*
 * After a match, the byte at which the match would have gone on selects among
 * three trees, bit by bit, until a bit differs from it (then offset becomes 0).
 */
INLINE uint8_t matched_literal(struct range_decoder *rc, uint16_t *tree, uint8_t match_byte)
{
    size_t node = 1, offset = 0x100, match = match_byte;

    do {
        refill(rc);
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            match <<= 1;
            node = tree_bit(rc, tree + offset + (match & offset), node);
            offset &= match ^ ((node & 1) - 1);
        }
    } while (node < 0x100);
    return (uint8_t)node;
}

/* The length of a match: 2 to 9, 10 to 17 or 18 to 273. Two bits are ready. */
INLINE size_t match_length(struct range_decoder *rc, struct lzma_length_model *model, size_t position)
{
    size_t node = 1, base;
    uint16_t *tree;

    if (!decide(rc, &model->is_long)) {
        tree = model->low[position];
        base = 2;
    } else if (!decide(rc, &model->is_longer)) {
        tree = model->middle[position];
        base = 10;
    } else {
        do {
            refill(rc);
            node = tree_bit(rc, model->high, node);
        } while (node < 256);
        return node - 256 + 18;
    }
    refill(rc);
    node = tree_bit(rc, tree, node);
    node = tree_bit(rc, tree, node);
    node = tree_bit(rc, tree, node);
    return node - 8 + base;
}

/*
 * A new distance, less one. Its slot gives the two highest bits and how many
 * follow; the lowest of these (all, if they are few) are a tree from the
 * lowest bit up, any between are of even probability.
 */
INLINE size_t match_distance(struct range_decoder *rc, struct lzma_model *model, size_t length)
{
    uint16_t *tree = model->slot[MIN(length - 2, 3)];
    size_t slot = 1, distance, node = 1;
    uint32_t bits;

    do {
        refill(rc);
        slot = tree_bit(rc, tree, slot);
        slot = tree_bit(rc, tree, slot);
        slot = tree_bit(rc, tree, slot);
    } while (slot < 64);
    slot -= 64;
    if (slot < 4)
        return slot;

    bits = (uint32_t)(slot >> 1) - 1;
    distance = 2 | (slot & 1);
    if (slot < 14) {
        distance <<= bits;
        tree = model->special + distance - slot;
    } else {
        distance = (uint32_t)(direct_bits(rc, distance, bits - 4) << 4);
        tree = model->align;
        bits = 4;
    }
    for (uint32_t i = 0; i < bits; i++) {
        refill(rc);
        node = tree_bit(rc, tree, node);
        distance += (node & 1) << i;
    }
    return distance;
}

/* Which of the four last distances is meant; it becomes the first. One bit is ready. */
INLINE size_t repeated_distance(struct range_decoder *rc, struct lzma2 *lzma2, size_t state, size_t first)
{
    uint32_t distance = lzma2->repeats[1];

    if (decide(rc, &lzma2->model.is_not_repeat1[state])) {
        refill(rc);
        distance = lzma2->repeats[2];
        if (decide(rc, &lzma2->model.is_not_repeat2[state])) {
            distance = lzma2->repeats[3];
            lzma2->repeats[3] = lzma2->repeats[2];
        }
        lzma2->repeats[2] = lzma2->repeats[1];
    }
    lzma2->repeats[1] = (uint32_t)first;
    return distance;
}

INLINE uint64_t load_eight(const uint8_t *from)
{
    uint64_t eight;

    memcpy(&eight, from, 8);
    return eight;
}

INLINE void store_eight(uint8_t *out, uint64_t eight)
{
    memcpy(out, &eight, 8);
}

/* Makes [@out, @end) zero, and up to fifteen bytes more. Rare enough to be called. */
static __attribute__((noinline)) uint8_t *clear_match(uint8_t *out, uint8_t *end)
{
    for (; out < end; out += 16) {
        if ((load_eight(out) | load_eight(out + 8)) != 0) {
            store_eight(out, 0);
            store_eight(out + 8, 0);
        }
    }
    return end;
}

/*
 * Copies @length bytes from @distance + 1 back, eight at a time, up to fifteen
 * bytes too many. What is nearer than eight bytes is repeated by a multiplication,
 * after which the same can be copied from a multiple of the distance back.
 *
 * Half of a kernel is zeroes. Memory that is zero already is not written: the
 * host of a virtual machine then need not provide it.
 */
INLINE uint8_t *copy_match(uint8_t *out, size_t distance, size_t length)
{
    static const uint64_t repeat[7] = {
        0x0101010101010101, 0x0001000100010001, 0x0001000001000001, 0x0000000100000001,
        0x0000010000000001, 0x0001000000000001, 0x0100000000000001,
    };
    static const uint8_t multiple[7] = {8, 8, 9, 8, 10, 12, 14};
    const uint8_t *from = out - distance - 1;
    uint8_t *end = out + length;
    uint64_t eight = load_eight(from);

    if (distance >= 7) {
        from += 8;
    } else {
        eight = (eight & (~0UL >> (56 - 8 * distance))) * repeat[distance];
        if (eight == 0)
            return clear_match(out, end);
        from = out + 8 - multiple[distance];
    }
    store_eight(out, eight);
    out += 8;
    if (out < end) {
        do {
            store_eight(out, load_eight(from));
            store_eight(out + 8, load_eight(from + 8));
            from += 16;
            out += 16;
        } while (out < end);
    }
    return end;
}

/*
 * The state remembers what the last symbols were; below LITERAL_STATES, the
 * last one was a literal. The next state, after a literal from each state, and
 * after each kind of match from the states below and from those above:
 */
enum { LITERAL_STATES = 7 };
static const uint8_t after_literal[LZMA_STATES] = {0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 4, 5};
static const uint8_t after_match[2][3] = {{7, 8, 9}, {10, 11, 11}};

/* What a match or repeat begins with, after the bit that says that it is one. */
struct match {
    enum { NEW, REPEAT, SINGLE } kind; /* SINGLE: one byte from the last distance; no length follows */
    size_t distance;                   /* if it is not NEW, whose distance follows its length */
    struct lzma_length_model *lengths;
};

INLINE struct match match_kind(struct range_decoder *rc, struct lzma2 *lzma2, size_t state, size_t position,
                               size_t last)
{
    struct lzma_model *model = &lzma2->model;
    struct match match = {.kind = REPEAT, .distance = last, .lengths = &model->repeat_length};

    if (!decide(rc, &model->is_repeat[state])) {
        match.kind = NEW;
        match.lengths = &model->match_length;
        return match;
    }
    if (decide(rc, &model->is_not_repeat0[state]))
        match.distance = repeated_distance(rc, lzma2, state, last);
    else if (!decide(rc, &model->is_long_repeat0[state][position]))
        match.kind = SINGLE;
    refill(rc);
    return match;
}

/*
 * Decodes the symbols of one chunk, [in, in_end), to [out, out_end). False if
 * they are corrupt. The caller has seen to LZMA2_LOOKAHEAD and LZMA2_SLACK.
 */
static __attribute__((noinline, aligned(PAGE_SIZE))) bool decode_symbols(struct lzma2 *lzma2,
                                                                         const uint8_t *in,
                                                                         const uint8_t *in_end, uint8_t *out,
                                                                         uint8_t *out_end)
{
    struct range_decoder rc = {.in = in, .range = ~0u};
    struct lzma_model *model = &lzma2->model;
    size_t state = lzma2->state, distance = lzma2->repeats[0];
    uint8_t last = out > lzma2->dict ? out[-1] : 0;

    refill(&rc);
    rc.window <<= 32;
    rc.in += 4;
    while (out < out_end) {
        size_t at = (size_t)(out - lzma2->dict), position = at & lzma2->position_mask, length = 1;
        struct match match;

        if (rc.in > in_end)
            return false;
        refill(&rc);
        if (!decide(&rc, &model->is_match[state][position])) {
            size_t context = (((at << 8) + last) & lzma2->literal_mask) << lzma2->literal_shift;
            uint16_t *tree = model->literal + 3 * context;

            if (state < LITERAL_STATES)
                last = plain_literal(&rc, tree);
            else
                last = matched_literal(&rc, tree, out[-1 - (ptrdiff_t)distance]);
            *out++ = last;
            state = after_literal[state];
            continue;
        }

        match = match_kind(&rc, lzma2, state, position, distance);
        state = after_match[state >= LITERAL_STATES][match.kind];
        if (match.kind != SINGLE)
            length = match_length(&rc, match.lengths, position);
        if (match.kind == NEW) {
            lzma2->repeats[3] = lzma2->repeats[2];
            lzma2->repeats[2] = lzma2->repeats[1];
            lzma2->repeats[1] = (uint32_t)distance;
            distance = match_distance(&rc, model, length);
        } else {
            distance = match.distance;
        }
        if (distance >= MIN(at, lzma2->dict_size) || length > (size_t)(out_end - out))
            return false;
        out = copy_match(out, distance, length);
        last = out[-1];
    }
    normalise(&rc);
    lzma2->state = (uint32_t)state;
    lzma2->repeats[0] = (uint32_t)distance;
    return rc.in == in_end && rc.window >> 32 == 0;
}

static void reset_state(struct lzma2 *lzma2)
{
    uint16_t *probabilities = (uint16_t *)&lzma2->model;

    for (size_t i = 0; i < sizeof(lzma2->model) / sizeof(*probabilities); i++)
        probabilities[i] = 1024;
    lzma2->state = 0;
    memset(lzma2->repeats, 0, sizeof(lzma2->repeats));
}

/* The byte (pb * 5 + lp) * 9 + lc: how many bits of position and last byte select a model. */
static bool set_props(struct lzma2 *lzma2, uint8_t props)
{
    uint32_t lc = props % 9, lp = props / 9 % 5, pb = props / 45;

    if (pb > 4 || lc + lp > 4)
        return false;
    lzma2->position_mask = (1u << pb) - 1;
    lzma2->literal_mask = (0x100u << lp) - (0x100u >> lc);
    lzma2->literal_shift = lc;
    return true;
}

/* The header of a chunk. */
struct chunk {
    bool is_packed;
    bool resets_dict, has_props, resets_state;
    uint8_t props;
    size_t header_size, packed_size, size;
};

static size_t big_endian_16(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

/* Reads the header at @in, whose first byte is not 0, the end mark. False if it is cut off or impossible. */
static bool read_chunk(struct chunk *chunk, const uint8_t *in, size_t in_len)
{
    uint8_t control = in[0];

    if (control < 0x80) {
        *chunk = (struct chunk){.resets_dict = control == 1, .header_size = 3};
        if (control > 2 || in_len < 3)
            return false;
        chunk->size = chunk->packed_size = big_endian_16(in + 1) + 1;
    } else {
        uint32_t reset = (control >> 5) & 3;

        *chunk = (struct chunk){
            .is_packed = true,
            .resets_dict = reset == 3,
            .has_props = reset >= 2,
            .resets_state = reset >= 1,
            .header_size = reset >= 2 ? 6 : 5,
        };
        if (in_len < chunk->header_size)
            return false;
        chunk->size = ((size_t)(control & 0x1f) << 16) + big_endian_16(in + 1) + 1;
        chunk->packed_size = big_endian_16(in + 3) + 1;
        chunk->props = in[5 - (reset < 2)];
    }
    return chunk->packed_size <= in_len - chunk->header_size;
}

/* Applies the resets that a chunk asks for; false if it lacks one that is due. */
static bool prepare(struct lzma2 *lzma2, const struct chunk *chunk, uint8_t *out)
{
    if (chunk->resets_dict) {
        lzma2->dict = out;
        lzma2->need_props = true;
    }
    if (lzma2->dict == NULL)
        return false;
    if (!chunk->is_packed)
        return true;
    if (chunk->has_props) {
        if (!set_props(lzma2, chunk->props))
            return false;
        lzma2->need_props = false;
    }
    if (chunk->resets_state)
        reset_state(lzma2);
    return !lzma2->need_props;
}

/* Decodes a packed chunk at @in, behind which there are @behind bytes of input. */
static bool decode_chunk(struct lzma2 *lzma2, const struct chunk *chunk, const uint8_t *in, size_t behind,
                         uint8_t *out)
{
    if (chunk->packed_size < 5 || in[0] != 0)
        return false;
    if (behind < LZMA2_LOOKAHEAD) {
        memcpy(lzma2->tail, in, chunk->packed_size);
        memset(lzma2->tail + chunk->packed_size, 0, LZMA2_LOOKAHEAD);
        in = lzma2->tail;
    }
    return decode_symbols(lzma2, in + 1, in + chunk->packed_size, out, out + chunk->size);
}

int lzma2_decode(struct lzma2 *lzma2, uint32_t dict_size, const uint8_t *in, size_t in_len, size_t *used,
                 uint8_t *out, size_t out_cap, size_t *out_len, const char **why)
{
    size_t at = 0, made = 0;

    lzma2->dict_size = dict_size;
    lzma2->dict = NULL;
    *why = "its LZMA2 data are corrupt";
    for (;;) {
        struct chunk chunk;
        const uint8_t *data;

        if (at == in_len) {
            *why = "its LZMA2 data end too early (is it truncated?)";
            return -EINVAL;
        }
        if (in[at] == 0)
            break;
        if (!read_chunk(&chunk, in + at, in_len - at) || !prepare(lzma2, &chunk, out + made))
            return -EINVAL;
        at += chunk.header_size;
        data = in + at;
        at += chunk.packed_size;
        if (!range_within(made, chunk.size + LZMA2_SLACK, out_cap)) {
            *why = "it unpacks to more than was announced";
            return -EINVAL;
        }
        if (!chunk.is_packed)
            memcpy(out + made, data, chunk.size);
        else if (!decode_chunk(lzma2, &chunk, data, in_len - at, out + made))
            return -EINVAL;
        made += chunk.size;
    }
    *used = at + 1;
    *out_len = made;
    return 0;
}
