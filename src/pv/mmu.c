/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing page tables: one entry, or the root.
 *
 * The references of the new entry are taken before it is written, those of
 * the old one dropped after. Old translations may stay in TLBs: they are the
 * guest's business until the frame changes its type (see pagetype.c).
 *
 * A dropped table may be a large tree. Its undoing can be interrupted after
 * the new entry is in place; what is left is then the vCPU's `unfinished`
 * work, and the hypercall is continued until it is done.
 */
#include "abi/errno.h"
#include "core/crosscall.h"
#include "core/panic.h"
#include "mem/hvmap.h"
#include "mem/isolate.h"
#include "pv/l1.h"
#include "x86/absent.h"
#include "x86/insn.h"

int pv_finish(struct vcpu *v)
{
    struct frame *f = v->pv->unfinished;

    if (!f)
        return 0;
    if (pv_put_frame_and_type(f))
        return -ERESTART;
    v->pv->unfinished = NULL;
    return 0;
}

static int drop(struct vcpu *v, struct frame *f)
{
    if (pv_put_frame_and_type(f) == 0)
        return 0;
    ASSERT(!v->pv->unfinished);
    v->pv->unfinished = f;
    return -ERESTART;
}

int pv_drop_later(struct frame *f)
{
    return drop(current_vcpu(), f);
}

/* Same frame, same right to write: no reference changes. */
static bool same_target(pte_t a, pte_t b)
{
    return (a & PTE_P) && (b & PTE_P) && ((a ^ b) & (PTE_ADDR | PTE_RW)) == 0;
}

/* Store `e`; with keep_ad or expect by compare-and-exchange, for the hardware sets A and D at any time. */
static int write_entry(pte_t *slot, pte_t *old, pte_t e, bool keep_ad, pte_t *expect)
{
    pte_t found = expect ? *expect : *old;

    if (!keep_ad && !expect) {
        *old = atomic_xchg(slot, e);
        return 0;
    }
    for (;;) {
        pte_t want = keep_ad ? e | (found & (PTE_A | PTE_D)) : e;

        if (atomic_cas(slot, &found, want)) {
            *old = found;
            return 0;
        }
        if (expect || ((found ^ *old) & ~(PTE_A | PTE_D))) {
            if (expect)
                *expect = found;
            return -EAGAIN;
        }
    }
}

/*
 * Level 1; *old: what is there, and then, if it was done, what was. A change
 * of the right to write alone, as by mprotect(), moves no total reference: the
 * old entry's becomes the new one's. `quick`: what crashes the domain is left to the long way.
 */
static ALWAYS_INLINE int mod_l1(struct domain *d, struct domain *owner, pte_t *p, pte_t *old, pte_t e, bool keep_ad,
                                pte_t *expect, bool quick)
{
    enum presence presence = pte_presence(e);
    struct frame *f;
    int rc;

    if (presence == PTE_IS_SUSPECT && !pv_absent_ok(d, e))
        return quick ? -ERESTART : pv_refuse_absent(d, e);
    if (presence != PTE_IS_PRESENT) {
        rc = write_entry(p, old, e, keep_ad, expect);
        if (rc == 0 && (*old & PTE_P))
            pv_put_l1(*old);
        return rc;
    }
    e = pv_entry_flags(1, e);
    f = mfn_to_frame(pte_mfn(e));
    if (((*old ^ e) & (PTE_ADDR | PTE_PCD | PTE_PWT | PTE_PAT)) == 0 && (*old & PTE_P)) {
        if (((*old ^ e) & PTE_RW) == 0)
            return write_entry(p, old, e, keep_ad, expect);
        if (frame_exists(pte_mfn(e)) && f->owner == d && owner == d && !pv_is_shared_hv(f)) {
            rc = e & PTE_RW ? pv_get_writable(f) : 0;
            if (rc)
                return rc == -EINVAL ? -EBUSY : rc;
            rc = write_entry(p, old, e, keep_ad, expect);
            if ((rc == 0) == !(e & PTE_RW))
                pv_put_writable(f);
            return rc;
        }
    }
    rc = pv_get_l1(d, owner, &e);
    if (rc)
        return rc;
    rc = write_entry(p, old, e, keep_ad, expect);
    if (rc)
        pv_put_l1(e); /* the hardware's A or D bit came between: the new references are given back */
    else if (*old & PTE_P)
        pv_put_l1(*old);
    return rc;
}

/* Copies of a root follow (mem/isolate.c), before the old entry's references are dropped. */
static int write_upper(pte_t *p, struct frame *f, unsigned int level, unsigned int slot, pte_t *old, pte_t e,
                       bool keep_ad)
{
    int rc = write_entry(p, old, e, keep_ad, NULL);

    if (level == 4)
        isolate_follow(frame_to_mfn(f), slot);
    return rc;
}

