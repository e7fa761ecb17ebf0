/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Atomics are the compiler's __atomic builtins; these are the few forms that
 * read better with a name. All are sequentially consistent.
 */
#ifndef X86_ATOMIC_H
#define X86_ATOMIC_H

#define atomic_load(p)         __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define atomic_store(p, v)     __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define atomic_xchg(p, v)      __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define atomic_add(p, v)       __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST)
#define atomic_sub(p, v)       __atomic_sub_fetch(p, v, __ATOMIC_SEQ_CST)
#define atomic_or(p, v)        __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define atomic_and(p, v)       __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define atomic_xor(p, v)       __atomic_fetch_xor(p, v, __ATOMIC_SEQ_CST)

/* If *p == *old, set it to v and return true; else *old = *p and return false. */
#define atomic_cas(p, old, v)  __atomic_compare_exchange_n(p, old, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* Bit `n` of an array of 64-bit words; the old value is returned. */
static inline bool atomic_test_and_set_bit(uint64_t *w, unsigned int n)
{
    return (atomic_or(&w[n / 64], BIT(n % 64)) >> (n % 64)) & 1;
}

static inline bool atomic_test_and_clear_bit(uint64_t *w, unsigned int n)
{
    return (atomic_and(&w[n / 64], ~BIT(n % 64)) >> (n % 64)) & 1;
}

static inline bool atomic_test_bit(const uint64_t *w, unsigned int n)
{
    return (__atomic_load_n(&w[n / 64], __ATOMIC_RELAXED) >> (n % 64)) & 1;
}

#endif
