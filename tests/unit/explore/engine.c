/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search. The queue holds whole states; of those visited, only a hash of
 * 64 bits is kept, and how each was reached. An operation begins together with
 * its first access, for before that it has done nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine.h"

#define STACK     8192
#define DEAD      1024 /* of a stack, that deeper calls have used */
#define REGIONS   64
#define STATE_MAX 8192
#define CHUNK     (64u << 20)

enum { BEGIN = 128 }; /* in a step: begin operation n; else the answer to a choice */

unsigned int explore_cpu;

static const struct explore_world *world;
static struct region {
    void *at;
    size_t size;
} region[REGIONS];
static unsigned int regions;

static struct cpu {
    uint64_t stack[STACK / 8];
    uint64_t *sp;
    uint8_t op, asked; /* asked: it waits for an answer */
} cpu[EXPLORE_CPUS];
static uint64_t *explorer_sp;
static bool in_coroutine, answer, started;

/* --- coroutines --- */

/* Save the registers that a function keeps, go over to another stack. */
__attribute__((naked, noinline)) static void switch_stack(uint64_t **save, uint64_t *to)
{
    __asm__ volatile("push %rbp\n\tpush %rbx\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"
                     "mov %rsp, (%rdi)\n\tmov %rsi, %rsp\n\t"
                     "pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbx\n\tpop %rbp\n\tret");
}

static void to_explorer(bool asked)
{
    struct cpu *c = &cpu[explore_cpu];

    c->asked = asked;
    in_coroutine = false;
    switch_stack(&c->sp, explorer_sp);
}

void explore_step(const volatile void *p)
{
    if (!in_coroutine || world->alone || (p && world->matters && !world->matters(p)))
        return;
    if (started)
        to_explorer(false);
    started = true;
}

void explore_look(const volatile void *p)
{
    if (in_coroutine && !world->writes_only)
        explore_step(p);
}

bool explore_choice(void)
{
    if (!in_coroutine)
        return false;
    started = true;
    to_explorer(true);
    return answer;
}

static void coroutine(void)
{
    struct cpu *c = &cpu[explore_cpu];

    world->run(explore_cpu, c->op);
    c->op = NO_OP;
    c->asked = false;
    in_coroutine = false;
    switch_stack(&c->sp, explorer_sp);
    __builtin_trap(); /* nobody comes back: the next operation has a fresh stack */
}

static uint64_t *fresh_stack(struct cpu *c)
{
    uint64_t *sp = c->stack + ARRAY_SIZE(c->stack) - 8;

    memset(c->stack, 0, sizeof(c->stack));
    sp[6] = (uint64_t)(uintptr_t)coroutine;
    return sp;
}

/* Let a CPU go on to its next stop or its end. */
static void go(unsigned int n, unsigned int how)
{
    struct cpu *c = &cpu[n];

    explore_cpu = n;
    started = !(how & BEGIN);
    if (how & BEGIN) {
        c->op = (uint8_t)(how - BEGIN);
        c->sp = fresh_stack(c);
    }
    answer = how == 1;
    in_coroutine = true;
    switch_stack(&explorer_sp, c->sp);
}

unsigned int explore_op(unsigned int n)
{
    return cpu[n].op;
}

void explore_region(void *at, size_t size)
{
    region[regions++] = (struct region){at, size};
}

/* --- states --- */

static uint8_t buffer[STATE_MAX] ALIGNED(8);

/* The state into buffer[]; its length, a multiple of 8. */
static size_t save(void)
{
    uint8_t *p = buffer;

    for (unsigned int i = 0; i < regions; i++) {
        memcpy(p, region[i].at, region[i].size);
        p += region[i].size;
    }
    for (unsigned int i = 0; i < world->cpus; i++) {
        size_t live =
            cpu[i].op == NO_OP
                ? 0
                : (size_t)((uint8_t *)(cpu[i].stack + ARRAY_SIZE(cpu[i].stack)) - (uint8_t *)cpu[i].sp);
        uint16_t head[4] = {cpu[i].op, cpu[i].asked, (uint16_t)live, 0};

        if (p + live + 16 > buffer + sizeof(buffer))
            explore_fail("a state is too large");
        memcpy(p, head, sizeof(head));
        memcpy(p + sizeof(head), cpu[i].sp, live);
        p += sizeof(head) + live;
    }
    while ((p - buffer) % 8)
        *p++ = 0;
    return (size_t)(p - buffer);
}

static void load(const uint8_t *p)
{
    for (unsigned int i = 0; i < regions; i++) {
        memcpy(region[i].at, p, region[i].size);
        p += region[i].size;
    }
    for (unsigned int i = 0; i < world->cpus; i++) {
        uint16_t head[4];

        memcpy(head, p, sizeof(head));
        cpu[i].op = (uint8_t)head[0];
        cpu[i].asked = (uint8_t)head[1];
        cpu[i].sp = cpu[i].stack + ARRAY_SIZE(cpu[i].stack) - head[2] / 8;
        memcpy(cpu[i].sp, p + sizeof(head), head[2]);
        /* Calls to come would leave what lies here in the gaps of their frames. */
        if (head[2])
            memset(cpu[i].sp - DEAD / 8, 0, DEAD);
        p += sizeof(head) + head[2];
    }
}

