/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels ready to be loaded. One that several servers share is unpacked once,
 * and kept as long as the machine runs, for restarts. The only server's is
 * given to it page by page, and unpacked anew when it restarts.
 */
#ifndef BUILDER_IMAGE_H
#define BUILDER_IMAGE_H

#include "builder/args.h"
#include "lib/pvkernel.h"

/* Memory of an unpacked kernel: pieces of 2 MB, mapped as one. */
struct room {
    uint8_t *at;
    uint64_t pieces;          /* 0: the ELF is in the module, or the room was given away */
    struct frame **piece;
};

struct image {
    const void *module;       /* what the loader brought */
    uint64_t module_size;
    const void *bytes;        /* the ELF; NULL: given away */
    uint64_t size;
    struct room room;
    struct elf elf;
    struct pv_kernel kernel;
    struct fault fault;       /* why it cannot be used; "" if it can */
    struct image *next;
};

/*
 * The kernel in a module, which is known by its address. 0, or -ENOEXEC or
 * -ENOMEM with a fault. Boot CPU, before any guest runs.
 */
int image_open(const void *module, uint64_t size, struct image **out, struct fault *fault);

/*
 * Giving an unpacked kernel's pages away: image_take_page() returns the frame
 * of the page at `offset` of the ELF, which the caller gives to a domain, or
 * NULL if it has to be copied. image_give_up() frees all that was not taken.
 * After that the image must not be used before image_restore() has unpacked it
 * again: 0, or as image_open(). Boot CPU, no guest runs.
 */
struct frame *image_take_page(const struct image *image, uint64_t offset);
void image_give_up(struct image *image);
uint64_t image_pages(const struct image *image); /* 0: not unpacked */
int image_restore(struct image *image, struct fault *fault);

#endif
