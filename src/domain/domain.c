/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains from creation to the last reference.
 *
 * Three things end a domain's running, each undone by its own counterpart: a
 * pause (counted), a shutdown (the guest's wish or its crash; resume), and
 * death (final). All of them only make its vCPUs not runnable.
 *
 * Death is a list of steps, each of which may be interrupted and taken up
 * again. The memory of struct domain itself goes with the last reference; as
 * that may be dropped under any lock, a work item does it.
 */
#include "domain/domain.h"

#include "abi/errno.h"
#include "core/log.h"
#include "core/softirq.h"
#include "core/trace.h"
#include "domain/pcpu.h"
#include "domain/vcpu.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mem/heap.h"

static spinlock_t list_lock = SPINLOCK_INIT(LOCK_DOMLIST);
static LIST_HEAD(domains);   /* by id; guarded by list_lock */
static struct domain *by_id[256]; /* the same by the id's low bits, each chained by next_by_id; guarded by list_lock */
static uint32_t next_id = 1; /* guarded by list_lock */

static const struct domain_module *const *modules;
static size_t nr_modules;
static const struct domain_events *events;
static void (*watch_shut_down)(struct domain *d);
static void (*watch_gone)(domid_t id, struct server *s, uint64_t frames);
static bool (*watch_doomed)(struct domain *d);
static domid_t virq_handler[NR_VIRQS]; /* atomic */

void domain_init(const struct domain_module *const *list, size_t n, const struct domain_events *ev)
{
    modules = list;
    nr_modules = n;
    events = ev;
    domain_init_memory();
    sched_init(&vcpu_sched_ops);
    vtimer_init_listeners();
    pcpu_init();
}

void domain_set_watcher(void (*shut_down)(struct domain *d),
                        void (*gone)(domid_t id, struct server *s, uint64_t frames),
                        bool (*doomed)(struct domain *d))
{
    watch_shut_down = shut_down;
    watch_gone = gone;
    watch_doomed = doomed;
}

bool domain_is_doomed_by_owner(struct domain *d)
{
    return watch_doomed && watch_doomed(d);
}

void domain_send_virq(struct vcpu *v, uint32_t virq)
{
    events->send_virq(v, virq);
}

void domain_set_virq_handler(uint32_t virq, const struct domain *d)
{
    atomic_store(&virq_handler[virq], d->id);
}

/* Its number may be another domain's one day. */
static void forget_virq_handler(const struct domain *d)
{
    for (uint32_t virq = 0; virq < NR_VIRQS; virq++) {
        domid_t id = d->id;

        (void)atomic_cas(&virq_handler[virq], &id, (domid_t)0);
    }
}

void domain_tell_handler(uint32_t virq)
{
    struct domain *handler = domain_get(atomic_load(&virq_handler[virq]));

    if (!handler)
        return;
    if (handler->privileged || handler->id != 0)
        events->send_global_virq(handler, virq);
    domain_put(handler);
}

/* --- the list, references --- */

const struct list_head *domain_list_unlocked(void)
{
    return &domains;
}

void domain_hold(struct domain *d)
{
    atomic_add(&d->refs, 1);
}

void domain_put(struct domain *d)
{
    if (atomic_sub(&d->refs, 1) == 0)
        work_queue(&d->destroy_work);
}

static struct domain *find_locked(uint32_t first_id)
{
    struct domain *d;

    list_for_each_entry(d, &domains, link)
        if (d->id >= first_id)
            return d;
    return NULL;
}

struct domain *domain_get(domid_t id)
{
    struct domain *d;

    spin_lock(&list_lock);
    d = by_id[id % ARRAY_SIZE(by_id)];
    while (d && d->id != id)
        d = d->next_by_id;
    if (d && atomic_load(&d->dying) == DOMAIN_DEAD)
        d = NULL;
    if (d)
        domain_hold(d);
    spin_unlock(&list_lock);
    return d;
}

struct domain *domain_next(struct domain *prev)
{
    struct domain *d;

    spin_lock(&list_lock);
    d = find_locked(prev ? prev->id + 1u : 0);
    while (d && atomic_load(&d->dying) == DOMAIN_DEAD)
        d = find_locked(d->id + 1u);
    if (d)
        domain_hold(d);
    spin_unlock(&list_lock);
    if (prev)
        domain_put(prev);
    return d;
}

struct domain *domain_get_for_caller(domid_t id, int *error)
{
    struct domain *caller = current_domain(), *d;

    if (id == DOMID_SELF || id == caller->id) {
        domain_hold(caller);
        return caller;
    }
    d = domain_get(id);
    if (!d) {
        *error = -ESRCH;
    } else if (!caller->privileged) {
        domain_put(d);
        d = NULL;
        *error = -EPERM;
    }
    return d;
}

/* Ids are given out in turn, so that one is not used again at once. */
static int insert(struct domain *d, domid_t wanted)
{
    struct list_head *at;
    int ret = 0;

    spin_lock(&list_lock);
    d->id = wanted;
    for (uint32_t tries = 0; wanted == DOMID_INVALID && tries < DOMID_FIRST_RESERVED; tries++) {
        struct domain *other = find_locked(next_id);

        d->id = (domid_t)next_id;
        next_id = next_id + 1 < DOMID_FIRST_RESERVED ? next_id + 1 : 1;
        if (!other || other->id != d->id)
            break;
    }
    for (at = domains.next; at != &domains; at = at->next)
        if (list_entry(at, struct domain, link)->id >= d->id)
            break;
    if (at != &domains && list_entry(at, struct domain, link)->id == d->id)
        ret = -EEXIST;
    if (ret == 0) {
        list_add_tail(&d->link, at);
        d->next_by_id = by_id[d->id % ARRAY_SIZE(by_id)];
        by_id[d->id % ARRAY_SIZE(by_id)] = d;
    }
    spin_unlock(&list_lock);
    return ret;
}

static void unlist(struct domain *d)
{
    struct domain **at = &by_id[d->id % ARRAY_SIZE(by_id)];

    spin_lock(&list_lock);
    list_del(&d->link);
    while (*at != d)
        at = &(*at)->next_by_id;
    *at = d->next_by_id;
    spin_unlock(&list_lock);
}

/* --- creation and the end --- */

static bool destroy_step(struct work *w)
{
    struct domain *d = container_of(w, struct domain, destroy_work);
    uint64_t frames = d->frames_returned;
    struct server *server = d->server;
    bool created = d->created;
    domid_t id = d->id;

    for (unsigned int i = 0; i < d->max_vcpus; i++)
        if (d->vcpu[i])
            vcpu_destroy(d->vcpu[i]);
    sched_group_remove(&d->sched);
    for (size_t i = nr_modules; i-- > 0;)
        if (modules[i]->destroy)
            modules[i]->destroy(d);
    d->ops->domain_destroy(d);
    heap_free(d);
    if (created && watch_gone)
        watch_gone(id, server, frames);
    return false;
}

static bool shutdown_step(struct work *w)
{
    struct domain *d = container_of(w, struct domain, shutdown_work);
    bool told = false;

    for (unsigned int i = 0; i < d->max_vcpus; i++)
        if (d->vcpu[i] && atomic_load(&d->shutting_down) && vcpu_is_running(d->vcpu[i]))
            return true;
    spin_lock(&d->lock);
    d->shutdown_queued = false;
    if (d->shutting_down && !d->shut_down && atomic_load(&d->dying) == DOMAIN_ALIVE) {
        d->shut_down = true;
        told = true;
    }
    spin_unlock(&d->lock);
    if (told) {
        uint32_t port = atomic_load(&d->shutdown_port);

        domain_tell_handler(VIRQ_DOM_EXC);
        if (port)
            events->send_port(d, port);
        if (watch_shut_down)
            watch_shut_down(d);
    }
    domain_put(d);
    return false;
}

static void set_up(struct domain *d, const struct domain_config *c, const struct guest_ops *ops)
{
    d->ops = ops;
    d->privileged = c->privileged;
    d->max_vcpus = c->max_vcpus;
    d->max_pages = c->max_pages;
    d->refs = 1;
    d->dying = DOMAIN_DEAD;
    d->pause_count = 1;
    d->creation_paused = true;
    d->shutdown_code = SHUTDOWN_CODE_NONE;
    sched_group_init(&d->sched);
    spin_init(&d->lock, LOCK_DOMAIN);
    spin_init(&d->page_lock, LOCK_PAGELIST);
    list_init(&d->link);
    frame_list_init(&d->pages);
    frame_list_init(&d->hv_pages);
    work_init(&d->shutdown_work, shutdown_step);
    work_init(&d->destroy_work, destroy_step);
}

static int create_parts(struct domain *d, const struct domain_config *c)
{
    int ret = domain_create_shared_info(d);

    for (size_t i = 0; !ret && i < nr_modules; i++)
        if (modules[i]->create)
            ret = modules[i]->create(d, c);
    return ret ? ret : d->ops->domain_create(d);
}

int domain_create(const struct domain_config *c, const struct guest_ops *ops, struct domain **out)
{
    struct domain *d;
    int ret;

    if (c->max_vcpus == 0 || (c->id >= DOMID_FIRST_RESERVED && c->id != DOMID_INVALID))
        return -EINVAL;
    if (c->max_vcpus > DOMAIN_VCPUS_MAX)
        return -E2BIG;
    d = heap_alloc(sizeof(*d));
    if (!d)
        return -ENOMEM;
    set_up(d, c, ops);
    ret = insert(d, c->id);
    if (ret) {
        sched_group_remove(&d->sched);
        heap_free(d);
        return ret;
    }
    if (c->name)
        string_copy(d->name, c->name, sizeof(d->name));
    else
        format(d->name, sizeof(d->name), "d%u", d->id);
    ret = create_parts(d, c);
    if (ret) {
        unlist(d);
        domain_relinquish_hv_pages(d);
        domain_put(d);
        return ret;
    }
    d->created = true;
    trace_note(TRACE_CREATE, d->id, c->max_vcpus, stime_now());
    if (c->hold)
        domain_hold(d);
    atomic_store(&d->dying, DOMAIN_ALIVE);
    *out = d;
    return 0;
}

/* --- pause --- */

static void stop_vcpus(struct domain *d)
{
    for (unsigned int i = 0; i < d->max_vcpus; i++)
        if (d->vcpu[i])
            vcpu_stop(d->vcpu[i]);
}

static void wake_vcpus(struct domain *d)
{
    for (unsigned int i = 0; i < d->max_vcpus; i++)
        if (d->vcpu[i])
            vcpu_start(d->vcpu[i]);
}

void domain_pause_nosync(struct domain *d)
{
    atomic_add(&d->pause_count, 1);
    stop_vcpus(d);
}

void domain_pause(struct domain *d)
{
    domain_pause_nosync(d);
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i]) {
            vcpu_pause_sync(d->vcpu[i]);
            atomic_sub(&d->vcpu[i]->pause_count, 1); /* the domain's pause keeps it stopped */
        }
    }
}