static uint64_t hash(size_t size)
{
    const uint64_t *p = (const uint64_t *)(const void *)buffer;
    uint64_t h = size, g = ~size;

    for (size_t i = 0; i < size / 8; i++) {
        h = (h ^ p[i]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 32;
        g = (g + p[i]) * 0xd6e8feb86659fd93u;
        g ^= g >> 29;
    }
    return (h ^ (g << 1)) | 1;
}

static uint64_t *seen;
static size_t slots, states, rests;

static bool is_new(uint64_t h)
{
    size_t i;

    if (states * 2 >= slots) {
        uint64_t *old = seen;
        size_t n = slots;

        slots = n ? 2 * n : 1u << 16;
        seen = calloc(slots, sizeof(*seen));
        for (size_t j = 0; j < n; j++) {
            for (i = old[j] & (slots - 1); old[j] && seen[i]; i = (i + 1) & (slots - 1))
                ;
            if (old[j])
                seen[i] = old[j];
        }
        free(old);
    }
    for (i = h & (slots - 1); seen[i]; i = (i + 1) & (slots - 1))
        if (seen[i] == h)
            return false;
    seen[i] = h;
    return true;
}

/* How each state was reached; the number of that before it. */
static struct way {
    uint32_t from;
    uint8_t cpu, how;
} * way;
static size_t way_max, current;
static struct way last;

/* The queue: chunks of states, each with its length before it. */
static struct chunk {
    struct chunk *next;
    size_t used, read;
    uint8_t data[CHUNK];
} * first, *last_chunk;

static void push(size_t size)
{
    if (!last_chunk || last_chunk->used + size + 8 > CHUNK) {
        struct chunk *c = malloc(sizeof(*c));

        c->next = NULL;
        c->used = c->read = 0;
        if (last_chunk)
            last_chunk->next = c;
        else
            first = c;
        last_chunk = c;
    }
    memcpy(last_chunk->data + last_chunk->used, &size, 8);
    memcpy(last_chunk->data + last_chunk->used + 8, buffer, size);
    last_chunk->used += size + 8;
}

/* The next state, which stays until the one after it is asked for; NULL: none. */
static const uint8_t *pop(void)
{
    const uint8_t *p;
    size_t size;

    if (first && first->read == first->used) {
        struct chunk *c = first->next;

        free(first);
        first = c;
        last_chunk = c ? last_chunk : NULL;
    }
    if (!first)
        return NULL;
    memcpy(&size, first->data + first->read, 8);
    p = first->data + first->read + 8;
    first->read += size + 8;
    return p;
}

/* --- the search --- */

static void print_way(size_t n, const struct way *to)
{
    if (n > 0)
        print_way(way[n].from, &way[n]);
    if (to->how & BEGIN)
        print_message("  CPU %u: %s\n", to->cpu, world->name(to->cpu, to->how - BEGIN));
    else
        print_message("  CPU %u goes on%s\n", to->cpu, to->how ? ", interrupted" : "");
}

static jmp_buf failed;
static char reason[256];

void explore_fail(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(reason, sizeof(reason), fmt, args);
    va_end(args);
    longjmp(failed, 1);
}

/* The state that we are in, if it is new, is checked and queued. */
static void arrive(unsigned int n, unsigned int how, size_t most)
{
    bool busy = false;
    size_t size;

    last = (struct way){(uint32_t)current, (uint8_t)n, (uint8_t)how};
    world->settle();
    size = save();
    if (!is_new(hash(size)))
        return;
    if (states == way_max) {
        way_max = way_max ? 2 * way_max : 1024;
        way = realloc(way, way_max * sizeof(*way));
    }
    way[states++] = last;
    if (states > most)
        explore_fail("more than %zu states", most);
    push(size);
    world->check();
    for (unsigned int i = 0; i < world->cpus; i++)
        busy = busy || cpu[i].op != NO_OP;
    if (busy)
        return;
    rests++;
    world->quiet();
}

static void expand(const uint8_t *state, size_t most)
{
    for (unsigned int n = 0; n < world->cpus; n++) {
        unsigned int answers;

        load(state);
        answers = cpu[n].asked ? 2 : 1;
        if (cpu[n].op == NO_OP) {
            for (unsigned int op = 0; op < world->ops; op++) {
                load(state);
                if (!world->may(n, op))
                    continue;
                last = (struct way){(uint32_t)current, (uint8_t)n, (uint8_t)(BEGIN + op)};
                go(n, BEGIN + op);
                arrive(n, BEGIN + op, most);
            }
            continue;
        }
        for (unsigned int how = 0; how < answers; how++) {
            load(state);
            last = (struct way){(uint32_t)current, (uint8_t)n, (uint8_t)how};
            go(n, how);
            arrive(n, how, most);
        }
    }
}

size_t explore(const struct explore_world *w, size_t most)
{
    const uint8_t *state;
    volatile bool found = false;
    size_t reached;

    world = w;
    states = current = rests = 0;
    for (unsigned int i = 0; i < w->cpus; i++)
        cpu[i].op = NO_OP;
    if (setjmp(failed)) {
        in_coroutine = false;
        print_message("%s, after:\n", reason);
        print_way(current, &last);
        found = true;
    } else {
        arrive(0, 0, most);
        for (; (state = pop()); current++)
            expand(state, most);
    }
    while (pop())
        ;
    free(seen);
    free(way);
    seen = NULL;
    way = NULL;
    slots = way_max = 0;
    reached = states;
    regions = 0;
    print_message("%zu states, %zu of them at rest\n", reached, rests);
    if (found)
        fail();
    return reached;
}
