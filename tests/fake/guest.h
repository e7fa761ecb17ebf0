/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests without code, for tests of domain/ and what is built on it: a vCPU
 * "runs" on a CPU when guest_switch() has been called for it there.
 */
#ifndef FAKE_GUEST_H
#define FAKE_GUEST_H

#include "domain/vcpu.h"
#include "fake.h"

/* What guest_copy_to() and its like can reach, at this guest address; nothing else. */
#define FAKE_GUEST_BASE 0x100000ULL
extern uint8_t fake_guest_memory[2 * PAGE_SIZE];

/* The guest whose registers a CPU holds. */
extern struct guest_cpu *fake_loaded[NR_CPUS_MAX];

/* Its vcpu_destroy, domain_destroy count; domain_relinquish says -ERESTART the first time. */
extern const struct guest_ops fake_guest_ops;
extern unsigned int fake_domains_destroyed, fake_dumps;

/* Machine, memory (64 MiB), clock (1 ns a tick), scheduler, domain/ with evtchn/. Once in a program. */
void fake_world_init(unsigned int cpus);

/*
 * CPU `cpu` does its softirqs, until it would return to its guest or go idle. It is the caller's
 * afterwards.
 */
void fake_run_cpu(unsigned int cpu);
/* All CPUs, several times; CPU 0 is the caller's afterwards. */
void fake_settle(void);
/* Time goes by, with timer interrupts. */
void fake_pass(stime_t t);

/* A domain that runs: all its vCPUs are up. */
struct domain *fake_domain(domid_t id, unsigned int vcpus, bool privileged);
/* Kill it and wait until it has gone; the caller's own reference is dropped. */
void fake_kill(struct domain *d);
/* Make `v` what CPU 0 runs, others of its domain stopped. */
void fake_enter(struct vcpu *v);

#endif
