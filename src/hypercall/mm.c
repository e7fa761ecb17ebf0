/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page-table hypercalls: mmu_update, mmuext_op, update_va_mapping. Lists are
 * taken one element at a time, and an interrupted one continues with the
 * elements that are left. The last argument of a list is where the guest wants
 * the number of elements done; it is kept up to date across continuations by
 * a flag in the count (as <xen/xen.h> says of MMU_UPDATE_PREEMPTED).
 */
#include "abi/errno.h"
#include "core/crosscall.h"
#include "core/softirq.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "pv/pv.h"
#include "x86/insn.h"
#include "x86/uaccess.h"

#define PREEMPTED 0x80000000u /* in the count: a continuation; *pdone has been begun */

/* Whose frames an entry may map: a domain's, or, as DOMID_IO, device memory. Nobody is foreign to itself. */
static struct domain *find_owner(domid_t id, int *error)
{
    if (id == current_domain()->id) {
        *error = -ESRCH;
        return NULL;
    }
    if (id == DOMID_XEN && !current_domain()->privileged) {
        *error = -EPERM;
        return NULL;
    }
    return id == DOMID_IO || id == DOMID_XEN ? pv_get_nobody(id) : domain_get_for_caller(id, error);
}

/* Whose page tables and whose frames: 15:0 the frames' owner, 31:16 the tables' owner + 1 (0: the caller). */
static bool find_foreign(uint32_t foreign, struct domain **pt_owner, struct domain **owner, int *error)
{
    uint32_t pt = foreign >> 16;

    *pt_owner = domain_get_for_caller(pt ? (domid_t)(pt - 1) : DOMID_SELF, error);
    if (!*pt_owner)
        return false;
    *owner = find_owner((domid_t)foreign, error);
    if (!*owner)
        domain_put(*pt_owner);
    return *owner != NULL;
}

/* Begin: how many elements were done by earlier rounds; end: say how many in all. */
static int read_done(uint32_t *count, uint64_t pdone, uint32_t *done)
{
    *done = 0;
    if (!(*count & PREEMPTED))
        return 0;
    *count &= ~PREEMPTED;
    if (pdone && guest_copy_from(done, pdone, sizeof(*done)))
        return -EFAULT;
    return 0;
}

static int64_t end_list(struct hypercall_args *args, int64_t rc, uint32_t left, uint32_t done)
{
    /* A guest that cannot be told the number has done the updates all the same. */
    if (args->a[2])
        (void)!guest_copy_to(args->a[2], &done, sizeof(done));
    if (rc == -ERESTART)
        args->a[1] = left | PREEMPTED;
    return rc;
}

static int machphys_update(struct domain *owner, uint64_t ptr, uint64_t val)
{
    struct frame *f = frame_get_mfn(paddr_to_mfn(paddr(ptr)), owner);

    if (!f)
        return -EINVAL;
    m2p_set(frame_to_mfn(f), pfn(val));
    frame_put(f);
    return 0;
}

static int one_update(struct domain *pt_owner, struct domain *owner, const struct mmu_update *u)
{
    uint64_t ptr = u->ptr & ~7ULL;

    switch (u->ptr & 7) {
    case MMU_NORMAL_PT_UPDATE:
    case MMU_PT_UPDATE_NO_TRANSLATE:
        return pv_mmu_update(pt_owner, owner, ptr, u->val, false);
    case MMU_PT_UPDATE_PRESERVE_AD:
        return pv_mmu_update(pt_owner, owner, ptr, u->val, true);
    case MMU_MACHPHYS_UPDATE:
        return machphys_update(owner, ptr, u->val);
    default:
        return -ENOSYS;
    }
}

int64_t do_mmu_update(struct hypercall_args *args)
{
    uint64_t list = args->a[0];
    uint32_t count = (uint32_t)args->a[1], done, n;
    struct domain *pt_owner, *owner;
    struct mmu_update u;
    int rc = read_done(&count, args->a[2], &done);

    if (rc || (rc = pv_finish(current_vcpu())) == -EFAULT)
        return rc;
    if (rc)
        return end_list(args, rc, count, done);
    if (!find_foreign((uint32_t)args->a[3], &pt_owner, &owner, &rc))
        return end_list(args, rc, count, done);
    for (n = 0; n < count; n++) {
        if ((n & 63) == 63 && preempt_pending()) {
            rc = -ERESTART;
            break;
        }
        /* Each element is read once; the guest may change it before or after, not between check and use. */
        rc = guest_copy_from(&u, list + n * sizeof(u), sizeof(u));
        if (rc == 0)
            rc = one_update(pt_owner, owner, &u);
        if (rc == 1) { /* done, but with something left to undo */
            n++;
            rc = -ERESTART;
        }
        if (rc)
            break;
    }
    domain_put(owner);
    domain_put(pt_owner);
    args->a[0] = list + n * sizeof(u);
    return end_list(args, rc, count - n, done + n);
}

