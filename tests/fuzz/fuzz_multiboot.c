/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: any bytes as what a loader left in memory: the first byte says in
 * which of the two formats, the rest lies at BASE. Each piece that is asked for
 * is a copy of its exact size. All texts and regions are gone over afterwards.
 */
#include "boot/multiboot.h"
#include "core/log.h"
#include "mem/layout.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE   0x10000u
#define PIECES 1024
#define TEXT   4096 /* text is asked for by its first byte, and may be followed to its end */

static const uint8_t *memory;
static size_t memory_size;
static void *piece[PIECES];
static unsigned int pieces;
static struct boot_info info;

const void *boot_memory(uint64_t at, uint64_t size)
{
    size_t room = size == 1 ? TEXT : size;

    if (at < BASE || at - BASE > memory_size || size > memory_size - (at - BASE) || pieces == PIECES)
        return NULL;
    piece[pieces] = calloc(1, room + 1);
    memcpy(piece[pieces], memory + (at - BASE), MIN(room, memory_size - (at - BASE)));
    return piece[pieces++];
}

paddr_t ptr_to_paddr(const void *p)
{
    return paddr((uint64_t)(uintptr_t)p);
}

void log_at(enum log_level level, const char *fmt, ...) {}

static void check(void)
{
    size_t chars = strlen(info.cmdline) + strlen(info.loader);

    if (info.nr_regions > BOOT_REGIONS_MAX || info.nr_modules > BOOT_MODULES_MAX)
        __builtin_trap();
    for (size_t i = 0; i < info.nr_regions; i++)
        if (info.region[i].start >= info.region[i].end ||
            (i > 0 && info.region[i].start < info.region[i - 1].end))
            __builtin_trap();
    for (size_t i = 0; i < info.nr_modules; i++)
        chars += strlen(info.module[i].args);
    if (chars > 65536)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    memory = data + 1;
    memory_size = size - 1;
    if (multiboot_read(data[0] & 1 ? MULTIBOOT2_LOADER_MAGIC : MULTIBOOT1_LOADER_MAGIC, BASE, &info) &&
        info.nr_regions == 0)
        __builtin_trap();
    check();
    multiboot_report();
    while (pieces > 0)
        free(piece[--pieces]);
    return 0;
}
