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

/* Above the hypervisor's addresses, and every address may be read. A range that runs on from there meets low memory. */
static inline bool guest_plainly_readable(const struct guest_cpu *g, uint64_t gva)
{
    return gva >= HYPERVISOR_VIRT_END && !READ_ONCE(g->linear_slots);
}

/* One word, read once: 0 or -EFAULT. */
static inline int guest_read_1(const struct guest_cpu *g, uint64_t gva, uint64_t *a)
{
    bool fault;

    if (unlikely(!guest_plainly_readable(g, gva)))
        return guest_read_u64(gva, a);
    __asm__ volatile("stc\n"
                     "1: mov (%[p]), %[a]\n\t"
                     "clc\n"
                     "2:\n\t"
                     EX_ENTRY(1b, 2b)
                     : [a] "=&r"(*a), "=@ccc"(fault)
                     : [p] "r"(gva)
                     : "memory");
    return fault ? -EFAULT : 0;
}

/* Two words, each read once: 0 or -EFAULT. */
static inline int guest_read_2(const struct guest_cpu *g, uint64_t gva, uint64_t *a, uint64_t *b)
{
    bool fault;

    if (unlikely(!guest_plainly_readable(g, gva))) {
        uint64_t words[2];
        int rc = guest_copy_from(words, gva, sizeof(words));

        if (rc)
            return rc;
        *a = words[0];
        *b = words[1];
        return 0;
    }
    __asm__ volatile("stc\n"
                     "1: mov (%[p]), %[a]\n"
                     "2: mov 8(%[p]), %[b]\n\t"
                     "clc\n"
                     "3:\n\t"
                     EX_ENTRY(1b, 3b) EX_ENTRY(2b, 3b)
                     : [a] "=&r"(*a), [b] "=&r"(*b), "=@ccc"(fault)
                     : [p] "r"(gva)
                     : "memory");
    return fault ? -EFAULT : 0;
}

#endif
