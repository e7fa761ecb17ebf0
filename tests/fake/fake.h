/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stand-in for the machine, for unit tests. Three parts, to be linked as a
 * test needs them:
 *
 *   tests/fake/cpu.c      CPUs, local APIC, and weak upcalls that do nothing
 *   tests/fake/panic.c    panics that a test can expect
 *   tests/fake/memory.c   RAM, frame table and M2P (with mem/frame.c, mem/page_alloc.c)
 */
#ifndef FAKE_H
#define FAKE_H

#include <setjmp.h>

/* Which CPU the calling thread is. 0 unless it says otherwise. */
extern _Thread_local unsigned int fake_cpu;

extern struct fake_machine {
    uint64_t tsc;                          /* moves only when a test moves it */
    uint32_t port[65536];
    uint64_t cr3[NR_CPUS_MAX], cr4[NR_CPUS_MAX];
    unsigned int cr3_loads[NR_CPUS_MAX];
    unsigned int invlpgs[NR_CPUS_MAX];
    unsigned int irq_windows[NR_CPUS_MAX];
    unsigned int ipis[NR_CPUS_MAX][256];   /* sent to a CPU, by vector */
    struct { uint32_t msr; uint64_t value; } msr_write[16]; /* the first ones */
    unsigned int nr_msr_writes;
    uint32_t timer_ticks[NR_CPUS_MAX];     /* what a CPU's APIC timer was last set to */
} fake;

/* Let another thread run. (The C library's sched_yield has the name of one of our functions.) */
void fake_yield(void);

/* Everything as after power-on, with `cpus` CPUs, all online; APIC id = CPU number. */
void fake_machine_init(unsigned int cpus);

/* True if the statement panics; the message is in fake_panic_text. Locks that it held stay held. */
#define fake_panics(statement)                      \
    ({                                              \
        volatile bool panicked_ = true;             \
                                                    \
        fake_panic_expected = true;                 \
        if (setjmp(fake_panic_return) == 0) {       \
            statement;                              \
            panicked_ = false;                      \
        }                                           \
        fake_panic_expected = false;                \
        panicked_;                                  \
    })
extern bool fake_panic_expected;
extern jmp_buf fake_panic_return;
extern char fake_panic_text[256];

/*
 * RAM of the given machine ranges (bytes), all of it free; memory appears when
 * it is touched, so a terabyte costs nothing. Once in a program.
 */
struct mem_range;
void fake_memory_init(const struct mem_range *ram, size_t n);

/* uaccess.c: what guest_copy_to() and its like can reach, at its own address; up to four such pieces. */
void fake_guest_sees(void *start, size_t size);

#endif
