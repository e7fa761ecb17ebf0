/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain gets memory and gives it back, extent by extent. Whatever stops the
 * work, the answer is the number of extents that were done: there are no error
 * codes here but -ERESTART.
 */
#include "hypercall/memory.h"

#include "abi/errno.h"
#include "core/softirq.h"
#include "mem/page_alloc.h"
#include "x86/uaccess.h"

/* As Xen's memop-max-order= by default. */
#define ORDER_MAX            9
#define ORDER_MAX_PRIVILEGED 12

/* A call on its way: what was asked, checked. */
struct change {
    struct domain *d;
    uint64_t list;        /* guest address of the extents; 0 (increase only): the answers are not wanted */
    unsigned int order;
    unsigned int alloc_flags;
};

unsigned int reservation_max_order(const struct domain *d)
{
    return d->privileged ? ORDER_MAX_PRIVILEGED : ORDER_MAX;
}

static bool increase(const struct change *c, uint64_t i)
{
    struct frame *f = domain_alloc_frames(c->d, c->order, c->alloc_flags);

    if (f == NULL)
        return false;
    return c->list == 0 || guest_write_u64(c->list + i * sizeof(uint64_t), frame_to_mfn(f).v) == 0;
}

/* As increase, and the frames appear in the machine-to-physical table under the numbers the guest chose. */
static bool populate(const struct change *c, uint64_t i)
{
    uint64_t slot = c->list + i * sizeof(uint64_t), first_pfn;
    struct frame *f;

    if (guest_read_u64(slot, &first_pfn) != 0)
        return false;
    f = domain_alloc_frames(c->d, c->order, c->alloc_flags);
    if (f == NULL)
        return false;
    for (uint64_t j = 0; j < BIT(c->order); j++)
        m2p_set(mfn_add(frame_to_mfn(f), j), pfn(first_pfn + j));
    return guest_write_u64(slot, frame_to_mfn(f).v) == 0;
}

static bool release(struct domain *d, mfn_t m)
{
    struct frame *f = frame_get_mfn(m, d);
    int error;

    if (!f)
        return false;
    error = domain_release_frame(d, f);
    frame_put(f);
    return error == 0;
}

static bool decrease(const struct change *c, uint64_t i)
{
    uint64_t first;

    if (guest_read_u64(c->list + i * sizeof(uint64_t), &first) != 0)
        return false;
    for (uint64_t j = 0; j < BIT(c->order); j++) {
        if (!release(c->d, mfn(first + j)))
            return false;
    }
    return true;
}

static bool (*const step[])(const struct change *c, uint64_t i) = {
    [XENMEM_increase_reservation] = increase,
    [XENMEM_decrease_reservation] = decrease,
    [XENMEM_populate_physmap] = populate,
};

/* Only address_bits matters: nodes are not told apart. False: no memory can be that low. */
static bool decode_flags(unsigned int mem_flags, unsigned int *alloc_flags)
{
    unsigned int bits = XENMEMF_get_address_bits(mem_flags);

    *alloc_flags = PA_ZERO;
    if (bits == 0 || bits >= 64)
        return true;
    *alloc_flags |= PA_BITS(bits);
    return bits > PAGE_SHIFT;
}

int64_t reservation_change(uint32_t op, struct hypercall_args *args)
{
    uint64_t i, start = args->a[0] >> MEMOP_EXTENT_SHIFT;
    struct xen_memory_reservation r;
    struct change c;
    int64_t result = 0;
    int error = 0;

    if (guest_copy_from(&r, args->a[1], sizeof(r)) != 0)
        return (int64_t)start;
    if ((r.mem_flags & XENMEMF_populate_on_demand) || /* not for PV */
        r.nr_extents > UINT64_MAX >> MEMOP_EXTENT_SHIFT || start >= r.nr_extents ||
        r.extent_order > reservation_max_order(current_domain()) || !decode_flags(r.mem_flags, &c.alloc_flags))
        return (int64_t)start;
    c.list = (uint64_t)r.extent_start.p;
    c.order = r.extent_order;
    if (!guest_range_ok(c.list, r.nr_extents * sizeof(uint64_t)))
        return (int64_t)start;
    c.d = domain_get_for_caller(r.domid, &error);
    if (c.d == NULL)
        return (int64_t)start;

    for (i = start; i < r.nr_extents; i++) {
        if (i > start && preempt_pending()) {
            args->a[0] = op | (i << MEMOP_EXTENT_SHIFT);
            result = -ERESTART;
            break;
        }
        if (!step[op](&c, i))
            break;
    }
    domain_put(c.d);
    return result != 0 ? result : (int64_t)i;
}
