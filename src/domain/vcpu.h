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

/* vcpu.pause_flags [a]: runnable when 0 */
#define VPF_BLOCKED  BIT(0) /* SCHEDOP_block */
#define VPF_POLLING  BIT(1) /* SCHEDOP_poll */
#define VPF_DOWN     BIT(2) /* VCPUOP_down or not yet up */
#define VPF_PAUSED   BIT(3) /* pause_count or the domain's is not 0 */

struct pv_vcpu;

struct vcpu {
    struct guest_cpu cpu;            /* [o] first: assembly finds it from the stack pointer */
    struct domain *domain;           /* [c] */
    uint32_t id;                     /* [c] */
    struct sched_unit unit;          /* sched/ */
    uint64_t pause_flags;            /* [a] VPF_* */
    uint32_t pause_count;            /* [a] */
    bool initialised;                /* [domain.lock] has a context: VCPUOP_up is possible */

    struct vcpu_info *vcpu_info;     /* as cpu.vcpu_info; [o] to change */
    struct frame *vcpu_info_frame;   /* [o] when registered; NULL: in shared_info */
    uint64_t evtchn_pending_sel_scratch;

    uint16_t poll_evtchn;            /* [o] >0: single port; 0xffff: any of several */
    uint16_t virq_to_evtchn[24];     /* [evtchn lock of the domain] NR_VIRQS */

    /* vCPU timers and time areas: vtimer.c */
    spinlock_t timer_lock;
    struct timer singleshot, periodic, poll_timer; /* [t] */
    stime_t period;                  /* [t] 0: none */
    struct vcpu_runstate_info runstate; /* [t] */
    uint64_t runstate_gva;           /* [o] virtual address in the guest, 0: none */
    uint64_t time_gva;               /* [o] VCPUOP_register_vcpu_time_memory_area, 0: none */
    stime_t time_updated;

    struct pv_vcpu *pv;              /* [c] pv/ */
    uint8_t nmi_pending, mce_pending;/* [a] */
    uint64_t nmi_cb;                 /* see cpu.nmi_rip */
    const void *hypercall_state;     /* [o] hypercall/: multicall in progress */
};

static inline struct vcpu *vcpu_of_cpu(struct guest_cpu *g) { return container_of(g, struct vcpu, cpu); }
static inline struct vcpu *vcpu_of_unit(struct sched_unit *u) { return container_of(u, struct vcpu, unit); }

/* The vCPU that this CPU runs; NULL in the idle loop. */
static inline struct vcpu *current_vcpu(void)
{
    struct guest_cpu *g = cpu_local()->guest;

    return g ? vcpu_of_cpu(g) : NULL;
}
static inline struct domain *current_domain(void) { return current_vcpu()->domain; }

/* Create vCPU `id` (down, not initialised). -EINVAL, -EEXIST, -ENOMEM. */
int vcpu_create(struct domain *d, unsigned int id, struct vcpu **out);

/* Counted pause. _sync returns when it is on no CPU and its registers are in guest_cpu. Not for the running vCPU itself. */
void vcpu_pause_sync(struct vcpu *v);
void vcpu_pause_nosync(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);

/* Set or clear VPF_* and tell the scheduler. Any context. */
void vcpu_set_pause_flag(struct vcpu *v, uint64_t flag);
void vcpu_clear_pause_flag(struct vcpu *v, uint64_t flag);

/* An event came for it: end block or poll, and if it runs on another CPU make that CPU look. */
void vcpu_kick(struct vcpu *v);

/* Is an event pending that its mask lets through? Reads what the guest shares: the answer may be stale at once. */
bool vcpu_event_pending(const struct vcpu *v);

/* CPU whose TLB and registers may hold its state, or -1. */
int vcpu_loaded_cpu(const struct vcpu *v);

/* --- vtimer.c --- */
int vcpu_set_singleshot(struct vcpu *v, stime_t when, bool future_only); /* -ETIME if past and future_only */
void vcpu_stop_singleshot(struct vcpu *v);
int vcpu_set_periodic(struct vcpu *v, stime_t period);  /* -EINVAL below 1 ms; 0 stops */
/* Write the version-protected time record into vcpu_info (and the time area) if it is stale. By the CPU that runs it. */
void vcpu_update_time(struct vcpu *v, bool force);
void domain_update_wallclock(struct domain *d);
/* RUNSTATE_*, at every switch. */
void vcpu_set_runstate(struct vcpu *v, int state, stime_t now);
void vcpu_get_runstate(struct vcpu *v, struct vcpu_runstate_info *out);

#endif
