/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long start-up takes, stage by stage, until the first server runs. The boot CPU's only. */
#ifndef CORE_STAGES_H
#define CORE_STAGES_H

/* A stage is over: what has passed since the last one counts for it. The first call begins the first stage. */
void stage_done(const char *name);

/* The first server runs next: tells the log. What is done later is no start-up. */
void stages_tell(void);

#endif
