/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one console of many servers: docs/console.md. console.c has the screen
 * and the input, prompt.c the operator's commands.
 *
 * Lock legend: [s] the console's lock, [w] only works of the boot CPU (the
 * console's and the servers' lives, which never run at once), [a] atomic,
 * [c] constant.
 */
#ifndef BUILDER_CONSOLE_H
#define BUILDER_CONSOLE_H

#include "builder/args.h"
#include "builder/console_line.h"
#include "builder/console_ring.h"

#define CONSOLE_TYPED_MAX 256

struct domain;

/* One that speaks and may be given the input: a server or dom0. */
struct console_source {
    char name[SERVER_NAME_MAX];    /* [c] */
    bool marked;                   /* [c] "[name] " is put in front of its lines */
    struct domain *domain;         /* [s] NULL: it does not run */
    struct line line;              /* [s] */
    struct console_ring ring;      /* [w] page NULL: it uses console_io */
    uint32_t port;                 /* [w] */
    uint32_t has_output;           /* [a] its ring may hold something */
    char typed[CONSOLE_TYPED_MAX]; /* [s] input for console_io */
    uint32_t typed_in, typed_out;  /* [s] */
};

/* One more source, the last in the order of Ctrl-O. `name` is copied. Only at start-up. */
void console_add(struct console_source *c, const char *name, bool marked);
/* The domain behind it exists. `page` NULL: console_io. */
void console_attach(struct console_source *c, struct domain *d, struct xencons_interface *page, uint32_t port);
/* The domain is about to go: its last words are shown. */
void console_detach(struct console_source *c);
/* It will not come back by itself: if it has the input, the prompt gets it. */
void console_leave(struct console_source *c);
/* Its ring has news. Any context. */
void console_source_kick(struct console_source *c);

/* All sources are there: the first that runs, or the prompt, gets the input. */
void console_ready(void);
/* Give the input to a source (NULL: the prompt) and say so. False: it does not run. */
bool console_give_input(struct console_source *c);

/*
 * Text of `owner`. If the owner's line is open on the screen and nobody wrote
 * since, the text goes on there; else a new line begins with `lead`. `end` ends it.
 */
void screen_write(const void *owner, const char *lead, const char *text, size_t n, bool end);
/* Is the owner's line still open, or has somebody else written? */
bool screen_is_open(const void *owner);
/* A line of the prompt's answer. */
void screen_print(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* prompt.c, [w]: one typed character; show the prompt and what was typed if it is not on the screen. */
void prompt_key(char c);
void prompt_show(void);

/* What a domain typed for console_io may read; bytes taken. */
size_t console_server_read(struct domain *d, char *buf, size_t n);

#endif
