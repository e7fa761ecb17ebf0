/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which CPUs share what. Leaf 0xB gives the widths of the fields of an APIC id where there is one;
 * else they follow from counts: threads of a socket (leaf 1), cores of a socket (leaf 4, or AMD's
 * 0x80000008), threads of a core (0x8000001E). The cache is the highest level that leaf 4 or AMD's
 * 0x8000001D lists, with the number of threads that share it. A machine that says nothing has
 * sockets of one thread each.
 */
#include "x86/topology.h"

#include "lib/bitmap.h"
#include "x86/cpu.h"
#include "x86/insn.h"

#define CACHE_LEAVES_MAX 16

struct cpu_topology cpu_topology;

/* Bits that numbers below `count` need. */
static uint8_t width(uint32_t count)
{
    return (uint8_t)(count > 1 ? bit_highest(count - 1) + 1 : 0);
}

/* Leaf 0xB: for each level its kind (1: threads, 2: cores) and the width of the field up to it. */
static bool read_extended(void (*ask)(uint32_t, uint32_t, uint32_t[4]), struct cpu_topology *t)
{
    uint32_t r[4];

    for (uint32_t sub = 0; sub < 8; sub++) {
        uint32_t kind;

        ask(0xb, sub, r);
        kind = (r[2] >> 8) & 255;
        if (kind == 0 || (r[1] & 0xffff) == 0)
            return sub > 0;
        if (kind == 1)
            t->shift[CPU_SAME_CORE] = r[0] & 31;
        t->shift[CPU_SAME_SOCKET] = r[0] & 31;
    }
    return true;
}

static void read_counts(void (*ask)(uint32_t, uint32_t, uint32_t[4]), uint32_t leaves, uint32_t more,
                        struct cpu_topology *t)
{
    uint32_t r[4], threads, cores = 1, threads_of_core = 1;

    ask(1, 0, r);
    threads = r[3] & BIT(28) ? (r[1] >> 16) & 255 : 1;
    if (more >= 0x80000008) {
        ask(0x80000008, 0, r);
        cores = (r[2] & 255) + 1;
    }
    if (leaves >= 4) {
        ask(4, 0, r);
        if ((r[0] & 31) != 0)
            cores = (r[0] >> 26) + 1;
    }
    if (more >= 0x8000001e) {
        ask(0x8000001e, 0, r);
        threads_of_core = ((r[1] >> 8) & 255) + 1;
    } else if (cores > 1) {
        threads_of_core = MAX(threads / cores, 1u);
    }
    t->shift[CPU_SAME_SOCKET] = MAX(width(threads), width(cores));
    t->shift[CPU_SAME_CORE] = width(threads_of_core);
}

/* The width for the cache of the highest level; 0: not told. */
static uint8_t cache_width(void (*ask)(uint32_t, uint32_t, uint32_t[4]), uint32_t leaf)
{
    uint32_t r[4], level = 0;
    uint8_t found = 0;

    for (uint32_t sub = 0; sub < CACHE_LEAVES_MAX; sub++) {
        ask(leaf, sub, r);
        if ((r[0] & 31) == 0)
            break;
        if (((r[0] >> 5) & 7) > level) {
            level = (r[0] >> 5) & 7;
            found = width(((r[0] >> 14) & 0xfff) + 1);
        }
    }
    return level >= 2 ? found : 0;
}

struct cpu_topology cpu_topology_read(void (*ask)(uint32_t leaf, uint32_t sub, uint32_t r[4]))
{
    struct cpu_topology t = {{0}};
    uint32_t r[4], leaves, more;
    uint8_t cache = 0;

    ask(0, 0, r);
    leaves = r[0];
    ask(0x80000000, 0, r);
    more = r[0];
    if (leaves < 0xb || !read_extended(ask, &t))
        read_counts(ask, leaves, more, &t);
    t.shift[CPU_SAME_CORE] = MIN(t.shift[CPU_SAME_CORE], t.shift[CPU_SAME_SOCKET]);
    if (leaves >= 4)
        cache = cache_width(ask, 4);
    if (!cache && more >= 0x8000001d)
        cache = cache_width(ask, 0x8000001d);
    t.shift[CPU_SAME_CACHE] = MIN(MAX(cache, t.shift[CPU_SAME_CORE]), t.shift[CPU_SAME_SOCKET]);
    return t;
}

void cpu_topology_identify(void)
{
    cpu_topology = cpu_topology_read(cpuid_count);
}

enum cpu_distance cpu_distance(unsigned int a, unsigned int b)
{
    uint32_t differ = cpu_apic_id[a] ^ cpu_apic_id[b];
    enum cpu_distance d = CPU_SAME_CORE;

    while (d < CPU_FAR && differ >> cpu_topology.shift[d] != 0)
        d++;
    return d;
}

uint64_t cpu_neighbours(unsigned int cpu, enum cpu_distance d)
{
    uint64_t mask = 0;

    for (uint64_t m = cpus_online_mask; m; m &= m - 1)
        if (cpu_distance(cpu, bit_lowest(m)) <= d)
            mask |= BIT(bit_lowest(m));
    return mask;
}

uint32_t cpu_core_number(unsigned int cpu)
{
    uint32_t in_socket = cpu_apic_id[cpu] & (uint32_t)(BIT(cpu_topology.shift[CPU_SAME_SOCKET]) - 1);

    return in_socket >> cpu_topology.shift[CPU_SAME_CORE];
}

uint32_t cpu_socket_number(unsigned int cpu)
{
    return cpu_apic_id[cpu] >> cpu_topology.shift[CPU_SAME_SOCKET];
}
