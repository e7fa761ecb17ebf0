/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deferred work: a queue that the boot CPU works off in its WORK softirq. With
 * a guest to run, it takes a step and leaves as much time to the guest; with
 * none, it goes on at once.
 */
#include "core/work.h"

#include "core/softirq.h"
#include "core/timer.h"
#include "x86/cpu.h"
#include "x86/spinlock.h"

#define WORK_CPU   0
#define WORK_PAUSE MICROSECS(500)

static spinlock_t lock = SPINLOCK_INIT(LOCK_WORK);
static LIST_HEAD(queue); /* guarded by lock, as is `queued` of each work */

static void raise_work(void *unused)
{
    softirq_raise_cpu(WORK_CPU, SOFTIRQ_WORK);
}

static struct timer pause_timer = {.fn = raise_work, .cpu = WORK_CPU};

static void enqueue(struct work *w)
{
    spin_lock(&lock);
    if (!w->queued) {
        w->queued = true;
        list_add_tail(&w->link, &queue);
    }
    spin_unlock(&lock);
}

/* The step may free its work, unless it asks to be called again. */
static void work_softirq(void)
{
    struct work *w = NULL;
    bool more;

    spin_lock(&lock);
    if (!list_empty(&queue)) {
        w = list_first_entry(&queue, struct work, link);
        list_del(&w->link);
        w->queued = false;
    }
    spin_unlock(&lock);
    if (!w)
        return;
    if (w->step(w))
        enqueue(w);

    spin_lock(&lock);
    more = !list_empty(&queue);
    spin_unlock(&lock);
    if (!more)
        return;
    if (cpu_local()->guest)
        timer_set(&pause_timer, stime_now() + WORK_PAUSE);
    else
        softirq_raise(SOFTIRQ_WORK);
}

void work_init(struct work *w, bool (*step)(struct work *))
{
    *w = (struct work){.step = step};
    list_init(&w->link);
    softirq_set_handler(SOFTIRQ_WORK, work_softirq);
}

void work_queue(struct work *w)
{
    enqueue(w);
    raise_work(NULL);
}

