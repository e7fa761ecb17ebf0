/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of address and frame number, as distinct types, so that the
 * compiler refuses a mixture.
 *
 *   mfn_t    machine frame number: what a page-table entry holds
 *   pfn_t    a guest's pseudo-physical frame number (a PV guest's own count)
 *   gfn_t    the number by which an interface names a frame of a domain; for a
 *            PV guest it has the value of the mfn
 *   paddr_t  machine physical byte address
 *
 * Virtual addresses of the hypervisor are pointers; those of a guest are
 * struct guest_ptr or a plain uint64_t called `gva`, never a pointer.
 */
#ifndef LIB_ADDR_H
#define LIB_ADDR_H

typedef struct { uint64_t v; } mfn_t;
typedef struct { uint64_t v; } pfn_t;
typedef struct { uint64_t v; } gfn_t;
typedef struct { uint64_t v; } paddr_t;

#define MFN_INVALID ((mfn_t){~0ULL})
#define PFN_INVALID ((pfn_t){~0ULL})

static inline mfn_t mfn(uint64_t v) { return (mfn_t){v}; }
static inline pfn_t pfn(uint64_t v) { return (pfn_t){v}; }
static inline gfn_t gfn(uint64_t v) { return (gfn_t){v}; }
static inline paddr_t paddr(uint64_t v) { return (paddr_t){v}; }
static inline bool mfn_eq(mfn_t a, mfn_t b) { return a.v == b.v; }
static inline mfn_t mfn_add(mfn_t a, uint64_t n) { return mfn(a.v + n); }
static inline paddr_t mfn_to_paddr(mfn_t m) { return paddr(m.v << PAGE_SHIFT); }
static inline mfn_t paddr_to_mfn(paddr_t p) { return mfn(p.v >> PAGE_SHIFT); }

#endif
