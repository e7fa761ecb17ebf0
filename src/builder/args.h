/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a boot module's arguments, dom0_mem= and dom0_max_vcpus= ask for. Pure.
 *
 *   [FILE] domain=NAME [memory=SIZE] [vcpus=N] [cpus=LIST] [weight=N] [cap=PERCENT] [console=yes|no]
 *   [-- KERNEL ARGUMENTS]
 *
 * SIZE counts megabytes if it has no unit. What is not given: 128 MB, one
 * vCPU, every CPU, weight 256, no cap, a console.
 */
#ifndef BUILDER_ARGS_H
#define BUILDER_ARGS_H

#include "lib/parse.h"

#define SERVER_NAME_MAX      32  /* with the NUL */
#define SERVER_MEMORY_USUAL  (128ULL << 20)
#define SERVER_CMDLINE_MAX   1024 /* with the NUL: MAX_GUEST_CMDLINE */

/* What the machine can give. */
struct args_limits {
    uint64_t cpus;        /* mask of the CPUs that run */
    uint32_t vcpus_max;
};

/* A mistake in words: "WHAT: found FOUND, expected EXPECTED". */
struct fault {
    char text[200];
};
void fault_set(struct fault *f, const char *fmt, ...) PRINTF_LIKE(2, 3);

struct server_args {
    char name[SERVER_NAME_MAX]; /* "unnamed" if what was found is no name */
    uint64_t memory;            /* bytes, whole pages */
    uint32_t vcpus;
    uint64_t cpus;              /* mask */
    uint16_t weight, cap;
    bool console;
    const char *cmdline;        /* the kernel's arguments, within the module's */
};

/* Does the module describe a boot-time server? */
bool args_is_server(const char *args);

/* 0, or -EINVAL with a fault; out->name is set in any case. */
int args_parse_server(const char *args, const struct args_limits *limits, struct server_args *out,
                      struct fault *fault);

/*
 * The kernel's arguments in a plain module's: without the file name, if the
 * loader writes one in front. `loader` is its name: GRUB 2 does not.
 */
const char *args_plain_cmdline(const char *args, const char *loader);

/* dom0_mem=: SIZE, min:SIZE, max:SIZE with commas between, in kilobytes; -SIZE: all but that. */
struct dom0_size {
    bool given, all_but;
    uint64_t bytes;
};
struct dom0_memory {
    struct dom0_size size, min, max;
};
/* 0 or -EINVAL; NULL asks for nothing. */
int args_parse_dom0_mem(const char *value, struct dom0_memory *out, struct fault *fault);

/* dom0_max_vcpus=: N, MIN-MAX, MIN- or -MAX. How many, of `cpus` there are; 0 or -EINVAL. */
int args_parse_dom0_vcpus(const char *value, uint32_t cpus, uint32_t vcpus_max, uint32_t *out,
                          struct fault *fault);

/*
 * Frames that dom0 gets of `free`, and may own at most (UINT64_MAX: no limit).
 * Without a size: all but a sixteenth, of which at most 128 MB.
 */
uint64_t args_dom0_pages(const struct dom0_memory *m, uint64_t free, uint64_t *max_pages);

#endif
