/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of this guest: their ways in. */
#ifndef ANSWERS_ANSWERS_H
#define ANSWERS_ANSWERS_H

#include "lib/guest.h"
#include "lib/hypercall.h"

void ask_multicall(void);
void ask_callbacks(void);
void ask_debug(void);
void ask_fpu(void);
void ask_writes(void);
void ask_small(void);
void ask_gates(void);
void ask_msrs(void);
void ask_held(void);
void ask_entries(void);
void ask_ports(void);

#endif
