/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside evtchn/: a port, the ports of a domain, and what the two ABIs do
 * differently.
 *
 * Locks: [e] evtchn_domain.lock; [a] atomic; [c] constant once set.
 * Both ends of a connection change only under both domains' locks. So whoever
 * holds the lock of one end may also use the other: it stays bound, its domain
 * stays alive, and a signal to it needs no second lock.
 */
#ifndef EVTCHN_PORT_H
#define EVTCHN_PORT_H

#include "evtchn/evtchn.h"
#include "x86/nospec.h"

enum port_state {
    PORT_FREE,
    PORT_RESERVED, /* port 0: means "none" everywhere */
    PORT_UNBOUND,  /* remote_id may bind to it */
    PORT_INTERDOMAIN,
    PORT_VIRQ,
    PORT_IPI,
    PORT_PIRQ,
    PORT_HV, /* the other end is the hypervisor */
};

struct port {
    uint8_t state;       /* [e] enum port_state */
    uint8_t priority;    /* [a] FIFO: 0 highest .. 15 */
    uint16_t vcpu;       /* [a] who is told */
    uint16_t last_queue; /* [a] FIFO: vcpu * 16 + priority of the queue that it was on last */
    bool early;          /* [a] FIFO: raised before its event word had memory */
    union {              /* [e] */
        domid_t remote_id;
        struct {
            struct domain *d;
            uint32_t port;
        } remote;
        uint32_t virq;
        uint32_t pirq;
        void (*notify)(struct domain *d, uint32_t port);
    };
};

#define PORTS_PER_CHUNK 128
#define PORT_CHUNKS     (EVTCHN_FIFO_NR_CHANNELS / PORTS_PER_CHUNK)

/* How the guest is told. Ports are valid; any context with one of the locks above. */
struct port_ops {
    uint32_t nr_ports;
    void (*set_pending)(struct domain *d, struct port *p, uint32_t port);
    void (*clear_pending)(struct domain *d, struct port *p, uint32_t port);
    void (*unmask)(struct domain *d, struct port *p, uint32_t port);
    bool (*is_pending)(struct domain *d, uint32_t port);
};
extern const struct port_ops port_ops_2l, port_ops_fifo;

struct fifo;

struct evtchn_domain {
    spinlock_t lock;
    uint32_t max_port;               /* [c] */
    uint32_t nr_ports;               /* [e] ports in the chunks that exist */
    uint32_t maybe_free;             /* [e] no free port below */
    uint32_t in_use;                 /* [e] ports neither free nor reserved */
    uint32_t close_next;             /* [e] where an interrupted reset goes on */
    const struct port_ops *ops;      /* [e] to change; back to two levels only while no port is in use */
    struct fifo *fifo;               /* [e] to change, likewise; NULL: two-level */
    struct port *chunk[PORT_CHUNKS]; /* [c] */
};

/* NULL: no such port. */
static inline struct port *port_of(const struct evtchn_domain *e, uint32_t port)
{
    uint32_t nr = READ_ONCE(e->nr_ports);

    if (port >= nr)
        return NULL;
    port = (uint32_t)index_nospec(port, nr);
    return &e->chunk[port / PORTS_PER_CHUNK][port % PORTS_PER_CHUNK];
}

/* For pirq.c: a new port for `pirq` (-ENOSPC, -ENOMEM, -EINVAL: dying); its interrupt has come. */
int evtchn_take_pirq_port(struct domain *d, uint32_t pirq, uint32_t *port);
void evtchn_raise_pirq(struct domain *d, uint32_t port);
/* Free it if it still is such a port: its pirq, or -EINVAL. */
int64_t evtchn_free_pirq_port(struct domain *d, uint32_t port);

/* Give back all memory of the FIFO ABI. Nobody uses it any more. */
void fifo_destroy(struct domain *d, struct fifo *f);

#endif