/* --- update_va_mapping --- */

static uint64_t flush_mask(uint64_t flags, bool *error)
{
    uint64_t own = atomic_load(&current_domain()->dirty_cpus) | BIT(cpu_id()), list;

    switch (flags & ~(uint64_t)UVMF_FLUSHTYPE_MASK) {
    case UVMF_LOCAL:
        return BIT(cpu_id());
    case UVMF_ALL:
        return own;
    default:
        /* A bitmap of vCPUs by pointer: flushing all CPUs that may run any of them is always right. */
        if (guest_read_u64(flags & ~(uint64_t)UVMF_FLUSHTYPE_MASK, &list))
            *error = true;
        return own;
    }
}

static int64_t update_va(struct domain *owner, uint64_t va, uint64_t val, uint64_t flags)
{
    struct vcpu *v = current_vcpu();
    bool error = false;
    uint64_t mask;
    int rc = pv_update_va(v, owner, va, val);

    if (rc)
        return rc;
    switch (flags & UVMF_FLUSHTYPE_MASK) {
    case UVMF_TLB_FLUSH:
        mask = flush_mask(flags, &error);
        if (!error)
            tlb_flush(mask);
        break;
    case UVMF_INVLPG:
        mask = flush_mask(flags, &error);
        if (!error)
            tlb_flush_page(mask, va);
        break;
    default:
        break;
    }
    return error ? -EFAULT : 0;
}

int64_t do_update_va_mapping(struct hypercall_args *args)
{
    return update_va(current_domain(), args->a[0], args->a[1], args->a[2]);
}

int64_t do_update_va_mapping_otherdomain(struct hypercall_args *args)
{
    int error = 0;
    domid_t id = (domid_t)args->a[3];
    struct domain *owner;
    int64_t rc;

    /* mmu_update names DOMID_IO for anybody, and refuses each frame; this does not. */
    if (id == DOMID_IO && !current_domain()->privileged)
        return -EPERM;
    owner = find_owner(id, &error);
    if (!owner)
        return error;
    rc = update_va(owner, args->a[0], args->a[1], args->a[2]);
    domain_put(owner);
    return rc;
}

/* --- mmuext_op --- */

/* CPUs that may hold entries of the vCPUs in the guest's bitmap. */
static int vcpu_mask(const struct mmuext_op *op, uint64_t *mask)
{
    struct domain *d = current_domain();
    uint64_t gva = (uint64_t)op->arg2.vcpumask.p, cpus = 0;

    for (uint32_t base = 0; base < d->max_vcpus; base += 8) {
        uint8_t bits;

        if (guest_copy_from(&bits, gva + base / 8, 1))
            return -EINVAL;
        for (uint32_t i = base; bits; i++, bits >>= 1) {
            int32_t cpu = (bits & 1) && i < d->max_vcpus && d->vcpu[i] ? atomic_load(&d->vcpu[i]->cpu.running_on) : -1;

            if (cpu >= 0)
                cpus |= BIT((unsigned int)cpu);
        }
    }
    *mask = cpus;
    return 0;
}

static int clear_or_copy(struct domain *d, mfn_t dst, const mfn_t *src)
{
    int rc = pv_get_frame_and_type(d, dst, FRAME_WRITABLE);

    if (rc)
        return rc;
    if (src) {
        struct frame *s = frame_get_mfn(*src, d);

        if (s) {
            memcpy(mfn_to_ptr(dst), frame_to_ptr(s), PAGE_SIZE);
            frame_put(s);
        } else {
            rc = -EINVAL;
        }
    } else {
        memset(mfn_to_ptr(dst), 0, PAGE_SIZE);
    }
    pv_put_simple_type(mfn_to_frame(dst));
    frame_put(mfn_to_frame(dst));
    return rc;
}

