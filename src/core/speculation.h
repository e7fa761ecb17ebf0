/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done about speculation: options of the command line, and the report of start-up (x86/spec.h decides). */
#ifndef CORE_SPECULATION_H
#define CORE_SPECULATION_H

#include "x86/spec.h"

/* spec-ctrl=, xpti=, pv-l1tf=; what cannot be understood is named and ignored. */
struct spec_wish speculation_read_options(void);

/* `spec` into the log. */
void speculation_report(void);

/* Decide, report, and change the code. Boot CPU, when the command line has been read. */
void speculation_init(void);

#endif
