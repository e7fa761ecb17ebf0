/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lives and deaths of servers.
 *
 *   GONE -> BUILDING -> LIVE -> KILLING -> WAITING -> GONE (or BUILDING again)
 *
 * Building and killing are done in steps by a work of the boot CPU, for one
 * server at a time, so that frames taken and returned can be counted: the free
 * frames before and after are the evidence that nothing was left behind.
 */
#include "builder/server.h"
#include "core/cmdline.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/stages.h"
#include "core/work.h"
#include "mem/page_alloc.h"
#include "x86/insn.h"

#define PATIENCE 1000

static struct work life_work;
static struct server *busy;       /* [w] whose building or killing goes on */
static unsigned int patience;     /* [w] steps that it may yet wait for its last frame */
static uint64_t operations;       /* [w] builds and kills begun so far */
static uint64_t free_without_any; /* [w] the most free frames seen while there was no server */

/* --- the beginning --- */

static void tell_fault(const struct server *s, const struct fault *fault)
{
    log_always("module %u (%s): %s", s->module, s->args.name, fault->text);
}

static void console_notify(struct domain *d, uint32_t port)
{
    console_source_kick(&d->server->console);
}

static void begin_build(struct server *s)
{
    struct build_request request = {
        .name = s->args.name,
        .id = s->id,
        .initial_domain = s->is_dom0,
        .vcpus = s->args.vcpus,
        .cpus = s->args.cpus,
        .weight = s->args.weight,
        .cap = s->args.cap,
        .nr_pages = s->nr_pages,
        .max_pages = s->max_pages,
        .image = s->image,
        .takes_image = nr_servers == 1,
        .ramdisk = s->ramdisk,
        .ramdisk_size = s->ramdisk_size,
        .cmdline = s->args.cmdline,
        .server = s,
        .console_notify = s->args.console && !s->is_dom0 ? console_notify : NULL,
    };
    struct fault fault;

    operations++;
    s->build_wanted = false;
    s->paused = false;
    atomic_store(&s->end, (uint32_t)END_NONE);
    atomic_store(&s->gone, 0u);
    if (image_restore(s->image, &fault) != 0 || build_begin(&s->build, &request, &fault) != 0) {
        tell_fault(s, &fault);
        return;
    }
    s->domain = s->build.domain;
    s->phase = SERVER_BUILDING;
}

static void let_run(struct server *s)
{
    s->phase = SERVER_LIVE;
    if (s->args.console)
        console_attach(&s->console, s->domain, s->build.console, s->build.console_port);
    log_always("%s: started, domain %u, %llu MB, %u vcpus", s->args.name, s->domain->id,
               (unsigned long long)(s->nr_pages / 256), s->args.vcpus);
    log_info("%s: takes %llu KB of the hypervisor's memory", s->args.name,
             (unsigned long long)build_hv_pages(&s->build) * (PAGE_SIZE / 1024));
    stage_done("building");
    stages_tell();
    domain_unpause(s->domain);
}

static void go_on_building(struct server *s)
{
    struct fault fault;
    int error = build_step(&s->build, &fault);

    if (error == -ERESTART)
        return;
    build_end(&s->build);
    if (error == 0) {
        let_run(s);
        return;
    }
    tell_fault(s, &fault);
    atomic_store(&s->end, (uint32_t)END_FAILED);
    s->phase = SERVER_KILLING;
}

/* --- the end --- */

/* dom0's end is the machine's. */
static void end_machine(const struct server *s, uint32_t end)
{
    static const char *const words[] = {
        [END_POWEROFF] = "powered off", [END_REBOOT] = "rebooting", [END_CRASH] = "crashed",
        [END_STOP] = "stopped", [END_RESTART] = "restarting",
    };

    log_always("%s: %s, and the machine with it", s->args.name, words[end]);
    if (end == END_CRASH)
        panic_report(CRASH_DOM0, "%s crashed", s->args.name);
    if (end == END_POWEROFF)
        machine_poweroff();
    if (!cmdline_flag("noreboot", false))
        machine_reset();
    log_always("%s: halted", s->args.name);
    halt_forever();
}

static void begin_end(struct server *s, uint32_t end)
{
    console_detach(&s->console);
    if (s->is_dom0)
        end_machine(s, end);
    s->operation = ++operations;
    s->held = s->domain->tot_pages + s->domain->hv_pages.count;
    s->free_at_end = page_alloc_free_frames();
    s->phase = SERVER_KILLING;
}

static void go_on_killing(struct server *s)
{
    if (domain_kill(s->domain) == -ERESTART)
        return;
    s->phase = SERVER_WAITING;
    patience = PATIENCE;
    domain_put(s->domain);
    s->domain = NULL;
}

/* Does any server but `s` have a domain? */
static bool others_live(const struct server *s)
{
    for (size_t i = 0; i < nr_servers; i++) {
        if (servers[i] != s && servers[i]->phase != SERVER_GONE)
            return true;
    }
    return false;
}

/*
 * Frames that did not come back. While others run, their own use of memory
 * moves the figure upwards or downwards, so only what this server held is
 * asked for; with no server left, every single frame must be there.
 */
