/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU topology from the CPUID answers of machines that there are, and from senseless ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fake.h"
#include "x86/cpu.h"
#include "x86/topology.h"

struct answer { uint32_t leaf, sub, r[4]; };
static const struct answer *answers;
static size_t nr_answers;
static bool noise;

static void ask(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    for (unsigned int i = 0; i < 4; i++)
        r[i] = noise ? (uint32_t)rand() ^ (uint32_t)rand() << 16 : 0;
    for (size_t i = 0; !noise && i < nr_answers; i++)
        if (answers[i].leaf == leaf && answers[i].sub == sub)
            memcpy(r, answers[i].r, sizeof(answers[i].r));
}

static void expect(const struct answer *a, size_t n, unsigned int core, unsigned int cache, unsigned int socket)
{
    struct cpu_topology t;

    answers = a;
    nr_answers = n;
    t = cpu_topology_read(ask);
    assert_int_equal(t.shift[CPU_SAME_CORE], core);
    assert_int_equal(t.shift[CPU_SAME_CACHE], cache);
    assert_int_equal(t.shift[CPU_SAME_SOCKET], socket);
}
#define EXPECT(a, core, cache, socket) expect(a, ARRAY_SIZE(a), core, cache, socket)

/* Leaf 4's EAX: kind 3 (unified), level, threads that share it, cores of the socket. */
#define CACHE(level, threads, cores) (3u | (level) << 5 | ((threads) - 1u) << 14 | ((cores) - 1u) << 26)

static void test_machines(void **state)
{
    /* 8 cores of 2 threads, one L3, leaf 0xB */
    static const struct answer intel[] = {
        {0, 0, {0x16, 0, 0, 0}}, {0x80000000, 0, {0x80000008, 0, 0, 0}},
        {0xb, 0, {1, 2, 0x100, 0}}, {0xb, 1, {4, 16, 0x201, 0}}, {0xb, 2, {0, 0, 2, 0}},
        {4, 0, {CACHE(1u, 2, 8), 0, 0, 0}}, {4, 1, {CACHE(2u, 2, 8), 0, 0, 0}}, {4, 2, {CACHE(3u, 16, 8), 0, 0, 0}},
    };
    /* 16 cores of 2 threads, an L3 for each 4 cores; no leaf 4 */
    static const struct answer amd[] = {
        {0, 0, {0x10, 0, 0, 0}}, {0x80000000, 0, {0x8000001f, 0, 0, 0}},
        {0xb, 0, {1, 2, 0x100, 0}}, {0xb, 1, {5, 32, 0x201, 0}},
        {0x8000001d, 0, {CACHE(1u, 2, 1), 0, 0, 0}}, {0x8000001d, 1, {CACHE(3u, 8, 1), 0, 0, 0}},
    };
    /* The same without leaf 0xB: 32 threads (leaf 1), counts of AMD's leaves */
    static const struct answer old_amd[] = {
        {0, 0, {5, 0, 0, 0}}, {0x80000000, 0, {0x8000001e, 0, 0, 0}}, {1, 0, {0, 32u << 16, 0, 1u << 28}},
        {0x80000008, 0, {0, 0, 31, 0}}, {0x8000001e, 0, {0, 1u << 8, 0, 0}},
    };
    /* 4 cores, an L2 for each two; leaf 4 only */
    static const struct answer core2[] = {
        {0, 0, {10, 0, 0, 0}}, {0x80000000, 0, {0x80000008, 0, 0, 0}}, {1, 0, {0, 4u << 16, 0, 1u << 28}},
        {4, 0, {CACHE(1u, 1, 4), 0, 0, 0}}, {4, 1, {CACHE(2u, 2, 4), 0, 0, 0}},
    };

    EXPECT(intel, 1, 4, 4);
    EXPECT(amd, 1, 3, 5);
    EXPECT(old_amd, 1, 1, 5);
    EXPECT(core2, 0, 1, 2);
    expect(NULL, 0, 0, 0, 0);
}

static void test_distance(void **state)
{
    fake_machine_init(16);
    cpu_topology = (struct cpu_topology){{1, 2, 3}};
    assert_int_equal(cpu_distance(0, 0), CPU_SAME_CORE);
    assert_int_equal(cpu_distance(0, 1), CPU_SAME_CORE);
    assert_int_equal(cpu_distance(1, 2), CPU_SAME_CACHE);
    assert_int_equal(cpu_distance(0, 7), CPU_SAME_SOCKET);
    assert_int_equal(cpu_distance(7, 8), CPU_FAR);
    assert_int_equal(cpu_neighbours(5, CPU_SAME_CORE), 0x30);
    assert_int_equal(cpu_neighbours(5, CPU_SAME_CACHE), 0xf0);
    assert_int_equal(cpu_neighbours(5, CPU_SAME_SOCKET), 0xff);
    assert_int_equal(cpu_neighbours(5, CPU_FAR), 0xffff);
    assert_int_equal(cpu_core_number(11), 1);
    assert_int_equal(cpu_socket_number(11), 1);
}

/* Whatever CPUID says, the fields nest and no shift is out of range. */
static void test_noise(void **state)
{
    noise = true;
    srand(1);
    for (unsigned int n = 0; n < 10000; n++) {
        struct cpu_topology t = cpu_topology_read(ask);

        assert_true(t.shift[CPU_SAME_CORE] <= t.shift[CPU_SAME_CACHE]);
        assert_true(t.shift[CPU_SAME_CACHE] <= t.shift[CPU_SAME_SOCKET]);
        assert_in_range(t.shift[CPU_SAME_SOCKET], 0, 31);
    }
    noise = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machines),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
