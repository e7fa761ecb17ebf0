/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pins: of one tree by all; of a page that another maps and unmaps writable; of a table that is being filled. */
#include "race/race.h"
#include <xen/version.h>

static const unsigned pin_command[5] = {
    0, MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE,
};

static u64 *table[5]; /* [4] -> [3] -> [2] -> [1] */
static u64 *data;
static volatile int pins[5]; /* minus unpins */

static long pin(unsigned level, const void *page)
{
    return mmuext_mfn(pin_command[level], virt_to_mfn(page));
}
static long unpin(const void *page)
{
    return mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(page));
}

/* Any table of the tree, pinned or unpinned, at its own level or at another. */
static void pin_some(unsigned cpu, u64 random)
{
    unsigned level = 1 + random % 4, as = random & 64 ? level : 1 + (random >> 8) % 4;

    if (random & 16) {
        long rc = pin(as, table[level]);

        expect(rc, ALLOWED(0, -XEN_EINVAL, -XEN_EBUSY), "pin");
        if (rc == 0)
            __atomic_add_fetch(&pins[level], 1, __ATOMIC_SEQ_CST);
    } else {
        long rc = unpin(table[level]);

        expect(rc, ALLOWED(0, -XEN_EINVAL), "unpin");
        if (rc == 0)
            __atomic_sub_fetch(&pins[level], 1, __ATOMIC_SEQ_CST);
    }
}

static void make_tree(void)
{
    for (unsigned level = 1; level <= 4; level++)
        table[level] = page_alloc();
    data = page_alloc();
    for (unsigned i = 0; i < 512; i++)
        table[1][i] = i % 3 ? pte(data, PTE_TABLE) : pte(table[4], PTE_P);
    for (unsigned level = 2; level <= 4; level++)
        for (unsigned i = 0; i < 250; i += 50)
            table[level][i] = pte(table[level - 1], PTE_TABLE);
    for (unsigned level = 1; level <= 4; level++)
        CHECK_EQ(page_protect(table[level], false), 0);
}

static void test_one_tree(void)
{
    make_tree();
    race("pin and unpin", pin_some);
    for (unsigned level = 1; level <= 4; level++) {
        CHECK(pins[level] == 0 || pins[level] == 1);
        CHECK_EQ(unpin(table[level]), pins[level] ? 0 : -XEN_EINVAL);
    }
    for (unsigned level = 1; level <= 4; level++)
        check_free(table[level], "a table of the tree");
    check_free(data, "what the tree mapped");
}

/*
 * vCPU 0 maps a page writable and read-only in turn, without flushing, and has the hypervisor write to
 * it all the time, through whatever its TLB says. The others pin it and look: a pinned page never changes.
 */
static u64 *flipped;

static void write_flipped(void)
{
    static unsigned turn;

    expect(hv_xen_version(turn++ & 1 ? XENVER_extraversion : XENVER_capabilities, flipped),
           ALLOWED(0, -XEN_EFAULT), "a write into it");
}

static void flip(u64 random)
{
    write_flipped();
    if (random & 3)
        return;
    if (random & 4) {
        expect(
            hv_update_va_mapping((u64)flipped, pte(flipped, PTE_TABLE | (random & 8 ? PTE_G : 0)), UVMF_NONE),
            ALLOWED(0, -XEN_EBUSY), "make writable");
        write_flipped();
    }
    expect(hv_update_va_mapping((u64)flipped, pte(flipped, PTE_P | PTE_U), UVMF_NONE), ALLOWED(0),
           "make read-only");
    write_flipped();
}

static void pin_flipped(unsigned cpu, u64 random)
{
    static volatile unsigned turn;
    const volatile u64 *word = flipped;
    u64 first, second;

    if (cpu == 0) {
        flip(random);
        return;
    }
    /* One at a time, so that the pin is ours while we look. */
    if (__atomic_exchange_n(&turn, 1, __ATOMIC_SEQ_CST))
        return;
    if (pin(1, flipped) == 0) {
        first = word[0];
        second = word[1];
        for (unsigned i = 0; i < 300; i++)
            if (word[0] != first || word[1] != second)
                expect(-1, ALLOWED(0), "a pinned table was written");
        expect(unpin(flipped), ALLOWED(0), "unpin");
    }
    turn = 0;
}

static void test_flips(void)
{
    flipped = page_alloc();
    if (vcpus > 1)
        race("writable or pinned", pin_flipped);
    check_free(flipped, "the page flipped");
}

void race_tables(void)
{
    test_one_tree();
    test_flips();
}
