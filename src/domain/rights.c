/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of numbers as arrays of ranges, in order, with at least one number
 * between two of them. A change is made in a new array and takes the old one's
 * place, so that it can fail without having begun.
 */
#include "domain/rights.h"

#include "abi/errno.h"
#include "mem/heap.h"

struct range { uint64_t first, last; };

/* Locks: [r] rights_lock. */
struct domain_rights {
    spinlock_t rights_lock;
    struct range_set { struct range *range; size_t n; } set[RIGHTS]; /* [r] */
};

static void append(struct range_set *s, uint64_t first, uint64_t last)
{
    s->range[s->n++] = (struct range){first, last};
}

/* `from` with first..last in it, to *to, which has room for two ranges more. */
static void unite(const struct range_set *from, uint64_t first, uint64_t last, struct range_set *to)
{
    size_t i = 0;

    for (; i < from->n && from->range[i].last < first && first - from->range[i].last > 1; i++)
        append(to, from->range[i].first, from->range[i].last);
    for (; i < from->n && (from->range[i].first <= last || from->range[i].first - last == 1); i++) {
        first = MIN(first, from->range[i].first);
        last = MAX(last, from->range[i].last);
    }
    append(to, first, last);
    for (; i < from->n; i++)
        append(to, from->range[i].first, from->range[i].last);
}

/* `from` without first..last. */
static void subtract(const struct range_set *from, uint64_t first, uint64_t last, struct range_set *to)
{
    for (size_t i = 0; i < from->n; i++) {
        struct range r = from->range[i];

        if (r.last < first || r.first > last) {
            append(to, r.first, r.last);
            continue;
        }
        if (r.first < first)
            append(to, r.first, first - 1);
        if (r.last > last)
            append(to, last + 1, r.last);
    }
}

static int change(struct domain *d, enum right what, uint64_t first, uint64_t last,
                  void (*how)(const struct range_set *, uint64_t, uint64_t, struct range_set *))
{
    struct domain_rights *r = d->rights;
    struct range_set *set = &r->set[what], new = {.n = 0};
    struct range *old = NULL;

    if (last < first)
        return -EINVAL;
    spin_lock(&r->rights_lock);
    new.range = heap_alloc_array(set->n + 2, sizeof(*new.range));
    if (new.range) {
        how(set, first, last, &new);
        old = set->range;
        *set = new;
    }
    spin_unlock(&r->rights_lock);
    heap_free(old);
    return new.range ? 0 : -ENOMEM;
}

int rights_give(struct domain *d, enum right what, uint64_t first, uint64_t last)
{
    return change(d, what, first, last, unite);
}

int rights_take(struct domain *d, enum right what, uint64_t first, uint64_t last)
{
    return change(d, what, first, last, subtract);
}

bool rights_has(const struct domain *d, enum right what, uint64_t first, uint64_t last)
{
    struct domain_rights *r = d->rights;
    const struct range_set *set = &r->set[what];
    bool has = false;

    spin_lock(&r->rights_lock);
    for (size_t i = 0; !has && i < set->n; i++)
        has = set->range[i].first <= first && last <= set->range[i].last;
    spin_unlock(&r->rights_lock);
    return has;
}

static int rights_create(struct domain *d, const struct domain_config *c)
{
    struct domain_rights *r = heap_alloc(sizeof(*r));

    if (!r)
        return -ENOMEM;
    spin_init(&r->rights_lock, LOCK_RIGHTS);
    d->rights = r;
    return 0;
}

static void rights_destroy(struct domain *d)
{
    for (size_t i = 0; d->rights && i < RIGHTS; i++)
        heap_free(d->rights->set[i].range);
    heap_free(d->rights);
    d->rights = NULL;
}

const struct domain_module rights_module = {.name = "rights", .create = rights_create, .destroy = rights_destroy};