static int one_flush(struct vcpu *v, const struct mmuext_op *op)
{
    uint64_t all = atomic_load(&v->domain->dirty_cpus), mask = 0;
    int rc = 0;

    switch (op->cmd) {
    case MMUEXT_TLB_FLUSH_LOCAL:
        tlb_flush(BIT(cpu_id()));
        return 0;
    case MMUEXT_INVLPG_LOCAL:
        invlpg(op->arg1.linear_addr);
        return 0;
    case MMUEXT_TLB_FLUSH_ALL:
        tlb_flush(all);
        return 0;
    case MMUEXT_INVLPG_ALL:
        tlb_flush_page(all, op->arg1.linear_addr);
        return 0;
    case MMUEXT_TLB_FLUSH_MULTI:
        rc = vcpu_mask(op, &mask);
        if (rc == 0)
            tlb_flush(mask);
        return rc;
    case MMUEXT_INVLPG_MULTI:
        rc = vcpu_mask(op, &mask);
        if (rc == 0)
            tlb_flush_page(mask, op->arg1.linear_addr);
        return rc;
    case MMUEXT_FLUSH_CACHE:
    case MMUEXT_FLUSH_CACHE_GLOBAL:
        if (!v->domain->privileged)
            return -EACCES;
        wbinvd();
        return 0;
    default:
        return -ENOSYS;
    }
}

static int one_ext(struct domain *d, const struct mmuext_op *op)
{
    struct vcpu *v = current_vcpu();
    mfn_t m = mfn(op->arg1.mfn), src;

    switch (op->cmd) {
    case MMUEXT_PIN_L1_TABLE:
    case MMUEXT_PIN_L2_TABLE:
    case MMUEXT_PIN_L3_TABLE:
    case MMUEXT_PIN_L4_TABLE:
        return pv_pin(d, m, (enum frame_type)(FRAME_L1 + op->cmd - MMUEXT_PIN_L1_TABLE));
    case MMUEXT_UNPIN_TABLE:
        return pv_unpin(d, m);
    case MMUEXT_NEW_BASEPTR:
        return d == v->domain ? pv_set_root(v, m) : -EPERM;
    case MMUEXT_NEW_USER_BASEPTR:
        return d == v->domain ? pv_set_user_root(v, m) : -EPERM;
    case MMUEXT_SET_LDT:
        return d == v->domain ? pv_set_ldt(v, op->arg1.linear_addr, op->arg2.nr_ents) : -EPERM;
    case MMUEXT_CLEAR_PAGE:
        return clear_or_copy(d, m, NULL);
    case MMUEXT_COPY_PAGE:
        src = mfn(op->arg2.src_mfn);
        return clear_or_copy(d, m, &src);
    case MMUEXT_MARK_SUPER:
    case MMUEXT_UNMARK_SUPER:
        return -EOPNOTSUPP;
    case MMUEXT_SET_LDT + 1: /* a number that never was */
        return -ENOSYS;
    default:
        if (op->cmd > MMUEXT_UNMARK_SUPER)
            return -ENOSYS;
        return d == v->domain ? one_flush(v, op) : -EPERM;
    }
}

int64_t do_mmuext_op(struct hypercall_args *args)
{
    uint64_t list = args->a[0];
    uint32_t count = (uint32_t)args->a[1], done, n;
    struct mmuext_op op;
    struct domain *d;
    int rc = read_done(&count, args->a[2], &done), error = -ESRCH;

    if (rc)
        return rc;
    if (pv_finish(current_vcpu()))
        return end_list(args, -ERESTART, count, done);
    d = find_owner((domid_t)args->a[3], &error);
    if (!d)
        return error;
    for (n = 0; n < count; n++) {
        if (n > 0 && preempt_pending()) {
            rc = -ERESTART;
            break;
        }
        /* Read once, as for mmu_update. */
        rc = guest_copy_from(&op, list + n * sizeof(op), sizeof(op));
        if (rc == 0)
            rc = one_ext(d, &op);
        if (rc == -ERESTART && current_vcpu()->pv->unfinished)
            n++; /* the root was changed, or the pin is gone; only the undoing is left */
        if (rc)
            break;
    }
    domain_put(d);
    args->a[0] = list + n * sizeof(op);
    return end_list(args, rc, count - n, done + n);
}
