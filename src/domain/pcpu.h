/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking CPUs of the machine out of use and back into it. */
#ifndef DOMAIN_PCPU_H
#define DOMAIN_PCPU_H

/* Once, before any vCPU runs. */
void pcpu_init(void);

/*
 * No lock is held. 0, also if it is so already. -EINVAL: no such CPU; offline: -EOPNOTSUPP: the boot CPU;
 * -EBUSY: the last one of a pool with domains; -ERESTART: vCPUs are still leaving it: come again, from a place where
 * the calling CPU schedules in between.
 */
int pcpu_offline(uint32_t cpu);
int pcpu_online(uint32_t cpu);

#endif
