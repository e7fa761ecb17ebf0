/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hypercalls keep for a domain between calls. Locks: [l] hypercall_lock. */
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
    unsigned int nr_entries;                  /* [l] 0: nobody has given it a map */
    struct e820_entry map[MEMORY_MAP_MAX];    /* [l] */
};

/* SCHEDOP_watchdog: the id of a new one, or 0, -EFAULT, -EINVAL, -ENOSPC. */
int64_t watchdog_set(struct domain *d, uint64_t arg);

#endif
