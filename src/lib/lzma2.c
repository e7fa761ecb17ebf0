/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoding LZMA2 from memory to memory.
 *
 * A kernel takes nearly a hundred million decoded bits, so this file is about
 * the cost of one bit, on a processor and under an emulator alike. To an
 * emulator an access to memory is a dozen instructions, a jump nearly as many.
 *
 * - The output is the dictionary: nothing is copied twice.
 *
 * - Memory is read and written once for two bits of a tree, and bits are
 *   decoded without branches: lib/lzma_bits.h.
 *
 * - decode_usual(), into which all else is inlined, fits one page of code
 *   and calls next to nothing: emulators chain jumps within a page and look up others.
 *   (The linker script checks it.) What selects models is a constant in it.
 *
 * The input is hostile. A symbol's effect is checked before the output is
 * touched; the input is checked so often that it cannot be overrun by more
 * than the lookahead behind a chunk is for.
 */
#include "lib/lzma2.h"
#include "abi/errno.h"
#include "lib/checked.h"
#include "lib/lzma_bits.h"
#include "lib/string.h"

#define SYMBOL_SIZE 32 /* more than a symbol takes in */

/*
 * A literal is a tree of eight bits. After a match, the byte at which the match
 * would have gone on selects between two other trees, bit by bit, until a bit
 * differs from it. This decodes so far, perhaps a bit further, to a node that has a word.
 */
INLINE size_t matched_bits(struct range_decoder *rc, struct lzma_literal_model *model, size_t match)
{
    size_t node = 1;

    do {
        refill(rc);
        match <<= 1;
        node = tree_bit(rc, &model->matched[(match & 0x100) + node], node);
        if (((match >> 8 ^ node) & 1) != 0)
            return tree_bit(rc, without_word(model->plain, node), node);
        match <<= 1;
        node = tree_bit(rc, &model->matched[(match & 0x100) + node], node);
    } while (((match >> 8 ^ node) & 1) == 0 && node < 0x100);
    return node;
}

/* The rest of a literal, or all of it. */
INLINE size_t plain_bits(struct range_decoder *rc, struct lzma_literal_model *model, size_t node)
{
    do {
        refill(rc);
        node = tree_pair(rc, model->plain, node);
    } while (node < 0x100);
    return node;
}

/* The length of a match: 2 to 9, 10 to 17 or 18 to 273. Two bits are ready. */
INLINE size_t match_length(struct range_decoder *rc, struct lzma_length_model *model, size_t position)
{
    lzma_tree_word *tree = model->low[position];
    size_t node = 1;

    if (decide(rc, &model->is_long)) {
        node = 2;
        if (decide(rc, &model->is_longer)) {
            node = 1;
            do {
                refill(rc);
                node = tree_bit(rc, &model->high[node], node);
            } while (node < 0x100);
            return node - 0x100 + 18;
        }
    }
    refill(rc);
    node = tree_pair(rc, tree, node);
    node = tree_bit(rc, with_word(tree, node), node);
    return node - 6; /* 8 to 15 from node 1, 16 to 23 from node 2 */
}

/*
 * A new distance, less one. Its slot gives the two highest bits and how many
 * follow; the lowest of these (all, if they are few) are a tree from the
 * lowest bit up, any between are of even probability.
 */
INLINE size_t match_distance(struct range_decoder *rc, struct lzma_model *model, size_t length)
{
    static const uint8_t reversed[16] = {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15};
    lzma_tree_word *tree = model->slot[MIN(length - 2, 3)];
    size_t slot = 1, distance, node = 1;
    uint32_t bits;

    do {
        refill(rc);
        slot = tree_pair(rc, tree, slot);
    } while (slot < 64);
    slot -= 64;
    if (slot < 4)
        return slot;

    bits = (uint32_t)(slot >> 1) - 1;
    distance = 2 | (slot & 1);
    if (slot >= 14) {
        distance = (uint32_t)(direct_bits(rc, distance, bits - 4) << 4);
        do {
            refill(rc);
            node = tree_pair(rc, model->align, node);
        } while (node < 16);
        return distance + reversed[node - 16];
    }
    distance <<= bits;
    lzma_probability *special = model->special + distance - slot;
    for (uint32_t i = 0; i < bits; i++) {
        refill(rc);
        node = tree_bit(rc, special + node, node);
        distance += (node & 1) << i;
    }
    return distance;
}

