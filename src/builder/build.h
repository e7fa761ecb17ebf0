/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building one PV domain: memory, kernel, ramdisk, frame list, start info,
 * page tables and the first vCPU, in steps short enough that other servers run
 * on between them.
 */
#ifndef BUILDER_BUILD_H
#define BUILDER_BUILD_H

#include "builder/image.h"
#include "builder/layout.h"
#include "domain/vcpu.h"

struct xencons_interface;

struct build_request {
    const char *name;
    domid_t id;
    bool initial_domain;
    uint32_t vcpus;
    uint64_t cpus;            /* where its vCPUs may run */
    uint16_t weight, cap;
    uint64_t nr_pages, max_pages;
    struct image *image;
    bool takes_image;         /* nobody else starts from it: its pages become the domain's */
    const void *ramdisk;      /* NULL: none */
    uint64_t ramdisk_size;
    const char *cmdline;
    struct server *server;    /* becomes domain.server */
    void (*console_notify)(struct domain *d, uint32_t port); /* NULL: no console ring */
};

struct build {
    struct build_request request;
    struct domain *domain;    /* NULL until it exists; a reference is held */
    struct layout layout;
    uint64_t **p2m;           /* pages of the frame list, in the guest's memory */
    uint64_t free_before;     /* frames: when it began, and those that an unpacked kernel gives back */
    unsigned int phase;
    uint64_t done;            /* how far the phase has got */
    uint32_t segment;         /* the kernel's segment that is being loaded; behind the last, the ramdisk */
    struct xencons_interface *console; /* NULL: none */
    uint32_t console_port;
};

/* Lay it out and create the domain. 0, or an error with a fault and nothing left to undo. */
int build_begin(struct build *b, const struct build_request *request, struct fault *fault);

/*
 * Do some more. -ERESTART: call again. 0: complete, the domain is still
 * paused. Another error, with a fault: the caller kills b->domain and puts it.
 */
int build_step(struct build *b, struct fault *fault);

/* Free what only the building needed. After the last step. */
void build_end(struct build *b);

/* After that: pages that the domain takes beside its own memory and the frame table. Others may have come and gone. */
uint64_t build_hv_pages(const struct build *b);

/* Machine frame of pseudo-physical frame `p`, which has memory by now. */
static inline mfn_t build_mfn(const struct build *b, uint64_t p)
{
    return mfn(b->p2m[p / 512][p % 512]);
}

/* tables.c: write the page tables of the layout; what they map has memory. */
void build_tables(struct build *b);

#endif
