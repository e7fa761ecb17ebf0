/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical interrupts as event channels.
 *
 * A pirq is mapped (it stands for a source), then bound (its source is started
 * and raises a port). The hypervisor never waits for a guest: an interrupt is
 * acknowledged before the guest hears of it, and a level line stays masked until
 * every user of it has said PHYSDEVOP_eoi, has unbound it or has died.
 */
#include "evtchn/pirq.h"

#include "abi/errno.h"
#include "domain/rights.h"
#include "evtchn/port.h"
#include "mem/heap.h"
#include "platform/irqchips.h"
#include "x86/nospec.h"

#define PIRQS_PLAIN   256  /* of a plain domain */
#define PIRQS_FOR_MSI 1024 /* of the owner of the hardware, beside one for each line */
#define ISA_LINES     16   /* below these no line is given a number by itself */

/*
 * Locks: [p] pirq_lock, [i] the source's irq_lock, both to change those with both.
 * Outermost is pirq_lock, then irq_lock, then the event channels'.
 */
struct pirq {
    struct list_head link; /* [i] among the users of the source, while bound */
    struct domain *d;      /* [c] */
    uint32_t number;       /* [c] */
    struct irq *irq;       /* [p] NULL: only reserved */
    int64_t gsi;           /* [p] its line; -1: a message */
    uint32_t port;         /* [p+i] 0: not bound */
    bool shares;           /* [i] */
    bool owes_answer;      /* [i] */
};

struct pirq_domain {
    spinlock_t pirq_lock;
    uint32_t nr;            /* [c] */
    struct pirq **pirq;     /* [p] by number */
    struct frame *eoi_page; /* [p] the guest's: a bit for each pirq that needs an answer; NULL: none */
    bool eoi_unmasks;       /* [p] */
};

static struct pirq *find(const struct domain *d, uint32_t n)
{
    return n < d->pirq->nr ? d->pirq->pirq[index_nospec(n, d->pirq->nr)] : NULL;
}

uint32_t pirq_count(const struct domain *d)
{
    return d->pirq->nr;
}

/* --- an interrupt --- */

/* The source's handler: all users hear of it. */
static void deliver(struct irq *irq)
{
    struct pirq *p;

    list_for_each_entry(p, &irq->users, link) {
        if (irq->level && !p->owes_answer) {
            p->owes_answer = true;
            irq->unanswered++;
        }
        evtchn_raise_pirq(p->d, p->port);
    }
}

static void answer_locked(struct pirq *p)
{
    if (!p->owes_answer)
        return;
    p->owes_answer = false;
    if (--p->irq->unanswered == 0)
        irq_answered(p->irq);
}

int pirq_answer(struct domain *d, uint32_t n)
{
    struct pirq_domain *pd = d->pirq;
    uint32_t unmask = 0;
    struct pirq *p;

    spin_lock(&pd->pirq_lock);
    p = find(d, n);
    if (p && p->irq) {
        spin_lock(&p->irq->irq_lock);
        answer_locked(p);
        unmask = pd->eoi_unmasks ? p->port : 0;
        spin_unlock(&p->irq->irq_lock);
    } else {
        p = NULL;
    }
    spin_unlock(&pd->pirq_lock);
    if (unmask != 0)
        (void)evtchn_unmask(d, unmask);
    return p ? 0 : -EINVAL;
}

/* The guest reads this page and may write it as it likes: nothing here depends on what it says. */
static void mark_needs_answer(const struct pirq *p, bool needs)
{
    uint64_t *map = p->d->pirq->eoi_page ? frame_to_ptr(p->d->pirq->eoi_page) : NULL;

    if (map && needs)
        atomic_or(&map[p->number / 64], BIT(p->number % 64));
    else if (map)
        atomic_and(&map[p->number / 64], ~BIT(p->number % 64));
}

int pirq_query(struct domain *d, uint32_t n, uint32_t *flags)
{
    struct pirq_domain *pd = d->pirq;
    struct pirq *p;

    if (n >= pd->nr)
        return -EINVAL;
    *flags = XENIRQSTAT_needs_eoi; /* who has the page asks that: all others answer always */
    spin_lock(&pd->pirq_lock);
    p = find(d, n);
    if (p && p->irq) {
        spin_lock(&p->irq->irq_lock);
        if (p->port != 0 && p->shares)
            *flags |= XENIRQSTAT_shared;
        spin_unlock(&p->irq->irq_lock);
    }
    spin_unlock(&pd->pirq_lock);
    return 0;
}

