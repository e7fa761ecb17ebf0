/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where everything lies in the image: one contiguous load segment, as the
 * multiboot 1 address fields describe it, linked at IMAGE_START + its physical
 * address. Each kind of section begins on a page of its own, so that the
 * hypervisor's page tables can make none both writable and executable.
 */
#include "mem/layout.h"
#include "x86/desc.h"

OUTPUT_FORMAT("elf64-x86-64")
OUTPUT_ARCH(i386:x86-64)
ENTRY(boot_entry)

PHDRS
{
    load PT_LOAD;
    note PT_NOTE;
}

SECTIONS
{
    . = IMAGE_START + IMAGE_PHYS;
    image_start = .;

    .text : AT(ADDR(.text) - IMAGE_START) {
        text_start = .;
        KEEP(*(.head))
        . = ALIGN(PAGE_SIZE);
        one_page = .;
        *(.text.one_page)
        ASSERT(HOSPES_SANITIZE || . - one_page <= PAGE_SIZE, "decode_usual() has outgrown its page (lib/lzma2.c)");
        . = ALIGN(PAGE_SIZE); /* its loop in one page, for the same reason */
        *libz.a:crc32.o(.text)
        *(.text .text.*)
        . = ALIGN(PAGE_SIZE);
        text_end = .;
    } :load

    .rodata : AT(ADDR(.rodata) - IMAGE_START) {
        rodata_start = .;
        *(.rodata .rodata.*)
        . = ALIGN(8);
        ex_table_start = .;
        KEEP(*(__ex_table))
        ex_table_end = .;
        patches_start = .;
        KEEP(*(.patches))
        patches_end = .;
        thunk_sites_start = .; /* x86/patch.c */
        KEEP(*(.thunk_sites))
        thunk_sites_end = .;
        symbols_start = .; /* the functions' names: core/symbols.c */
        KEEP(*(.symbols))
        symbols_end = .;
    } :load
    .note.gnu.build-id : AT(ADDR(.note.gnu.build-id) - IMAGE_START) {
        build_id_note = .;
        *(.note.gnu.build-id)
        build_id_note_end = .;
    } :load :note
    . = ALIGN(PAGE_SIZE);
    rodata_end = .;

    .data : AT(ADDR(.data) - IMAGE_START) {
        data_start = .;
        *(.data.rel.ro .data.rel.ro.*)
        *(.got .got.plt)
        *(.data .data.*)
        . = ALIGN(PAGE_SIZE);
    } :load

    /* Given to the page allocator when start-up is done. */
    .init : AT(ADDR(.init) - IMAGE_START) {
        init_start = .;
        *(.init.text .init.text.*)
        . = ALIGN(PAGE_SIZE);
        init_end = .;
    } :load

    /*
     * Not by the section's own alignment: that would become the segment's, and
     * put the multiboot 1 header beyond the 8 KiB in which loaders look for it.
     */
    . = ALIGN(CPU_BLOCK_SIZE);
    .bss (NOLOAD) : AT(ADDR(.bss) - IMAGE_START) {
        bss_start = .;
        *(.bss.cpu_block)
        *(.bss.page_aligned)
        . = ALIGN(PAGE_SIZE);
        gate_data_start = .; /* what guests' roots show of the data with page-table isolation (mem/isolate.c) */
        *(.bss.gate)
        . = ALIGN(PAGE_SIZE);
        gate_data_end = .;
        *(.bss .bss.*)
        . = ALIGN(PAGE_SIZE);
        bss_end = .;
    } :load
    image_end = .;

    /DISCARD/ : {
        *(.comment .note.GNU-stack .note.gnu.property .eh_frame .eh_frame_hdr)
    }
}
