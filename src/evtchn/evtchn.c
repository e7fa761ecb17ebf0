/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels: the states of a port and the operations on them.
 *
 * A port is one end of a connection of one bit: to a port of another domain
 * (or the same), to a virtual or a physical interrupt, to another vCPU of the domain, or to
 * the hypervisor. How the guest learns of a set bit is the business of the two
 * ABIs (port.h). The lock rule stands there, too.
 */
#include "evtchn/evtchn.h"

#include "abi/errno.h"
#include "core/softirq.h"
#include "evtchn/pirq.h"
#include "evtchn/port.h"
#include "mem/heap.h"
#include "x86/nospec.h"

#define CLOSE_BATCH 64 /* ports closed between two looks whether something else waits */

/* The virtual interrupts that each vCPU has of its own (public xen.h). */
static bool virq_is_global(uint32_t virq)
{
    return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF && virq != VIRQ_XENPMU;
}

/* Where it is noted which port a virtual interrupt has. */
static uint32_t *virq_port(struct domain *d, uint32_t virq, uint32_t vcpu)
{
    struct vcpu *v = d->vcpu[virq_is_global(virq) ? 0 : index_nospec(vcpu, d->max_vcpus)];

    return &v->virq_to_evtchn[index_nospec(virq, NR_VIRQS)];
}

static bool vcpu_exists(const struct domain *d, uint32_t vcpu)
{
    return vcpu < d->max_vcpus && d->vcpu[index_nospec(vcpu, d->max_vcpus)];
}

/* Raise `port` of `d`; the caller holds the lock of `d` or of what is bound to it. */
static void raise_port(struct domain *d, uint32_t port)
{
    struct evtchn_domain *e = d->evtchn;

    atomic_load(&e->ops)->set_pending(d, port_of(e, port), port);
}

/* --- allocation --- */

static int grow(struct evtchn_domain *e)
{
    struct port *chunk = heap_alloc_array(PORTS_PER_CHUNK, sizeof(*chunk));

    if (!chunk)
        return -ENOMEM;
    e->chunk[e->nr_ports / PORTS_PER_CHUNK] = chunk;
    atomic_store(&e->nr_ports, e->nr_ports + PORTS_PER_CHUNK);
    return 0;
}

/* A free port, to be made something by the caller; its number or -ENOSPC, -ENOMEM. */
static int64_t find_free(struct evtchn_domain *e)
{
    uint32_t last = MIN(e->max_port, e->ops->nr_ports - 1);

    for (uint32_t port = e->maybe_free; port <= last; port++) {
        if (port >= e->nr_ports) {
            int ret = grow(e);

            if (ret)
                return ret;
        }
        if (port_of(e, port)->state == PORT_FREE) {
            e->maybe_free = port;
            return port;
        }
    }
    return -ENOSPC;
}

static struct port *take(struct domain *d, uint32_t port, enum port_state state, uint32_t vcpu)
{
    struct port *p = port_of(d->evtchn, port);

    p->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
    p->vcpu = (uint16_t)vcpu;
    p->state = (uint8_t)state;
    d->evtchn->ops->clear_pending(d, p, port);
    d->evtchn->maybe_free = port + 1;
    d->evtchn->in_use++;
    return p;
}

/* Find and take in one. The caller holds the lock. */
static int take_free(struct domain *d, enum port_state state, uint32_t vcpu, uint32_t *port, struct port **p)
{
    int64_t found = atomic_load(&d->dying) == DOMAIN_DYING ? -EINVAL : find_free(d->evtchn);

    if (found < 0)
        return (int)found;
    *port = (uint32_t)found;
    *p = take(d, *port, state, vcpu);
    return 0;
}

int evtchn_alloc_unbound(struct domain *d, domid_t remote, uint32_t *port)
{
    struct port *p = NULL;
    int ret;

    if (remote == DOMID_SELF)
        remote = current_vcpu() ? current_domain()->id : d->id;
    spin_lock(&d->evtchn->lock);
    ret = take_free(d, PORT_UNBOUND, 0, port, &p);
    if (!ret)
        p->remote_id = remote;
    spin_unlock(&d->evtchn->lock);
    return ret;
}

int evtchn_alloc_hv_port(struct domain *d, void (*notify)(struct domain *d, uint32_t port), uint32_t *port)
{
    struct port *p = NULL;
    int ret;

    spin_lock(&d->evtchn->lock);
    ret = take_free(d, PORT_HV, 0, port, &p);
    if (!ret)
        p->notify = notify;
    spin_unlock(&d->evtchn->lock);
    return ret;
}

