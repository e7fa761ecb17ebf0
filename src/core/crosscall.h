/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cross-calls: run a function on other CPUs; and TLB flushes, which are built on them. */
#ifndef CORE_CROSSCALL_H
#define CORE_CROSSCALL_H

/*
 * Run fn(arg) on each online CPU of `mask` (this one included, if in it) and
 * wait until all have. Callable under locks: a CPU that spins or waits serves
 * calls. fn takes no lock and makes no cross-call.
 */
void crosscall(uint64_t mask, void (*fn)(void *), void *arg);

/*
 * All online CPUs meet in a cross-call. When all have come, alone(arg) runs on this one; then each(arg) (NULL:
 * nothing) on all of them, at the same moment but for the time a cache line travels.
 */
void crosscall_meet(void (*alone)(void *arg), void (*each)(void *arg), void *arg);

/* This CPU comes into cpus_online_mask, or leaves it; not in the middle of a meeting. */
void crosscall_set_online(bool online);

/* Flush on the CPUs of `mask` the TLB entries that are not global; all; those of one address. */
void tlb_flush(uint64_t mask);
void tlb_flush_global(uint64_t mask);
void tlb_flush_page(uint64_t mask, uint64_t va);
void tlb_flush_local(void);

/*
 * The flush clock: it moves at each full flush of any CPU. A stamp taken when the
 * last mapping of a frame went away says which CPUs have not flushed since, so
 * most reuses need no flush. A stamp is never 0; 0 stands for "none".
 */
extern uint64_t tlb_flush_clock; /* atomic; for the next line alone */
static inline uint32_t tlb_stamp_now(void)
{
    return (uint32_t)__atomic_load_n(&tlb_flush_clock, __ATOMIC_SEQ_CST) | 1u << 31;
}
/* CPUs of `mask` that may still hold entries from before `stamp`. */
uint64_t tlb_filter(uint64_t mask, uint32_t stamp);
/*
 * This CPU flushes everything next (a CR3 load). Before, not after it: what is stamped in between may
 * have come into the TLB in between.
 */
void tlb_note_flush(void);

#endif
