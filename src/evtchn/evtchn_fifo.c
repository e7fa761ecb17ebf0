/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FIFO ABI: for each port a word (pending, masked, linked, and the number
 * of the next port of its queue), for each vCPU and priority a queue of ports
 * that are pending.
 *
 * A queue is a list through the words. The guest takes from its head: it clears
 * LINKED and the link of the first word in one step, and goes on with the link
 * it found; if that was 0 it begins at control_block.head the next time. We add
 * at the tail, which only we know: if the tail's word is still linked, our port
 * becomes its link; if not, the guest has taken it and all before, the queue is
 * empty, and our port becomes the head.
 *
 * The words and control blocks are in frames of the guest, which may change
 * them at any time. So: we follow no link that we read; each compare-and-swap
 * is tried a bounded number of times; tails are ours and always valid ports. A
 * guest that spoils a queue loses events, nothing else.
 */
#include "abi/errno.h"
#include "evtchn/port.h"
#include "mem/heap.h"

#define PENDING  BIT32(EVTCHN_FIFO_PENDING)
#define MASKED   BIT32(EVTCHN_FIFO_MASKED)
#define LINKED   BIT32(EVTCHN_FIFO_LINKED)
#define LINK     ((event_word_t)EVTCHN_FIFO_LINK_MASK)
#define BIT32(n) (1u << (n))

#define WORDS_PER_PAGE (PAGE_SIZE / sizeof(event_word_t))
#define ARRAY_PAGES    (EVTCHN_FIFO_NR_CHANNELS / WORDS_PER_PAGE)
#define PRIORITIES     EVTCHN_FIFO_MAX_QUEUES
#define LINK_TRIES     100

struct fifo_queue {
    spinlock_t lock;
    uint32_t tail; /* guarded by lock; 0: none */
};

struct fifo_vcpu {
    struct frame *frame;                       /* [e] */
    struct evtchn_fifo_control_block *control; /* [a] NULL: not registered */
    struct fifo_queue queue[PRIORITIES];
};

struct fifo {
    uint32_t pages;                   /* [a] of the event array */
    event_word_t *words[ARRAY_PAGES]; /* [c] */
    struct frame *frame[ARRAY_PAGES]; /* [e] */
    uint32_t nr_vcpus;                /* [c] */
    struct fifo_vcpu vcpu[];
};

static event_word_t *word_of(const struct fifo *f, uint32_t port)
{
    return port / WORDS_PER_PAGE < atomic_load(&f->pages)
               ? &f->words[port / WORDS_PER_PAGE][port % WORDS_PER_PAGE]
               : NULL;
}

/* Make `port` the link of the tail's word. False: the guest has taken that one (or will not let us). */
static bool link_behind(event_word_t *tail, uint32_t port)
{
    event_word_t w = atomic_load(tail);

    for (unsigned int i = 0; i < LINK_TRIES && (w & LINKED); i++)
        if (atomic_cas(tail, &w, (w & ~LINK) | port))
            return true;
    return false;
}

/* If `port` is what a queue remembers as its tail, forget it: it is about to go into another. */
static void detach(struct fifo *f, uint16_t queue, uint32_t port)
{
    struct fifo_queue *q = &f->vcpu[queue / PRIORITIES].queue[queue % PRIORITIES];

    spin_lock(&q->lock);
    if (q->tail == port)
        q->tail = 0;
    spin_unlock(&q->lock);
}

/* Put a port that is pending on the queue of its vCPU and priority, unless it is on one. */
static void enqueue(struct domain *d, struct fifo *f, struct port *p, uint32_t port, event_word_t *word)
{
    uint16_t vcpu = READ_ONCE(p->vcpu), last = READ_ONCE(p->last_queue);
    uint8_t priority = READ_ONCE(p->priority);
    uint16_t queue = (uint16_t)(vcpu * PRIORITIES + priority);
    struct evtchn_fifo_control_block *control = atomic_load(&f->vcpu[vcpu].control);
    struct fifo_queue *q = &f->vcpu[vcpu].queue[priority];
    bool behind = false;

    if (!control)
        return;
    if (last != queue)
        detach(f, last, port);

    spin_lock(&q->lock);
    if (atomic_or(word, LINKED) & LINKED) { /* another sender was first */
        spin_unlock(&q->lock);
        return;
    }
    atomic_store(&p->last_queue, queue);
    /* It is not linked any more, so if it is the tail the queue is empty. */
    if (q->tail && q->tail != port)
        behind = link_behind(word_of(f, q->tail), port);
    if (!behind)
        atomic_store(&control->head[priority], port);
    q->tail = port;
    spin_unlock(&q->lock);

    if (!behind && !(atomic_or(&control->ready, BIT32(priority)) & BIT32(priority)))
        vcpu_mark_event(d->vcpu[vcpu]);
}

static void set_pending_fifo(struct domain *d, struct port *p, uint32_t port)
{
    struct fifo *f = d->evtchn->fifo;
    event_word_t *word = word_of(f, port);

    if (!word) {
        atomic_store(&p->early, true);
        /* evtchn_expand_array() looks at `early` after it has added the page: one of us sees the other. */
        word = word_of(f, port);
        if (!word || !atomic_xchg(&p->early, false))
            return;
    }
    /* A guest that takes the word off its queue, or unmasks it, after this sees PENDING. */
    if (!(atomic_or(word, PENDING) & (MASKED | LINKED)))
        enqueue(d, f, p, port, word);
    domain_wake_pollers(d, port);
}

static void clear_pending_fifo(struct domain *d, struct port *p, uint32_t port)
{
    event_word_t *word = word_of(d->evtchn->fifo, port);

    atomic_store(&p->early, false);
    if (word)
        atomic_and(word, ~PENDING);
}

