/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Crashes for tests, in builds with DEBUG=1. */
#ifndef CORE_PROVOKE_H
#define CORE_PROVOKE_H

#include "lib/parse.h"

/*
 * The next time that `function` of the hypervisor is called, it goes wrong in that way. -EINVAL: no such kind;
 * -ENOENT: no such function; -EOPNOTSUPP: not in this build.
 */
int provoke_crash(struct span kind, struct span function);

#endif
