/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XENMEM_exchange: a domain gives frames and gets as many others, in extents
 * of another size or below another address: how a PV guest makes itself a
 * buffer that a device can use.
 *
 * Done in chunks, of the larger of the two extent sizes. A chunk is exchanged
 * whole or not at all: first all its old frames are taken from the domain,
 * which fails if one is still in use; then all new ones are allocated; only
 * when nothing can fail any more are they given.
 */
#include "hypercall/memory.h"

#include "abi/errno.h"
#include "core/softirq.h"
#include "mem/page_alloc.h"
#include "x86/uaccess.h"

struct exchange {
    struct domain *d;
    uint64_t in_list, out_list;           /* guest addresses */
    unsigned int in_order, out_order;     /* of one extent */
    uint64_t in_per_chunk, out_per_chunk; /* extents */
    unsigned int alloc_flags;
    struct frame_list taken, fresh; /* of this chunk: single frames; extents */
};

/* Give back what a failed chunk took. A domain that is dying meanwhile gets nothing: the frames are free. */
static void undo(struct exchange *x)
{
    struct frame *f;

    while ((f = frame_list_first(&x->fresh)) != NULL) {
        frame_list_del(&x->fresh, f);
        page_free(f, x->out_order);
    }
    while ((f = frame_list_first(&x->taken)) != NULL) {
        frame_list_del(&x->taken, f);
        if (domain_assign_frames(x->d, f, 0, false) != 0)
            domain_free_stolen(f);
    }
}

static int take_frame(struct exchange *x, mfn_t m)
{
    struct frame *f;
    int error;

    if (!mfn_valid(m))
        return -EINVAL;
    f = mfn_to_frame(m);
    error = domain_steal_frame(x->d, f);
    if (error != 0)
        return -EINVAL;
    frame_list_add_tail(&x->taken, f);
    return 0;
}

static int take_old(struct exchange *x, uint64_t chunk)
{
    for (uint64_t i = 0; i < x->in_per_chunk; i++) {
        uint64_t first;

        if (guest_read_u64(x->in_list + (chunk * x->in_per_chunk + i) * sizeof(uint64_t), &first) != 0)
            return -EFAULT;
        for (uint64_t j = 0; j < BIT(x->in_order); j++) {
            int error = take_frame(x, mfn(first + j));

            if (error != 0)
                return error;
        }
    }
    return 0;
}

static int allocate_new(struct exchange *x)
{
    for (uint64_t i = 0; i < x->out_per_chunk; i++) {
        struct frame *f = page_alloc(x->out_order, x->alloc_flags);

        if (f == NULL)
            return -ENOMEM;
        frame_list_add_tail(&x->fresh, f);
    }
    return 0;
}

/* The point of no return. A list that cannot be read or written any more is the guest's loss: it has the frames. */
static int give_new(struct exchange *x, uint64_t chunk)
{
    uint64_t slot = x->out_list + chunk * x->out_per_chunk * sizeof(uint64_t);
    struct frame *f;
    int result = 0;

    while ((f = frame_list_first(&x->taken)) != NULL) {
        frame_list_del(&x->taken, f);
        domain_free_stolen(f);
    }
    for (; (f = frame_list_first(&x->fresh)) != NULL; slot += sizeof(uint64_t)) {
        mfn_t m = frame_to_mfn(f);
        uint64_t first_pfn;

        frame_list_del(&x->fresh, f);
        if (domain_assign_frames(x->d, f, x->out_order, false) != 0) {
            page_free(f, x->out_order);
            result = -EINVAL;
            continue;
        }
        if (guest_read_u64(slot, &first_pfn) != 0) {
            result = -EFAULT;
            continue;
        }
        for (uint64_t j = 0; j < BIT(x->out_order); j++)
            m2p_set(mfn_add(m, j), pfn(first_pfn + j));
        if (guest_write_u64(slot, m.v) != 0)
            result = -EFAULT;
    }
    return result;
}

static int exchange_chunk(struct exchange *x, uint64_t chunk)
{
    int error;

    frame_list_init(&x->taken);
    frame_list_init(&x->fresh);
    error = take_old(x, chunk);
    if (error == 0)
        error = allocate_new(x);
    if (error != 0) {
        undo(x);
        return error;
    }
    return give_new(x, chunk);
}

/* Checks all of the request but who it is for. */
static int decode(const struct xen_memory_exchange *e, struct exchange *x)
{
    unsigned int max_order = reservation_max_order(current_domain());
    unsigned int bits = XENMEMF_get_address_bits(e->out.mem_flags);

    if (e->nr_exchanged > e->in.nr_extents)
        return -EINVAL;
    if (e->in.extent_order > max_order || e->out.extent_order > max_order)
        return -EPERM;
    if (e->in.domid != e->out.domid || e->in.nr_extents > UINT64_MAX >> (e->in.extent_order + 3) ||
        e->out.nr_extents > UINT64_MAX >> (e->out.extent_order + 3) ||
        e->in.nr_extents << e->in.extent_order != e->out.nr_extents << e->out.extent_order)
        return -EINVAL;

    *x = (struct exchange){
        .in_list = (uint64_t)e->in.extent_start.p,
        .out_list = (uint64_t)e->out.extent_start.p,
        .in_order = e->in.extent_order,
        .out_order = e->out.extent_order,
        .in_per_chunk = 1,
        .out_per_chunk = 1,
        .alloc_flags = PA_ZERO | PA_BITS(bits < 64 ? bits : 0),
    };
    if (x->in_order < x->out_order)
        x->in_per_chunk = BIT(x->out_order - x->in_order);
    else
        x->out_per_chunk = BIT(x->in_order - x->out_order);
    if (e->nr_exchanged % x->in_per_chunk != 0)
        return -EINVAL;
    if (!guest_range_ok(x->in_list, e->in.nr_extents * sizeof(uint64_t)) ||
        !guest_range_ok(x->out_list, e->out.nr_extents * sizeof(uint64_t)))
        return -EFAULT;
    return bits != 0 && bits <= PAGE_SHIFT ? -ENOMEM : 0;
}

int64_t reservation_exchange(struct hypercall_args *args)
{
    uint64_t done_gva = args->a[1] + offsetof(struct xen_memory_exchange, nr_exchanged);
    struct xen_memory_exchange e;
    struct exchange x;
    uint64_t chunk, start, chunks;
    int error;

    if (guest_copy_from(&e, args->a[1], sizeof(e)) != 0)
        return -EFAULT;
    error = decode(&e, &x);
    if (error != 0 || e.nr_exchanged == e.in.nr_extents)
        return error;
    x.d = domain_get_for_caller(e.in.domid, &error);
    if (x.d == NULL)
        return error;

    start = e.nr_exchanged / x.in_per_chunk;
    chunks = e.in.nr_extents / x.in_per_chunk;
    for (chunk = start; chunk < chunks && error == 0;) {
        if (chunk > start && preempt_pending()) {
            error = -ERESTART;
            break;
        }
        error = exchange_chunk(&x, chunk);
        if (error == 0)
            chunk++;
    }
    domain_put(x.d);
    if (guest_write_u64(done_gva, chunk * x.in_per_chunk) != 0)
        return -EFAULT;
    return error;
}
