/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual CPUs. Locks: [c] constant, [a] atomic, [o] only the CPU that runs it
 * or anybody while it is paused and synced, [t] timer_lock.
 */
#ifndef DOMAIN_VCPU_H
#define DOMAIN_VCPU_H

#include "core/timer.h"
#include "domain/domain.h"
#include "sched/sched.h"
#include "x86/cpu.h"
#include "x86/guest.h"

/* vcpu.pause_flags [a]: runnable when 0 and neither it nor its domain is paused or shut down */
#define VPF_BLOCKED  BIT(0) /* SCHEDOP_block */
#define VPF_POLLING  BIT(1) /* SCHEDOP_poll */
#define VPF_DOWN     BIT(2) /* VCPUOP_down or not yet up */
#define VPF_POLL_ANY (~0u)  /* vcpu.poll_port: any of several ports */

struct pv_vcpu;

struct vcpu {
    struct guest_cpu cpu;   /* [o] first: assembly finds it from the stack pointer */
    struct domain *domain;  /* [c] */
    uint32_t id;            /* [c] */
    struct sched_unit unit; /* sched/ */
    uint64_t pinned_over;   /* [o] the affinity that SCHEDOP_pin_override replaced; 0: none */
    uint64_t pause_flags;   /* [a] VPF_* */
    uint32_t pause_count;   /* [a] */
    bool initialised;       /* [domain.lock] has a context: VCPUOP_up is possible */

    struct vcpu_info *vcpu_info;   /* as cpu.vcpu_info; [o] to change */
    struct frame *vcpu_info_frame; /* [o] when registered; NULL: not */
    struct vcpu_info private_info; /* until then, for those beyond the 32 in shared_info */

    uint32_t poll_port;                /* [a] port it polls, or VPF_POLL_ANY; 0: none */
    uint32_t virq_to_evtchn[NR_VIRQS]; /* [evtchn lock of the domain] 0: not bound */

    /* vCPU timers and time areas: vtimer.c */
    spinlock_t timer_lock;
    struct timer singleshot, periodic, poll_timer; /* [t] */
    stime_t period, period_next;                   /* [t] 0: none; when the next tick is due */
    struct vcpu_runstate_info runstate;            /* [t] */
    uint64_t runstate_gva;                         /* [o] virtual address in the guest, 0: none */
    uint64_t time_gva;                             /* [o] VCPUOP_register_vcpu_time_memory_area, 0: none */
    uint32_t time_base; /* [o] id of the line that the guest's records were last made from; 0: none */

    struct pv_vcpu *pv;               /* [c] pv/ */
    uint8_t nmi_pending; /* [a] */
    const void *hypercall_state;      /* [o] hypercall/: multicall in progress */
};

static inline struct vcpu *vcpu_of_cpu(struct guest_cpu *g)
{
    return container_of(g, struct vcpu, cpu);
}
static inline struct vcpu *vcpu_of_unit(struct sched_unit *u)
{
    return container_of(u, struct vcpu, unit);
}

/* The vCPU that this CPU runs; NULL in the idle loop. */
static inline struct vcpu *current_vcpu(void)
{
    struct guest_cpu *g = cpu_local()->guest;

    return g ? vcpu_of_cpu(g) : NULL;
}
static inline struct domain *current_domain(void)
{
    return current_vcpu()->domain;
}

/* Create vCPU `id` (down, not initialised). -EINVAL, -EEXIST, -ENOMEM. */
int vcpu_create(struct domain *d, unsigned int id, struct vcpu **out);

/*
 * Counted pause. _sync returns when it is on no CPU and its registers are in guest_cpu. Not for
 * the running vCPU itself.
 */
void vcpu_pause_sync(struct vcpu *v);
void vcpu_pause_nosync(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);

/* Set or clear VPF_* and tell the scheduler. Any context. */
void vcpu_set_pause_flag(struct vcpu *v, uint64_t flag);
void vcpu_clear_pause_flag(struct vcpu *v, uint64_t flag);

/* An event came for it: end block or poll, and if it runs on another CPU make that CPU look. */
void vcpu_kick(struct vcpu *v);

/*
 * vcpu_info says that there is an event: set upcall_pending and kick. Any context; after the
 * pending bits are set.
 */
void vcpu_mark_event(struct vcpu *v);

/* Its NMI handler is called when it next runs; a further NMI before that is the same one. Any context. */
void vcpu_send_nmi(struct vcpu *v);

