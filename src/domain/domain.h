/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains: the virtual servers. A struct domain holds what every layer needs
 * and pointers to the state of the modules, which only these modules open.
 *
 * Life: domain_create -> (built) -> domain_unpause -> runs -> domain_shutdown
 * or domain_kill -> domain_relinquish until 0 -> last reference put -> gone.
 *
 * Locks: [c] constant after creation, [d] domain.lock, [p] domain.page_lock,
 * [a] atomic.
 */
#ifndef DOMAIN_DOMAIN_H
#define DOMAIN_DOMAIN_H

#include "abi/xen.h"
#include "core/work.h"
#include "lib/list.h"
#include "mem/frame.h"
#include "sched/sched.h"
#include "x86/atomic.h"
#include "x86/spinlock.h"

#define DOMAIN_VCPUS_MAX   128
#define DOMAIN_NAME_MAX    32
#define SHUTDOWN_CODE_NONE (~0u) /* domain.shutdown_code: none latched yet */

struct vcpu;
struct domain_rights;
struct evtchn_domain;
struct grant_domain;
struct pirq_domain;
struct pv_domain;
struct server;
struct xen_domctl_createdomain;

enum domain_dying { DOMAIN_ALIVE, DOMAIN_DYING, DOMAIN_DEAD };

struct domain {
    domid_t id;                 /* [c] */
    bool privileged;            /* [c] may use the toolstack's interfaces (dom0) */
    bool is_console_owner;      /* [c] console_io writes and reads are its */
    char name[DOMAIN_NAME_MAX]; /* [c] boot-time servers: domain=NAME; else "dN" */
    uint8_t handle[16];         /* [d] */
    struct list_head link;      /* the list of domains; LOCK_DOMLIST */
    struct domain *next_by_id;  /* the same */
    uint32_t refs;              /* [a] */
    spinlock_t lock;

    uint32_t dying;            /* [a] enum domain_dying; DEAD also while it is being created */
    bool created;              /* [c] domain_create succeeded */
    bool shutting_down;        /* [d] all vCPUs are or will be paused */
    bool shut_down;            /* [d] ... and are: shutdown_code is valid */
    uint32_t shutdown_code;    /* [d] SHUTDOWN_*, or SHUTDOWN_CODE_NONE; may be latched beforehand */
    struct work shutdown_work; /* completes a shutdown when the vCPUs have left their CPUs */
    bool shutdown_queued;      /* [d] ... is under way */
    uint32_t killing;          /* [a] some CPU is in domain_kill, and has the two below to itself */
    uint32_t kill_step;
    uint64_t kill_frames_left;
    struct work destroy_work;  /* frees it after the last reference */
    uint32_t pause_count;      /* [a] */
    bool creation_paused;      /* [a] has never run */
    uint32_t shutdown_port;    /* [a] port of its own to send on when it is shut down; 0: none */

    uint32_t max_vcpus;                        /* [c] */
    struct vcpu *vcpu[DOMAIN_VCPUS_MAX];       /* [c] once set under lock */
    uint64_t poll_mask[DOMAIN_VCPUS_MAX / 64]; /* [a] vCPUs in SCHEDOP_poll */

    spinlock_t page_lock;
    struct frame_list pages;    /* [p] its frames */
    struct frame_list hv_pages; /* [p] frames of the hypervisor that it may map (shared info, grant frames) */
    uint64_t tot_pages, max_pages; /* [p] */
    uint64_t claimed;              /* [p] frames set aside for it (XENMEM_claim_pages) and not yet taken */
    uint64_t frames_returned;      /* [p] since it began to die */

    struct shared_info *shared_info; /* [c] a FC_HV|shared frame */
    uint64_t dirty_cpus;             /* [a] CPUs that may hold TLB entries of its address spaces */
    uint64_t vm_assist;              /* [d] bits VMASST_TYPE_* */
    int64_t time_offset;             /* [d] seconds */

