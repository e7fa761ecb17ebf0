/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading what the loader left in memory, in either multiboot format, into
 * struct boot_info. The loader is trusted not to lie, but not to be free of
 * mistakes: every address and length is checked before it is followed, and
 * nothing is left pointing into its memory but the modules themselves.
 */
#include "boot/multiboot.h"
#include "boot/memmap.h"
#include "core/log.h"
#include "lib/checked.h"
#include "lib/string.h"
#include "mem/layout.h"

#define TEXT_MAX     4095   /* characters of one text that are kept */
#define TEXT_POOL    32768  /* of all of them */
#define INFO2_MAX    (16u << 20)

/* Multiboot 1: the information structure, as far as it is used. */
struct info1 {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
    uint32_t mods_count, mods_addr, syms[4];
    uint32_t mmap_length, mmap_addr, drives[2], config, loader;
} PACKED;
#define INFO1_MEMORY  0x001
#define INFO1_CMDLINE 0x004
#define INFO1_MODS    0x008
#define INFO1_MMAP    0x040
#define INFO1_LOADER  0x200

struct module1 {
    uint32_t start, end, args, reserved;
} PACKED;

struct mmap1 {
    uint32_t size; /* of what follows it */
    uint64_t start, length;
    uint32_t type;
} PACKED;

/* Multiboot 2: tags, each 8-byte aligned. */
struct tag2 {
    uint32_t type, size;
} PACKED;

struct mmap2 {
    uint64_t start, length;
    uint32_t type, reserved;
} PACKED;

struct efi_memory {
    uint32_t type, pad;
    uint64_t start, virtual_start, pages, attributes;
} PACKED;

static char text_pool[TEXT_POOL];
static size_t text_used;
static uint8_t rsdp_copy[36];
static unsigned int modules_lost, regions_lost, texts_cut;

