/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An explicit-state search of the hypervisor's own code. Each CPU is a
 * coroutine that carries out operations; before every access to what CPUs
 * share it may be stopped and another go on. A state is the memory that the
 * world registered and the stacks of the CPUs in the middle of an operation.
 * Every state that can be reached is visited once, breadth first: what fails,
 * fails by the shortest way, which is printed.
 */
#ifndef EXPLORE_ENGINE_H
#define EXPLORE_ENGINE_H

#define EXPLORE_CPUS 3
#define NO_OP        255

struct explore_world {
    unsigned int cpus, ops;
    bool
        writes_only; /* stop before what changes something only: what is read is that of the last stop, or is retried */
    bool alone; /* no operation is stopped in favour of another CPU's */
    /* Does it matter when this is read and written? NULL: always. No, if all that others do to it commutes. */
    bool (*matters)(const volatile void *p);
    bool (*may)(unsigned int cpu, unsigned int op); /* may it begin in this state? */
    void (*run)(unsigned int cpu, unsigned int op); /* on the CPU's own stack */
    const char *(*name)(unsigned int cpu, unsigned int op);
    void (*settle)(void); /* bring memory into the form in which it is compared */
    void (*check)(void);  /* in each state; explore_fail() */
    void (*quiet)(void);  /* in each state in which no CPU is at anything; undone after */
};

/* All that the code may change. Before explore(); forgotten after it. */
void explore_region(void *at, size_t size);

/* Search all; the number of states. `most`: more than so many are a failure. */
size_t explore(const struct explore_world *w, size_t most);

/* The CPU that runs; its operation, or NO_OP. */
extern unsigned int explore_cpu;
unsigned int explore_op(unsigned int cpu);

/* By the code under test: it is about to look at *p, and others may come between; either answer may be given. */
void explore_step(const volatile void *p);
void explore_look(const volatile void *p); /* the same, where it is only read */
bool explore_choice(void);

/* From anywhere: the way to here and the reason are printed, and the test fails. */
NORETURN void explore_fail(const char *fmt, ...) PRINTF_LIKE(1, 2);
#define explore_expect(what) ((what) ? (void)0 : explore_fail("%s:%d: %s", __FILE__, __LINE__, #what))

#endif
