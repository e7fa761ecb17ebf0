/* SPDX-License-Identifier: GPL-2.0-or-later */
/* C half of the entry code: called by entry.S only, but for the table's lookup. */
#ifndef X86_TRAP_H
#define X86_TRAP_H

#include "x86/guest.h"

void trap_from_guest(struct guest_cpu *g);
void trap_in_hv(struct cpu_user_regs *regs);
void trap_on_ist(struct cpu_user_regs *regs);
void trap_debug_in_hv(struct cpu_user_regs *regs);

/* entry.S */
NORETURN void enter_guest(struct guest_cpu *g);
NORETURN void enter_idle(void);
struct cpu_entry { uint64_t saved_rsp, frame_top; };
extern struct cpu_entry cpu_entry[NR_CPUS_MAX];
extern const char trap_stubs[256][16], syscall_stubs[NR_CPUS_MAX][64], syscall32_stubs[NR_CPUS_MAX][32],
    sysenter_stubs[NR_CPUS_MAX][32];

/* desc.c: where an entry from ring 3 on this CPU puts its frame. */
void desc_set_frame_top(uint64_t top);

#endif