void domain_unpause(struct domain *d)
{
    if (atomic_sub(&d->pause_count, 1) == 0) {
        atomic_store(&d->creation_paused, false);
        wake_vcpus(d);
    }
}

/* --- shutdown --- */

void domain_shutdown(struct domain *d, uint32_t code)
{
    bool queue = false;

    spin_lock(&d->lock);
    if (!d->shutting_down && atomic_load(&d->dying) == DOMAIN_ALIVE) {
        if (d->shutdown_code == SHUTDOWN_CODE_NONE)
            d->shutdown_code = code;
        atomic_store(&d->shutting_down, true);
        queue = !d->shutdown_queued;
        d->shutdown_queued = true;
    }
    spin_unlock(&d->lock);
    stop_vcpus(d);
    if (queue) {
        trace_note(TRACE_SHUTDOWN, d->id, d->shutdown_code, stime_now());
        domain_hold(d);
        work_queue(&d->shutdown_work);
    }
}

void domain_latch_shutdown_code(struct domain *d, uint32_t code)
{
    spin_lock(&d->lock);
    if (d->shutdown_code == SHUTDOWN_CODE_NONE)
        d->shutdown_code = code;
    spin_unlock(&d->lock);
}

void domain_resume(struct domain *d)
{
    spin_lock(&d->lock);
    d->shut_down = false;
    d->shutdown_code = SHUTDOWN_CODE_NONE;
    atomic_store(&d->shutting_down, false);
    spin_unlock(&d->lock);
    wake_vcpus(d);
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
    struct vcpu *v = current_vcpu();
    char reason[160];
    va_list args;

    if (atomic_load(&d->shutting_down) || atomic_load(&d->dying) != DOMAIN_ALIVE)
        return;
    va_start(args, fmt);
    format_v(reason, sizeof(reason), fmt, args);
    va_end(args);
    log_always("%s: crashed: %s", d->name, reason);
    if (v && v->domain == d)
        d->ops->dump_vcpu(v);
    domain_shutdown(d, SHUTDOWN_crash);
}

