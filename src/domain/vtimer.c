/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU's time: its timers, and what it is told of the time.
 *
 * The single-shot and the periodic timer raise VIRQ_TIMER; the periodic one
 * (100 Hz until the guest says otherwise) ticks only while the vCPU runs, and
 * once when it comes back after ticks that it missed.
 *
 * System time is a line over the TSC, the same on all CPUs: the guest gets the
 * line's parameters in a record with a version, odd while it is written, and
 * computes the time itself. As the line seldom changes, the record is seldom
 * written. The record in vcpu_info is reached through the direct map; the
 * copies that a guest may ask for (time area, runstate area) are at virtual
 * addresses and can be written only while its page tables are loaded.
 */
#include "domain/vcpu.h"

#include "abi/errno.h"
#include "core/log.h"
#include "platform/platform.h"
#include "x86/atomic.h"
#include "x86/uaccess.h"

#define PERIOD_DEFAULT MILLISECS(10)
#define PERIOD_MIN     MILLISECS(1)

/* --- timers --- */

static void singleshot_fires(void *data)
{
    domain_send_virq(data, VIRQ_TIMER);
}

static void poll_times_out(void *data)
{
    vcpu_poll_end(data);
}

static void periodic_fires(void *data)
{
    struct vcpu *v = data;

    spin_lock(&v->timer_lock);
    if (v->period) {
        stime_t now = stime_now();

        v->period_next = MAX(v->period_next + v->period, now);
        timer_set(&v->periodic, v->period_next);
    }
    spin_unlock(&v->timer_lock);
    domain_send_virq(v, VIRQ_TIMER);
}

void vtimer_init(struct vcpu *v)
{
    spin_init(&v->timer_lock, LOCK_VCPU_TIMER);
    timer_init(&v->singleshot, singleshot_fires, v, cpu_id());
    timer_init(&v->periodic, periodic_fires, v, cpu_id());
    timer_init(&v->poll_timer, poll_times_out, v, cpu_id());
    v->period = PERIOD_DEFAULT;
    v->runstate.state = RUNSTATE_offline;
    v->runstate.state_entry_time = (uint64_t)stime_now();
}

void vtimer_kill(struct vcpu *v)
{
    timer_kill(&v->singleshot);
    timer_kill(&v->periodic);
    timer_kill(&v->poll_timer);
}

void vtimer_switch_in(struct vcpu *v, stime_t now)
{
    bool late = false;

    if (!v->period)
        return;
    spin_lock(&v->timer_lock);
    if (v->period) {
        late = v->period_next <= now;
        if (late)
            v->period_next = now + v->period;
        timer_set_here(&v->periodic, v->period_next);
    }
    spin_unlock(&v->timer_lock);
    if (late)
        domain_send_virq(v, VIRQ_TIMER);
}

void vtimer_switch_out(struct vcpu *v)
{
    if (v->period)
        timer_stop(&v->periodic);
}

int vcpu_set_singleshot(struct vcpu *v, stime_t when, bool future_only)
{
    if (future_only && when < stime_now())
        return -ETIME;
    timer_set_here(&v->singleshot, when);
    return 0;
}

void vcpu_stop_singleshot(struct vcpu *v)
{
    timer_stop(&v->singleshot);
}

int vcpu_set_periodic(struct vcpu *v, stime_t period)
{
    if (period != 0 && period < PERIOD_MIN)
        return -EINVAL;
    spin_lock(&v->timer_lock);
    v->period = period;
    v->period_next = stime_now() + period;
    if (!period)
        timer_stop(&v->periodic);
    else if (v == current_vcpu())
        timer_set_here(&v->periodic, v->period_next);
    spin_unlock(&v->timer_lock);
    return 0;
}

/* --- the time record --- */

static void make_record(struct vcpu_time_info *t, struct time_base *b)
{
    clock_settle();
    time_get_base(b);
    *t = (struct vcpu_time_info){
        .tsc_timestamp = b->tsc,
        .system_time = (uint64_t)b->stime,
        .tsc_to_system_mul = b->mul,
        .tsc_shift = b->shift,
        /* Our own clock is the same line over the TSC, so it is no less steady than ours. */
        .flags = time_tsc_stable() ? XEN_PVCLOCK_TSC_STABLE_BIT : 0,
    };
}

void vcpu_update_time(struct vcpu *v, bool force)
{
    struct vcpu_time_info *shared = &v->vcpu_info->time, t;
    struct time_base b;
    uint32_t version;

    time_get_base(&b);
    if (!force && v->time_base == b.id)
        return;
    make_record(&t, &b);
    /* The guest may write all of this too: only the version is read, and any value of it will do. */
    version = READ_ONCE(shared->version) | 1;
    atomic_store(&shared->version, version);
    shared->tsc_timestamp = t.tsc_timestamp;
    shared->system_time = t.system_time;
    shared->tsc_to_system_mul = t.tsc_to_system_mul;
    shared->tsc_shift = t.tsc_shift;
    shared->flags = t.flags;
    atomic_store(&shared->version, version + 1);
    v->time_base = b.id;
    if (v->time_gva)
        atomic_or(&v->cpu.work, GUEST_WORK_OTHER);
}

/* On each CPU, in a cross-call: the line of its TSC is another now. */
static void line_changed(void)
{
    if (current_vcpu())
        vcpu_update_time(current_vcpu(), false);
}

/*
 * All have been told that the TSC is stable. Those that run have a new record already, those that sleep must wake to
 * get theirs: a vDSO reads vCPU 0's record on any vCPU. They find no event, which is no harm.
 */
