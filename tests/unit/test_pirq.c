/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical interrupts: from a line or message to an event channel and back to the line, with guests
 * that share, do not answer, storm, move and die.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "abi/errno.h"
#include "domain/rights.h"
#include "evtchn/pirq.h"
#include "guest.h"
#include "irqchips.h"
#include "mem/page_alloc.h"
#include "x86/upcalls.h"

#define EDGE  2
#define LEVEL 3
#define OURS  (FAKE_LINES - 1)
#define STORM 3000

static struct domain *a, *b;
static uint64_t free_frames;

static int start(void **state)
{
    free_frames = page_alloc_free_frames();
    a = fake_domain(1, 2, true);
    b = fake_domain(2, 1, false);
    vcpu_set_pause_flag(b->vcpu[0], VPF_DOWN); /* the CPU is a's */
    assert_int_equal(rights_give(a, RIGHT_IRQS, 0, FAKE_LINES - 1), 0);
    fake_lines_init();
    return 0;
}

/* Nothing may stay behind, whatever a test did: no frame, no message, no line that is open. */
static int end(void **state)
{
    bool open = false;

    fake_kill(a);
    fake_kill(b);
    for (unsigned int i = 0; i < FAKE_LINES; i++)
        open = open || !fake_line[i].masked || fake_line[i].irq.vector != 0;
    return page_alloc_free_frames() != free_frames || fake_messages != 0 || open;
}

static bool take(struct domain *d, uint32_t port)
{
    uint64_t *word = &d->shared_info->evtchn_pending[port / 64];
    bool was = (*word >> port % 64) & 1;

    *word &= ~BIT(port % 64);
    return was;
}

static uint32_t map(struct domain *d, uint32_t gsi)
{
    int pirq = -1;

    assert_int_equal(pirq_map_gsi(d, gsi, &pirq), 0);
    return (uint32_t)pirq;
}

static uint32_t bind(struct domain *d, uint32_t pirq, bool shares)
{
    uint32_t port = 0;

    assert_int_equal(pirq_bind(d, pirq, shares, &port), 0);
    return port;
}

static void test_edge(void **state)
{
    uint32_t pirq = map(a, EDGE), port = bind(a, pirq, false);

    assert_int_equal(pirq, EDGE);
    for (int i = 0; i < 3; i++) {
        assert_true(fake_interrupt(&fake_line[EDGE])); /* the answer is not waited for */
        assert_true(take(a, port));
    }
    assert_int_equal(evtchn_close(a, port), 0);
    assert_false(fake_interrupt(&fake_line[EDGE]));
    assert_int_equal(pirq_unmap(a, pirq), 0);
    assert_int_equal(pirq_unmap(a, pirq), -EINVAL);
}

static void test_level_waits_for_the_answer(void **state)
{
    uint32_t pirq = map(a, LEVEL), port = bind(a, pirq, false);

    assert_true(fake_interrupt(&fake_line[LEVEL]));
    assert_true(take(a, port));
    assert_false(fake_interrupt(&fake_line[LEVEL]));
    assert_int_equal(pirq_answer(a, pirq), 0);
    assert_true(fake_interrupt(&fake_line[LEVEL]));
    /* An answer too many opens nothing that is not open anyway; one for nothing is an error. */
    assert_int_equal(pirq_answer(a, pirq), 0);
    assert_int_equal(pirq_answer(a, pirq), 0);
    assert_int_equal(pirq_answer(a, pirq + 1), -EINVAL);
    assert_int_equal(pirq_answer(a, ~0u), -EINVAL);
}

static void test_a_new_user_finds_the_line_open(void **state)
{
    uint32_t pirq = map(a, LEVEL), port = bind(a, pirq, false);

    assert_true(fake_interrupt(&fake_line[LEVEL])); /* and never answered */
    assert_int_equal(evtchn_close(a, port), 0);
    port = bind(a, pirq, false);
    assert_true(fake_interrupt(&fake_line[LEVEL]));
    assert_true(take(a, port));
}

