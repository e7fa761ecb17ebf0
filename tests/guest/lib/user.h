/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user mode to run a few instructions in: its own page table, with one page
 * of code, one of data and one of stack, mapped in the kernel's table as well.
 */
#ifndef GUEST_USER_H
#define GUEST_USER_H

#include "lib/guest.h"

#define USER_CODE  0x10000000UL
#define USER_DATA  0x10001000UL
#define USER_STACK 0x10003000UL /* the top */

/* Builds the tables, loads the user base pointer and the kernel stack. Once. */
void user_init(void);
/* Copies code to USER_CODE + offset. */
void user_load(unsigned offset, const void *code, size_t len);
extern u64 *user_data;        /* USER_DATA, as the kernel sees it */
extern u64 user_kernel_stack; /* where a trap from user mode must find its stack */
extern u64 user_l4_mfn;
/* Registers for a start at USER_CODE + offset. */
struct regs user_regs(unsigned offset);
/*
 * Runs user code until an exception or system call that no handler takes; *regs is
 * then the interrupted state (trap_frame_top, trap_masked_inside tell more).
 */
void user_run(struct regs *regs, u64 flags);

#endif
