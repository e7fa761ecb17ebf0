/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a multiboot loader hands over: Multiboot Specification 0.6.96 and Multiboot2 Specification 2.0. */
#ifndef BOOT_MULTIBOOT_H
#define BOOT_MULTIBOOT_H

#define MULTIBOOT1_HEADER_MAGIC 0x1badb002
#define MULTIBOOT1_HEADER_FLAGS 0x00010003 /* page-aligned modules, memory map, address fields */
#define MULTIBOOT1_LOADER_MAGIC 0x2badb002
#define MULTIBOOT2_HEADER_MAGIC 0xe85250d6
#define MULTIBOOT2_LOADER_MAGIC 0x36d76289

#define MULTIBOOT2_END       0
#define MULTIBOOT2_CMDLINE   1
#define MULTIBOOT2_LOADER    2
#define MULTIBOOT2_MODULE    3
#define MULTIBOOT2_MMAP      6
#define MULTIBOOT2_EFI32     11
#define MULTIBOOT2_EFI64     12
#define MULTIBOOT2_ACPI_OLD  14
#define MULTIBOOT2_ACPI_NEW  15
#define MULTIBOOT2_EFI_MMAP  17

#ifndef __ASSEMBLY__
#include "platform/platform.h"

/*
 * Fill *info from what the loader left at machine address @at. Everything is
 * copied: the loader's memory may be used for other things afterwards. A module
 * or text that cannot be used is counted, and reported by multiboot_report().
 * False: there is no memory map in it.
 */
bool multiboot_read(uint32_t magic, uint32_t at, struct boot_info *info);

/* Name what had to be left out; once the log has a device. */
void multiboot_report(void);

/* Supplied by main.c: @size bytes of memory below 4 GiB, or NULL if they do not lie there. */
const void *boot_memory(uint64_t at, uint64_t size);
#endif

#endif
