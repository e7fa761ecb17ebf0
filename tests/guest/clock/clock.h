/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLOCK_CLOCK_H
#define CLOCK_CLOCK_H

#include "lib/guest.h"
#include "lib/hypercall.h"
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define MS 1000000UL
#define US 1000UL

extern unsigned vcpus;
/*
 * How far two vCPUs' clocks may differ, in ns: nothing where the TSC is said to be stable. Where it is not, a kernel
 * guards itself; under an emulator, whose CPUs are threads that may stop in the middle of a reading, it can be much.
 */
extern u64 slack;

u64 random(u64 *seed);
/* Sleeps until `when` or until `port` (0: none) is pending; events stay masked. */
void sleep_until(u64 when, evtchn_port_t port);
bool port_take(evtchn_port_t port); /* was it pending? */
/* Every vCPU calls step(its number, a random word) over and over for `time` ns; all have stopped when it returns. */
void run_all(u64 time, void (*step)(unsigned vcpu, u64 random));
/* vCPUs 1... do so until end_others(). */
void begin_others(void (*step)(unsigned vcpu, u64 random));
void end_others(void);

void test_monotonic(void);
void test_runstates(void);
void test_lateness(void);
void test_plug(void);
void test_pin(void);
void test_cpus(void);
void test_drift(void);

#endif
