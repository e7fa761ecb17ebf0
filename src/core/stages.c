/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stages of start-up. They are kept in ticks of the TSC, whose frequency is
 * measured in one of them. A name that comes again (a kernel for each server) is added to.
 */
#include "core/stages.h"

#include "core/log.h"
#include "core/time.h"
#include "lib/string.h"
#include "x86/insn.h"

#define STAGES_MAX 8

static struct { const char *name; uint64_t ticks; } stage[STAGES_MAX];
static size_t nr_stages;
static uint64_t first, last;
static bool told;

void stage_done(const char *name)
{
    uint64_t now = rdtsc();
    size_t i = 0;

    if (told)
        return;
    if (first == 0) {
        first = last = now;
        return;
    }
    while (i < nr_stages && strcmp(stage[i].name, name) != 0)
        i++;
    if (i == STAGES_MAX)
        return;
    stage[i].name = name;
    stage[i].ticks += now - last;
    nr_stages = MAX(nr_stages, i + 1);
    last = now;
}

static unsigned long long microseconds(uint64_t ticks)
{
    return ticks * 1000 / time_tsc_khz();
}

void stages_tell(void)
{
    if (told || first == 0)
        return;
    told = true;
    for (size_t i = 0; i < nr_stages; i++)
        log_info("start: %8llu us %s", microseconds(stage[i].ticks), stage[i].name);
    log_info("start: %8llu us from entry to the first server", microseconds(last - first));
}