int pirq_set_eoi_page(struct domain *d, gfn_t g, bool unmasks)
{
    struct pirq_domain *pd = d->pirq;
    struct frame *f;
    int ret = d->ops->get_writable_frame(d, g, &f);

    if (ret)
        return -EINVAL;
    spin_lock(&pd->pirq_lock);
    if (pd->eoi_page) {
        ret = -EBUSY;
    } else {
        pd->eoi_page = f;
        pd->eoi_unmasks = unmasks;
        for (uint32_t n = 0; n < pd->nr; n++)
            if (pd->pirq[n] && pd->pirq[n]->port != 0 && pd->pirq[n]->irq->level)
                mark_needs_answer(pd->pirq[n], true);
    }
    spin_unlock(&pd->pirq_lock);
    if (ret)
        d->ops->put_writable_frame(f);
    return ret;
}

/* --- binding; pirq_lock is held --- */

/* May one more use the source, as things are? */
static bool may_join(const struct irq *irq, bool shares)
{
    const struct pirq *p;

    list_for_each_entry(p, &irq->users, link)
        if (!shares || !p->shares)
            return false;
    return true;
}

static int attach(struct pirq *p, uint32_t port, bool shares)
{
    struct irq *irq = p->irq;
    int ret = 0;

    spin_lock(&irq->irq_lock);
    if (!may_join(irq, shares)) {
        ret = -EBUSY;
    } else {
        p->shares = shares;
        p->owes_answer = false;
        p->port = port;
        list_add_tail(&p->link, &irq->users);
        mark_needs_answer(p, irq->level);
        if (irq->vector == 0)
            ret = irq_start(irq, READ_ONCE(p->d->vcpu[0]->unit.cpu), deliver);
        if (ret) {
            list_del(&p->link);
            mark_needs_answer(p, false);
            p->port = 0;
        }
    }
    spin_unlock(&irq->irq_lock);
    return ret;
}

static void detach(struct pirq *p)
{
    struct irq *irq = p->irq;

    if (!irq || p->port == 0)
        return;
    spin_lock(&irq->irq_lock);
    list_del(&p->link);
    p->port = 0;
    mark_needs_answer(p, false);
    if (list_empty(&irq->users))
        irq_stop(irq);
    else
        answer_locked(p);
    p->owes_answer = false;
    spin_unlock(&irq->irq_lock);
}

static int bind_locked(struct domain *d, uint32_t n, bool shares, uint32_t *port)
{
    struct pirq *p = find(d, n);
    int ret;

    if (!p || !p->irq)
        return n < d->pirq->nr ? -EPERM : -EINVAL;
    if (p->port != 0)
        return -EEXIST;
    if (p->gsi >= 0 && gsi_is_ours((uint32_t)p->gsi))
        return -EBUSY;
    ret = evtchn_take_pirq_port(d, n, port);
    if (ret)
        return ret;
    ret = attach(p, *port, shares);
    if (ret)
        (void)evtchn_free_pirq_port(d, *port);
    return ret;
}

int pirq_bind(struct domain *d, uint32_t n, bool shares, uint32_t *port)
{
    int ret;

    spin_lock(&d->pirq->pirq_lock);
    ret = bind_locked(d, n, shares, port);
    spin_unlock(&d->pirq->pirq_lock);
    return ret;
}

int pirq_close(struct domain *d, uint32_t port)
{
    struct pirq *p;
    int64_t n;

    spin_lock(&d->pirq->pirq_lock);
    n = evtchn_free_pirq_port(d, port);
    p = n < 0 ? NULL : find(d, (uint32_t)n);
    if (p && p->port == port)
        detach(p);
    spin_unlock(&d->pirq->pirq_lock);
    return n < 0 ? -EAGAIN : 0;
}

void pirq_follow(struct domain *d, uint32_t n, const struct vcpu *vcpu)
{
    struct pirq *p;

    spin_lock(&d->pirq->pirq_lock);
    p = find(d, n);
    if (p && p->port != 0) {
        spin_lock(&p->irq->irq_lock);
        if (p->irq->users.next == p->irq->users.prev) /* nobody else hears of it */
            irq_move(p->irq, READ_ONCE(vcpu->unit.cpu));
        spin_unlock(&p->irq->irq_lock);
    }
    spin_unlock(&d->pirq->pirq_lock);
}

/* --- mapping; pirq_lock is held --- */

/* A free number: lines from below, messages from above. */
static int64_t find_free(const struct pirq_domain *pd, bool for_msi)
{
    for (uint32_t i = 0; i < pd->nr; i++) {
        uint32_t n = for_msi ? pd->nr - 1 - i : i;

        if (!pd->pirq[n] && (for_msi || n >= ISA_LINES))
            return n;
    }
    return -ENOSPC;
}