static void tsc_unstable(void)
{
    for (struct domain *d = domain_next(NULL); d; d = domain_next(d))
        for (uint32_t i = 0; i < d->max_vcpus; i++)
            if (READ_ONCE(d->vcpu[i]))
                vcpu_mark_event(d->vcpu[i]);
}

void vtimer_init_listeners(void)
{
    time_set_listener(line_changed);
    time_set_alarm(tsc_unstable);
}

/* --- areas by virtual address --- */

static int write_time_area(struct vcpu *v)
{
    uint64_t version_gva = v->time_gva + offsetof(struct vcpu_time_info, version);
    struct vcpu_time_info t;
    struct time_base b;
    uint32_t version;
    int ret;

    make_record(&t, &b);
    ret = guest_copy_from(&version, version_gva, sizeof(version));
    if (ret)
        return ret;
    t.version = version | 1;
    ret = guest_copy_to(version_gva, &t.version, sizeof(t.version));
    if (!ret)
        ret = guest_copy_to(v->time_gva, &t, sizeof(t));
    t.version++;
    return ret ? ret : guest_copy_to(version_gva, &t.version, sizeof(t.version));
}

static int write_runstate_area(struct vcpu *v)
{
    uint64_t entry_gva = v->runstate_gva + offsetof(struct vcpu_runstate_info, state_entry_time);
    struct vcpu_runstate_info r;
    int ret;

    spin_lock(&v->timer_lock);
    r = v->runstate;
    spin_unlock(&v->timer_lock);
    if (!(READ_ONCE(v->domain->vm_assist) & BIT(VMASST_TYPE_runstate_update_flag)))
        return guest_copy_to(v->runstate_gva, &r, sizeof(r));

    /* A reader that sees the flag, or another entry time afterwards, reads again. */
    r.state_entry_time |= XEN_RUNSTATE_UPDATE;
    ret = guest_write_u64(entry_gva, r.state_entry_time);
    if (!ret)
        ret = guest_copy_to(v->runstate_gva, &r, sizeof(r));
    r.state_entry_time &= ~XEN_RUNSTATE_UPDATE;
    return ret ? ret : guest_write_u64(entry_gva, r.state_entry_time);
}

/* An area that is not mapped at this moment stays registered and is written another time. */
static void refresh(struct vcpu *v, int (*write)(struct vcpu *v), uint64_t gva)
{
    if (gva && write(v))
        log_guest(v->domain->id, LOG_DEBUG, "vCPU %u: no memory for its time or runstate at %#lx", v->id,
                  (unsigned long)gva);
}

void vcpu_update_areas(struct vcpu *v)
{
    struct guest_cpu *g = &v->cpu;
    bool user = !guest_in_kernel(g);

    /* Another CPU may have asked for its registers: its page tables are not loaded then. */
    if (atomic_load(&g->running_on) != (int32_t)cpu_id())
        return;
    /* The areas are the kernel's. */
    if (user)
        guest_toggle_mode(g);
    refresh(v, write_runstate_area, v->runstate_gva);
    refresh(v, write_time_area, v->time_gva);
    if (user)
        guest_toggle_mode(g);
}

int vcpu_set_runstate_area(struct vcpu *v, uint64_t gva)
{
    if (gva && !guest_range_ok(gva, 1))
        return -EFAULT;
    v->runstate_gva = gva;
    refresh(v, write_runstate_area, gva);
    return 0;
}

int vcpu_set_time_area(struct vcpu *v, uint64_t gva)
{
    if (gva && !guest_range_ok(gva, 1))
        return -EFAULT;
    v->time_gva = gva;
    refresh(v, write_time_area, gva);
    return 0;
}

/* --- runstate --- */

/* A new state from `now` on. Reads of the clock on two CPUs may come here in the wrong order. */
static void set_state_locked(struct vcpu *v, int state, stime_t now)
{
    struct vcpu_runstate_info *r = &v->runstate;

    if (now > (stime_t)r->state_entry_time) {
        r->time[r->state] += (uint64_t)now - r->state_entry_time;
        r->state_entry_time = (uint64_t)now;
    }
    r->state = state;
}

void vcpu_runstate_enter(struct vcpu *v, stime_t now)
{
    spin_lock(&v->timer_lock);
    set_state_locked(v, RUNSTATE_running, now);
    spin_unlock(&v->timer_lock);
}

/* The flags are read under the lock: who changes them comes here afterwards, and corrects what it finds. */
void vcpu_runstate_leave(struct vcpu *v, stime_t now)
{
    spin_lock(&v->timer_lock);
    set_state_locked(v, vcpu_stopped_state(v), now);
    spin_unlock(&v->timer_lock);
}

void vcpu_runstate_waits(struct vcpu *v)
{
    int state;

    spin_lock(&v->timer_lock);
    state = vcpu_stopped_state(v);
    if (v->runstate.state != RUNSTATE_running && v->runstate.state != state)
        set_state_locked(v, state, stime_now());
    spin_unlock(&v->timer_lock);
}

void vcpu_get_runstate(struct vcpu *v, struct vcpu_runstate_info *out)
{
    stime_t now;

    spin_lock(&v->timer_lock);
    now = stime_now();
    *out = v->runstate;
    spin_unlock(&v->timer_lock);
    if (now > (stime_t)out->state_entry_time)
        out->time[out->state] += (uint64_t)now - out->state_entry_time;
}
