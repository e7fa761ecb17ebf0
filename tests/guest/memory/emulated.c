/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page-table entries written by plain instructions to the read-only mapping: the hypervisor emulates them. */
#include "lib/hypercall.h"
#include "memory/memory.h"

/* The entry written, and the values. */
static volatile u64 *entry;
static u64 value, other;

/* clang-format off */
static void do_mov(void *arg) { __asm__ volatile("mov %1, %0" : "=m"(*entry) : "r"(value)); }
static void do_movnti(void *arg) { __asm__ volatile("movnti %1, %0" : "=m"(*entry) : "r"(value)); }
static void do_mov32(void *arg) { __asm__ volatile("movl %k1, %0" : "=m"(*entry) : "r"(value)); }
static void do_mov_low(void *arg) { __asm__ volatile("movb %b1, %0" : "=m"(*entry) : "r"(value)); }
static void do_imm(void *arg) { __asm__ volatile("movq $0, %0" : "=m"(*entry)); }
static void do_xchg(void *arg) { __asm__ volatile("xchg %1, %0" : "+m"(*entry), "+r"(value)); }
static void do_or(void *arg) { __asm__ volatile("lock orq %1, %0" : "+m"(*entry) : "r"(value)); }
static void do_and(void *arg) { __asm__ volatile("andq %1, %0" : "+m"(*entry) : "r"(value)); }
static void do_btr(void *arg) { __asm__ volatile("lock btrq $1, %0" : "+m"(*entry)); }
static void do_bts(void *arg) { __asm__ volatile("btsq %1, %0" : "+m"(*entry) : "r"(1UL)); }
static void do_add(void *arg) { __asm__ volatile("addq %1, %0" : "+m"(*entry) : "r"(value)); }
static void do_xadd(void *arg) { __asm__ volatile("lock xaddq %1, %0" : "+m"(*entry), "+r"(value)); }
/* clang-format on */

static void do_cmpxchg(void *arg)
{
    __asm__ volatile("lock cmpxchgq %2, %0" : "+m"(*entry), "+a"(other) : "r"(value));
}

static void do_cmpxchg8b(void *arg)
{
    u32 lo = (u32)other, hi = (u32)(other >> 32);

    __asm__ volatile("lock cmpxchg8b %0"
                     : "+m"(*entry), "+a"(lo), "+d"(hi)
                     : "b"((u32)value), "c"((u32)(value >> 32)));
    other = (u64)hi << 32 | lo;
}

static void do_stos(void *arg)
{
    volatile u64 *to = entry;
    u64 count = 4;

    __asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(value) : "memory");
    CHECK_EQ(count, 0);
    CHECK_EQ(to - entry, 4);
}

static void do_movs(void *arg)
{
    u64 from[3] = {value, value, value};
    const u64 *source = from;
    volatile u64 *to = entry;
    u64 count = 3;

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(source), "+c"(count) : "m"(from) : "memory");
    CHECK_EQ(count, 0);
}

/* No exception, and this entry after it. */
static void expect_entry(void (*fn)(void *), u64 want, const char *what)
{
    struct fault f;

    catch_fault(&f, fn, NULL);
    CHECK_NAMED(what, f.vector, -1);
    CHECK_NAMED(what, guest_bits(*entry), guest_bits(want));
}

static void expect_refusal(void (*fn)(void *), const char *what)
{
    u64 before = *entry;
    struct fault f;

    catch_fault(&f, fn, NULL);
    CHECK_NAMED(what, f.vector, VEC_PF);
    CHECK_NAMED(what, f.error, 3);
    CHECK_NAMED(what, f.cr2 & ~7UL, entry);
    CHECK_NAMED(what, *entry, before);
}

static void test_forms(const u64 *page, const u64 *table)
{
    u64 e = pte(page, PTE_TABLE);

    value = e;
    expect_entry(do_mov, e, "mov");
    expect_entry(do_imm, 0, "mov immediate");
    expect_entry(do_movnti, e, "movnti");
    value = 0;
    expect_entry(do_xchg, 0, "xchg");
    CHECK_EQ(guest_bits(value), guest_bits(e));
    value = e & ~PTE_W;
    expect_entry(do_mov, e & ~PTE_W, "mov");
    expect_entry(do_bts, e, "bts");
    expect_entry(do_btr, e & ~PTE_W, "lock btr");
    value = PTE_W;
    expect_entry(do_or, e, "lock or");
    value = ~PTE_W;
    expect_entry(do_and, e & ~PTE_W, "and");
    value = PTE_W;
    expect_entry(do_add, e, "add");
    value = PTE_NX;
    expect_entry(do_xadd, e | PTE_NX, "lock xadd");
    CHECK_EQ(guest_bits(value), guest_bits(e));
    other = *entry;
    value = e & ~PTE_W;
    expect_entry(do_cmpxchg, e & ~PTE_W, "cmpxchg");
    other = 0x1234;
    value = 0;
    expect_entry(do_cmpxchg, e & ~PTE_W, "cmpxchg that fails");
    CHECK_EQ(other, *entry);
    other = *entry;
    value = e;
    expect_entry(do_cmpxchg8b, e, "cmpxchg8b");
    value = 0;
    expect_entry(do_stos, 0, "rep stos");
    value = e;
    expect_entry(do_stos, e, "rep stos");
    CHECK_EQ(entry[3], entry[0]);
    value = 0;
    expect_entry(do_movs, 0, "rep movs");
    expect_entry(do_stos, 0, "rep stos");
    value = pte(table, PTE_TABLE);
    expect_refusal(do_mov, "mov of a writable table");
    value = xen_mfn << PAGE_SHIFT | PTE_TABLE;
    expect_refusal(do_mov, "mov of the hypervisor's frame");
    expect_refusal(do_xchg, "xchg of the hypervisor's frame");
    value = e;
    expect_entry(do_mov, e, "mov");
}

/* Parts of an entry. */
static void test_partial(const u64 *page)
{
    u64 e = pte(page, PTE_TABLE);

    value = e;
    expect_entry(do_mov, e, "mov");
    value = e & ~PTE_W;
    expect_entry(do_mov32, e & ~PTE_W, "mov of the lower half");
    value = e;
    expect_entry(do_mov_low, e, "mov of a byte");
    expect_entry(do_imm, 0, "mov immediate");
}

void test_emulated_writes(void)
{
    u64 *l1 = page_alloc(), *l2 = page_alloc(), *page = page_alloc();

    make_readonly(l1);
    make_readonly(l2);
    entry = l1 + 8;
    value = pte(page, PTE_TABLE);
    expect_refusal(do_mov, "a read-only page that is no table");

    CHECK_EQ(mmuext_mfn(MMUEXT_PIN_L1_TABLE, virt_to_mfn(l1)), 0);
    test_forms(page, l1);
    test_partial(page);

    entry = l2 + 8; /* only the lowest level is emulated */
    CHECK_EQ(mmuext_mfn(MMUEXT_PIN_L2_TABLE, virt_to_mfn(l2)), 0);
    value = pte(l1, PTE_TABLE);
    expect_refusal(do_mov, "an entry of an L2 table");
    CHECK_EQ(mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(l2)), 0);
    CHECK_EQ(mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(l1)), 0);
    check_no_type_left(l1, "emulated writes");
    check_no_type_left(page, "emulated writes");
}
