/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building dom0 and boot-time servers from boot modules, and their lives after that. */
#ifndef BUILDER_BUILDER_H
#define BUILDER_BUILDER_H

#include "domain/domain.h"

/*
 * Read the modules (classic and domain= forms), name every mistake, build and
 * start what can be. Boot CPU, once, all CPUs online.
 */
void servers_start(void);

/* Operator's commands, by name; -ENOENT, -EINVAL. */
int server_pause(const char *name);
int server_resume(const char *name);
int server_stop(const char *name);      /* destroy at once */
int server_restart(const char *name);

/* The console: servers' lines, the operator's input, the prompt (see docs/console.md). */
void console_start(void);
void console_input(char c);
/* Output of a server through console_io or its ring. Bytes are the guest's: any value, any length. */
void console_server_write(struct domain *d, const char *s, size_t n);

/* hardware.c: the first domain's rights to the machine. -ENOMEM. */
int hardware_give(struct domain *d);

#endif
