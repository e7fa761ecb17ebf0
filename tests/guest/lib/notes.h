/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For assembly: one Xen ELF note. */
#ifndef GUEST_NOTES_H
#define GUEST_NOTES_H
#include <xen/elfnote.h>

.macro note type, value:vararg
        .pushsection .note.xen, "a", @note
        .balign 4
        .long   2f - 1f, 4f - 3f, \type
1:      .asciz  "Xen"
2:      .balign 4
3:      \value
4:      .balign 4
        .popsection
.endm

#endif