static void test_sharing(void **state)
{
    uint32_t mine = map(a, LEVEL), port = bind(a, mine, true), theirs, other, refused;

    assert_int_equal(rights_give(b, RIGHT_IRQS, LEVEL, LEVEL), 0);
    theirs = map(b, LEVEL);
    assert_int_equal(pirq_bind(b, theirs, false, &refused), -EBUSY);
    other = bind(b, theirs, true);
    assert_true(fake_interrupt(&fake_line[LEVEL]));
    assert_true(take(a, port) && take(b, other));
    assert_int_equal(pirq_answer(a, mine), 0);
    assert_false(fake_interrupt(&fake_line[LEVEL])); /* b has not answered */
    assert_int_equal(evtchn_close(b, other), 0);     /* nor will it */
    assert_true(fake_interrupt(&fake_line[LEVEL]));
    assert_true(take(a, port) && !take(b, other));
}

static void test_who_may(void **state)
{
    int pirq = -1;
    uint32_t port;

    assert_int_equal(pirq_map_gsi(b, EDGE, &pirq), -EPERM);
    assert_int_equal(pirq_map_gsi(a, FAKE_LINES, &pirq), -EINVAL);
    assert_int_equal(pirq_bind(b, EDGE, false, &port), -EPERM);
    assert_int_equal(pirq_bind(b, ~0u, false, &port), -EINVAL);
    assert_int_equal(pirq_bind(a, EDGE, false, &port), -EPERM);
    assert_int_equal(pirq_map_gsi(a, OURS, &pirq), 0);
    assert_int_equal(pirq_bind(a, (uint32_t)pirq, true, &port), -EBUSY);
    pirq = EDGE;
    assert_int_equal(pirq_map_gsi(a, EDGE, &pirq), 0);
    assert_int_equal(pirq_map_gsi(a, EDGE, &pirq), 0); /* again: the same */
    assert_int_equal(pirq_map_gsi(a, LEVEL, &pirq), -EEXIST);
    bind(a, EDGE, false);
    assert_int_equal(pirq_bind(a, EDGE, false, &port), -EEXIST);
    assert_int_equal(pirq_set_eoi_page(a, gfn(0), false), -EINVAL);
}

static void test_unmapped_while_bound(void **state)
{
    uint32_t pirq = map(a, LEVEL), port = bind(a, pirq, false);

    assert_int_equal(pirq_unmap(a, pirq), 0);
    assert_false(fake_interrupt(&fake_line[LEVEL]));
    pirq = map(a, LEVEL);
    bind(a, pirq, false);
    assert_int_equal(evtchn_close(a, port), 0); /* the old port: the new binding stays */
    assert_true(fake_interrupt(&fake_line[LEVEL]));
}

static void test_storm(void **state)
{
    uint32_t pirq = map(a, LEVEL), port = bind(a, pirq, false);
    unsigned int came = 0;

    for (unsigned int i = 0; i < STORM; i++) {
        came += fake_interrupt(&fake_line[LEVEL]);
        assert_int_equal(pirq_answer(a, pirq), 0);
    }
    assert_in_range(came, 1, STORM / 2);
    fake_pass(MILLISECS(20));
    assert_true(fake_interrupt(&fake_line[LEVEL]));

    /* An edge that falls into the pause is made up for at its end. */
    take(a, port);
    port = bind(a, map(a, EDGE), false);
    for (unsigned int i = 0; i < STORM; i++)
        (void)fake_interrupt(&fake_line[EDGE]);
    assert_true(fake_line[EDGE].masked);
    take(a, port);
    fake_pass(MILLISECS(20));
    assert_true(take(a, port));
    assert_false(fake_line[EDGE].masked);
}

