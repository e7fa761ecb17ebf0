/* SPDX-License-Identifier: GPL-2.0-or-later */
/* event_channel_op: copies the argument in, calls evtchn/, copies the answer out. */
#include "hypercall/hypercall.h"

#include "abi/errno.h"
#include "evtchn/pirq.h"
#include "lib/string.h"
#include "x86/nospec.h"
#include "x86/uaccess.h"

typedef union {
    struct evtchn_alloc_unbound alloc_unbound;
    struct evtchn_bind_interdomain bind_interdomain;
    struct evtchn_bind_virq bind_virq;
    struct evtchn_bind_pirq bind_pirq;
    struct evtchn_bind_ipi bind_ipi;
    struct evtchn_close close;
    struct evtchn_send send;
    struct evtchn_status status;
    struct evtchn_bind_vcpu bind_vcpu;
    struct evtchn_unmask unmask;
    struct evtchn_reset reset;
    struct evtchn_init_control init_control;
    struct evtchn_expand_array expand_array;
    struct evtchn_set_priority set_priority;
} event_arg_t;

static int op_alloc_unbound(struct domain *caller, event_arg_t *u)
{
    int error = 0;
    struct domain *d = domain_get_for_caller(u->alloc_unbound.dom, &error);

    if (d == NULL)
        return error;
    error = evtchn_alloc_unbound(d, u->alloc_unbound.remote_dom, &u->alloc_unbound.port);
    domain_put(d);
    return error;
}

static int op_bind_interdomain(struct domain *caller, event_arg_t *u)
{
    struct evtchn_bind_interdomain *b = &u->bind_interdomain;

    return evtchn_bind_interdomain(caller, b->remote_dom, b->remote_port, &b->local_port);
}

static int op_bind_virq(struct domain *caller, event_arg_t *u)
{
    return evtchn_bind_virq(caller, u->bind_virq.virq, u->bind_virq.vcpu, &u->bind_virq.port);
}

static int op_bind_pirq(struct domain *caller, event_arg_t *u)
{
    return pirq_bind(caller, u->bind_pirq.pirq, u->bind_pirq.flags & BIND_PIRQ__WILL_SHARE, &u->bind_pirq.port);
}

static int op_bind_ipi(struct domain *caller, event_arg_t *u)
{
    return evtchn_bind_ipi(caller, u->bind_ipi.vcpu, &u->bind_ipi.port);
}

static int op_close(struct domain *caller, event_arg_t *u)
{
    return evtchn_close(caller, u->close.port);
}

static int op_send(struct domain *caller, event_arg_t *u)
{
    return evtchn_send(caller, u->send.port);
}

static int op_status(struct domain *caller, event_arg_t *u)
{
    int error = 0;
    struct domain *d = domain_get_for_caller(u->status.dom, &error);

    if (d == NULL)
        return error;
    error = evtchn_status(d, &u->status);
    domain_put(d);
    return error;
}

static int op_bind_vcpu(struct domain *caller, event_arg_t *u)
{
    return evtchn_bind_vcpu(caller, u->bind_vcpu.port, u->bind_vcpu.vcpu);
}

static int op_unmask(struct domain *caller, event_arg_t *u)
{
    return evtchn_unmask(caller, u->unmask.port);
}

static int op_reset(struct domain *caller, event_arg_t *u)
{
    int error = 0;
    struct domain *d = domain_get_for_caller(u->reset.dom, &error);

    if (d == NULL)
        return error;
    error = evtchn_reset(d, d == caller);
    domain_put(d);
    return error;
}

/* To go on with a reset that was interrupted; ours need no operation of their own for that. */
static int op_reset_cont(struct domain *caller, event_arg_t *u)
{
    int error = 0;
    struct domain *d = domain_get_for_caller(u->reset.dom, &error);

    if (d == NULL)
        return error;
    domain_put(d);
    return -EBUSY;
}

static int op_init_control(struct domain *caller, event_arg_t *u)
{
    return evtchn_init_control(caller, &u->init_control);
}

static int op_expand_array(struct domain *caller, event_arg_t *u)
{
    return evtchn_expand_array(caller, &u->expand_array);
}

static int op_set_priority(struct domain *caller, event_arg_t *u)
{
    return evtchn_set_priority(caller, u->set_priority.port, u->set_priority.priority);
}

static const struct event_row {
    int (*fn)(struct domain *caller, event_arg_t *u);
    uint8_t size;
    bool answers; /* the argument is copied back on success */
} event_table[] = {
    [EVTCHNOP_bind_interdomain] = {op_bind_interdomain, sizeof(struct evtchn_bind_interdomain), true},
    [EVTCHNOP_bind_virq] = {op_bind_virq, sizeof(struct evtchn_bind_virq), true},
    [EVTCHNOP_bind_pirq] = {op_bind_pirq, sizeof(struct evtchn_bind_pirq), true},
    [EVTCHNOP_close] = {op_close, sizeof(struct evtchn_close), false},
    [EVTCHNOP_send] = {op_send, sizeof(struct evtchn_send), false},
    [EVTCHNOP_status] = {op_status, sizeof(struct evtchn_status), true},
    [EVTCHNOP_alloc_unbound] = {op_alloc_unbound, sizeof(struct evtchn_alloc_unbound), true},
    [EVTCHNOP_bind_ipi] = {op_bind_ipi, sizeof(struct evtchn_bind_ipi), true},
    [EVTCHNOP_bind_vcpu] = {op_bind_vcpu, sizeof(struct evtchn_bind_vcpu), false},
    [EVTCHNOP_unmask] = {op_unmask, sizeof(struct evtchn_unmask), false},
    [EVTCHNOP_reset] = {op_reset, sizeof(struct evtchn_reset), false},
    [EVTCHNOP_init_control] = {op_init_control, sizeof(struct evtchn_init_control), true},
    [EVTCHNOP_expand_array] = {op_expand_array, sizeof(struct evtchn_expand_array), false},
    [EVTCHNOP_set_priority] = {op_set_priority, sizeof(struct evtchn_set_priority), false},
    [EVTCHNOP_reset_cont] = {op_reset_cont, sizeof(struct evtchn_reset), false},
};

static int64_t perform(uint32_t op, uint64_t arg)
{
    const struct event_row *row;
    event_arg_t u;
    int result;

    if (op >= ARRAY_SIZE(event_table) || event_table[op].fn == NULL)
        return -ENOSYS;
    row = &event_table[index_nospec(op, ARRAY_SIZE(event_table))];
    memset(&u, 0, sizeof(u));
    if (guest_copy_from(&u, arg, row->size) != 0)
        return -EFAULT;
    result = row->fn(current_domain(), &u);
    /* Nothing is undone when the answer cannot be written: the port is bound, and the guest's to find. */
    if (result == 0 && row->answers && guest_copy_to(arg, &u, row->size) != 0)
        return -EFAULT;
    return result;
}

int64_t do_event_channel_op(struct hypercall_args *args)
{
    return perform((uint32_t)args->a[0], args->a[1]);
}

/* The form of 2005: command and argument in one structure, for the operations of that time. */
int64_t do_event_channel_op_compat(struct hypercall_args *args)
{
    uint32_t op;

    if (guest_copy_from(&op, args->a[0], sizeof(op)) != 0)
        return -EFAULT;
    if (op > EVTCHNOP_unmask)
        return -ENOSYS;
    return perform(op, args->a[0] + offsetof(struct evtchn_op, u));
}
