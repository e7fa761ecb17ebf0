/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen and the input.
 *
 * The screen is a stream of lines. One speaker at a time may have a line open
 * (begun, not ended); who else must speak begins a new line. We see every byte
 * that goes to the console, the hypervisor's own lines too, by being one of
 * the log's sinks: so we know whether an open line is still where it was.
 *
 * A server's ring is emptied by a work of the boot CPU, a piece at a time, so
 * that a talkative server slows down itself and nobody else. The operator's
 * keys go the same way: no lock is held when a command runs.
 */
#include "builder/console.h"
#include "builder/builder.h"
#include "core/log.h"
#include "core/timer.h"
#include "core/work.h"
#include "domain/vcpu.h"
#include "evtchn/evtchn.h"
#include "hypercall/console.h"
#include "lib/format.h"
#include "platform/platform.h"

#define KEY_NEXT     0x0f /* Ctrl-O */
#define SOURCES_MAX  (BOOT_MODULES_MAX + 1)
#define DRAIN_BYTES  256  /* of a ring, in one step */
#define QUIET        MILLISECS(200)
#define COLOURS_BACK "\033[0m"

/* [s] guarded by lock, [k] the sink's, under the log's lock */
static spinlock_t lock = SPINLOCK_INIT(LOCK_CONSOLE);
static struct console_source *sources[SOURCES_MAX];  /* [s] */
static size_t nr_sources, input;                     /* [s] input == nr_sources: the prompt */
static const void *screen_owner;                     /* [s] whose line is open; NULL: nobody's */
static uint64_t screen_at;                           /* [s] `shown` when it was written */
static uint64_t shown;                               /* [k] bytes the console was sent */
static char last_shown = '\n';                       /* [k] */
static char keys[CONSOLE_TYPED_MAX];                 /* [s] typed, not looked at */
static uint32_t keys_in, keys_out;                   /* [s] */
static bool ready;
static struct work console_work;
static struct timer quiet_timer;

/* --- the screen --- */

static void screen_sink(const char *s, size_t n)
{
    WRITE_ONCE(shown, shown + n);
    WRITE_ONCE(last_shown, s[n - 1]);
}

static bool open_locked(const void *owner)
{
    return owner != NULL && screen_owner == owner && READ_ONCE(shown) == screen_at;
}

static void write_locked(const void *owner, const char *lead, const char *text, size_t n, bool end)
{
    char out[LINE_MAX + ESCAPE_MAX + CONSOLE_TYPED_MAX];
    size_t len = 0;

    if (!open_locked(owner)) {
        if (READ_ONCE(last_shown) != '\n')
            out[len++] = '\n';
        len += MIN(string_copy(out + len, lead, CONSOLE_TYPED_MAX - 2), (size_t)CONSOLE_TYPED_MAX - 3);
    }
    memcpy(out + len, text, n);
    len += n;
    if (end)
        out[len++] = '\n';
    screen_owner = end ? NULL : owner;
    screen_at = READ_ONCE(shown) + len; /* if another CPU's line comes between, it will not be that */
    log_raw(out, len);
}

void screen_write(const void *owner, const char *lead, const char *text, size_t n, bool end)
{
    spin_lock(&lock);
    write_locked(owner, lead, text, MIN(n, (size_t)LINE_MAX), end);
    spin_unlock(&lock);
}

bool screen_is_open(const void *owner)
{
    bool open;

    spin_lock(&lock);
    open = open_locked(owner);
    spin_unlock(&lock);
    return open;
}

void screen_print(const char *fmt, ...)
{
    char text[LINE_MAX];
    va_list args;
    size_t n;

    va_start(args, fmt);
    n = format_v(text, sizeof(text), fmt, args);
    va_end(args);
    screen_write(NULL, "", text, MIN(n, sizeof(text) - 1), true);
}

/* --- a server's output --- */

static bool has_input(const struct console_source *c)
{
    return input < nr_sources && sources[input] == c;
}

static void show_line(struct console_source *c, bool end)
{
    char lead[SERVER_NAME_MAX + 4] = "";

    if (c->marked)
        format(lead, sizeof(lead), "[%s] ", c->name);
    if (end && c->line.coloured) {
        memcpy(c->line.text + c->line.len, COLOURS_BACK, sizeof(COLOURS_BACK) - 1);
        c->line.len += sizeof(COLOURS_BACK) - 1;
        c->line.coloured = false;
    }
    write_locked(c, lead, c->line.text, c->line.len, end);
    line_taken(&c->line);
}

/* Bytes of a source: its lines are shown as they get complete. True: what is left waits for the quiet. */
static bool feed_locked(struct console_source *c, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum line_event event = line_feed(&c->line, s[i], has_input(c));

        if (event != LINE_GATHERING)
            show_line(c, event == LINE_COMPLETE);
    }
    if (c->line.len > 0 && (open_locked(c) || (has_input(c) && !c->marked)))
        show_line(c, false);
    return c->line.len > 0 && has_input(c);
}

static void feed(struct console_source *c, const char *s, size_t n)
{
    bool rest;

    spin_lock(&lock);
    rest = feed_locked(c, s, n);
    spin_unlock(&lock);
    if (rest)
        timer_set(&quiet_timer, stime_now() + QUIET);
}

static struct console_source *find_source_locked(const struct domain *d)
{
    for (size_t i = 0; i < nr_sources; i++) {
        if (sources[i]->domain == d)
            return sources[i];
    }
    return NULL;
}

void console_server_write(struct domain *d, const char *s, size_t n)
{
    struct console_source *c;

    spin_lock(&lock);
    c = find_source_locked(d);
    spin_unlock(&lock);
    if (c != NULL)
        feed(c, s, n);
}

void console_source_kick(struct console_source *c)
{
    atomic_store(&c->has_output, 1u);
    work_queue(&console_work);
}

