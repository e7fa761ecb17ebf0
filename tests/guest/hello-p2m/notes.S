/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two notes of Linux that change the start of day. */
#include "lib/notes.inc"

        note    XEN_ELFNOTE_INIT_P2M,       .quad 0xffffff8000000000
        note    XEN_ELFNOTE_MOD_START_PFN,  .long 1

        .section .note.GNU-stack, "", @progbits
