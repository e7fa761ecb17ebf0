/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real header, but before each access to what others may change the explorer may let another CPU go on. */
#ifndef EXPLORE_X86_ATOMIC_H
#define EXPLORE_X86_ATOMIC_H

#include "../../../../src/x86/atomic.h"

void explore_step(const volatile void *p);
void explore_look(const volatile void *p);

#undef atomic_load
#undef atomic_store
#undef atomic_xchg
#undef atomic_add
#undef atomic_sub
#undef atomic_or
#undef atomic_and
#undef atomic_cas
#undef READ_ONCE

#define atomic_load(p)     (explore_look(p), __atomic_load_n(p, __ATOMIC_SEQ_CST))
#define atomic_store(p, v) (explore_step(p), __atomic_store_n(p, v, __ATOMIC_SEQ_CST))
#define atomic_xchg(p, v)  (explore_step(p), __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST))
#define atomic_add(p, v)   (explore_step(p), __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST))
#define atomic_sub(p, v)   (explore_step(p), __atomic_sub_fetch(p, v, __ATOMIC_SEQ_CST))
#define atomic_or(p, v)    (explore_step(p), __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST))
#define atomic_and(p, v)   (explore_step(p), __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST))
#define atomic_cas(p, old, v) \
    (explore_step(p), __atomic_compare_exchange_n(p, old, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
#define READ_ONCE(x) \
    (*({ \
        explore_look(&(x)); \
        (const volatile __typeof__(x) *)&(x); \
    }))

#endif