/* One piece of what the ring holds; true: there may be more. */
static bool drain(struct console_source *c)
{
    char buf[DRAIN_BYTES];
    size_t n;

    if (c->ring.page == NULL || atomic_xchg(&c->has_output, 0u) == 0)
        return false;
    n = console_ring_read(&c->ring, buf, sizeof(buf));
    if (n == 0)
        return false;
    feed(c, buf, n);
    evtchn_notify_hv_port(c->domain, c->port);
    atomic_store(&c->has_output, 1u);
    return true;
}

/*
 * The screen was quiet for a while: show what the server with the input has
 * begun, or bring the prompt back.
 */
static void quiet(void *unused)
{
    bool prompt = false;

    spin_lock(&lock);
    if (input == nr_sources)
        prompt = ready;
    else if (sources[input]->line.len > 0)
        show_line(sources[input], false);
    spin_unlock(&lock);
    if (prompt) {
        timer_set(&quiet_timer, stime_now() + QUIET);
        work_queue(&console_work);
    }
}

/* --- the input --- */

void console_input(char c)
{
    spin_lock(&lock);
    if (keys_in - keys_out < sizeof(keys))
        keys[keys_in++ % sizeof(keys)] = c;
    spin_unlock(&lock);
    work_queue(&console_work);
}

static bool take_key(char *c)
{
    bool some;

    spin_lock(&lock);
    some = keys_in != keys_out;
    if (some)
        *c = keys[keys_out++ % sizeof(keys)];
    spin_unlock(&lock);
    return some;
}

static void set_input(size_t to)
{
    const char *name;

    spin_lock(&lock);
    input = to;
    name = to < nr_sources ? sources[to]->name : "hospes";
    spin_unlock(&lock);
    log_always("input: %-12s (Ctrl-O: next)", name);
    if (to == nr_sources)
        prompt_show();
    timer_set(&quiet_timer, stime_now());
}

bool console_give_input(struct console_source *c)
{
    size_t i = 0;

    while (i < nr_sources && sources[i] != c)
        i++;
    if (c != NULL && (i == nr_sources || c->domain == NULL))
        return false;
    set_input(i);
    return true;
}

/* The next after `from` that runs; the prompt is always there. */
static size_t next_input(size_t from)
{
    size_t to = from;

    do
        to = to == nr_sources ? 0 : to + 1;
    while (to < nr_sources && sources[to]->domain == NULL);
    return to;
}

/* A key for a server. One for which there is no room is lost. */
static void type_into(struct console_source *c, char key)
{
    if (c->domain == NULL)
        return;
    if (c->ring.page != NULL) {
        if (console_ring_write(&c->ring, key))
            evtchn_notify_hv_port(c->domain, c->port);
        return;
    }
    spin_lock(&lock);
    if (c->typed_in - c->typed_out < sizeof(c->typed))
        c->typed[c->typed_in++ % sizeof(c->typed)] = key;
    spin_unlock(&lock);
    evtchn_send_global_virq(c->domain, VIRQ_CONSOLE);
}

size_t console_server_read(struct domain *d, char *buf, size_t n)
{
    struct console_source *c;
    size_t count = 0;

    spin_lock(&lock);
    c = find_source_locked(d);
    while (c != NULL && count < n && c->typed_in != c->typed_out)
        buf[count++] = c->typed[c->typed_out++ % sizeof(c->typed)];
    spin_unlock(&lock);
    return count;
}

static bool console_step(struct work *w)
{
    static uint64_t shown_before;
    bool more = false;
    char key;

    for (size_t i = 0; i < nr_sources; i++)
        more |= drain(sources[i]);
    if (take_key(&key)) {
        more = true;
        if (key == KEY_NEXT)
            set_input(next_input(input));
        else if (input < nr_sources)
            type_into(sources[input], key);
        else
            prompt_key(key);
        if (key != KEY_NEXT && input == nr_sources)
            prompt_show();
    }
    /* The prompt comes back when nobody else has written between two ticks. */
    if (ready && input == nr_sources && !more && READ_ONCE(shown) == shown_before)
        prompt_show();
    shown_before = READ_ONCE(shown);
    return more;
}

/* --- sources come and go --- */

void console_add(struct console_source *c, const char *name, bool marked)
{
    string_copy(c->name, name, sizeof(c->name));
    c->marked = marked;
    spin_lock(&lock);
    sources[nr_sources++] = c;
    input = nr_sources;
    spin_unlock(&lock);
}

void console_attach(struct console_source *c, struct domain *d, struct xencons_interface *page, uint32_t port)
{
    console_ring_init(&c->ring, page);
    c->port = port;
    spin_lock(&lock);
    c->line = (struct line){0};
    c->typed_in = c->typed_out = 0;
    c->domain = d;
    spin_unlock(&lock);
}

void console_detach(struct console_source *c)
{
    if (c->domain == NULL)
        return;
    for (size_t i = 0; i <= sizeof(c->ring.page->out) / DRAIN_BYTES; i++) {
        atomic_store(&c->has_output, 1u);
        drain(c);
    }
    c->ring.page = NULL;
    spin_lock(&lock);
    if (c->line.len > 0)
        show_line(c, true);
    c->domain = NULL;
    spin_unlock(&lock);
}

void console_leave(struct console_source *c)
{
    if (ready && has_input(c))
        set_input(nr_sources);
}

void console_start(void)
{
    static const struct console_ops ops = {.write = console_server_write, .read = console_server_read};

    console_set_ops(&ops);
    work_init(&console_work, console_step);
    timer_init(&quiet_timer, quiet, NULL, 0);
    log_add_sink(screen_sink);
}

void console_ready(void)
{
    ready = true;
    set_input(next_input(nr_sources));
}
