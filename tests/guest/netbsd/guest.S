/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How kernels described themselves before there were ELF notes. */
        .section __xen_guest, "", @progbits
        .ascii  "GUEST_OS=NetBSD,GUEST_VERSION=4.99,XEN_VER=xen-3.0"
        .ascii  ",VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0x0"
        .ascii  ",HYPERCALL_PAGE=0x00000101,LOADER=generic,BSD_SYMTAB=yes"
        .byte   0

        .section .note.GNU-stack, "", @progbits