static uint64_t frames_missing(const struct server *s, uint64_t free)
{
    uint64_t expected = others_live(s) ? s->free_at_end + s->held : free_without_any;

    return free < expected ? expected - free : 0;
}

static void report_end(struct server *s)
{
    static const char *const words[] = {
        [END_POWEROFF] = "powered off", [END_REBOOT] = "rebooting", [END_CRASH] = "crashed",
        [END_STOP] = "stopped", [END_RESTART] = "stopped", [END_FAILED] = "not started",
    };
    uint64_t free = page_alloc_free_frames(), returned = s->held, missing = 0;
    uint32_t end = atomic_load(&s->end);

    s->phase = SERVER_GONE;
    s->build_wanted = end == END_REBOOT || end == END_RESTART;
    if (end == END_FAILED)
        return;
    if (s->operation == operations) { /* else others have come or gone while its last frame was awaited */
        missing = frames_missing(s, free);
        returned = free - s->free_at_end;
    }
    if (missing != 0) {
        log_always("%s: ended, %llu of %llu frames NOT returned", s->args.name, (unsigned long long)missing,
                   (unsigned long long)s->held);
    } else {
        log_always("%s: %s, all %llu frames returned", s->args.name, words[end],
                   (unsigned long long)returned);
    }
    log_always("free frames: %llu", (unsigned long long)free);
    if (!others_live(s)) {
        free_without_any = MAX(free_without_any, free); /* start-up's own memory comes back late */
        if (!s->build_wanted)
            log_always("all servers have ended");
    }
    if (!s->build_wanted)
        console_leave(&s->console);
}

/* --- the work --- */

/* Is there something to do for it? */
static bool has_news(const struct server *s)
{
    switch (s->phase) {
    case SERVER_GONE:
        return s->build_wanted;
    case SERVER_LIVE:
        return atomic_load(&s->end) != END_NONE;
    case SERVER_WAITING:
        return atomic_load(&s->gone) != 0;
    default:
        return true;
    }
}

static void move_on(struct server *s)
{
    switch (s->phase) {
    case SERVER_GONE:
        begin_build(s);
        break;
    case SERVER_BUILDING:
        go_on_building(s);
        break;
    case SERVER_LIVE:
        begin_end(s, atomic_load(&s->end));
        break;
    case SERVER_KILLING:
        go_on_killing(s);
        break;
    case SERVER_WAITING:
        report_end(s);
        break;
    }
}

/* One step for the server whose turn it is; they take turns. */
static bool life_step(struct work *w)
{
    static size_t turn;

    for (size_t i = 0; busy == NULL && i < nr_servers; i++) {
        turn = (turn + 1) % nr_servers;
        if (has_news(servers[turn]))
            busy = servers[turn];
    }
    if (busy == NULL)
        return false;
    if (has_news(busy))
        move_on(busy);
    else
        patience--;
    if (busy->phase == SERVER_GONE || busy->phase == SERVER_LIVE ||
        (busy->phase == SERVER_WAITING && patience == 0))
        busy = NULL;
    return true;
}

static void end_with(struct server *s, enum server_end why)
{
    uint32_t none = END_NONE;

    (void)atomic_cas(&s->end, &none, (uint32_t)why);
    work_queue(&life_work);
}

/* Its vCPUs have stopped. Any CPU. */
static void shut_down(struct domain *d)
{
    if (d->server == NULL)
        return;
    switch (d->shutdown_code) {
    case SHUTDOWN_poweroff:
        end_with(d->server, END_POWEROFF);
        break;
    case SHUTDOWN_reboot:
    case SHUTDOWN_soft_reset:
        end_with(d->server, END_REBOOT);
        break;
    case SHUTDOWN_suspend:
        domain_resume(d); /* there is nowhere to save it to: "cancelled" */
        break;
    default:
        end_with(d->server, END_CRASH);
        break;
    }
}

static void gone(domid_t id, struct server *s, uint64_t frames)
{
    if (s == NULL)
        return;
    atomic_store(&s->gone, 1u);
    work_queue(&life_work);
}

/* Only for those that started with the machine: their ends are life_step()'s. */
static bool doomed(struct domain *d)
{
    if (d->server == NULL)
        return false;
    end_with(d->server, END_STOP);
    return true;
}

void life_start(void)
{
    work_init(&life_work, life_step);
    domain_set_watcher(shut_down, gone, doomed);
    free_without_any = page_alloc_free_frames();
}

void life_build_now(struct server *s)
{
    begin_build(s);
    while (s->phase == SERVER_BUILDING)
        go_on_building(s);
    work_queue(&life_work);
}

int life_end(struct server *s, enum server_end why)
{
    if (s->phase != SERVER_LIVE || s->is_dom0)
        return -EINVAL;
    end_with(s, why);
    return 0;
}

int life_restart(struct server *s)
{
    if (s->phase == SERVER_GONE && s->image != NULL) {
        s->build_wanted = true;
        work_queue(&life_work);
        return 0;
    }
    return life_end(s, END_RESTART);
}
