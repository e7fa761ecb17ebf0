/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapping another domain's granted frame into a PV guest's page tables: an
 * ordinary level-1 entry whose target belongs to the granter. The entry holds
 * its own references, beside those of the grant, so a guest that overwrites it
 * by other means unbalances nothing.
 */
#include "abi/errno.h"
#include "grant/grant.h"
#include "pv/pv.h"

/* The table and slot that `addr` names; the table is referenced. */
static struct frame *find_slot(struct vcpu *v, uint64_t addr, bool contains_pte, unsigned int *slot)
{
    struct frame *f;

    if (contains_pte) {
        if ((addr & 7) || !mfn_valid(paddr_to_mfn(paddr(addr))))
            return NULL;
        f = mfn_to_frame(paddr_to_mfn(paddr(addr)));
        *slot = (addr & (PAGE_SIZE - 1)) / 8;
    } else {
        f = pv_find_l1(v, addr, slot);
    }
    return f && frame_get(f, v->domain) ? f : NULL;
}

/* Write `e`; with `expect` only if the entry maps that frame now, with the same right to write. */
static int set_slot(struct vcpu *v, struct frame *f, unsigned int slot, struct domain *owner, pte_t e,
                    const pte_t *expect)
{
    pte_t old;
    int rc;

    if (!pv_lock_table(f, FRAME_L1))
        return -EINVAL;
    do {
        old = READ_ONCE(((pte_t *)frame_to_ptr(f))[slot]);
        if (expect && ((old ^ *expect) & (PTE_P | PTE_RW | PTE_ADDR))) {
            rc = -ENOENT;
            break;
        }
        rc = pv_exchange_l1e(v->domain, owner, f, slot, e, &old);
    } while (rc == -EAGAIN);
    pv_unlock_table(f);
    return rc;
}

static int grant_map(struct vcpu *v, uint64_t addr, bool contains_pte, mfn_t m, bool readonly, uint32_t pte_flags)
{
    unsigned int slot;
    struct frame *f = find_slot(v, addr, contains_pte, &slot);
    pte_t e = pte_make(m, PTE_P | PTE_US | PTE_A | PTE_D | PTE_NX | (readonly ? 0 : PTE_RW) | pte_flags);
    int rc;

    if (!f)
        return GNTST_general_error;
    rc = set_slot(v, f, slot, mfn_to_frame(m)->owner, e, NULL);
    frame_put(f);
    return rc ? GNTST_general_error : GNTST_okay;
}

static int grant_unmap(struct vcpu *v, uint64_t addr, uint64_t new_addr, bool contains_pte, mfn_t m, bool readonly)
{
    unsigned int slot;
    struct frame *f = find_slot(v, addr, contains_pte, &slot);
    pte_t new = 0, old = pte_make(m, PTE_P | (readonly ? 0 : PTE_RW));
    int rc = 0;

    if (!f)
        return GNTST_general_error;
    if (new_addr) {
        new = pv_read_l1e(v, new_addr);
        rc = pv_update_va(v, v->domain, new_addr, 0);
    }
    if (rc == 0)
        rc = set_slot(v, f, slot, v->domain, new, &old);
    frame_put(f);
    return rc ? GNTST_general_error : GNTST_okay;
}

static bool get_writable(struct frame *f)
{
    return pv_get_type(f, FRAME_WRITABLE) == 0;
}

const struct grant_host_ops pv_grant_ops = {
    .map = grant_map,
    .unmap = grant_unmap,
    .get_writable = get_writable,
    .put_writable = pv_put_simple_type,
};
