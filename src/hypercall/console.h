/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where console_io goes: the console itself is builder's, which is below this layer and registers here. */
#ifndef HYPERCALL_CONSOLE_H
#define HYPERCALL_CONSOLE_H

#include "domain/domain.h"

struct console_ops {
    /* Output of `d`, any bytes. */
    void (*write)(struct domain *d, const char *s, size_t n);
    /* Input for `d`: at most `size` bytes; how many there were. */
    size_t (*read)(struct domain *d, char *buf, size_t size);
};

/* Boot CPU, once. Before it, output goes to the log and there is no input. */
void console_set_ops(const struct console_ops *ops);

#endif