    struct domain_rights *rights;       /* [c] rights.c */
    struct evtchn_domain *evtchn;       /* [c] evtchn/ */
    struct pirq_domain *pirq;           /* [c] evtchn/pirq.c */
    struct grant_domain *grant;         /* [c] grant/ */
    struct pv_domain *pv;               /* [c] pv/ */
    struct hypercall_domain *hypercall; /* [c] hypercall/ */
    struct sched_group sched;           /* sched/: what its vCPUs have in common */
    struct server *server;              /* [c] builder/: boot-time server, or NULL */
    const struct guest_ops *ops;        /* [c] kind of guest */
};

/*
 * What differs between kinds of guest, for the layers that do not know them.
 * pv/ fills one in; hvm/ will.
 */
struct guest_ops {
    int (*domain_create)(struct domain *d); /* module state; 0 or -ENOMEM */
    /* The last reference is gone; also after a domain_create that failed or was not reached. */
    void (*domain_destroy)(struct domain *d);
    int (*domain_relinquish)(struct domain *d); /* give up page tables and references; -ERESTART: again */
    int (*vcpu_create)(struct vcpu *v);
    void (*vcpu_destroy)(struct vcpu *v);
    int (*vcpu_set_context)(struct vcpu *v, const struct vcpu_guest_context *c); /* checks all, then sets */
    void (*vcpu_get_context)(struct vcpu *v, struct vcpu_guest_context *c);
    void (*vcpu_reset)(struct vcpu *v); /* drop page-table roots etc. */
    void (*dump_vcpu)(struct vcpu *v);  /* registers, code and stack to the log, whatever its levels */
    /* Take a total and a writable-type reference to a frame of `d`, and drop both; -EINVAL. */
    int (*get_writable_frame)(struct domain *d, gfn_t g, struct frame **f);
    void (*put_writable_frame)(struct frame *f);
};
extern const struct guest_ops pv_guest_ops;

struct domain_config {
    domid_t id;       /* DOMID_INVALID: the next free one */
    const char *name; /* copied */
    const struct xen_domctl_createdomain *request; /* what a toolstack asked for; NULL: the hypervisor's own wish */
    bool hold;        /* take a reference for the caller, too */
    bool privileged;
    uint32_t max_vcpus;
    uint64_t max_pages;                                              /* frames it may own */
    uint32_t max_evtchn_port, max_grant_frames, max_maptrack_frames; /* 0: the default */
    uint32_t max_grant_version;                                      /* 0: any */
};

/*
 * The modules that own state of a domain (evtchn/, grant/), in the order of
 * creation; relinquish and destroy go the other way round. Any may be NULL.
 */
struct domain_module {
    const char *name;
    int (*create)(struct domain *d, const struct domain_config *c); /* 0 or -ENOMEM */
    int (*relinquish)(struct domain *d);                            /* -ERESTART: again */
    void (*destroy)(struct domain *d);                              /* also after a create that failed */
};

/* How domain/ raises virtual interrupts: evtchn/ supplies it. */
struct domain_events {
    void (*send_virq)(struct vcpu *v, uint32_t virq);
    void (*send_global_virq)(struct domain *d, uint32_t virq);
    void (*send_port)(struct domain *d, uint32_t port); /* on a port of `d`, as if it did itself */
};

/* Boot CPU, once, before the first domain: `modules` is boot/main.c's list and stays. */
void domain_init(const struct domain_module *const *modules, size_t n, const struct domain_events *events);

/*
 * A new domain, paused (creation_paused), one reference held by the list.
 * -EINVAL, -EEXIST (id taken), -ENOMEM, -E2BIG (vCPUs). On error nothing is left.
 */
int domain_create(const struct domain_config *c, const struct guest_ops *ops, struct domain **out);

/* By id; a reference is taken. NULL: no such domain or it is dead. DOMID_SELF is the caller's business. */
struct domain *domain_get(domid_t id);
/*
 * `id` as the interface means it, for the running vCPU: DOMID_SELF or its own id or (privileged)
 * another's. NULL: -ESRCH/-EPERM.
 */
struct domain *domain_get_for_caller(domid_t id, int *error);
void domain_hold(struct domain *d);
void domain_put(struct domain *d);

/* Walk all domains: first with NULL; the reference to the previous one is dropped, one to the next taken. */
struct domain *domain_next(struct domain *prev);

/* The list, by domain.link, for a report when all CPUs have stopped. */
const struct list_head *domain_list_unlocked(void);

