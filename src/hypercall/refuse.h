/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sub-operations that are known and not offered. Xen reads the argument before
 * it finds that out, and a guest that asks gets the same code from us: a row
 * says what is read, what of it is looked at, and what is answered.
 */
#ifndef HYPERCALL_REFUSE_H
#define HYPERCALL_REFUSE_H

#include "domain/domain.h"

#define NO_DOMAIN 0xff /* refused_op.domid_at: the argument names no domain */

enum refused_how {
    SILENT,
    ANSWERS,       /* the argument is written back: -EFAULT */
    ANSWERS_OWNER, /* the same, to the privileged domain only */
    OWNERS_OWN,    /* others are refused before anything is read */
};

struct refused_op {
    uint8_t op;
    uint8_t size;     /* bytes of the argument that are read: -EFAULT */
    uint8_t domid_at; /* where in it a domain is named, which must exist: -ESRCH */
    uint8_t how;      /* enum refused_how */
    uint32_t max;     /* its first 32 bits at most, else -EINVAL; 0: any */
    int16_t code;     /* then, to the privileged domain */
    int16_t plain;    /* and to others */
};

/* The answer to `op` by one of `n` rows; -ENOSYS without a row. */
int64_t hypercall_refuse(const struct refused_op *rows, size_t n, uint32_t op, uint64_t arg);

/* Where a domain is not looked at further, so that the right to it does not matter. DOMID_SELF exists. */
bool hypercall_domain_exists(domid_t id);

#endif
