/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels ready to be loaded. Modules with the same bytes are one image, which
 * is unpacked once and kept as long as the machine runs, for restarts.
 */
#ifndef BUILDER_IMAGE_H
#define BUILDER_IMAGE_H

#include "builder/args.h"
#include "lib/pvkernel.h"
#include "platform/platform.h"

struct image {
    const void *module;       /* what the loader brought */
    uint64_t module_size;
    const void *bytes;        /* the ELF */
    uint64_t size;
    struct elf elf;
    struct pv_kernel kernel;
    struct fault fault;       /* why it cannot be used; "" if it can */
    struct image *next;
};

/*
 * The kernel in a module. 0, or -ENOEXEC with a fault (also -ENOMEM). Boot CPU,
 * before any guest runs.
 */
int image_open(const struct boot_module *m, const struct image **out, struct fault *fault);

#endif
