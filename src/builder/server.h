/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boot-time servers and dom0: what each was given, and where in its life it is.
 *
 * A server's life is moved on by one work of the boot CPU (life.c), one server
 * at a time: whoever wants something (its shutdown, the operator) leaves a note
 * and queues the work. Legend as in console.h: [w] works of the boot CPU,
 * [a] atomic, [c] constant once the modules have been read.
 */
#ifndef BUILDER_SERVER_H
#define BUILDER_SERVER_H

#include "builder/build.h"
#include "builder/console.h"
#include "platform/platform.h"

enum server_phase {
    SERVER_GONE,     /* no domain: not yet built, ended, or could not be built */
    SERVER_BUILDING,
    SERVER_LIVE,
    SERVER_KILLING,  /* domain_kill() is at work */
    SERVER_WAITING,  /* for the last reference to its frames to be dropped */
};

/* Why it ends. The first one counts. */
enum server_end { END_NONE, END_POWEROFF, END_REBOOT, END_CRASH, END_STOP, END_RESTART, END_FAILED };

struct server {
    struct server_args args;       /* [c] dom0: made up */
    unsigned int module;           /* [c] number of its kernel's module, from 1 */
    bool is_dom0;                  /* [c] */
    domid_t id;                    /* [c] */
    struct image *image;           /* [c] */
    const void *ramdisk;           /* [c] NULL: none */
    uint64_t ramdisk_size;         /* [c] */
    uint64_t nr_pages, max_pages;  /* [c] */
    struct console_source console; /* see console.h */

    enum server_phase phase;       /* [w] */
    bool build_wanted;             /* [w] */
    bool paused;                   /* [w] by the operator */
    uint32_t end;                  /* [a] enum server_end */
    uint32_t gone;                 /* [a] the domain's last frame has been returned */
    struct domain *domain;         /* [w] a reference is held while not NULL */
    struct build build;            /* [w] */
    uint64_t held;                 /* [w] frames it held when it ended */
    uint64_t free_at_end;          /* [w] free frames then */
    uint64_t operation;            /* [w] life.c's count of operations then */
};

#define SERVERS_MAX BOOT_MODULES_MAX
extern struct server *servers[SERVERS_MAX];  /* [c] dom0 first */
extern size_t nr_servers;                    /* [c] */

/* By name, or by the domain's number; NULL: none. */
struct server *server_find(struct span name);

/* STATE of docs/console.md. [w] */
const char *server_state(const struct server *s);

/* --- life.c --- */

/* Before the first server is built. */
void life_start(void);
/* Build it now, to the end; a fault is told. For start-up. */
void life_build_now(struct server *s);
/* The operator's wishes. 0, or -EINVAL: there is nothing to do that to. [w] */
int life_end(struct server *s, enum server_end why);
int life_restart(struct server *s);

#endif