/* SCHEDOP_block, by the running vCPU: unmask events; sleep unless one is pending. */
void vcpu_block(struct vcpu *v);

/*
 * SCHEDOP_poll, by the running vCPU: begin (one port or VPF_POLL_ANY), then look
 * whether a port is pending, then either end at once or wait (until `timeout`; 0: for ever).
 */
void vcpu_poll_begin(struct vcpu *v, uint32_t port);
void vcpu_poll_end(struct vcpu *v);
void vcpu_poll_wait(struct vcpu *v, stime_t timeout);
/* An event came on `port` of `d`, masked or not: wake who polls for it. */
void domain_wake_pollers(struct domain *d, uint32_t port);

/*
 * Is an event pending that its mask lets through? Reads what the guest shares: the answer may be
 * stale at once.
 */
bool vcpu_event_pending(const struct vcpu *v);

/* Runs on some CPU or is about to. */
bool vcpu_is_running(struct vcpu *v);

/* --- shared.c --- */

/*
 * VCPUOP_register_vcpu_info: `v` is the running vCPU or one that is down. -EINVAL: registered already, beyond
 * the page, not aligned, not a frame that the domain may write, `v` is up elsewhere.
 */
int vcpu_register_info(struct vcpu *v, mfn_t m, unsigned int offset);
/* Back to its place in shared_info; the frame is given back. The vCPU does not run. */
void vcpu_reset_info(struct vcpu *v);
/* The same, but to nowhere: shared_info goes too. */
void vcpu_drop_info(struct vcpu *v);
/* Make shared_info and share it. -ENOMEM. */
int domain_create_shared_info(struct domain *d);
/* The wall clock into shared_info. */
void domain_update_wallclock(struct domain *d);

/* --- vtimer.c --- */
int vcpu_set_singleshot(struct vcpu *v, stime_t when, bool future_only); /* -ETIME if past and future_only */
void vcpu_stop_singleshot(struct vcpu *v);
int vcpu_set_periodic(struct vcpu *v, stime_t period); /* -EINVAL below 1 ms; 0 stops */
/* Write the version-protected time record into vcpu_info if it is stale. By the CPU that runs it. */
void vcpu_update_time(struct vcpu *v, bool force);

/*
 * Areas in the guest's memory by virtual address (0: none), written at once and from then on by
 * vcpu_update_areas(). -EFAULT: not a guest's address. The caller's address space must be the domain's.
 */
int vcpu_set_runstate_area(struct vcpu *v, uint64_t gva);
int vcpu_set_time_area(struct vcpu *v, uint64_t gva);
/*
 * pv/'s upcall_before_guest calls this when GUEST_WORK_OTHER was set (a switch sets it
 * for a vCPU with areas): writes them, with the vCPU's page tables loaded.
 */
void vcpu_update_areas(struct vcpu *v);

/*
 * The four states' times add up to the vCPU's age. It gets a CPU; it leaves it, or waits: blocked, runnable
 * (which is stolen time) or offline, as its flags say now.
 */
void vcpu_runstate_enter(struct vcpu *v, stime_t now);
void vcpu_runstate_leave(struct vcpu *v, stime_t now);
void vcpu_runstate_waits(struct vcpu *v); /* nothing if it has a CPU */
void vcpu_get_runstate(struct vcpu *v, struct vcpu_runstate_info *out);

/* At start-up; at creation, at each switch to and from it, at death: for vcpu.c and domain.c. */
void vtimer_init_listeners(void);
void vtimer_init(struct vcpu *v);
void vtimer_switch_in(struct vcpu *v, stime_t now);
void vtimer_switch_out(struct vcpu *v);
void vtimer_kill(struct vcpu *v);

/* --- vcpu.c, for domain.c --- */
extern const struct sched_ops vcpu_sched_ops;
/* Something has changed that decides whether it may run: there is a reason to stop; one has gone. */
void vcpu_stop(struct vcpu *v);
void vcpu_start(struct vcpu *v);
int vcpu_stopped_state(const struct vcpu *v); /* RUNSTATE_* of one that has no CPU */
/* Free a vCPU that runs nowhere and is unloaded. */
void vcpu_destroy(struct vcpu *v);
/* Each CPU that holds registers or page tables of `d` forgets them. None of its vCPUs runs or will. */
void domain_unload_cpus(struct domain *d);
void domain_send_virq(struct vcpu *v, uint32_t virq);
/* This CPU, which has nothing to run, keeps no vCPU's state and is in no domain's dirty_cpus. */
void vcpu_leave_cpu(void);

#endif
