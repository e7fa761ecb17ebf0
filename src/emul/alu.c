/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arithmetic and its flags, from the carries: in d + s = r a carry leaves bit i
 * where both have it, or one has it and r does not. A borrow likewise. What the
 * manual leaves undefined (AF after logic) is cleared, as processors do.
 */
#include "emul/internal.h"

#define CF BIT(0)
#define PF BIT(2)
#define AF BIT(4)
#define ZF BIT(6)
#define SF BIT(7)
#define OF BIT(11)

static uint64_t result_flags(uint64_t r, uint64_t carries, uint64_t overflow, unsigned int bytes)
{
    unsigned int top = 8 * bytes - 1, parity = (unsigned int)(r ^ r >> 4) & 15;

    return ((carries >> top) & 1 ? CF : 0) | ((carries >> 3) & 1 ? AF : 0) |
           ((overflow >> top) & 1 ? OF : 0) | ((r >> top) & 1 ? SF : 0) | (r == 0 ? ZF : 0) |
           ((0x9669u >> parity) & 1 ? PF : 0);
}

uint64_t emul_alu(enum emul_kind kind, uint64_t d, uint64_t s, unsigned int bytes, uint64_t *flags)
{
    const uint64_t all = CF | PF | AF | ZF | SF | OF;
    uint64_t mask = ~0ULL >> (64 - 8 * bytes), carry = *flags & CF, carries = 0, overflow = 0, kept = 0, r;

    if (kind == EMUL_INC || kind == EMUL_DEC) {
        kept = CF;
        s = 1;
    } else if (kind == EMUL_NEG) {
        s = d;
        d = 0;
    }
    d &= mask;
    s &= mask;
    switch (kind) {
    case EMUL_ADD:
    case EMUL_ADC:
    case EMUL_INC:
    case EMUL_XADD:
        r = (d + s + (kind == EMUL_ADC ? carry : 0)) & mask;
        carries = (d & s) | ((d | s) & ~r);
        overflow = (d ^ r) & (s ^ r);
        break;
    case EMUL_SUB:
    case EMUL_SBB:
    case EMUL_CMP:
    case EMUL_CMPXCHG:
    case EMUL_DEC:
    case EMUL_NEG:
        r = (d - s - (kind == EMUL_SBB ? carry : 0)) & mask;
        carries = (~d & s) | (~(d ^ s) & r);
        overflow = (d ^ s) & (d ^ r);
        break;
    case EMUL_OR:
        r = d | s;
        break;
    case EMUL_XOR:
        r = d ^ s;
        break;
    default: /* AND, TEST */
        r = d & s;
    }
    *flags = (*flags & (~all | kept)) | (result_flags(r, carries, overflow, bytes) & ~kept);
    return r;
}

/*
 * Bit by bit, as the manual describes it: `in` comes in at one end, the carry leaves at the other.
 * OF is the sign's change, which is where the two highest bits differ (for a shift to the left:
 * the one that left and the new highest).
 */
uint64_t emul_shift(enum emul_kind kind, uint64_t d, uint64_t fill, unsigned int count, unsigned int bytes,
                    uint64_t *flags)
{
    unsigned int top = 8 * bytes - 1;
    uint64_t mask = ~0ULL >> (63 - top), carry = *flags & CF, overflow = 0, in;
    bool left =
        kind == EMUL_ROL || kind == EMUL_RCL || kind == EMUL_SHL || kind == EMUL_SAL || kind == EMUL_SHLD;

    count &= bytes == 8 ? 63 : 31;
    if (count == 0)
        return d;
    for (d &= mask; count > 0; count--) {
        uint64_t high = (d >> top) & 1, low = d & 1;

        in = kind == EMUL_RCL || kind == EMUL_RCR   ? carry
             : kind == EMUL_ROL || kind == EMUL_SAR ? high
             : kind == EMUL_ROR                     ? low
             : kind == EMUL_SHLD                    ? (fill >> top) & 1
             : kind == EMUL_SHRD                    ? fill & 1
                                                    : 0;
        carry = left ? high : low;
        d = left ? ((d << 1) & mask) | in : d >> 1 | in << top;
        fill = left ? fill << 1 : fill >> 1;
        overflow = (d >> top ^ (left ? carry : d >> (top - 1))) & 1;
    }
    in = *flags & ~(CF | OF);
    if (kind > EMUL_RCR) /* rotations leave the others */
        in = (in & ~(PF | AF | ZF | SF)) | result_flags(d, 0, 0, bytes);
    *flags = in | carry | (overflow ? OF : 0);
    return d;
}

bool emul_condition(unsigned int cc, uint64_t flags)
{
    bool less = !(flags & SF) != !(flags & OF);
    const bool met[8] = {flags & OF, flags & CF, flags & ZF, flags & (CF | ZF),
                         flags & SF, flags & PF, less,       less || (flags & ZF)};

    return met[(cc >> 1) & 7] != (cc & 1);
}
