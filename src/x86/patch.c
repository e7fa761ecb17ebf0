/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's own code, changed once at start-up (x86/spec.h).
 *
 * The compiler makes indirect jumps and returns calls of and jumps to the thunks
 * of thunks.S; scripts/thunks.sh lists them from the linked image. Each is five
 * bytes, room for the plain instruction with prefixes that mean nothing there.
 */
#include "x86/patch.h"

#include "lib/string.h"
#include "x86/insn.h"
#include "x86/msr.h"
#include "x86/spec.h"

#define THUNK_STEP 64
#define THUNK_AT   32 /* in its line */

extern uint8_t text_start[], indirect_thunks[], __x86_return_thunk[];
extern const uint32_t thunk_sites_start[], thunk_sites_end[]; /* distances from text_start */
extern const struct patch patches_start[], patches_end[];

void patch_make_indirect(uint8_t code[5], bool call, unsigned int reg)
{
    code[0] = code[1] = 0x2e; /* CS: */
    code[2] = reg < 8 ? 0x2e : 0x41;
    code[3] = 0xff;
    code[4] = (uint8_t)((call ? 0xd0 : 0xe0) | (reg & 7));
}

static void patch_sites(void)
{
    bool plain_jumps = spec.thunk == THUNK_JMP && !spec_on(SPEC_RETURN_THUNK);

    for (const uint32_t *s = thunk_sites_start; s < thunk_sites_end; s++) {
        uint8_t *at = text_start + *s, *to;
        int32_t distance;

        memcpy(&distance, at + 1, sizeof(distance));
        to = at + 5 + distance;
        if (to == __x86_return_thunk) {
            if (!spec_on(SPEC_RETURN_THUNK))
                memcpy(at, "\xc3\xcc\xcc\xcc\xcc", 5);
        } else if (plain_jumps) {
            patch_make_indirect(at, *at == PATCH_CALL, (unsigned int)(to - indirect_thunks) / THUNK_STEP);
        }
    }
}

/* The thunks themselves: a jump, perhaps after LFENCE. */
static void patch_thunks(void)
{
    for (unsigned int reg = 0; reg < 16 && spec.thunk != THUNK_RETPOLINE; reg++) {
        uint8_t *at = indirect_thunks + reg * THUNK_STEP + THUNK_AT;

        if (spec.thunk == THUNK_LFENCE) {
            memcpy(at, "\x0f\xae\xe8", 3);
            at += 3;
        }
        patch_make_indirect(at, false, reg);
    }
}

static void patch_place(const struct patch *p)
{
    uint8_t *at = (uint8_t *)&p->at + p->at, *to = (uint8_t *)&p->to + p->to;
    int32_t distance = (int32_t)(to - at) - (p->how == PATCH_JZ ? 6 : 5);

    if (p->how == PATCH_NOP2) {
        memcpy(at, "\x66\x90", 2);
    } else if (p->how == PATCH_JZ) {
        memcpy(at + 2, &distance, sizeof(distance));
    } else {
        *at = (uint8_t)p->how;
        memcpy(at + 1, &distance, sizeof(distance));
    }
}

void spec_patch_code(void)
{
    uint64_t cr0 = read_cr0();

    write_cr0(cr0 & ~(uint64_t)CR0_WP);
    patch_sites();
    patch_thunks();
    for (const struct patch *p = patches_start; p < patches_end; p++)
        if (spec_on((enum spec_measure)p->measure))
            patch_place(p);
    write_cr0(cr0); /* serialises */
}
