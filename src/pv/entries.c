/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a page-table entry of a guest may be.
 *
 *   level 1: maps a frame of its own (or of a domain whose frames it has been
 *     given the right to map: grants, or a privileged caller), with a WRITABLE
 *     type reference if the entry is writable; or device memory (device.c).
 *   level 2 to 4: names a page table of the level below, of its own, never a
 *     superpage; or, read-only, a table of the same level (a linear page table,
 *     through which a kernel reads its own entries as data). Linear entries are
 *     no chains: a table that is used so uses no other so. (Through one of level
 *     4, ring 0 reaches the hypervisor's own part of the root at an address of
 *     the guest's: a hypercall that is given such an address reads what is
 *     there, never writes. Xen's does too; pv-linear-pt=no refuses them all.)
 *
 * Guest kernels run in ring 3, so every entry gets the user bit. None is
 * global: a translation that outlives the load of CR3 would outlive the flush
 * before a frame's change of type, and the guest's turn on the CPU. RAM has
 * the cache type of the hypervisor's own view of it: any other is refused, but
 * to a privileged domain.
 */
#include "abi/errno.h"
#include "pv/l1.h"

/* Of an entry above level 1: superpages, and what has no meaning there. */
#define UPPER_REFUSED (PTE_PS | PTE_G | PTE_PCD | PTE_PWT)

bool pv_linear_allowed = true;

static struct domain nobody = {.id = DOMID_IO, .refs = 1}, hypervisor = {.id = DOMID_XEN, .refs = 1};
const struct domain *const pv_hypervisor = &hypervisor;

struct domain *pv_get_nobody(domid_t id)
{
    struct domain *d = id == DOMID_XEN ? &hypervisor : &nobody;

    domain_hold(d);
    return d;
}

static enum frame_type table_type(unsigned int level)
{
    return (enum frame_type)(FRAME_L1 + level - 1);
}

/* A writable reference for an entry of a table of `d`. */
static int get_writable(struct domain *d, struct frame *f)
{
    int rc;

    if (pv_is_shared_hv(f))
        return pv_get_shared(f);
    rc = pv_get_writable(f);
    if (rc == 0 && f->owner != d && !(atomic_load(&f->type) & FT_FOREIGN))
        atomic_or(&f->type, FT_FOREIGN);
    return rc == -EINVAL ? -EBUSY : rc;
}

int pv_get_l1_unusual(struct domain *d, struct domain *owner, pte_t *e)
{
    mfn_t m = pte_mfn(*e);
    struct frame *f;
    int rc = 0;

    if (!mfn_valid(m))
        return pv_get_device(d, owner, e);
    if (!pv_cache_type_ok(d, *e))
        return -EINVAL;
    f = mfn_to_frame(m);
    if (!frame_get(f, owner))
        return -EBUSY;
    if (*e & PTE_RW)
        rc = get_writable(d, f);
    if (rc)
        frame_put(f);
    return rc;
}

/* The counters of linear uses: neither may come near to wrapping. */
#define LINEAR_MAX (1u << 31)

static void forget_linear(struct frame *table, struct frame *target)
{
    atomic_sub(&table->linear_uses, 1);
    atomic_sub(&target->linear_count, 1);
}

/* The counts are raised before the other side's is looked at, so of two CPUs that would make a chain one sees it. */
static bool claim_linear(struct frame *table, struct frame *target)
{
    uint32_t uses = atomic_add(&table->linear_uses, 1), count = atomic_add(&target->linear_count, 1);

    if (uses <= LINEAR_MAX && count <= LINEAR_MAX && atomic_load(&table->linear_count) == 0 &&
        atomic_load(&target->linear_uses) == 0)
        return true;
    forget_linear(table, target);
    return false;
}

/*
 * A read-only entry that names a table of its own level. If it names its own
 * table there is no type reference, or that could never be demoted.
 */
static int get_linear(struct domain *d, struct frame *table, struct frame *target)
{
    uint64_t w;

    if (!pv_linear_allowed || !frame_get(target, d))
        return -EINVAL;
    if (target == table)
        return 0;
    if (!claim_linear(table, target)) {
        frame_put(target);
        return -EINVAL;
    }
    w = atomic_load(&target->type);
    do {
        if (frame_type_of(w) != frame_type_of(table->type) || !(w & FT_VALIDATED) ||
            ft_count(w) == FT_COUNT_MASK) {
            forget_linear(table, target);
            frame_put(target);
            return -EINVAL;
        }
    } while (!atomic_cas(&target->type, &w, w + 1));
    return 0;
}

static int put_linear(struct frame *table, struct frame *target)
{
    if (target != table) {
        int rc = pv_put_type(target);

        if (rc)
            return rc;
        forget_linear(table, target);
    }
    frame_put(target);
    return 0;
}

/* When an entry is dropped, its own reference has kept the target's type: the answer is that of when it was made. */
static bool names_same_level(unsigned int level, const struct frame *table, mfn_t m)
{
    const struct frame *f = mfn_to_frame(m);

    uint64_t w = atomic_load(&f->type);

    return f == table || (frame_type_of(w) == table_type(level) && ft_count(w) > 0);
}

static void no_call(void *arg)
{
    (void)arg;
}

/*
 * A root that names a root as if it were a level-3 table shows, to ring 0, the
 * hypervisor's own slots of that root as tables and, further down, all memory
 * as data. So before a slot is first used so, every CPU learns not to read
 * through it for this guest (x86/uaccess.c): the cross-call ends only when no
 * CPU is in the middle of a copy that was allowed before.
 */
static void tell_linear_slot(struct domain *d, unsigned int slot)
{
    if (atomic_test_bit(d->pv->linear_known, slot))
        return;
    atomic_test_and_set_bit(d->pv->linear_slots, slot);
    for (unsigned int i = 0; i < d->max_vcpus; i++)
        if (d->vcpu[i])
            atomic_store(&d->vcpu[i]->cpu.linear_slots, d->pv->linear_slots);
    crosscall(cpus_online_mask, no_call, NULL);
    atomic_test_and_set_bit(d->pv->linear_known, slot);
}

int pv_refuse_absent(struct domain *d, pte_t e)
{
    domain_crash(d, "an absent page-table entry names memory, %llx: this processor reads it (L1TF; pv-l1tf=no)",
                 (unsigned long long)e);
    return -EINVAL;
}

int pv_get_entry(struct domain *d, struct domain *owner, struct frame *table, unsigned int level, unsigned int slot,
                 pte_t *e)
{
    mfn_t m = pte_mfn(*e);

    *e = pv_entry_flags(level, *e);
    if (level == 1)
        return pv_get_l1(d, owner, e);
    if ((*e & UPPER_REFUSED) || !mfn_valid(m))
        return -EINVAL;
    if (names_same_level(level, table, m)) {
        if (*e & PTE_RW)
            return -EINVAL;
        if (level == 4)
            tell_linear_slot(d, slot);
        return get_linear(d, table, mfn_to_frame(m));
    }
    return pv_get_frame_and_type(d, m, table_type(level - 1));
}

int pv_put_entry(struct domain *d, struct frame *table, unsigned int level, pte_t e)
{
    mfn_t m = pte_mfn(e);

    (void)d;
    if (level == 1) {
        pv_put_l1(e);
        return 0;
    }
    if (names_same_level(level, table, m))
        return put_linear(table, mfn_to_frame(m));
    return pv_put_frame_and_type(mfn_to_frame(m));
}

struct frame *pv_orphan(struct frame *table, unsigned int level, pte_t e)
{
    struct frame *target = mfn_to_frame(pte_mfn(e));

    if (target != table && names_same_level(level, table, pte_mfn(e)))
        forget_linear(table, target);
    return target;
}