static void test_follows_its_vcpu(void **state)
{
    uint32_t port = bind(a, map(a, EDGE), false);
    uint8_t vector = fake_line[EDGE].irq.vector;

    assert_int_equal(sched_set_affinity(&a->vcpu[1]->unit, BIT(1)), 0);
    assert_int_equal(a->vcpu[1]->unit.cpu, 1);
    assert_int_equal(evtchn_bind_vcpu(a, port, 1), 0);
    assert_int_equal(fake_line[EDGE].apic_id, 1);
    assert_int_equal(fake_line[EDGE].irq.vector, vector);
    assert_true(fake_interrupt(&fake_line[EDGE]));
    assert_true(take(a, port));
    /* One that was on its way to the CPU before still finds it. */
    upcall_irq(vector);
    assert_true(take(a, port));
}

static void test_message(void **state)
{
    struct msi_request r = {.bdf = 8, .entry = MSI_NOT_X};
    int pirq = -1, wanted = 20;
    uint32_t port, reserved;

    assert_int_equal(pirq_map_msi(a, &r, &pirq), 0);
    assert_int_equal(pirq, pirq_count(a) - 1); /* from above: lines have theirs below */
    port = bind(a, (uint32_t)pirq, false);
    assert_int_equal(evtchn_close(a, port), 0);
    assert_int_equal(pirq_map_msi(a, &r, &wanted), 0);
    assert_int_equal(pirq_map_msi(a, &r, &wanted), -EEXIST);
    assert_int_equal(fake_messages, 2);
    assert_int_equal(pirq_unmap(a, 20), 0);
    assert_int_equal(fake_messages, 1);
    assert_int_equal(pirq_reserve(a, true, &reserved), 0);
    assert_int_equal(reserved, pirq - 1);
    pirq = (int)reserved;
    assert_int_equal(pirq_map_msi(a, &r, &pirq), 0);
    bind(a, reserved, false); /* and left to the domain's end */
}

static void test_rights(void **state)
{
    assert_int_equal(rights_give(b, RIGHT_PORTS, 10, 5), -EINVAL);
    assert_int_equal(rights_give(b, RIGHT_PORTS, 0, UINT64_MAX), 0);
    assert_int_equal(rights_take(b, RIGHT_PORTS, 100, 199), 0);
    assert_true(rights_has(b, RIGHT_PORTS, 0, 99));
    assert_true(rights_has(b, RIGHT_PORTS, 200, UINT64_MAX));
    assert_false(rights_has(b, RIGHT_PORTS, 99, 100));
    assert_int_equal(rights_give(b, RIGHT_PORTS, 120, 130), 0);
    assert_int_equal(rights_give(b, RIGHT_PORTS, 100, 119), 0);
    assert_true(rights_has(b, RIGHT_PORTS, 0, 130));
    assert_int_equal(rights_give(b, RIGHT_PORTS, 50, 300), 0);
    assert_true(rights_has(b, RIGHT_PORTS, 0, UINT64_MAX));
    assert_int_equal(rights_take(b, RIGHT_PORTS, 0, UINT64_MAX), 0);
    assert_false(rights_has(b, RIGHT_PORTS, 7, 7));
    assert_false(rights_has(b, RIGHT_FRAMES, 7, 7));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_edge, start, end),
        cmocka_unit_test_setup_teardown(test_level_waits_for_the_answer, start, end),
        cmocka_unit_test_setup_teardown(test_a_new_user_finds_the_line_open, start, end),
        cmocka_unit_test_setup_teardown(test_sharing, start, end),
        cmocka_unit_test_setup_teardown(test_who_may, start, end),
        cmocka_unit_test_setup_teardown(test_unmapped_while_bound, start, end),
        cmocka_unit_test_setup_teardown(test_storm, start, end),
        cmocka_unit_test_setup_teardown(test_follows_its_vcpu, start, end),
        cmocka_unit_test_setup_teardown(test_message, start, end),
        cmocka_unit_test_setup_teardown(test_rights, start, end),
    };

    fake_world_init(2);
    cpu_apic_id[1] = 1;
    irq_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