static void unmask_fifo(struct domain *d, struct port *p, uint32_t port)
{
    event_word_t *word = word_of(d->evtchn->fifo, port);

    if (word && (atomic_and(word, ~MASKED) & PENDING))
        set_pending_fifo(d, p, port);
}

static bool is_pending_fifo(struct domain *d, uint32_t port)
{
    event_word_t *word = word_of(d->evtchn->fifo, port);

    return word && (atomic_load(word) & PENDING);
}

const struct port_ops port_ops_fifo = {
    .nr_ports = EVTCHN_FIFO_NR_CHANNELS,
    .set_pending = set_pending_fifo,
    .clear_pending = clear_pending_fifo,
    .unmask = unmask_fifo,
    .is_pending = is_pending_fifo,
};

/* --- set-up --- */

static struct fifo *fifo_create(const struct domain *d)
{
    struct fifo *f = heap_alloc(sizeof(*f) + d->max_vcpus * sizeof(f->vcpu[0]));

    if (!f)
        return NULL;
    f->nr_vcpus = d->max_vcpus;
    for (uint32_t i = 0; i < f->nr_vcpus; i++)
        for (unsigned int n = 0; n < PRIORITIES; n++)
            spin_init(&f->vcpu[i].queue[n].lock, LOCK_EVTCHN_FIFO);
    return f;
}

void fifo_destroy(struct domain *d, struct fifo *f)
{
    if (!f)
        return;
    for (uint32_t i = 0; i < f->pages; i++)
        d->ops->put_writable_frame(f->frame[i]);
    for (uint32_t i = 0; i < f->nr_vcpus; i++)
        if (f->vcpu[i].frame)
            d->ops->put_writable_frame(f->vcpu[i].frame);
    heap_free(f);
}

/* The domain's first control block makes it a FIFO domain; what was pending is lost, as documented. */
static int set_control(struct domain *d, uint32_t vcpu, struct frame *frame, uint32_t offset)
{
    struct evtchn_domain *e = d->evtchn;
    struct fifo_vcpu *fv;

    if (!e->fifo) {
        e->fifo = fifo_create(d);
        if (!e->fifo)
            return -ENOMEM;
        atomic_store(&e->ops, &port_ops_fifo); /* senders who have no lock of ours see the memory, too */
    }
    fv = &e->fifo->vcpu[vcpu];
    if (fv->frame)
        return -EINVAL;
    fv->frame = frame;
    atomic_store(&fv->control, (struct evtchn_fifo_control_block *)((char *)frame_to_ptr(frame) + offset));
    return 0;
}

int evtchn_init_control(struct domain *d, struct evtchn_init_control *c)
{
    struct frame *frame;
    int ret;

    if (c->vcpu >= d->max_vcpus || !d->vcpu[c->vcpu])
        return -ENOENT;
    if (c->offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block) || (c->offset & 7))
        return -EINVAL;
    if (d->ops->get_writable_frame(d, gfn(c->control_gfn), &frame))
        return -EINVAL;
    spin_lock(&d->evtchn->lock);
    ret = set_control(d, c->vcpu, frame, c->offset);
    spin_unlock(&d->evtchn->lock);
    if (ret)
        d->ops->put_writable_frame(frame);
    c->link_bits = EVTCHN_FIFO_LINK_BITS;
    return ret;
}

/* Raise what came for the ports of page `page` before it was there. */
static void raise_early(struct domain *d, uint32_t page)
{
    uint32_t first = page * (uint32_t)WORDS_PER_PAGE;

    for (uint32_t port = first; port < first + WORDS_PER_PAGE; port++) {
        struct port *p = port_of(d->evtchn, port);

        if (!p)
            return;
        if (atomic_xchg(&p->early, false))
            set_pending_fifo(d, p, port);
    }
}

int evtchn_expand_array(struct domain *d, const struct evtchn_expand_array *a)
{
    struct frame *frame;
    struct fifo *f;
    int ret = 0;

    if (!READ_ONCE(d->evtchn->fifo))
        return -EOPNOTSUPP;
    if (d->ops->get_writable_frame(d, gfn(a->array_gfn), &frame))
        return -EINVAL;
    spin_lock(&d->evtchn->lock);
    f = d->evtchn->fifo;
    if (!f) {
        ret = -EOPNOTSUPP;
    } else if (f->pages == ARRAY_PAGES) {
        ret = -ENOSPC;
    } else {
        uint32_t page = f->pages;

        f->frame[page] = frame;
        f->words[page] = frame_to_ptr(frame);
        atomic_store(&f->pages, page + 1);
        raise_early(d, page);
    }
    spin_unlock(&d->evtchn->lock);
    if (ret)
        d->ops->put_writable_frame(frame);
    return ret;
}

static int priority_error(const struct evtchn_domain *e, const struct port *p, uint32_t priority)
{
    if (!p)
        return -EINVAL;
    if (!e->fifo)
        return -ENOSYS;
    if (p->state == PORT_FREE || p->state == PORT_RESERVED)
        return -EACCES;
    return priority > EVTCHN_FIFO_PRIORITY_MIN ? -EINVAL : 0;
}

int evtchn_set_priority(struct domain *d, uint32_t port, uint32_t priority)
{
    struct evtchn_domain *e = d->evtchn;
    struct port *p;
    int ret;

    spin_lock(&e->lock);
    p = port_of(e, port);
    ret = priority_error(e, p, priority);
    if (!ret)
        atomic_store(&p->priority, (uint8_t)priority);
    spin_unlock(&e->lock);
    return ret;
}
