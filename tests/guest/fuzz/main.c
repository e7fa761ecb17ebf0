/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random hypercalls, writes to page tables, privileged instructions and faults,
 * the same on every hypervisor for the same seed. tests/guest/fuzz.py runs it on
 * two and compares. Words of the command line:
 *
 *   seed=N from=N count=N    streams to run; "FUZZ first digest" for each block
 *   block=N                  streams to a block
 *   show=1                   every operation with its answers
 *   try=SEED:STREAM:MASK,... these streams with those operations only; "TRY entry
 *                            digest" for each
 *
 * Odd seeds have FIFO event channels; every other pair of seeds has grant tables of version 2. With try= it is
 * the first seed that counts.
 */
#include "fuzz/fuzz.h"
#include "lib/hypercall.h"
#include "lib/user.h"
#include <xen/sched.h>

#define OPS 64 /* of a stream: bits of a mask */

const char guest_name[] = "fuzz";
const u16 slot_index[SLOTS] = {0, 1, 2, 3, 255, 272, 510, 511};

static u64 state, digest;
static bool showing;

u64 rnd(void)
{
    u64 z = state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

unsigned pick(unsigned n)
{
    return (unsigned)(rnd() >> 33) % n;
}

bool chance(unsigned percent)
{
    return pick(100) < percent;
}

static void digest_add(u64 value)
{
    digest = (digest ^ value) * 0x100000001b3;
    digest ^= digest >> 29;
}

void say(const char *name, u64 value)
{
    digest_add(value);
    if (showing)
        print(" %s=%lx", name, value);
}

void show(const char *fmt, ...)
{
    static char text[256];
    __builtin_va_list args;

    if (!showing)
        return;
    __builtin_va_start(args, fmt);
    guest_vsnprintf(text, sizeof(text), fmt, args);
    __builtin_va_end(args);
    print("%s", text);
}

long answer(long code)
{
    digest_add((u64)code);
    if (showing)
        print(" -> %s", error_name(code));
    return code;
}

bool fifo_events, second_grants;

static void operation(void)
{
    unsigned kind = pick(100);

    if (kind < 60)
        do_tables();
    else if (kind < 75)
        do_processor();
    else if (kind < 85)
        do_events();
    else if (kind < 95)
        do_grants();
    else
        do_memory();
}

static void reset(void)
{
    processor_reset();
    events_reset();
    pages_release();
    grants_reset();
    memory_reset();
    pages_reset();
}

/* The stream's digest: of all answers, and of what is to be seen after each operation. */
static u64 run_stream(u64 seed, u64 stream, u64 mask)
{
    digest = 0xcbf29ce484222325;
    for (unsigned op = 0; op < OPS; op++) {
        if (!(mask & BIT(op)))
            continue;
        state = (seed * 0x1000193 ^ stream) * 0xd6e8feb86659fd93 + op * 0xa0761d6478bd642f;
        rnd();
        show("OP %u ", op);
        operation();
        pages_say();
        events_say();
        grants_say();
        show("\n");
    }
    show("RESET");
    reset();
    show("\n");
    return digest;
}

/* The value of a word "name=..." of the command line, as text; null if there is none. */
static const char *word(const char *name)
{
    const char *s = (const char *)start_info->cmd_line;
    size_t len = strlen(name);

    for (; *s; s++) {
        if ((s == (const char *)start_info->cmd_line || s[-1] == ' ') && memcmp(s, name, len) == 0)
            return s + len;
    }
    return NULL;
}

static u64 number(const char **s, unsigned base)
{
    u64 n = 0;

    for (;; (*s)++) {
        char c = **s;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 99;

        if (digit >= base)
            return n;
        n = n * base + digit;
    }
}

static u64 number_word(const char *name, u64 otherwise)
{
    const char *s = word(name);

    return s ? number(&s, 10) : otherwise;
}

static void run_blocks(u64 seed, u64 from, u64 count, u64 block)
{
    u64 sum = 0;

    for (u64 stream = from; stream < from + count; stream++) {
        sum = (sum ^ run_stream(seed, stream, ~0UL)) * 0x100000001b3;
        if ((stream + 1 - from) % block == 0 || stream + 1 == from + count) {
            print("FUZZ %lu %lx\n", stream - (stream - from) % block, sum);
            sum = 0;
        }
    }
}

static void run_tries(const char *s)
{
    while (*s && *s != ' ') {
        u64 seed = number(&s, 10), stream, mask;

        s += *s == ':';
        stream = number(&s, 10);
        s += *s == ':';
        mask = number(&s, 16);
        s += *s == ',';
        print("TRY %lu:%lu:%lx %lx\n", seed, stream, mask, run_stream(seed, stream, mask));
    }
}

void guest_main(void)
{
    const char *tries = word("try="), *first = tries;
    u64 seed = tries ? number(&first, 10) : number_word("seed=", 1);

    fifo_events = seed & 1;
    second_grants = seed & 2;
    user_init();
    pages_init();
    processor_init();
    events_init();
    grants_init();
    reset();
    showing = number_word("show=", 0);
    if (tries)
        run_tries(tries);
    else
        run_blocks(seed, number_word("from=", 0), number_word("count=", 1000),
                   number_word("block=", 16));
    CHECK(true);
}
