/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each CPU did last, for crash reports: a ring of records of 16 bytes that only this CPU writes. Notes are taken
 * in C, where a vCPU is switched and where domains are controlled, never on the assembly paths.
 */
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

#include "core/time.h"
#include "x86/cpu.h"

enum trace_kind {
    TRACE_NONE,
    TRACE_SWITCH,   /* to vCPU `arg` of `domain` */
    TRACE_IDLE,     /* a switch to nothing */
    TRACE_DOMCTL,   /* operation `arg` on `domain` */
    TRACE_SYSCTL,   /* operation `arg`, by `domain` */
    TRACE_CREATE,   /* `domain`, with `arg` vCPUs */
    TRACE_SHUTDOWN, /* `domain`, with code `arg` */
    TRACE_KILL,     /* `domain` */
    TRACE_KINDS
};

struct trace_record { stime_t time; uint16_t kind, domain; uint32_t arg; };

#define TRACE_RECORDS 32
extern struct trace_ring { uint64_t next; struct trace_record record[TRACE_RECORDS]; } trace_ring[NR_CPUS_MAX];

static inline void trace_note(enum trace_kind kind, uint16_t domain, uint32_t arg, stime_t now)
{
    struct trace_ring *ring = &trace_ring[cpu_id()];

    ring->record[ring->next++ % TRACE_RECORDS] = (struct trace_record){now, (uint16_t)kind, domain, arg};
}

#endif
