/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels: found again if the same module came before, else read and, if it is
 * a bzImage, unpacked. A kernel that cannot be used is remembered too.
 */
#include "builder/image.h"
#include "abi/xen.h"
#include "core/log.h"
#include "mem/heap.h"

/* What a PV guest is offered (XENVER_get_features), and what it need not have though kernels name it. */
#define FEATURES_OFFERED                                                                                 \
    (BIT(XENFEAT_writable_page_tables) | BIT(XENFEAT_pae_pgdir_above_4gb) |                              \
     BIT(XENFEAT_mmu_pt_update_preserve_ad) | BIT(XENFEAT_highmem_assist) | BIT(XENFEAT_dom0) |          \
     BIT(XENFEAT_gnttab_map_avail_bits) | BIT(XENFEAT_memory_op_vnode_supported) |                       \
     BIT(XENFEAT_direct_mapped))

static struct image *images;

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
        fault_set(&image->fault, "not a kernel: found %llu other bytes, expected an ELF file or a bzImage",
                  (unsigned long long)image->size);
    } else if (!is_64bit_x86(image->bytes, image->size)) {
        fault_set(&image->fault, "not a 64-bit x86 kernel: found another ELF file, expected one for x86-64");
    } else if (elf_open(&image->elf, image->bytes, image->size, &why) != 0) {
        fault_set(&image->fault, "a truncated or damaged kernel: found: %s, expected a whole ELF file", why);
    } else if (pv_kernel_read(&image->kernel, &image->elf, FEATURES_OFFERED, &why) != 0) {
        fault_set(&image->fault, "not a PV kernel: found: %s, expected one that runs under Xen PV", why);
    }
}

static struct image *find_image(const void *module)
{
    struct image *i = images;

    while (i != NULL && i->module != module)
        i = i->next;
    return i;
}

int image_open(const void *module, uint64_t size, const struct image **out, struct fault *fault)
{
    struct image *image = find_image(module);

    if (image == NULL) {
        image = heap_alloc(sizeof(*image));
        if (image == NULL) {
            fault_set(fault, "not enough memory: found none, expected %zu bytes", sizeof(*image));
            return -ENOMEM;
        }
        *image = (struct image){.module = module, .bytes = module, .size = size};
        read_image(image);
        image->next = images;
        images = image;
    }
    *out = image;
    *fault = image->fault;
    return fault->text[0] != '\0' ? -ENOEXEC : 0;
}