/* Counted. pause returns when no vCPU runs (pause_nosync: soon). */
void domain_pause(struct domain *d);
void domain_pause_nosync(struct domain *d);
void domain_unpause(struct domain *d);

/*
 * The guest or the hypervisor ends it, SHUTDOWN_*: vCPUs stop, the console and dom0 are told.
 * Callable from its own vCPU.
 */
void domain_shutdown(struct domain *d, uint32_t code);
/* Whatever the next shutdown says, its code will be this one. */
void domain_latch_shutdown_code(struct domain *d, uint32_t code);
void domain_resume(struct domain *d);

/*
 * It broke its own state: report (registers, stack, reason), then shutdown with SHUTDOWN_crash.
 * From any CPU, also from its own vCPU.
 */
void domain_crash(struct domain *d, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Begin to destroy; call again while -ERESTART (at once, or after other work: a
 * vCPU of it may have to leave this very CPU first). The caller holds a
 * reference and no lock. At 0 the domain is off the list, its frames are
 * returned but for those that others still map, and only its holders keep it.
 */
int domain_kill(struct domain *d);

/* Who gets a global VIRQ; at first, and after that domain's death, domain 0. */
void domain_set_virq_handler(uint32_t virq, const struct domain *d);
/* Send it (VIRQ_DOM_EXC: a domain's state has changed; VIRQ_PCPU_STATE: a CPU's) to its handler: dom0, or as above. */
void domain_tell_handler(uint32_t virq);

/*
 * Told when a domain is shut down (all its vCPUs have stopped) and when it is
 * gone (its last frame and reference are returned). Called with no lock held,
 * in softirq context; may queue work, may not kill. `doomed`: somebody
 * wants it destroyed; true if its owner sees to that. Set once (builder/).
 */
void domain_set_watcher(void (*shut_down)(struct domain *d),
                        void (*gone)(domid_t id, struct server *s, uint64_t frames),
                        bool (*doomed)(struct domain *d));
bool domain_is_doomed_by_owner(struct domain *d);

/* --- memory.c: frames of a domain --- */

/*
 * Allocate 2^order frames for `d` (counted in tot_pages); NULL: none, over max_pages, or dying.
 * flags: PA_*.
 */
struct frame *domain_alloc_frames(struct domain *d, unsigned int order, unsigned int flags);
/*
 * Give `f` (owner NULL, count 0) to `d` with one allocation reference. -EINVAL, -E2BIG (over
 * max_pages), -ESRCH (dying).
 */
int domain_assign_frames(struct domain *d, struct frame *f, unsigned int order, bool check_max);
/*
 * The guest gives `f` up: drop the allocation's reference. The frame is free when all others have
 * gone too. -EINVAL: it did already.
 */
int domain_release_frame(struct domain *d, struct frame *f);
/*
 * Take `f` from `d`: its only reference is the allocation's. -EBUSY otherwise. The frame then has
 * no owner, but keeps its number in the machine-to-physical table until it is freed.
 */
int domain_steal_frame(struct domain *d, struct frame *f);
void domain_free_stolen(struct frame *f);
/*
 * A page of the hypervisor (hv_page_alloc) that `d` may map, writable or not. Ending that does not
 * free the page while somebody maps it; afterwards it is freed by itself. domain_kill ends it for
 * all pages, after the modules' relinquish: a module's destroy must not touch them any more.
 */
void domain_share_hv_page(struct domain *d, void *page, bool writable);
void domain_unshare_hv_page(struct domain *d, void *page);
/* Does anybody map it, or hold it otherwise? Of use only to who can do without an answer that stays true. */
bool domain_hv_page_in_use(const void *page);

/*
 * Set frames aside until `d` has `pages`; 0 gives up what is left of an earlier claim. -EINVAL: it has a claim, or
 * as many pages, or may not have so many; -ENOMEM: they are not free.
 */
int domain_claim_frames(struct domain *d, uint64_t pages);
/* Frames that are set aside for any domain. */
uint64_t domain_claimed_frames(void);

/* For domain.c: give up all frames (kill_frames_left of them; -ERESTART: again), all shared pages. */
int domain_relinquish_frames(struct domain *d);
void domain_relinquish_hv_pages(struct domain *d);
void domain_init_memory(void);

#endif
