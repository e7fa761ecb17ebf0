/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first page tables of a PV guest. Their frames were set apart by the
 * layout; they are handed out one by one as a path needs them. All entries are
 * for user mode (a PV kernel runs in ring 3); the tables themselves are mapped
 * read-only, as pv/ will insist when the root is pinned.
 */
#include "builder/build.h"
#include "core/panic.h"

#define PAGE_FLAGS  (PTE_P | PTE_RW | PTE_US | PTE_A)
#define TABLE_FLAGS (PAGE_FLAGS | PTE_D)

/* Map the guest's frame `p` at `va`; tables are taken from *next_table on. */
static void map_page(const struct build *b, uint64_t va, uint64_t p, uint64_t flags, uint64_t *next_table)
{
    pte_t *table = mfn_to_ptr(build_mfn(b, b->layout.tables));

    for (unsigned int level = 4; level > 1; level--) {
        pte_t *entry = &table[PT_INDEX(va, level)];

        if ((*entry & PTE_P) == 0)
            *entry = pte_make(build_mfn(b, (*next_table)++), TABLE_FLAGS);
        table = mfn_to_ptr(pte_mfn(*entry));
    }
    table[PT_INDEX(va, 1)] = pte_make(build_mfn(b, p), flags);
}

void build_tables(struct build *b)
{
    const struct layout *l = &b->layout;
    uint64_t next = l->tables + 1;
    uint64_t pages = (l->v_end - l->v_start) >> PAGE_SHIFT;

    for (uint64_t p = 0; p < pages; p++) {
        bool is_table = p >= l->tables && p < l->tables + l->tables_pages;

        map_page(b, l->v_start + (p << PAGE_SHIFT), p, is_table ? PAGE_FLAGS & ~PTE_RW : PAGE_FLAGS, &next);
    }
    ASSERT(next == l->tables + l->tables_pages);

    next = l->p2m_tables;
    if (l->p2m_tables_pages != 0) {
        for (uint64_t i = 0; i < l->p2m_pages; i++)
            map_page(b, l->p2m_va + (i << PAGE_SHIFT), l->p2m + i, PAGE_FLAGS, &next);
    }
    ASSERT(next == l->p2m_tables + l->p2m_tables_pages);
}
