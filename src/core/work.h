/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deferred work: functions that a CPU calls from its WORK softirq, one step at a time. */
#ifndef CORE_WORK_H
#define CORE_WORK_H

#include "lib/list.h"

struct work {
    struct list_head link;
    bool (*step)(struct work *w); /* up to ~0.5 ms; true: call again later; false: may have freed w */
    bool queued;
};

void work_init(struct work *w, bool (*step)(struct work *));

/* Queue on the boot CPU; any context; nothing if it is queued. */
void work_queue(struct work *w);

#endif