/* --- binding --- */

static int connect(struct domain *d, struct domain *rd, uint32_t remote_port, uint32_t *port)
{
    int64_t found = find_free(d->evtchn);
    struct port *rp = port_of(rd->evtchn, remote_port), *p;

    if (found < 0)
        return (int)found;
    if (!rp || rp->state != PORT_UNBOUND || rp->remote_id != d->id || atomic_load(&d->dying) == DOMAIN_DYING)
        return -EINVAL;
    *port = (uint32_t)found;
    p = take(d, *port, PORT_INTERDOMAIN, 0);
    p->remote.d = rd;
    p->remote.port = remote_port;
    rp->remote.d = d;
    rp->remote.port = *port;
    rp->state = PORT_INTERDOMAIN;
    /* The other side may have sent before anybody was there to hear it. */
    raise_port(d, *port);
    return 0;
}

int evtchn_bind_interdomain(struct domain *d, domid_t remote, uint32_t remote_port, uint32_t *port)
{
    struct domain *rd = domain_get(remote == DOMID_SELF ? d->id : remote);
    int ret;

    if (!rd)
        return -ESRCH;
    spin_lock_two(&d->evtchn->lock, &rd->evtchn->lock);
    ret = connect(d, rd, remote_port, port);
    spin_unlock_two(&d->evtchn->lock, &rd->evtchn->lock);
    domain_put(rd);
    return ret;
}

int evtchn_bind_virq(struct domain *d, uint32_t virq, uint32_t vcpu, uint32_t *port)
{
    struct port *p = NULL;
    int ret;

    if (virq >= NR_VIRQS || (virq_is_global(virq) && vcpu != 0))
        return -EINVAL;
    if (!vcpu_exists(d, vcpu))
        return -ENOENT;
    spin_lock(&d->evtchn->lock);
    ret = *virq_port(d, virq, vcpu) ? -EEXIST : take_free(d, PORT_VIRQ, vcpu, port, &p);
    if (!ret) {
        p->virq = virq;
        atomic_store(virq_port(d, virq, vcpu), *port);
    }
    spin_unlock(&d->evtchn->lock);
    return ret;
}

int evtchn_bind_ipi(struct domain *d, uint32_t vcpu, uint32_t *port)
{
    struct port *p = NULL;
    int ret;

    if (!vcpu_exists(d, vcpu))
        return -ENOENT;
    spin_lock(&d->evtchn->lock);
    ret = take_free(d, PORT_IPI, vcpu, port, &p);
    spin_unlock(&d->evtchn->lock);
    return ret;
}

int evtchn_take_pirq_port(struct domain *d, uint32_t pirq, uint32_t *port)
{
    struct port *p = NULL;
    int ret;

    spin_lock(&d->evtchn->lock);
    ret = take_free(d, PORT_PIRQ, 0, port, &p);
    if (!ret)
        p->pirq = pirq;
    spin_unlock(&d->evtchn->lock);
    return ret;
}

int evtchn_bind_vcpu(struct domain *d, uint32_t port, uint32_t vcpu)
{
    int64_t pirq = -1;
    struct port *p;
    int ret = 0;

    if (!vcpu_exists(d, vcpu))
        return -ENOENT;
    spin_lock(&d->evtchn->lock);
    p = port_of(d->evtchn, port);
    if (p && (p->state == PORT_UNBOUND || p->state == PORT_INTERDOMAIN || p->state == PORT_HV ||
              p->state == PORT_PIRQ || (p->state == PORT_VIRQ && virq_is_global(p->virq))))
        atomic_store(&p->vcpu, (uint16_t)vcpu);
    else
        ret = -EINVAL;
    if (!ret && p->state == PORT_PIRQ)
        pirq = p->pirq;
    spin_unlock(&d->evtchn->lock);
    if (pirq >= 0)
        pirq_follow(d, (uint32_t)pirq, d->vcpu[vcpu]);
    return ret;
}

/* --- closing --- */

/* `p` is bound to `rd`'s port, if at all; both locks are held. */
static void close_locked(struct domain *d, struct port *p, uint32_t port)
{
    struct evtchn_domain *e = d->evtchn;

    if (p->state == PORT_VIRQ)
        atomic_store(virq_port(d, p->virq, p->vcpu), 0);
    if (p->state == PORT_INTERDOMAIN) {
        struct port *rp = port_of(p->remote.d->evtchn, p->remote.port);

        rp->state = PORT_UNBOUND;
        rp->remote_id = d->id;
    }
    e->ops->clear_pending(d, p, port);
    p->state = PORT_FREE;
    e->in_use--;
    e->maybe_free = MIN(e->maybe_free, port);
}

