/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interface's error numbers under their plain names (EINVAL, ...). Functions return 0 or -Exxx. */
#ifndef ABI_ERRNO_H
#define ABI_ERRNO_H

#define XEN_ERRNO(name, value) name = value,
enum {
#include <xen/errno.h>
};
#endif
