/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filling and copying whole pages. */
#ifndef MEM_FILL_H
#define MEM_FILL_H

/*
 * `bytes` (a multiple of 64) at `p` (aligned to 8) get the value `word`. Plain
 * stores, eight to a turn: as fast as REP STOS on a processor and five times
 * faster in an emulator.
 */
static inline void fill_words(void *p, uint64_t word, size_t bytes)
{
    for (volatile uint64_t *w = p, *end = w + bytes / sizeof(*w); w < end; w += 8) {
        w[0] = word;
        w[1] = word;
        w[2] = word;
        w[3] = word;
        w[4] = word;
        w[5] = word;
        w[6] = word;
        w[7] = word;
    }
}

static inline void page_clear(void *page)
{
    fill_words(page, 0, PAGE_SIZE);
}

/*
 * The same for memory that nobody has used since boot. It is mostly zero
 * already, and what is only read a virtual machine's host need not provide.
 */
static inline void clear_fresh(void *p, size_t bytes)
{
    const volatile uint64_t *w = p, *end = w + bytes / sizeof(*w);

    while (w < end && (w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7]) == 0)
        w += 8;
    if (w < end)
        fill_words(p, 0, bytes);
}

/* In the same way; `from` need not be aligned. */
static inline void page_copy(void *page, const void *from)
{
    typedef uint64_t __attribute__((aligned(1), may_alias)) loose_u64;
    const volatile loose_u64 *r = from;

    for (volatile uint64_t *w = page, *end = w + PAGE_SIZE / sizeof(*w); w < end; w += 4, r += 4) {
        w[0] = r[0];
        w[1] = r[1];
        w[2] = r[2];
        w[3] = r[3];
    }
}

#endif
