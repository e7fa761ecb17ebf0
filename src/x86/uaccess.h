/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access to guest memory through the page tables that are loaded now. Each
 * access may fault; a fault ends it with an error and nothing else. An address
 * inside the hypervisor's range is refused before any access; ring 0's rights
 * would otherwise be the guest's. (The read-only M2P is refused for writing
 * and reading alike.)
 */
#ifndef X86_UACCESS_H
#define X86_UACCESS_H

/* In an asm statement: an instruction at label `at` that faults goes on at `to` (x86/trap.c looks it up). */
#define EX_ENTRY(at, to)                           \
    ".pushsection __ex_table, \"a\"\n\t"            \
    ".balign 4\n\t"                                \
    ".long " #at " - ., " #to " - .\n\t"           \
    ".popsection\n\t"

/* True if [gva, gva+size) is canonical and outside the hypervisor's range; no overflow. */
bool guest_range_ok(uint64_t gva, uint64_t size);

/* Copy `size` bytes; 0 or -EFAULT (some may have been written). The guest can change the source meanwhile. */
int guest_copy_from(void *dst, uint64_t gva, size_t size) MUST_CHECK;
int guest_copy_to(uint64_t gva, const void *src, size_t size) MUST_CHECK;
int guest_clear(uint64_t gva, size_t size) MUST_CHECK;

/* One aligned or unaligned 8-byte word, read exactly once. 0 or -EFAULT. */
int guest_read_u64(uint64_t gva, uint64_t *v) MUST_CHECK;
int guest_write_u64(uint64_t gva, uint64_t v) MUST_CHECK;

/* 0, or -EFAULT when the processor has no such register. */
int rdmsr_safe(uint32_t msr, uint64_t *v);

#endif
