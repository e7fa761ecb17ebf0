/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domctl: a domain's memory, and the machine's resources that it may use. */
#include "abi/errno.h"
#include "core/softirq.h"
#include "domain/rights.h"
#include "hypercall/control.h"
#include "platform/irqchips.h"
#include "pv/pv.h"
#include "x86/insn.h"
#include "x86/uaccess.h"

/* Below what it has already, it may get no more. */
int domctl_max_mem(struct domctl *c)
{
    uint64_t pages = c->op.u.max_mem.max_memkb >> (PAGE_SHIFT - 10);

    spin_lock(&c->d->page_lock);
    c->d->max_pages = MIN(pages, (uint64_t)UINT32_MAX);
    spin_unlock(&c->d->page_lock);
    return 0;
}

/* --- what its frames are used as --- */

static uint64_t frame_use(struct domain *d, mfn_t m)
{
    struct frame *f = frame_get_mfn(m, d);
    uint64_t type, use = XEN_DOMCTL_PFINFO_NOTAB;

    if (f == NULL)
        return XEN_DOMCTL_PFINFO_XTAB;
    type = atomic_load(&f->type);
    if (ft_is_table(frame_type_of(type)) && ft_count(type) != 0)
        use = (uint64_t)(frame_type_of(type) - FRAME_L1 + 1) << XEN_DOMCTL_PFINFO_LTAB_SHIFT;
    if (type & FT_PINNED)
        use |= XEN_DOMCTL_PFINFO_LPINTAB;
    frame_put(f);
    return use;
}

#define LIST_MAX 1024 /* frames that are asked about at once */

/* The list's frame numbers are replaced by their uses. */
int domctl_getpageframeinfo3(struct domctl *c)
{
    const struct xen_domctl_getpageframeinfo3 *list = &c->op.u.getpageframeinfo3;
    uint64_t gva = (uint64_t)list->array.p, m;

    if (list->num > LIST_MAX)
        return control_refuse(&c->control, -E2BIG, "%llu frames, at most %u", (unsigned long long)list->num, LIST_MAX);
    if (!guest_range_ok(gva, list->num * 8))
        return -EFAULT;
    for (uint64_t i = 0; i < list->num; i++) {
        if (guest_read_u64(gva + i * 8, &m) != 0 || guest_write_u64(gva + i * 8, frame_use(c->d, mfn(m))) != 0)
            return -EFAULT;
    }
    return 0;
}

/* Without shadow page tables there is no log of what a PV domain writes. */
int domctl_shadow_op(struct domctl *c)
{
    switch (c->op.u.shadow_op.op) {
    case XEN_DOMCTL_SHADOW_OP_CLEAN:
    case XEN_DOMCTL_SHADOW_OP_PEEK:
        return 0;
    case XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY:
        return control_refuse(&c->control, -EOPNOTSUPP, "a PV domain's writes are not logged: no live migration");
    default:
        return -EINVAL;
    }
}

int domctl_hypercall_init(struct domctl *c)
{
    mfn_t m = mfn(c->op.u.hypercall_init.gmfn);

    if (pv_get_frame_and_type(c->d, m, FRAME_WRITABLE) != 0)
        return control_refuse(&c->control, -EINVAL, "frame %llx is not its own to write", (unsigned long long)m.v);
    pv_fill_hypercall_page(mfn_to_ptr(m));
    pv_put_simple_type(mfn_to_frame(m));
    frame_put(mfn_to_frame(m));
    return 0;
}

int domctl_set_address_size(struct domctl *c)
{
    if (c->op.u.address_size.size == 64)
        return 0;
    return control_refuse(&c->control, c->op.u.address_size.size == 32 ? -EOPNOTSUPP : -EINVAL,
                          "%u bits: PV servers have 64", c->op.u.address_size.size);
}

int domctl_get_address_size(struct domctl *c)
{
    c->op.u.address_size.size = 64;
    return 0;
}

/* --- rights to hardware --- */

static int change_right(struct domctl *c, enum right what, uint64_t first, uint64_t last, bool allow)
{
    static const char *const noun[] = {[RIGHT_PORTS] = "ports", [RIGHT_FRAMES] = "frames", [RIGHT_IRQS] = "interrupts"};
    int error = -EPERM;

    /* A toolstack can hand on only what its own domain may use. */
    if (last < first)
        error = -EINVAL;
    else if (rights_has(current_domain(), what, first, last))
        error = allow ? rights_give(c->d, what, first, last) : rights_take(c->d, what, first, last);
    if (error != 0)
        return control_refuse(&c->control, error, "%s %llx to %llx", noun[what], (unsigned long long)first,
                              (unsigned long long)last);
    return 0;
}

int domctl_irq_permission(struct domctl *c)
{
    const struct xen_domctl_irq_permission *p = &c->op.u.irq_permission;

    if (p->pirq >= gsi_count())
        return control_refuse(&c->control, -EINVAL, "interrupt %u of %u", p->pirq, gsi_count());
    return change_right(c, RIGHT_IRQS, p->pirq, p->pirq, p->allow_access);
}

int domctl_iomem_permission(struct domctl *c)
{
    const struct xen_domctl_iomem_permission *p = &c->op.u.iomem_permission;

    return change_right(c, RIGHT_FRAMES, p->first_mfn, p->first_mfn + p->nr_mfns - 1, p->allow_access);
}

int domctl_ioport_permission(struct domctl *c)
{
    const struct xen_domctl_ioport_permission *p = &c->op.u.ioport_permission;
    uint64_t last = (uint64_t)p->first_port + p->nr_ports - 1;

    if (last > 0xffff)
        return control_refuse(&c->control, -EINVAL, "ports %x to %llx", p->first_port, (unsigned long long)last);
    return change_right(c, RIGHT_PORTS, p->first_port, last, p->allow_access);
}