static int mod_upper(struct domain *d, struct domain *owner, struct frame *f, unsigned int level, unsigned int slot,
                     pte_t old, pte_t e, bool keep_ad, struct frame **orphan)
{
    pte_t *p = (pte_t *)frame_to_ptr(f) + slot;
    int rc;

    if (!pv_slot_is_guest(level, slot))
        return -EINVAL;
    if (same_target(old, e) && !((old ^ e) & (PTE_PS | PTE_G | PTE_PCD | PTE_PWT)))
        return write_upper(p, f, level, slot, &old, pv_entry_flags(level, e), keep_ad);
    if (e & PTE_P) {
        rc = pv_get_entry(d, owner, f, level, slot, &e);
        if (rc)
            return rc;
    } else if (!pv_absent_ok(d, e)) {
        return pv_refuse_absent(d, e);
    }
    rc = write_upper(p, f, level, slot, &old, e, keep_ad);
    if (rc) {
        if ((e & PTE_P) && pv_put_entry(d, f, level, e))
            *orphan = pv_orphan(f, level, e);
        return rc;
    }
    if ((old & PTE_P) && pv_put_entry(d, f, level, old)) {
        *orphan = pv_orphan(f, level, old);
        return 1;
    }
    return 0;
}

/* An update of a table in place: lock, change, unlock. */
static int mod_table(struct domain *pt_owner, struct domain *owner, struct frame *f, enum frame_type t,
                     unsigned int slot, pte_t e, bool keep_ad)
{
    pte_t *p = (pte_t *)frame_to_ptr(f) + slot, old;
    struct frame *orphan = NULL;
    int rc = -EINVAL;

    if (!pv_lock_table(f, t))
        return -EINVAL;
    old = READ_ONCE(*p);
    /* Its last reference cannot go while it is locked, so its owner stays. Only the hardware's A and D change now. */
    if (likely(READ_ONCE(f->owner) == pt_owner)) {
        if (t == FRAME_L1)
            rc = mod_l1(pt_owner, owner, p, &old, e, keep_ad, NULL, false);
        else
            rc = mod_upper(pt_owner, owner, f, (unsigned int)t - FRAME_L1 + 1, slot, old, e, keep_ad, &orphan);
    }
    pv_unlock_table(f);
    if (unlikely(orphan)) {
        current_vcpu()->pv->unfinished = orphan;
        return rc == 1 ? 1 : -ERESTART;
    }
    return rc;
}

int pv_exchange_l1e(struct domain *d, struct domain *owner, struct frame *f, unsigned int slot, pte_t e, pte_t *expect)
{
    pte_t *p = (pte_t *)frame_to_ptr(f) + slot, old = READ_ONCE(*p);

    if (*expect != old) {
        *expect = old;
        return -EAGAIN;
    }
    return mod_l1(d, owner, p, &old, e, false, expect, false);
}

/* Not a page table now: plain memory, if it may be written. */
static int write_plain(struct domain *d, struct frame *f, unsigned int slot, pte_t e)
{
    bool shared = frame_type_of(atomic_load(&f->type)) == FRAME_SHARED;
    int rc;

    if (!frame_get(f, d))
        return -EINVAL;
    rc = shared ? 0 : pv_get_type(f, FRAME_WRITABLE);
    if (rc == 0) {
        atomic_store((pte_t *)frame_to_ptr(f) + slot, e);
        if (!shared)
            pv_put_simple_type(f);
    }
    frame_put(f);
    return rc;
}

int pv_mmu_update(struct domain *pt_owner, struct domain *owner, uint64_t ptr, pte_t e, bool keep_ad)
{
    mfn_t m = paddr_to_mfn(paddr(ptr));
    unsigned int slot = (unsigned int)((ptr & (PAGE_SIZE - 1)) / sizeof(pte_t));
    struct frame *f = mfn_to_frame(m);
    uint64_t w;

    if (!frame_exists(m) || READ_ONCE(f->owner) != pt_owner)
        return -EINVAL;
    w = READ_ONCE(f->type);
    if (ft_is_table(frame_type_of(w)) && ft_count(w))
        return mod_table(pt_owner, owner, f, frame_type_of(w), slot, e, keep_ad);
    return write_plain(pt_owner, f, slot, e);
}

/* Entry `p` of an own level-1 table f; -ERESTART: it is not. */
static ALWAYS_INLINE int update_own_l1(struct domain *d, struct frame *f, pte_t *p, pte_t e, bool keep_ad, pte_t *old)
{
    int rc = -ERESTART;

    if (unlikely(READ_ONCE(f->owner) != d || !pv_lock_table(f, FRAME_L1)))
        return -ERESTART;
    *old = READ_ONCE(*p);
    if (likely(READ_ONCE(f->owner) == d))
        rc = mod_l1(d, d, p, old, e, keep_ad, NULL, true);
    pv_unlock_table(f);
    return rc;
}

int64_t pv_update_own_entry(struct domain *d, struct frame *table, pte_t *p, pte_t e, bool keep_ad)
{
    pte_t old;

    return update_own_l1(d, table, p, e, keep_ad, &old);
}

int64_t pv_put_writable_and_update(struct domain *d, struct frame *table, pte_t *p, pte_t e)
{
    pv_put_writable(mfn_to_frame(pte_mfn(e)));
    return pv_update_own_entry(d, table, p, e, true);
}

