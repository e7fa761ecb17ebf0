/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hypercalls keep for a domain between calls. Locks: [l] hypercall_lock, [a] atomic, [c] set at its creation. */
#ifndef HYPERCALL_STATE_H
#define HYPERCALL_STATE_H

#include "hypercall/hypercall.h"

#define WATCHDOGS      2
#define MEMORY_MAP_MAX 128

struct e820_entry {
    uint64_t start, size;
    uint32_t type;
} PACKED;

struct hypercall_domain {
    spinlock_t hypercall_lock;                /* LOCK_HYPERCALL */
    struct timer watchdog[WATCHDOGS];         /* [l] */
    bool watched[WATCHDOGS];                  /* [l] */
    uint32_t pauses;                          /* [a] by the toolstack */
    bool xenstore;                            /* [c] it is the store's domain */
    uint32_t misc_flags;                      /* [c] XEN_X86_* of its creation */
    uint32_t tsc_incarnation;                 /* [a] kept for the toolstack */
    uint64_t node_affinity;                   /* [a] kept for the toolstack */
    unsigned int nr_entries;                  /* [l] 0: nobody has given it a map */
    struct e820_entry map[MEMORY_MAP_MAX];    /* [l] */
};

/* SCHEDOP_watchdog: the id of a new one, or 0, -EFAULT, -EINVAL, -ENOSPC. */
int64_t watchdog_set(struct domain *d, uint64_t arg);

#endif
