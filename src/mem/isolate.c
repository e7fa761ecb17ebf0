/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page-table isolation, for processors that read ahead what they may not (Meltdown).
 *
 * A guest's own roots have of the hypervisor's slots what mem/hvmap.c gives them: code, the gate (x86/gate.h), the
 * interrupt table, the areas with descriptor tables, and the machine-to-physical table, which guests may read. Each
 * CPU has two whole roots, for a vCPU's user and kernel mode, which the gate loads at entry: all slots of the
 * hypervisor and a copy of the guest's. The copy is made when another root is loaded there, and follows each change
 * of a root's slot at once; below that level the tables are the same ones. Translations are global nowhere.
 */
#include "mem/isolate.h"

#include "lib/string.h"
#include "mem/hvmap.h"
#include "mem/layout.h"
#include "mem/page_alloc.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/spec.h"
#include "x86/upcalls.h"

#define USER_AND_KERNEL 2
#define COPYING 1ULL

/* [c] after start-up; `of`: [atomic] the root of which it is the copy. */
static struct whole_root {
    pte_t *table;
    uint64_t of;
} whole[NR_CPUS_MAX][USER_AND_KERNEL];

void isolate_init_cpu(void)
{
    for (unsigned int i = 0; spec_on(SPEC_XPTI) && i < USER_AND_KERNEL; i++) {
        pte_t *table = hv_page_alloc();

        if (!table)
            upcall_panic(NULL, "no memory for the roots of CPU %u", cpu_id());
        memcpy(table, hv_root, PAGE_SIZE);
        whole[cpu_id()][i].table = table;
    }
}

uint64_t upcall_whole_root(uint64_t cr3, bool kernel)
{
    struct whole_root *w = &whole[cpu_id()][kernel];
    const pte_t *root = paddr_to_ptr(paddr(cr3));

    if (atomic_load(&w->of) != cr3) {
        /* Whoever changes a slot then looks at `of`: what this copy misses, isolate_follow() brings. */
        atomic_xchg(&w->of, cr3 | COPYING);
        for (unsigned int slot = 0; slot < PTES_PER_TABLE; slot++)
            if (slot < HV_FIRST_SLOT || slot > HV_LAST_SLOT)
                w->table[slot] = READ_ONCE(root[slot]);
        atomic_store(&w->of, cr3);
    }
    return ptr_to_paddr(w->table).v;
}

void isolate_follow(mfn_t root, unsigned int slot)
{
    uint64_t cr3 = mfn_to_paddr(root).v;

    for (unsigned int i = 0; spec_on(SPEC_XPTI) && i < NR_CPUS_MAX * USER_AND_KERNEL; i++) {
        struct whole_root *w = &whole[0][0] + i;

        while (atomic_load(&w->of) == (cr3 | COPYING)) /* which waits for nothing */
            cpu_relax();
        if (atomic_load(&w->of) == cr3)
            WRITE_ONCE(w->table[slot], READ_ONCE(((pte_t *)mfn_to_ptr(root))[slot]));
    }
}

void isolate_forget(mfn_t root)
{
    for (unsigned int i = 0; spec_on(SPEC_XPTI) && i < NR_CPUS_MAX * USER_AND_KERNEL; i++) {
        uint64_t of = mfn_to_paddr(root).v;

        /* Nobody has it loaded, so nobody is copying it. */
        atomic_cas(&(&whole[0][0] + i)->of, &of, 0);
    }
}