/* --- death --- */

static int stop_for_good(struct domain *d)
{
    spin_lock(&d->lock);
    if (atomic_load(&d->dying) == DOMAIN_ALIVE) {
        atomic_store(&d->dying, DOMAIN_DYING);
        atomic_add(&d->pause_count, 1);
    }
    spin_unlock(&d->lock);
    stop_vcpus(d);
    /* One of them may be what this CPU will leave only after the caller has returned. */
    for (unsigned int i = 0; i < d->max_vcpus; i++)
        if (d->vcpu[i] && vcpu_is_running(d->vcpu[i]))
            return -ERESTART;
    domain_unload_cpus(d);
    for (unsigned int i = 0; i < d->max_vcpus; i++)
        if (d->vcpu[i])
            vtimer_kill(d->vcpu[i]);
    return 0;
}

static int relinquish_modules(struct domain *d)
{
    for (size_t i = nr_modules; i-- > 0;) {
        int ret = modules[i]->relinquish ? modules[i]->relinquish(d) : 0;

        if (ret)
            return ret;
    }
    return 0;
}

static int relinquish_guest(struct domain *d)
{
    int ret = d->ops->domain_relinquish(d);

    if (ret)
        return ret;
    for (unsigned int i = 0; i < d->max_vcpus; i++)
        if (d->vcpu[i])
            vcpu_drop_info(d->vcpu[i]);
    d->kill_frames_left = d->pages.count;
    return 0;
}

static int bury(struct domain *d)
{
    (void)domain_claim_frames(d, 0);
    forget_virq_handler(d);
    domain_relinquish_hv_pages(d);
    atomic_store(&d->dying, DOMAIN_DEAD);
    unlist(d);
    domain_tell_handler(VIRQ_DOM_EXC);
    domain_put(d);
    return 0;
}

static int kill_steps(struct domain *d)
{
    static int (*const step[])(struct domain * d) = {
        stop_for_good, relinquish_modules, relinquish_guest, domain_relinquish_frames, bury,
    };

    while (d->kill_step < ARRAY_SIZE(step)) {
        int ret = step[d->kill_step](d);

        if (ret)
            return ret;
        d->kill_step++;
    }
    return 0;
}

int domain_kill(struct domain *d)
{
    int ret;

    if (atomic_xchg(&d->killing, 1u))
        return -ERESTART;
    trace_note(TRACE_KILL, d->id, d->kill_step, stime_now());
    ret = kill_steps(d);
    atomic_store(&d->killing, 0u);
    return ret;
}
