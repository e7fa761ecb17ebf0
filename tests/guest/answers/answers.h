/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of this guest: the form of a line, and the files' ways in. */
#ifndef ANSWERS_ANSWERS_H
#define ANSWERS_ANSWERS_H

#include "lib/guest.h"
#include "lib/hypercall.h"

/* "ASK question: answer", one line; the answer is words, which are compared one by one. */
void ask(const char *question, const char *format, ...) PRINTF(2, 3);
/* A hypercall's code by its name, anything else in hexadecimal. */
const char *code_text(long code);

void ask_multicall(void);
void ask_callbacks(void);
void ask_debug(void);
void ask_fpu(void);
void ask_writes(void);
void ask_small(void);

#endif