/* Number *n, or a free one if it is negative, for `irq` (NULL: only reserved), line `gsi` or a message. */
static int enter(struct domain *d, struct irq *irq, int64_t gsi, int *n)
{
    struct pirq_domain *pd = d->pirq;
    int64_t number = *n >= 0 ? *n : find_free(pd, gsi < 0);
    struct pirq *p;

    if (number < 0)
        return (int)number;
    if (number >= pd->nr)
        return -EINVAL;
    p = pd->pirq[index_nospec((uint64_t)number, pd->nr)];
    if (p && p->irq)
        return -EEXIST;
    if (!p)
        p = heap_alloc(sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->d = d;
    p->number = (uint32_t)number;
    p->irq = irq;
    p->gsi = gsi;
    pd->pirq[number] = p;
    *n = (int)number;
    return 0;
}

static int map_gsi_locked(struct domain *d, uint32_t gsi, int *n)
{
    struct irq *irq = gsi_irq(gsi);
    struct pirq *p;

    for (uint32_t i = 0; i < d->pirq->nr; i++) {
        p = d->pirq->pirq[i];
        if (p && p->irq == irq && (*n < 0 || *n == (int)i)) {
            *n = (int)i;
            return 0;
        }
    }
    if (*n < 0 && gsi < d->pirq->nr && !d->pirq->pirq[gsi])
        *n = (int)gsi;
    return enter(d, irq, gsi, n);
}

int pirq_map_gsi(struct domain *d, uint32_t gsi, int *n)
{
    int ret;

    if (!gsi_irq(gsi))
        return -EINVAL;
    if (!rights_has(d, RIGHT_IRQS, gsi, gsi))
        return -EPERM;
    spin_lock(&d->pirq->pirq_lock);
    ret = map_gsi_locked(d, gsi, n);
    spin_unlock(&d->pirq->pirq_lock);
    return ret;
}

int pirq_map_msi(struct domain *d, const struct msi_request *request, int *n)
{
    struct irq *irq;
    int ret = msi_create(request, &irq);

    if (ret)
        return ret;
    spin_lock(&d->pirq->pirq_lock);
    ret = enter(d, irq, -1, n);
    spin_unlock(&d->pirq->pirq_lock);
    if (ret)
        msi_destroy(irq);
    return ret;
}

int pirq_unmap(struct domain *d, uint32_t n)
{
    struct pirq *p;

    spin_lock(&d->pirq->pirq_lock);
    p = find(d, n);
    if (p) {
        detach(p);
        d->pirq->pirq[n] = NULL;
    }
    spin_unlock(&d->pirq->pirq_lock);
    if (!p)
        return -EINVAL;
    if (p->irq && p->gsi < 0)
        msi_destroy(p->irq);
    heap_free(p);
    return 0;
}

int pirq_reserve(struct domain *d, bool for_msi, uint32_t *pirq)
{
    int ret, n = -1;

    spin_lock(&d->pirq->pirq_lock);
    ret = enter(d, NULL, for_msi ? -1 : 0, &n);
    spin_unlock(&d->pirq->pirq_lock);
    *pirq = (uint32_t)n;
    return ret;
}

/* --- life --- */

static int pirq_create(struct domain *d, const struct domain_config *c)
{
    struct pirq_domain *pd = heap_alloc(sizeof(*pd));

    if (!pd)
        return -ENOMEM;
    spin_init(&pd->pirq_lock, LOCK_PIRQ);
    d->pirq = pd;
    pd->nr = c->privileged ? gsi_count() + PIRQS_FOR_MSI : PIRQS_PLAIN;
    pd->pirq = heap_alloc_array(pd->nr, sizeof(struct pirq *));
    return pd->pirq ? 0 : -ENOMEM;
}

static int pirq_relinquish(struct domain *d)
{
    struct pirq_domain *pd = d->pirq;

    for (uint32_t n = 0; n < pd->nr; n++)
        if (pd->pirq[n])
            (void)pirq_unmap(d, n);
    if (pd->eoi_page)
        d->ops->put_writable_frame(pd->eoi_page);
    pd->eoi_page = NULL;
    return 0;
}

static void pirq_destroy(struct domain *d)
{
    if (d->pirq)
        heap_free(d->pirq->pirq);
    heap_free(d->pirq);
    d->pirq = NULL;
}

const struct domain_module pirq_module = {
    .name = "pirq",
    .create = pirq_create,
    .relinquish = pirq_relinquish,
    .destroy = pirq_destroy,
};
