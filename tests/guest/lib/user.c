/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User mode: three tables of our own below slot 0 of both roots, and a longjmp back at every trap. */
#include "lib/user.h"
#include "lib/hypercall.h"

bool catch_call(void (*fn)(void *), void *arg, u64 *resume_rsp);

u64 *user_data;
u64 user_kernel_stack, user_l4_mfn;
static u8 *user_code;
static u8 kernel_stack[16384] PAGE_ALIGNED;

static u64 user_pte(void *page)
{
    return virt_to_mfn(page) << PAGE_SHIFT | PTE_TABLE;
}

void user_init(void)
{
    u64 *l4 = page_alloc(), *l3 = page_alloc(), *l2 = page_alloc(), *l1 = page_alloc();
    u8 *stack = page_alloc();
    long bad = 0;

    user_code = page_alloc();
    user_data = page_alloc();
    l1[(USER_CODE >> 12) & 511] = user_pte(user_code) & ~PTE_W;
    l1[(USER_DATA >> 12) & 511] = user_pte(user_data);
    l1[((USER_STACK >> 12) - 1) & 511] = user_pte(stack);
    l2[(USER_CODE >> 21) & 511] = user_pte(l1);
    l3[0] = user_pte(l2);
    l4[0] = user_pte(l3);
    bad |=
        page_protect(l1, false) | page_protect(l2, false) | page_protect(l3, false) | page_protect(l4, false);
    bad |= mmu_write(virt_to_mfn((void *)start_info->pt_base) << PAGE_SHIFT, user_pte(l3), 0, DOMID_SELF);
    user_l4_mfn = virt_to_mfn(l4);
    bad |= mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, user_l4_mfn);
    user_kernel_stack = (u64)kernel_stack + sizeof(kernel_stack) - 8;
    bad |= hv_stack_switch(FLAT_KERNEL_SS, user_kernel_stack);
    if (bad)
        guest_panic("no user mode: %lx\n", bad);
}

void user_load(unsigned offset, const void *code, size_t len)
{
    if (offset == 0)
        memset(user_code, 0xcc, PAGE_SIZE);
    memcpy(user_code + offset, code, len);
}

struct regs user_regs(unsigned offset)
{
    return (struct regs){
        .rip = USER_CODE + offset,
        .cs = FLAT_USER_CS,
        .rflags = BIT(9) | 2,
        .rsp = USER_STACK,
        .ss = FLAT_USER_SS,
    };
}

struct entering {
    struct regs *regs;
    u64 flags;
};

/* From a copy at the end of the stack: an event or a step on the way pushes its frame below, where nothing is. */
static void user_enter(void *arg)
{
    const struct entering *e = arg;
    struct regs r = *e->regs;

    trap_return(&r, e->flags);
}

void user_run(struct regs *regs, u64 flags)
{
    struct entering e = {regs, flags};

    trap_user_state = regs;
    catch_call(user_enter, &e, &trap_user_resume_rsp);
    trap_user_state = NULL;
}