int64_t evtchn_free_pirq_port(struct domain *d, uint32_t port)
{
    int64_t pirq = -EINVAL;
    struct port *p;

    spin_lock(&d->evtchn->lock);
    p = port_of(d->evtchn, port);
    if (p && p->state == PORT_PIRQ) {
        pirq = p->pirq;
        close_locked(d, p, port);
    }
    spin_unlock(&d->evtchn->lock);
    return pirq;
}

int evtchn_close(struct domain *d, uint32_t port)
{
    spinlock_t *lock = &d->evtchn->lock;

    for (;;) {
        struct domain *rd = NULL;
        struct port *p;
        bool done;

        spin_lock(lock);
        p = port_of(d->evtchn, port);
        if (!p || p->state == PORT_FREE || p->state == PORT_RESERVED) {
            spin_unlock(lock);
            return -EINVAL;
        }
        if (p->state == PORT_PIRQ) { /* whose lock comes before this one */
            spin_unlock(lock);
            if (pirq_close(d, port) == 0)
                return 0;
            continue;
        }
        done = p->state != PORT_INTERDOMAIN || p->remote.d == d;
        if (done) {
            close_locked(d, p, port);
        } else {
            rd = p->remote.d;
            domain_hold(rd); /* it is alive while it is bound */
        }
        spin_unlock(lock);
        if (done)
            return 0;

        /* Both locks, in their order; the port may have become anything meanwhile. */
        spin_lock_two(lock, &rd->evtchn->lock);
        done = p->state == PORT_INTERDOMAIN && p->remote.d == rd;
        if (done)
            close_locked(d, p, port);
        spin_unlock_two(lock, &rd->evtchn->lock);
        domain_put(rd);
        if (done)
            return 0;
    }
}

/* Close every port; -ERESTART: go on later. */
static int close_all(struct domain *d)
{
    struct evtchn_domain *e = d->evtchn;

    while (e->close_next < READ_ONCE(e->nr_ports)) {
        (void)evtchn_close(d, e->close_next++);
        if (e->close_next % CLOSE_BATCH == 0 && preempt_pending())
            return -ERESTART;
    }
    e->close_next = 0;
    return 0;
}

/* Back to two levels, if no port is in use (another vCPU may have bound one meanwhile). */
static int leave_fifo(struct domain *d)
{
    struct evtchn_domain *e = d->evtchn;
    struct fifo *f = NULL;
    int ret = -ERESTART;

    spin_lock(&e->lock);
    if (e->in_use == 0) {
        f = e->fifo;
        e->ops = &port_ops_2l;
        e->fifo = NULL;
        ret = 0;
    }
    spin_unlock(&e->lock);
    fifo_destroy(d, f);
    return ret;
}

int evtchn_reset(struct domain *d, bool and_2l)
{
    int ret;

    if ((!current_vcpu() || d != current_domain()) && !atomic_load(&d->pause_count))
        return -EINVAL;
    ret = close_all(d);
    return ret || !and_2l ? ret : leave_fifo(d);
}

/* --- use --- */

int evtchn_send(struct domain *d, uint32_t port)
{
    void (*notify)(struct domain * d, uint32_t port) = NULL;
    struct port *p;
    int ret = 0;

    spin_lock(&d->evtchn->lock);
    p = port_of(d->evtchn, port);
    switch (p ? p->state : PORT_FREE) {
    case PORT_INTERDOMAIN:
        raise_port(p->remote.d, p->remote.port);
        break;
    case PORT_IPI:
        raise_port(d, port);
        break;
    case PORT_UNBOUND: /* nobody listens yet: not an error */
        break;
    case PORT_HV:
        notify = p->notify;
        break;
    default:
        ret = -EINVAL;
    }
    spin_unlock(&d->evtchn->lock);
    if (notify)
        notify(d, port);
    return ret;
}

int evtchn_unmask(struct domain *d, uint32_t port)
{
    struct port *p;

    spin_lock(&d->evtchn->lock);
    p = port_of(d->evtchn, port);
    if (p && p->state > PORT_RESERVED)
        d->evtchn->ops->unmask(d, p, port);
    spin_unlock(&d->evtchn->lock);
    return p ? 0 : -EINVAL;
}

