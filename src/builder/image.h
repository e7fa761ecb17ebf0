/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels ready to be loaded. One that several servers share is unpacked once,
 * and kept as long as the machine runs, for restarts.
 */
#ifndef BUILDER_IMAGE_H
#define BUILDER_IMAGE_H

#include "builder/args.h"
#include "lib/pvkernel.h"

struct image {
    const void *module;       /* what the loader brought */
    const void *bytes;        /* the ELF */
    uint64_t size;
    struct elf elf;
    struct pv_kernel kernel;
    struct fault fault;       /* why it cannot be used; "" if it can */
    struct image *next;
};

/*
 * The kernel in a module, which is known by its address. 0, or -ENOEXEC or
 * -ENOMEM with a fault. Boot CPU, before any guest runs.
 */
int image_open(const void *module, uint64_t size, const struct image **out, struct fault *fault);

#endif
