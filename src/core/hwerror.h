/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hardware reports by NMI and by machine check (Intel SDM vol. 3B, chapters 15 and 16).
 * What can be survived is noted, told on the console and to one listener.
 */
#ifndef CORE_HWERROR_H
#define CORE_HWERROR_H

#include "core/time.h"

/* One bank of the machine-check registers that held something. */
struct machine_check {
    uint32_t cpu, bank;
    uint64_t status, address, misc; /* as the bank had them; 0 if its status says that they are not valid */
    uint64_t global_status;         /* IA32_MCG_STATUS */
    uint64_t tsc;
};

/* Reads `nmi=`: dom0 (as without it), ignore or fatal, as in Xen's manual. */
void hwerror_init(void);
/* What was corrected raises nothing: this CPU looks for it every ten seconds, when it serves its timers anyway. */
void hwerror_look(stime_t now);

/*
 * `nmi` is called with the interface's reasons (XEN_NMIREASON_*), `check` after machine checks were
 * noted; from a softirq.
 */
void hwerror_set_listener(void (*nmi)(uint64_t reasons), void (*check)(void));

/* The oldest machine check that was told and not taken yet. Any context; false: none. */
bool hwerror_take_check(struct machine_check *out);

#endif