/* A copy of @text, which is @max bytes long at most. */
static const char *keep_text(const char *text, size_t max)
{
    size_t room = TEXT_POOL - text_used, len;
    char *copy = &text_pool[text_used];

    if (!text || room < 2)
        return "";
    len = strnlen(text, max);
    if (len > MIN(room - 1, (size_t)TEXT_MAX)) {
        len = MIN(room - 1, (size_t)TEXT_MAX);
        texts_cut++;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    text_used += len + 1;
    return copy;
}

/* The text at machine address @at, which may end anywhere before 4 GiB. */
static const char *keep_text_at(uint32_t at)
{
    return at ? keep_text(boot_memory(at, 1), (size_t)MIN(0x100000000ULL - at, TEXT_MAX + 1ULL)) : "";
}

static void add_region(struct boot_info *info, uint64_t start, uint64_t length, enum region_type type)
{
    uint64_t end;

    if (!checked_add_u64(start, length, &end))
        end = UINT64_MAX;
    if (info->nr_regions == BOOT_REGIONS_MAX)
        regions_lost++;
    else if (length > 0)
        info->region[info->nr_regions++] = (struct boot_region){start, end, type};
}

static enum region_type e820_type(uint32_t type)
{
    return type >= REGION_RAM && type <= REGION_UNUSABLE ? (enum region_type)type : REGION_RESERVED;
}

/* What is the hypervisor's when it has started (UEFI 2.10, 7.2: memory types). */
static enum region_type efi_type(uint32_t type)
{
    switch (type) {
    case 1: case 2:     /* loader code and data */
    case 3: case 4:     /* boot services, which have ended */
    case 7:
        return REGION_RAM;
    case 8:
        return REGION_UNUSABLE;
    case 9:
        return REGION_ACPI;
    case 10:
        return REGION_NVS;
    default:
        return REGION_RESERVED;
    }
}

static void add_module(struct boot_info *info, uint32_t start, uint32_t end, const char *args)
{
    struct boot_module *m = &info->module[info->nr_modules];

    if (info->nr_modules == BOOT_MODULES_MAX) {
        modules_lost++;
        return;
    }
    *m = (struct boot_module){paddr(start), end > start ? end - start : 0, args};
    info->nr_modules++;
}

static void read_info1(uint32_t at, struct boot_info *info)
{
    const struct info1 *i1 = boot_memory(at, sizeof(*i1));

    if (!i1)
        return;
    if (i1->flags & INFO1_CMDLINE)
        info->cmdline = keep_text_at(i1->cmdline);
    if (i1->flags & INFO1_LOADER)
        info->loader = keep_text_at(i1->loader);
    if (i1->flags & INFO1_MMAP) {
        const uint8_t *map = boot_memory(i1->mmap_addr, i1->mmap_length);
        struct mmap1 e;

        for (uint64_t off = 0; map && range_within(off, sizeof(e), i1->mmap_length);
             off += e.size + sizeof(e.size)) {
            memcpy(&e, map + off, sizeof(e));
            if (e.size < sizeof(e) - sizeof(e.size))
                break;
            add_region(info, e.start, e.length, e820_type(e.type));
        }
    } else if (i1->flags & INFO1_MEMORY) {
        add_region(info, 0, (uint64_t)i1->mem_lower << 10, REGION_RAM);
        add_region(info, 1u << 20, (uint64_t)i1->mem_upper << 10, REGION_RAM);
    }
    if (i1->flags & INFO1_MODS) {
        const struct module1 *m = boot_memory(i1->mods_addr, (uint64_t)i1->mods_count * sizeof(*m));

        for (uint32_t i = 0; m && i < i1->mods_count; i++)
            add_module(info, m[i].start, m[i].end, keep_text_at(m[i].args));
    }
}

/* A map tag's entries: 8 bytes about them, then entries of a size that may grow. */
static void read_map2(const uint8_t *body, size_t size, bool efi, struct boot_info *info)
{
    size_t least = efi ? sizeof(struct efi_memory) : sizeof(struct mmap2);
    uint32_t step;

    if (size < 8)
        return;
    memcpy(&step, body, sizeof(step));
    if (step < least)
        return;
    for (uint64_t off = 8; range_within(off, least, size); off += step) {
        if (efi) {
            struct efi_memory e;

            memcpy(&e, body + off, sizeof(e));
            add_region(info, e.start, MIN(e.pages, 1ULL << 40) << PAGE_SHIFT, efi_type(e.type));
        } else {
            struct mmap2 e;

            memcpy(&e, body + off, sizeof(e));
            add_region(info, e.start, e.length, e820_type(e.type));
        }
    }
}

static void read_tag2(uint32_t type, const uint8_t *body, size_t size, struct boot_info *info)
{
    uint32_t words[2];

    switch (type) {
    case MULTIBOOT2_CMDLINE:
        info->cmdline = keep_text((const char *)body, size);
        break;
    case MULTIBOOT2_LOADER:
        info->loader = keep_text((const char *)body, size);
        break;
    case MULTIBOOT2_MODULE:
        if (size < sizeof(words))
            break;
        memcpy(words, body, sizeof(words));
        add_module(info, words[0], words[1],
                   keep_text((const char *)body + sizeof(words), size - sizeof(words)));
        break;
    case MULTIBOOT2_MMAP:
        read_map2(body, size, false, info);
        break;
    case MULTIBOOT2_EFI32:
    case MULTIBOOT2_EFI64:
    case MULTIBOOT2_EFI_MMAP:
        info->efi = true;
        break;
    case MULTIBOOT2_ACPI_OLD:
    case MULTIBOOT2_ACPI_NEW:
        /* The new one, if both are there. */
        if (size < 20 || (info->rsdp.v != 0 && type == MULTIBOOT2_ACPI_OLD))
            break;
        memset(rsdp_copy, 0, sizeof(rsdp_copy));
        memcpy(rsdp_copy, body, MIN(size, sizeof(rsdp_copy)));
        info->rsdp = ptr_to_paddr(rsdp_copy);
        break;
    default:
        break;
    }
}

static void read_info2(uint32_t at, struct boot_info *info)
{
    const struct tag2 *head = boot_memory(at, sizeof(*head));
    uint32_t total = head ? head->type : 0; /* here the first word is the size of all */
    const uint8_t *data = total <= INFO2_MAX ? boot_memory(at, total) : NULL;
    const uint8_t *efi_map = NULL;
    size_t efi_size = 0;
    struct tag2 tag;

    for (uint64_t off = sizeof(tag); data && range_within(off, sizeof(tag), total);
         off += ALIGN_UP((uint64_t)tag.size, 8ULL)) {
        memcpy(&tag, data + off, sizeof(tag));
        if (tag.type == MULTIBOOT2_END || tag.size < sizeof(tag) || !range_within(off, tag.size, total))
            break;
        read_tag2(tag.type, data + off + sizeof(tag), tag.size - sizeof(tag), info);
        if (tag.type == MULTIBOOT2_EFI_MMAP) {
            efi_map = data + off + sizeof(tag);
            efi_size = tag.size - sizeof(tag);
        }
    }
    if (info->nr_regions == 0 && efi_map)
        read_map2(efi_map, efi_size, true, info);
}

/* A module where there is no RAM becomes an empty one, which builder/ names with its arguments. */
static void check_module(const struct boot_info *info, struct boot_module *m)
{
    if (m->size > 0 && memmap_is_ram(info->region, info->nr_regions, m->start.v, m->start.v + m->size))
        return;
    m->start = paddr(0);
    m->size = 0;
}

/* QEMU, and loaders that keep to the letter of multiboot 1, put the image's file name in front. */
static const char *without_file_name(const char *cmdline, const char *loader)
{
    const char *space = strchr(cmdline, ' ');
    size_t word = space ? (size_t)(space - cmdline) : strlen(cmdline);

    if (memchr(cmdline, '=', word) || (strcmp(loader, "qemu") != 0 && !memchr(cmdline, '/', word)))
        return cmdline;
    return space ? space + 1 : cmdline + word;
}

bool multiboot_read(uint32_t magic, uint32_t at, struct boot_info *info)
{
    *info = (struct boot_info){.loader = "", .cmdline = ""};
    text_used = 0;
    if (magic == MULTIBOOT1_LOADER_MAGIC)
        read_info1(at, info);
    else
        read_info2(at, info);
    info->cmdline = without_file_name(info->cmdline, info->loader);
    info->nr_regions = memmap_normalise(info->region, info->nr_regions);
    for (size_t i = 0; i < info->nr_modules; i++)
        check_module(info, &info->module[i]);
    return info->nr_regions > 0;
}

void multiboot_report(void)
{
    if (modules_lost > 0)
        log_error("modules: found %u more than can be kept, expected at most %d", modules_lost,
                  BOOT_MODULES_MAX);
    if (regions_lost > 0)
        log_warn("memory map: %u regions beyond %d are not used", regions_lost, BOOT_REGIONS_MAX);
    if (texts_cut > 0)
        log_error("command lines: %u too long and cut off, expected at most %d characters each", texts_cut,
                  TEXT_MAX);
}
