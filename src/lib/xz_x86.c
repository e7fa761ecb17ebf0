/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86 filter of xz, undone.
 *
 * Before packing, the filter replaced the relative targets of near calls (E8)
 * and jumps (E9) by absolute ones, which repeat and hence pack better. It
 * cannot tell code from data. Only a target whose highest byte is 0 or FF is
 * taken for one, and an E8 or E9 that follows closely on one that was passed
 * over is taken with more caution, so that both directions decide alike.
 * `passed` is that memory: bit n is set if an opcode was passed over n + 1
 * bytes before.
 *
 * Nearly all bytes are no opcode: thirty-two are looked at together, then eight.
 */
#include "lib/xz.h"
#include "lib/string.h"

#define EACH_BYTE 0x0101010101010101ULL

static bool is_sign(uint8_t byte)
{
    return byte == 0 || byte == 0xff;
}

/* Bit 7 of the first byte that is E8 or E9, among the eight at @data, and perhaps of later ones. */
static inline uint64_t opcodes(const uint8_t *data)
{
    uint64_t eight;

    memcpy(&eight, data, sizeof(eight));
    eight = (eight & ~EACH_BYTE) ^ (0xe8 * EACH_BYTE); /* now 0 in place of an opcode */
    return (eight - EACH_BYTE) & ~eight & (0x80 * EACH_BYTE);
}

/* The index of the first E8 or E9 in [i, end), or end. */
static inline size_t find_opcode(const uint8_t *data, size_t i, size_t end)
{
    while (i + 32 <= end &&
           (opcodes(data + i) | opcodes(data + i + 8) | opcodes(data + i + 16) | opcodes(data + i + 24)) == 0)
        i += 32;
    for (; i + 8 <= end; i += 8) {
        uint64_t found = opcodes(data + i);

        if (found != 0)
            return i + (size_t)__builtin_ctzll(found) / 8;
    }
    while (i < end && (data[i] & 0xfe) != 0xe8)
        i++;
    return i;
}

/* How many bytes before here the earliest opcode was passed over. */
static uint32_t earliest(uint32_t passed)
{
    return passed >= 4 ? 3 : passed >= 2 ? 2 : 1;
}

/* Whether the filter took the opcode at @data for a call or jump. */
static bool was_filtered(const uint8_t *data, uint32_t passed)
{
    if (passed != 0 && ((passed & (passed - 1)) != 0 || is_sign(data[4 - earliest(passed)])))
        return false;
    return is_sign(data[4]);
}

/* The relative target for the absolute one; @next is the address of the next instruction. */
static uint32_t relative_target(uint32_t target, uint32_t next, uint32_t passed)
{
    uint32_t shift = 8 * earliest(passed);

    target -= next;
    /* The filter turned the low bytes over as long as one would have been taken for an opcode's sign. */
    while (passed != 0 && is_sign((uint8_t)(target >> (24 - shift))))
        target = (target ^ ((1u << (32 - shift)) - 1)) - next;
    /* Bit 24 is the sign. */
    target &= 0x01ffffff;
    return target | (0 - (target & 0x01000000));
}

/* Aligned to lie within a page, as lib/lzma2.c explains. */
__attribute__((aligned(1024))) void xz_unfilter_x86(uint8_t *data, size_t size, uint32_t start)
{
    size_t end = size >= 4 ? size - 4 : 0, next = 0;
    uint32_t passed = 0;

    for (size_t i = find_opcode(data, 0, end); i < end; i = find_opcode(data, next, end)) {
        passed = i - next < 3 ? (passed << (i - next)) & 7 : 0;
        if (was_filtered(data + i, passed)) {
            uint32_t target;

            memcpy(&target, data + i + 1, sizeof(target));
            target = relative_target(target, start + (uint32_t)i + 5, passed);
            memcpy(data + i + 1, &target, sizeof(target));
            next = i + 5;
            passed = 0;
        } else {
            next = i + 1;
            passed = (passed << 1 | 1) & 7;
        }
    }
}
