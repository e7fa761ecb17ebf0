/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a few words of a guest that runs here, inline: for hypercalls that
 * are made all the time. As guest_copy_from() (x86/uaccess.h), which answers
 * for addresses that are not plainly the guest kernel's.
 */
#ifndef X86_UACCESS_WORDS_H
#define X86_UACCESS_WORDS_H

#include "abi/errno.h"
#include "x86/guest.h"
#include "x86/uaccess.h"

/*
 * Two words, each read once, from above the hypervisor's addresses, where kernels have their data, if every address
 * there may be read. False: it is not so simple, or it faulted. (What runs on from there meets low memory.)
 */
static ALWAYS_INLINE bool guest_read_plain_2(const struct guest_cpu *g, uint64_t gva, uint64_t *a, uint64_t *b)
{
    uint64_t first = 0, second = 0;

    if (unlikely(gva < HYPERVISOR_VIRT_END || g->linear_slots))
        return false;
    __asm__ goto("1: mov (%[p]), %[first]\n"
                 "2: mov 8(%[p]), %[second]\n\t"
                 EX_ENTRY(1b, %l[fault]) EX_ENTRY(2b, %l[fault])
                 : [first] "=&r"(first), [second] "=r"(second)
                 : [p] "r"(gva)
                 : "memory"
                 : fault);
    *a = first;
    *b = second;
    return true;
fault:
    return false;
}

/* One word, read once: 0 or -EFAULT. */
static inline int guest_read_1(const struct guest_cpu *g, uint64_t gva, uint64_t *a)
{
    uint64_t word = 0;

    if (unlikely(gva < HYPERVISOR_VIRT_END || READ_ONCE(g->linear_slots)))
        return guest_read_u64(gva, a);
    __asm__ goto("1: mov (%[p]), %[word]\n\t"
                 EX_ENTRY(1b, %l[fault])
                 : [word] "=r"(word)
                 : [p] "r"(gva)
                 : "memory"
                 : fault);
    *a = word;
    return 0;
fault:
    return -EFAULT;
}

/* Two words, each read once: 0 or -EFAULT. */
static inline int guest_read_2(const struct guest_cpu *g, uint64_t gva, uint64_t *a, uint64_t *b)
{
    uint64_t words[2];
    int rc;

    if (likely(guest_read_plain_2(g, gva, a, b)))
        return 0;
    rc = guest_copy_from(words, gva, sizeof(words));
    if (rc == 0) {
        *a = words[0];
        *b = words[1];
    }
    return rc;
}

#endif
