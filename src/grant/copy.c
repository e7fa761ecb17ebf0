/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GNTTABOP_copy: bytes from one frame to another, each named by a grant or, if
 * it is the caller's own, by its number. A grant is held like a device's use
 * of it while the bytes are copied. The bytes may change meanwhile: nobody
 * reads them but the guests.
 */
#include "abi/errno.h"
#include "grant/table.h"
#include "lib/string.h"

struct side {
    struct domain *d;     /* whose frame or grant; referenced */
    uint32_t ref;         /* if by_grant */
    bool by_grant, readonly;
    struct domain *via;   /* a transitive grant: the domain that passed it on; referenced */
    uint32_t via_ref;
    mfn_t frame;
    uint16_t start, length;
};

static void drop_via(struct side *s)
{
    if (s->via == NULL)
        return;
    grant_release(s->via, s->via_ref, PIN_DEVICE, s->readonly);
    domain_put(s->via);
}

/* The grant leads to a grant of another domain to this one: hold that too, and no further. */
static int follow(struct side *s, const struct acquired *first, struct acquired *out)
{
    int status = GNTST_general_error;

    s->via = s->d;
    s->via_ref = s->ref;
    s->ref = first->trans_ref;
    s->d = first->trans_domid == s->via->id ? NULL : domain_get(first->trans_domid);
    if (s->d != NULL)
        status = grant_acquire(s->d, s->ref, s->via->id, PIN_DEVICE, s->readonly, ENTRY_COPY, out);
    if (status == GNTST_okay && out->transitive) {
        grant_release(s->d, s->ref, PIN_DEVICE, s->readonly);
        status = GNTST_general_error;
    }
    if (status != GNTST_okay) {
        if (s->d != NULL)
            domain_put(s->d);
        drop_via(s);
    }
    return status;
}

static int open_grant(struct side *s, domid_t id)
{
    struct domain *self = current_domain();
    struct acquired got;
    int status;

    s->d = domain_get(id == DOMID_SELF ? self->id : id);
    if (s->d == NULL)
        return GNTST_bad_domain;
    status = grant_acquire(s->d, s->ref, self->id, PIN_DEVICE, s->readonly, ENTRY_COPY, &got);
    if (status != GNTST_okay) {
        domain_put(s->d);
        return status;
    }
    if (got.transitive) {
        struct acquired first = got;

        status = follow(s, &first, &got);
    }
    s->frame = got.frame;
    s->start = got.start;
    s->length = got.length;
    return status;
}

static int open_own(struct side *s, domid_t id, uint64_t number)
{
    int status;

    if (id != DOMID_SELF)
        return GNTST_permission_denied;
    s->d = current_domain();
    status = grant_frame_get(s->d, mfn(number), s->readonly);
    if (status != GNTST_okay)
        return status;
    domain_hold(s->d);
    s->frame = mfn(number);
    s->length = PAGE_SIZE;
    return GNTST_okay;
}

static int open_side(struct side *s, const struct gnttab_copy_ptr *p, bool by_grant, bool readonly)
{
    *s = (struct side){.by_grant = by_grant, .readonly = readonly};
    if (!by_grant)
        return open_own(s, p->domid, p->u.gmfn);
    s->ref = p->u.ref;
    return open_grant(s, p->domid);
}

static void close_side(struct side *s)
{
    if (s->by_grant)
        grant_release(s->d, s->ref, PIN_DEVICE, s->readonly);
    else
        grant_frame_put(s->frame, s->readonly);
    domain_put(s->d);
    drop_via(s);
}

static bool side_covers(const struct side *s, unsigned int offset, unsigned int length)
{
    return offset >= s->start && offset + length <= (unsigned int)s->start + s->length;
}

/* Asked of both sides before anything else is. */
static bool domain_exists(domid_t id)
{
    struct domain *d = id == DOMID_SELF ? NULL : domain_get(id);

    if (d)
        domain_put(d);
    return d || id == DOMID_SELF;
}

static int copy(const struct gnttab_copy *op)
{
    struct side from, to;
    int status;

    if (!domain_exists(op->source.domid) || !domain_exists(op->dest.domid))
        return GNTST_bad_domain;
    status = open_side(&from, &op->source, (op->flags & GNTCOPY_source_gref) != 0, true);
    if (status != GNTST_okay)
        return status;
    status = open_side(&to, &op->dest, (op->flags & GNTCOPY_dest_gref) != 0, false);
    if (status == GNTST_okay) {
        if (op->source.offset + op->len > PAGE_SIZE || op->dest.offset + op->len > PAGE_SIZE)
            status = GNTST_bad_copy_arg;
        else if (side_covers(&from, op->source.offset, op->len) && side_covers(&to, op->dest.offset, op->len))
            memmove((char *)mfn_to_ptr(to.frame) + op->dest.offset,
                    (const char *)mfn_to_ptr(from.frame) + op->source.offset, op->len);
        else
            status = GNTST_general_error;
        close_side(&to);
    }
    close_side(&from);
    return status;
}

int grant_copy(struct gnttab_copy *op)
{
    op->status = (int16_t)copy(op);
    return 0;
}