int evtchn_is_pending(struct domain *d, uint32_t port)
{
    struct port *p;
    int ret;

    spin_lock(&d->evtchn->lock);
    p = port_of(d->evtchn, port);
    ret = p && p->state > PORT_RESERVED ? d->evtchn->ops->is_pending(d, port) : -EINVAL;
    spin_unlock(&d->evtchn->lock);
    return ret;
}

int evtchn_status(struct domain *d, struct evtchn_status *s)
{
    struct port *p;

    spin_lock(&d->evtchn->lock);
    p = port_of(d->evtchn, s->port);
    s->status = EVTCHNSTAT_closed;
    s->vcpu = p ? p->vcpu : 0;
    switch (p ? p->state : PORT_FREE) {
    case PORT_UNBOUND:
        s->status = EVTCHNSTAT_unbound;
        s->u.unbound.dom = p->remote_id;
        break;
    case PORT_INTERDOMAIN:
        s->status = EVTCHNSTAT_interdomain;
        s->u.interdomain.dom = p->remote.d->id;
        s->u.interdomain.port = p->remote.port;
        break;
    case PORT_HV:
        s->status = EVTCHNSTAT_interdomain;
        s->u.interdomain.dom = DOMID_XEN;
        s->u.interdomain.port = 0;
        break;
    case PORT_VIRQ:
        s->status = EVTCHNSTAT_virq;
        s->u.virq = p->virq;
        break;
    case PORT_PIRQ:
        s->status = EVTCHNSTAT_pirq;
        s->u.pirq = p->pirq;
        break;
    case PORT_IPI:
        s->status = EVTCHNSTAT_ipi;
        break;
    }
    spin_unlock(&d->evtchn->lock);
    return p ? 0 : -EINVAL;
}

void evtchn_send_virq(struct vcpu *v, uint32_t virq)
{
    struct domain *d = v->domain;
    uint32_t port;

    if (!atomic_load(&v->virq_to_evtchn[virq]))
        return;
    spin_lock(&d->evtchn->lock);
    port = v->virq_to_evtchn[virq];
    if (port)
        raise_port(d, port);
    spin_unlock(&d->evtchn->lock);
}

void evtchn_send_global_virq(struct domain *d, uint32_t virq)
{
    if (d->vcpu[0])
        evtchn_send_virq(d->vcpu[0], virq);
}

void evtchn_raise_pirq(struct domain *d, uint32_t port)
{
    struct port *p;

    spin_lock(&d->evtchn->lock);
    p = port_of(d->evtchn, port);
    if (p && p->state == PORT_PIRQ)
        raise_port(d, port);
    spin_unlock(&d->evtchn->lock);
}

void evtchn_notify_hv_port(struct domain *d, uint32_t port)
{
    struct port *p;

    spin_lock(&d->evtchn->lock);
    p = port_of(d->evtchn, port);
    if (p && p->state == PORT_HV)
        raise_port(d, port);
    spin_unlock(&d->evtchn->lock);
}

/* --- life --- */

static int evtchn_create(struct domain *d, const struct domain_config *c)
{
    struct evtchn_domain *e = heap_alloc(sizeof(*e));

    if (!e)
        return -ENOMEM;
    spin_init(&e->lock, LOCK_EVTCHN);
    e->max_port = c->max_evtchn_port ? c->max_evtchn_port : EVTCHN_FIFO_NR_CHANNELS - 1;
    e->max_port = MIN(e->max_port, (uint32_t)EVTCHN_FIFO_NR_CHANNELS - 1);
    e->ops = &port_ops_2l;
    e->maybe_free = 1;
    d->evtchn = e;
    if (grow(e))
        return -ENOMEM;
    port_of(e, 0)->state = PORT_RESERVED;
    return 0;
}

static int evtchn_relinquish(struct domain *d)
{
    int ret = close_all(d);

    return ret ? ret : leave_fifo(d);
}

static void evtchn_destroy(struct domain *d)
{
    if (!d->evtchn)
        return;
    for (uint32_t i = 0; i < PORT_CHUNKS; i++)
        heap_free(d->evtchn->chunk[i]);
    heap_free(d->evtchn);
    d->evtchn = NULL;
}

const struct domain_module evtchn_module = {
    .name = "evtchn",
    .create = evtchn_create,
    .relinquish = evtchn_relinquish,
    .destroy = evtchn_destroy,
};

/* Who it was for may be gone. */
static void send_port(struct domain *d, uint32_t port)
{
    (void)evtchn_send(d, port);
}

const struct domain_events evtchn_events = {
    .send_virq = evtchn_send_virq,
    .send_global_virq = evtchn_send_global_virq,
    .send_port = send_port,
};
