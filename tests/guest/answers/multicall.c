/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of hypercalls: nested, wrong, in memory that is not there, and so long that they are interrupted. */
#include "answers/answers.h"
#include <xen/sched.h>

#define LONG    6000
#define UPDATES 64

static struct multicall_entry list[LONG];
static struct mmu_update updates[UPDATES];
static struct multicall_entry page[2 * PAGE_SIZE / sizeof(struct multicall_entry)] PAGE_ALIGNED;
static unsigned done[LONG];

static void set(struct multicall_entry *e, u64 op, u64 a0, u64 a1)
{
    *e = (struct multicall_entry){.op = op, .result = 0x1234, .args = {a0, a1}};
}

static void ask_short(void)
{
    struct multicall_entry inner = {.op = __HYPERVISOR_xen_version};

    set(&list[0], __HYPERVISOR_xen_version, 0, 0);
    set(&list[1], __HYPERVISOR_multicall, (u64)&inner, 1);
    set(&list[2], 63, 0, 0);
    set(&list[3], 64, 0, 0);
    set(&list[4], ~0UL, 0, 0);
    set(&list[5], __HYPERVISOR_sched_op, SCHEDOP_yield, 0);
    set(&list[6], __HYPERVISOR_xen_version, 99, 0);
    set(&list[7], __HYPERVISOR_xen_version, 1, 0);
    ask("multicall of eight", "%s", code_text(hv_multicall(list, 8)));
    for (unsigned i = 0; i < 8; i++)
        ask("multicall of eight, result", "%u %s", i, code_text((long)list[i].result));
    ask("nested multicall, its entry's result", "%s", code_text((long)inner.result));
    ask("multicall of none", "%s", code_text(hv_multicall(list, 0)));
}

static void ask_bad_memory(void)
{
    unsigned n = ARRAY_SIZE(page) / 2;

    for (unsigned i = 0; i < n; i++)
        set(&page[i], __HYPERVISOR_xen_version, 0, 0);
    page_protect(page, false);
    ask("multicall that cannot be written", "%s", code_text(hv_multicall(page, 1)));
    page_protect(page, true);
    hv_update_va_mapping((u64)&page[n], 0, UVMF_INVLPG);
    ask("multicall beyond the end", "%s", code_text(hv_multicall(page, n + 1)));
    ask("multicall beyond the end, last result", "%s", code_text((long)page[n - 1].result));
}

/* Each entry is a list of its own; results and counts must be right whatever was interrupted. */
static void ask_long(void)
{
    u64 mfn = virt_to_mfn(page), pfn = mfn_to_pfn(mfn);
    unsigned wrong = 0;

    for (unsigned i = 0; i < UPDATES; i++)
        updates[i] = (struct mmu_update){.ptr = mfn << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, .val = pfn};
    for (unsigned i = 0; i < LONG; i++) {
        list[i] = (struct multicall_entry){.op = __HYPERVISOR_mmu_update, .result = 0x1234};
        list[i].args[0] = (u64)updates;
        list[i].args[1] = UPDATES;
        list[i].args[2] = (u64)&done[i];
        list[i].args[3] = DOMID_SELF;
    }
    ask("long multicall", "%s", code_text(hv_multicall(list, LONG)));
    for (unsigned i = 0; i < LONG; i++)
        wrong += list[i].result != 0 || done[i] != UPDATES;
    ask("long multicall, wrong results", "%u", wrong);
}

void ask_multicall(void)
{
    ask_short();
    ask_long();
    ask_bad_memory();
}