int64_t pv_put_last_writable(struct frame *f)
{
    pv_put_writable(f);
    return 0;
}

int pv_swap_l1(struct domain *d, struct frame *f, unsigned int slot, pte_t *e)
{
    pte_t old;
    int rc = update_own_l1(d, f, (pte_t *)frame_to_ptr(f) + slot, *e, false, &old);

    if (rc == 0)
        *e = old;
    return rc;
}

struct frame *pv_find_l1(struct vcpu *v, uint64_t va, unsigned int *slot)
{
    mfn_t m = v->pv->root_kernel;

    if (!va_canonical(va) || (va >= HV_START && va < HV_END) || mfn_eq(m, MFN_INVALID))
        return NULL;
    for (unsigned int level = 4; level > 1; level--) {
        /* The guest's other vCPUs may change it; the caller checks what it arrives at. */
        pte_t e = READ_ONCE(((pte_t *)mfn_to_ptr(m))[PT_INDEX(va, level)]);

        m = pte_mfn(e);
        if ((e & (PTE_P | PTE_PS)) != PTE_P || !mfn_valid(m))
            return NULL;
    }
    *slot = PT_INDEX(va, 1);
    return mfn_to_frame(m);
}

pte_t pv_read_l1e(struct vcpu *v, uint64_t va)
{
    unsigned int slot;
    struct frame *f = pv_find_l1(v, va, &slot);

    return f ? READ_ONCE(((pte_t *)frame_to_ptr(f))[slot]) : 0;
}

int pv_update_va(struct vcpu *v, struct domain *owner, uint64_t va, pte_t e)
{
    unsigned int slot;
    struct frame *f = pv_find_l1(v, va, &slot);

    return f ? mod_table(v->domain, owner, f, FRAME_L1, slot, e, false) : -EINVAL;
}

/* A root that is in use already, as each but a new process's is: its two references without more ado. */
static int get_root(struct domain *d, mfn_t root)
{
    struct frame *f = mfn_to_frame(root);
    uint64_t w;

    if (!frame_exists(root) || !frame_get(f, d))
        return -EINVAL;
    w = READ_ONCE(f->type);
    if (likely((w & (FT_TYPE_MASK | FT_VALIDATED)) == (ft_word(FRAME_L4) | FT_VALIDATED) &&
               ft_count(w) != FT_COUNT_MASK && atomic_cas(&f->type, &w, w + 1)))
        return 0;
    frame_put(f);
    return pv_get_frame_and_type(d, root, FRAME_L4);
}

static int drop_root(struct vcpu *v, mfn_t old)
{
    struct frame *f = mfn_to_frame(old);
    uint64_t w;

    if (mfn_eq(old, MFN_INVALID))
        return 0;
    w = READ_ONCE(f->type);
    if (likely(ft_count(w) > 1 && atomic_cas(&f->type, &w, w - 1))) {
        frame_put(f);
        return 0;
    }
    return drop(v, f);
}

/* The M2P is for kernel mode alone: its slot is in a root while that is a kernel root. */
static void show_m2p(mfn_t root, bool show)
{
    pte_t *slot = (pte_t *)mfn_to_ptr(root) + HV_FIRST_SLOT;

    atomic_store(slot, show ? hv_root[HV_FIRST_SLOT] : 0);
}

int pv_set_root(struct vcpu *v, mfn_t root)
{
    bool running = cpu_local()->guest == &v->cpu;
    mfn_t old = v->pv->root_kernel;

    if (!mfn_eq(root, old)) {
        int rc = get_root(v->domain, root);

        if (rc)
            return rc;
        show_m2p(root, true);
        v->pv->root_kernel = root;
        v->cpu.cr3_kernel = mfn_to_paddr(root).v;
    }
    if (running) {
        tlb_note_flush();
        guest_load_cr3(&v->cpu);
    }
    return mfn_eq(root, old) ? 0 : drop_root(v, old);
}

int pv_set_user_root(struct vcpu *v, mfn_t root)
{
    mfn_t old = v->pv->root_user;

    if (mfn_eq(root, old))
        return 0;
    if (root.v == 0) {
        root = MFN_INVALID;
    } else {
        int rc = get_root(v->domain, root);

        if (rc)
            return rc;
        if (!mfn_eq(root, v->pv->root_kernel))
            show_m2p(root, false);
    }
    v->pv->root_user = root;
    v->cpu.cr3_user = mfn_eq(root, MFN_INVALID) ? 0 : mfn_to_paddr(root).v;
    return drop_root(v, old);
}

int pv_drop_roots(struct vcpu *v)
{
    mfn_t kernel = v->pv->root_kernel, user = v->pv->root_user;

    if (pv_finish(v))
        return -ERESTART;
    v->cpu.cr3_kernel = v->cpu.cr3_user = 0;
    v->pv->root_kernel = MFN_INVALID;
    if (drop_root(v, kernel))
        return -ERESTART;
    v->pv->root_user = MFN_INVALID;
    return drop_root(v, user);
}
