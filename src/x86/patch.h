/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places in the code that start-up changes if a measure of x86/spec.h is taken,
 * so that processors that need none execute nothing more. A place is listed by
 *
 *   PATCH at, to, measure, how     (assembly; `to` is not looked at for PATCH_NOP2)
 */
#ifndef X86_PATCH_H
#define X86_PATCH_H

#define PATCH_NOP2 0    /* two bytes become a no-operation: a short jump around code that is wanted now */
#define PATCH_CALL 0xe8 /* five bytes become a call of `to` */
#define PATCH_JUMP 0xe9 /* five bytes become a jump to `to` */
#define PATCH_JZ   0x84 /* a JZ with a long distance: it leads to `to` */

#ifdef __ASSEMBLY__
        .macro  PATCH at, to, measure, how
        .pushsection .patches, "a"
        .balign 4
        .long   \at - ., \to - ., \measure, \how
        .popsection
        .endm
#else
struct patch {
    int32_t at, to; /* from where they stand */
    uint32_t measure, how;
};

/* The bytes for an indirect call or jump by register `reg` (0-15), at a place of 5 bytes. */
void patch_make_indirect(uint8_t code[5], bool call, unsigned int reg);
#endif

#endif