/* Which of the last distances but the last is meant; it becomes the last. One bit is ready. */
INLINE size_t repeated_distance(struct range_decoder *rc, struct lzma2 *lzma2, size_t state)
{
    uint32_t distance = lzma2->repeats[1];

    lzma2->repeats[1] = lzma2->repeats[0];
    for (size_t i = 0; i < 2 && decide(rc, &lzma2->model.is_not_repeat[i][state]); i++) {
        uint32_t next = lzma2->repeats[i + 2];

        lzma2->repeats[i + 2] = distance;
        distance = next;
        refill(rc);
    }
    lzma2->repeats[0] = distance;
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
 * Where decoding is. The state remembers what the last symbols were; below
 * LITERAL_STATES, the last one was a literal.
 */
enum { LITERAL_STATES = 7 };

struct place {
    uint8_t *out;
    size_t state;
    uint8_t last; /* the byte before out */
};

/* The bits of the position that select models. Worked out anew wherever it is asked for, to have a register more. */
INLINE size_t position_of(struct lzma_props props, const uint8_t *out)
{
    __asm__("" : "+r"(out));
    return ((size_t)out - props.start) & props.position_mask;
}

INLINE void literal(struct range_decoder *rc, struct lzma2 *lzma2, struct lzma_props props,
                    struct place *place)
{
    size_t at = (size_t)place->out - props.start;
    size_t context = (((at << 8) + place->last) & props.literal_mask) << props.literal_shift, node = 1;
    struct lzma_literal_model *model = &lzma2->model.literal[context / 256];

    if (place->state >= LITERAL_STATES) {
        node = matched_bits(rc, model, place->out[-1 - (ptrdiff_t)lzma2->repeats[0]]);
        place->state -= place->state < 10 ? 3 : 6;
    } else {
        place->state = place->state > 3 ? place->state - 3 : 0;
    }
    if (node < 0x100)
        node = plain_bits(rc, model, node);
    place->last = (uint8_t)node;
    *place->out++ = place->last;
}

/* What a match or repeat begins with, after the bit that says that it is one. */
struct match {
    size_t distance;                   /* NEW_DISTANCE: it follows the length */
    struct lzma_length_model *lengths; /* NULL: a single byte, no length follows */
};
#define NEW_DISTANCE (~(size_t)0)

INLINE struct match match_kind(struct range_decoder *rc, struct lzma2 *lzma2, struct place *place,
                               size_t position)
{
    struct lzma_model *model = &lzma2->model;
    struct match match = {NEW_DISTANCE, &model->match_length};
    size_t state = place->state;
    bool after_literal = state < LITERAL_STATES;

    place->state = after_literal ? 7 : 10;
    if (!decide(rc, &model->is_repeat[state]))
        return match;

    match.lengths = &model->repeat_length;
    place->state = after_literal ? 8 : 11;
    if (decide(rc, &model->is_not_repeat0[state])) {
        match.distance = repeated_distance(rc, lzma2, state);
    } else {
        match.distance = lzma2->repeats[0];
        if (!decide(rc, &model->is_long_repeat0[state][position])) {
            match.lengths = NULL;
            place->state = after_literal ? 9 : 11;
        }
    }
    refill(rc);
    return match;
}

/* A match or repeat; false if it reaches too far back or does not end before @out_end. */
INLINE bool match(struct range_decoder *rc, struct lzma2 *lzma2, struct lzma_props props, struct place *place,
                  const uint8_t *out_end)
{
    size_t position = position_of(props, place->out), length = 1;
    struct match match = match_kind(rc, lzma2, place, position);

    if (match.lengths != NULL)
        length = match_length(rc, match.lengths, position);
    if (match.distance == NEW_DISTANCE) {
        uint64_t two;

        memcpy(&two, &lzma2->repeats[1], sizeof(two));
        memcpy(&lzma2->repeats[2], &two, sizeof(two));
        lzma2->repeats[1] = lzma2->repeats[0];
        match.distance = match_distance(rc, &lzma2->model, length);
        lzma2->repeats[0] = (uint32_t)match.distance;
    }
    if (match.distance >= MIN((size_t)(place->out - lzma2->dict), lzma2->dict_size) ||
        length > (size_t)(out_end - place->out))
        return false;
    place->out = copy_match(place->out, match.distance, length);
    place->last = place->out[-1];
    return true;
}

/*
 * Decodes the symbols of one chunk, [in, in_end), to [out, out_end). False if
 * they are corrupt. The caller has seen to LZMA2_LOOKAHEAD and LZMA2_SLACK.
 *
 * A symbol makes a byte or more out of at most SYMBOL_SIZE: of so many bytes
 * output as there are times SYMBOL_SIZE left, only the last can overrun the input.
 */
INLINE bool decode_symbols(struct lzma2 *lzma2, struct lzma_props props, const uint8_t *in,
                           const uint8_t *in_end, uint8_t *out, uint8_t *out_end)
{
    struct range_decoder rc = {.in = in, .range = ~0u};
    struct place place = {.out = out, .state = lzma2->state};

    place.last = out > lzma2->dict ? out[-1] : 0;
    refill(&rc);
    rc.window <<= 32;
    rc.in += 4;
    while (place.out < out_end) {
        const uint8_t *stop;

        if (rc.in > in_end)
            return false;
        stop = place.out + MIN(out_end - place.out, (in_end - rc.in) / SYMBOL_SIZE + 1);
        do {
            size_t position = position_of(props, place.out);

            refill(&rc);
            if (!decide(&rc, &lzma2->model.is_match[place.state][position]))
                literal(&rc, lzma2, props, &place);
            else if (!match(&rc, lzma2, props, &place, out_end))
                return false;
        } while (place.out < stop);
    }
    normalise(&rc);
    lzma2->state = (uint32_t)place.state;
    return rc.in == in_end && rc.window >> 32 == 0;
}

/* What xz does unless told otherwise, and all kernels have: lc=3 lp=0 pb=2. */
static const struct lzma_props usual = {.position_mask = 3, .literal_mask = 0xe0, .literal_shift = 3};

static __attribute__((noinline, aligned(PAGE_SIZE), section(".text.one_page"))) bool decode_usual(
    struct lzma2 *lzma2, const uint8_t *in, const uint8_t *in_end, uint8_t *out, uint8_t *out_end)
{
    return decode_symbols(lzma2, usual, in, in_end, out, out_end);
}

static __attribute__((noinline, aligned(PAGE_SIZE))) bool decode_any(struct lzma2 *lzma2, const uint8_t *in,
                                                                     const uint8_t *in_end, uint8_t *out,
                                                                     uint8_t *out_end)
{
    return decode_symbols(lzma2, lzma2->props, in, in_end, out, out_end);
}

static void reset_state(struct lzma2 *lzma2)
{
    lzma_probability *probabilities = (lzma_probability *)&lzma2->model;

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
    lzma2->props.position_mask = (1u << pb) - 1;
    lzma2->props.literal_mask = (0x100u << lp) - (0x100u >> lc);
    lzma2->props.literal_shift = lc;
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
        lzma2->props.start = (uint32_t)((size_t)out % LZMA_POSITIONS);
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
    if (memcmp(&lzma2->props, &usual, sizeof(usual)) == 0)
        return decode_usual(lzma2, in + 1, in + chunk->packed_size, out, out + chunk->size);
    return decode_any(lzma2, in + 1, in + chunk->packed_size, out, out + chunk->size);
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
