/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies to and from guest memory through the loaded page tables.
 *
 * CR0.WP is set, so a write honours the guest's read-only mappings (its page
 * tables above all). The range check keeps guests out of the hypervisor's own
 * addresses, which ring 0 could reach; everything else faults by itself.
 */
#include "x86/uaccess.h"

#include "abi/errno.h"
#include "abi/xen.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/guest.h"
#include "x86/pte.h"

bool guest_range_ok(uint64_t gva, uint64_t size)
{
    uint64_t last;

    if (size == 0)
        return true;
    if (__builtin_add_overflow(gva, size - 1, &last) || !va_canonical(gva) || !va_canonical(last))
        return false;
    /* Both ends on one side of the hole, and none of it in the hypervisor's part. */
    return (gva >> 47 == last >> 47) && (last < HYPERVISOR_VIRT_START || gva >= HYPERVISOR_VIRT_END);
}

static bool hv_slot(uint64_t index)
{
    return index >= PT_INDEX(HYPERVISOR_VIRT_START, 4) && index <= PT_INDEX(HYPERVISOR_VIRT_END - 1, 4);
}

/*
 * Does `va` lead through a root table that the guest uses as a lower table,
 * and there into a slot of the hypervisor's? The guest itself cannot follow
 * it, those entries lack the user bit; ring 0 could. Only reads are at stake:
 * such entries are never writable.
 */
static bool leads_into_hv(const uint64_t *linear, uint64_t va)
{
    for (unsigned int level = 4; level > 1; level--) {
        if (!atomic_test_bit(linear, (unsigned int)PT_INDEX(va, level)))
            return false;
        if (hv_slot(PT_INDEX(va, level - 1)))
            return true;
    }
    return false;
}

static bool read_ok(uint64_t gva, uint64_t size)
{
    const struct guest_cpu *g = cpu_local()->guest;
    const uint64_t *linear = g ? atomic_load(&g->linear_slots) : NULL;

    if (!guest_range_ok(gva, size))
        return false;
    if (likely(!linear) || size == 0)
        return true;
    for (uint64_t page = gva >> PAGE_SHIFT; page <= (gva + size - 1) >> PAGE_SHIFT; page++)
        if (leads_into_hv(linear, page << PAGE_SHIFT))
            return false;
    return true;
}

/* Copy words and the rest; the number of bytes not copied when it faults cannot be 0. */
static uint64_t copy_with_fixup(void *dst, const void *src, size_t size)
{
    uint64_t left;

    __asm__ volatile("1: rep movsq\n\t"
                     "mov %[rest], %%rcx\n"
                     "2: rep movsb\n"
                     "3:\n\t"
                     ".pushsection .text.fixup, \"ax\"\n"
                     "4: lea (%[rest], %%rcx, 8), %%rcx\n\t"
                     "inc %%rcx\n\t"
                     "jmp 3b\n"
                     "5: inc %%rcx\n\t"
                     "jmp 3b\n\t"
                     ".popsection\n\t"
                     EX_ENTRY(1b, 4b) EX_ENTRY(2b, 5b)
                     : "=&c"(left), "+D"(dst), "+S"(src)
                     : "0"(size / 8), [rest] "r"(size % 8)
                     : "memory");
    return left;
}

int guest_copy_from(void *dst, uint64_t gva, size_t size)
{
    if (!read_ok(gva, size))
        return -EFAULT;
    return copy_with_fixup(dst, (const void *)gva, size) ? -EFAULT : 0;
}

int guest_copy_to(uint64_t gva, const void *src, size_t size)
{
    if (!guest_range_ok(gva, size))
        return -EFAULT;
    return copy_with_fixup((void *)gva, src, size) ? -EFAULT : 0;
}

int guest_clear(uint64_t gva, size_t size)
{
    static const uint64_t zero[64];

    for (size_t n; size; gva += n, size -= n) {
        n = MIN(size, sizeof(zero));
        if (guest_copy_to(gva, zero, n))
            return -EFAULT;
    }
    return 0;
}

int guest_read_u64(uint64_t gva, uint64_t *v)
{
    bool fault;

    if (!read_ok(gva, 8))
        return -EFAULT;
    __asm__ volatile("xor %k[val], %k[val]\n\t"
                     "stc\n"
                     "1: mov %[mem], %[val]\n\t"
                     "clc\n"
                     "2:\n\t"
                     EX_ENTRY(1b, 2b)
                     : [val] "=&r"(*v), "=@ccc"(fault)
                     : [mem] "m"(*(const uint64_t *)gva));
    return fault ? -EFAULT : 0;
}

int guest_write_u64(uint64_t gva, uint64_t v)
{
    bool fault;

    if (!guest_range_ok(gva, 8))
        return -EFAULT;
    __asm__ volatile("stc\n"
                     "1: mov %[val], %[mem]\n\t"
                     "clc\n"
                     "2:\n\t"
                     EX_ENTRY(1b, 2b)
                     : "=@ccc"(fault), [mem] "=m"(*(uint64_t *)gva)
                     : [val] "r"(v));
    return fault ? -EFAULT : 0;
}

int rdmsr_safe(uint32_t msr, uint64_t *v)
{
    uint32_t lo, hi;
    bool fault;

    __asm__ volatile("xor %%eax, %%eax\n\t"
                     "xor %%edx, %%edx\n\t"
                     "stc\n"
                     "1: rdmsr\n\t"
                     "clc\n"
                     "2:\n\t"
                     EX_ENTRY(1b, 2b)
                     : "=&a"(lo), "=&d"(hi), "=@ccc"(fault)
                     : "c"(msr));
    *v = lo | ((uint64_t)hi << 32);
    return fault ? -EFAULT : 0;
}
