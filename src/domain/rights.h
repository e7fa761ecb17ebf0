/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of the machine a domain may use by itself: I/O ports, frames of device
 * memory, interrupts. A plain domain has none; the toolstack gives and takes
 * (domctl), and the first domain gets at its start all but what the hypervisor uses.
 * What was mapped or bound while the right was there stays so when it goes.
 */
#ifndef DOMAIN_RIGHTS_H
#define DOMAIN_RIGHTS_H

#include "domain/domain.h"

enum right { RIGHT_PORTS, RIGHT_FRAMES, RIGHT_IRQS, RIGHTS };

/* Numbers first to last, both included. -EINVAL: last < first; -ENOMEM: nothing has changed. */
int rights_give(struct domain *d, enum right what, uint64_t first, uint64_t last);
int rights_take(struct domain *d, enum right what, uint64_t first, uint64_t last);
/* Has it all of them? Any context; takes LOCK_RIGHTS. */
bool rights_has(const struct domain *d, enum right what, uint64_t first, uint64_t last);

extern const struct domain_module rights_module;

#endif
