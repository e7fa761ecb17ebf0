/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels: found again if the same bytes came before, else read and, if they
 * are a bzImage, unpacked. A kernel that cannot be used is remembered too.
 */
#include "builder/image.h"
#include "abi/xen.h"
#include "core/log.h"
#include "mem/heap.h"
#include "mem/layout.h"

/* What a PV guest is offered here (XENVER_get_features), and what it need not have though kernels name it. */
#define FEATURES_OFFERED                                                                                          \
    (BIT(XENFEAT_writable_page_tables) | BIT(XENFEAT_pae_pgdir_above_4gb) | BIT(XENFEAT_mmu_pt_update_preserve_ad) | \
     BIT(XENFEAT_highmem_assist) | BIT(XENFEAT_gnttab_map_avail_bits) | BIT(XENFEAT_dom0) |                       \
     BIT(XENFEAT_memory_op_vnode_supported) | BIT(XENFEAT_direct_mapped))

static struct image *images;

/* memcmp() goes byte by byte; modules are large, and page aligned. */
static bool same_bytes(const void *a, const void *b, uint64_t size)
{
    const uint64_t *x = a, *y = b;
    uint64_t words = size / sizeof(*x);

    for (uint64_t i = 0; i < words; i++) {
        if (x[i] != y[i])
            return false;
    }
    return memcmp(x + words, y + words, size % sizeof(*x)) == 0;
}

static struct image *find_image(const void *module, uint64_t size)
{
    for (struct image *i = images; i != NULL; i = i->next) {
        if (i->module_size == size && same_bytes(i->module, module, size))
            return i;
    }
    return NULL;
}

/* Offsets in the file header: class and machine. */
static bool is_64bit_x86(const uint8_t *bytes, uint64_t size)
{
    return size < 20 || (bytes[4] == 2 && bytes[5] == 1 && bytes[18] == 62 && bytes[19] == 0);
}

static bool is_elf(const void *bytes, uint64_t size)
{
    return size >= 4 && memcmp(bytes, "\177ELF", 4) == 0;
}

static void read_image(struct image *image)
{
    const char *why;

    if (!is_elf(image->bytes, image->size)) {
        fault_set(&image->fault, "not a kernel: found %llu bytes that are neither, expected an ELF file or a bzImage",
                  (unsigned long long)image->size);
    } else if (!is_64bit_x86(image->bytes, image->size)) {
        fault_set(&image->fault, "not a 64-bit x86 kernel: found an ELF file for another, expected one for x86-64");
    } else if (elf_open(&image->elf, image->bytes, image->size, &why) != 0) {
        fault_set(&image->fault, "a kernel that is truncated or damaged: found: %s, expected a whole ELF file", why);
    } else if (pv_kernel_read(&image->kernel, &image->elf, FEATURES_OFFERED, &why) != 0) {
        fault_set(&image->fault, "not a PV kernel: found: %s, expected one that runs under Xen PV", why);
    }
}

int image_open(const struct boot_module *m, const struct image **out, struct fault *fault)
{
    const void *module = paddr_to_ptr(m->start);
    struct image *image = find_image(module, m->size);

    if (image == NULL) {
        image = heap_alloc(sizeof(*image));
        if (image == NULL) {
            fault_set(fault, "not enough memory: found none for the kernel's record, expected %zu bytes", sizeof(*image));
            return -ENOMEM;
        }
        *image = (struct image){.module = module, .module_size = m->size, .bytes = module, .size = m->size};
        read_image(image);
        image->next = images;
        images = image;
    }
    *out = image;
    *fault = image->fault;
    return fault->text[0] != '\0' ? -ENOEXEC : 0;
}
