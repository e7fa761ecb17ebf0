/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where everything lies in a PV server's memory when it starts: the order that
 * <xen/xen.h> promises above struct start_info. Pure arithmetic.
 */
#ifndef BUILDER_LAYOUT_H
#define BUILDER_LAYOUT_H

#include "abi/errno.h"

struct layout_input {
    uint64_t virt_base;      /* virtual address of pseudo-physical frame 0 */
    uint64_t kernel_end;     /* virtual address of the kernel's end */
    uint64_t ramdisk_size;   /* bytes; 0: none */
    bool ramdisk_unmapped;   /* MOD_START_PFN: outside the first mapping */
    bool has_init_p2m;       /* INIT_P2M: the frame list at an address of its own */
    uint64_t init_p2m;
    uint64_t nr_pages;       /* frames the server gets */
    bool initial_domain;     /* no store and console pages */
};

/*
 * Frame numbers are pseudo-physical; *_pages are counts. Between v_start and
 * v_end, address = v_start + frame * 4096.
 */
struct layout {
    uint64_t v_start, v_end;
    uint64_t ramdisk, ramdisk_pages;
    uint64_t p2m, p2m_pages, p2m_va;        /* the frame list */
    uint64_t p2m_tables, p2m_tables_pages;  /* tables that map it (INIT_P2M only) */
    uint64_t start_info, store, console;    /* store and console are 0 for the initial domain */
    uint64_t tables, tables_pages;          /* the first of them is the root */
    uint64_t stack;
    uint64_t end;                           /* one past the last frame used */
};

/*
 * 0; -EINVAL: the kernel's addresses make no sense (not page aligned, in the
 * hypervisor's part, wrapping); -ENOMEM: nr_pages is less than out->end.
 */
int layout_compute(const struct layout_input *in, struct layout *out);

/* Tables of `level` (1..3) needed to map [start, end). */
uint64_t layout_tables(uint64_t start, uint64_t end, unsigned int level);

#endif
