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

struct refused_op {
    uint8_t op;
    uint8_t size;     /* bytes of the argument that are read: -EFAULT */
    uint8_t domid_at; /* where in it a domain is named: -ESRCH, -EPERM */
    bool answers;     /* the argument is written back: -EFAULT */
    uint32_t max;     /* its first 32 bits at most, else -EINVAL; 0: any */
    int16_t code;     /* then, to the privileged domain */
    int16_t plain;    /* and to others */
};

/* The answer to `op` by one of `n` rows; -ENOSYS without a row. */
int64_t hypercall_refuse(const struct refused_op *rows, size_t n, uint32_t op, uint64_t arg);

#endif
