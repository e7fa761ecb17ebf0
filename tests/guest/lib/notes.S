/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The notes by which a builder knows a tiny guest. */
#include <xen/features.h>
#include "lib/notes.inc"

#define VIRT_BASE 0xffffffff80000000

        note    XEN_ELFNOTE_GUEST_OS,       .asciz "hospes-test"
        note    XEN_ELFNOTE_GUEST_VERSION,  .asciz "1"
        note    XEN_ELFNOTE_XEN_VERSION,    .asciz "xen-3.0"
        note    XEN_ELFNOTE_LOADER,         .asciz "generic"
        note    XEN_ELFNOTE_PAE_MODE,       .asciz "yes"
        note    XEN_ELFNOTE_VIRT_BASE,      .quad VIRT_BASE
        note    XEN_ELFNOTE_PADDR_OFFSET,   .quad 0
        note    XEN_ELFNOTE_ENTRY,          .quad _start
        note    XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page
        note    XEN_ELFNOTE_FEATURES,       .asciz "writable_page_tables|pae_pgdir_above_4gb"
        note    XEN_ELFNOTE_SUPPORTED_FEATURES, .long 1 << XENFEAT_dom0

        .section .note.GNU-stack, "", @progbits
