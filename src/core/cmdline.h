/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypervisor's command line, options named and meant as in Xen's command-line manual. */
#ifndef CORE_CMDLINE_H
#define CORE_CMDLINE_H

/* Keep a copy (cut at 1,023 bytes) and parse: unknown options and bad values are named, one line each, and ignored. */
void cmdline_init(const char *line);

/* The line as given (xen_version commandline). */
const char *cmdline_text(void);

/* Value of option `name` ("" if given without "="), NULL if not given. The last one wins. */
const char *cmdline_get(const char *name);

/* A flag: `name`, `name=yes|no|...`, `no-name`; `def` when not given. */
bool cmdline_flag(const char *name, bool def);

#endif
