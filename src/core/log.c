/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log: a ring of bytes that keeps the latest 64 KiB, and sinks that are
 * written as the bytes come. A sink that joins later is given what the ring
 * holds, so that nothing said before the serial port was set up is lost.
 *
 * A line of the hypervisor begins with "(hv) " on a line of its own: if the
 * console is in the middle of a line, a newline is put in. Characters in it
 * that could move the operator's cursor become '?', since the text may quote
 * what a guest or a boot module says.
 */
#include "core/log.h"

#include "abi/errno.h"
#include "core/timer.h"
#include "lib/format.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/spinlock.h"

#define RING_SIZE   65536u
#define SINKS_MAX   4
#define LINE_MAX    512

static spinlock_t lock = SPINLOCK_INIT(LOCK_LOG);

/* All guarded by lock. The ring holds bytes [start, end) of all that was ever written. */
static char ring[RING_SIZE];
static uint64_t ring_start, ring_end;
static void (*sink[SINKS_MAX])(const char *s, size_t n);
static unsigned int nr_sinks;
static bool mid_line;

static bool panicking;
static unsigned int panic_cpu;

/* False: this CPU is not to log any more. In a panic, the lock's holder may never run again. */
static bool log_lock(void) TRY_ACQUIRES(true, lock);
static void log_unlock(void) RELEASES(lock);

NO_LOCK_CHECK static bool log_lock(void)
{
    if (unlikely(READ_ONCE(panicking)))
        return cpu_id() == panic_cpu;
    spin_lock(&lock);
    return true;
}

NO_LOCK_CHECK static void log_unlock(void)
{
    if (likely(!panicking))
        spin_unlock(&lock);
}

static void show_locked(const char *s, size_t n)
{
    if (n == 0)
        return;
    mid_line = s[n - 1] != '\n';
    for (unsigned int i = 0; i < nr_sinks; i++)
        sink[i](s, n);
}

static void put_locked(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ring[(ring_end + i) % RING_SIZE] = s[i];
    ring_end += n;
    if (ring_end - ring_start > RING_SIZE)
        ring_start = ring_end - RING_SIZE;
    show_locked(s, n);
}

void log_raw(const char *s, size_t n)
{
    if (!log_lock())
        return;
    show_locked(s, n);
    log_unlock();
}

/* --- levels: which messages are printed, and which of them at a limited rate --- */

/*
 * Xen's loglvl=: messages up to `always` are printed, those up to `limited` too
 * but at a limited rate, others not. Counted from 1 (error); 0 is none.
 */
struct threshold { unsigned int always, limited; };

static struct threshold hv_threshold = {LOG_INFO, LOG_INFO};
static struct threshold guest_threshold = {0, LOG_WARNING};

static const char *const level_name[] = {"none", "error", "warning", "info", "debug", "all"};

static int parse_level(struct span text, unsigned int *level)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(level_name); i++) {
        if (span_equals(text, level_name[i])) {
            *level = i;
            return 0;
        }
    }
    return -EINVAL;
}

static int parse_threshold(const char *text, struct threshold *t)
{
    const char *slash = strchr(text, '/');
    struct span first = {text, slash ? (size_t)(slash - text) : strlen(text)};
    struct threshold new;
    int rc = parse_level(first, &new.always);

    new.limited = new.always;
    if (!rc && slash)
        rc = parse_level(span_of(slash + 1), &new.limited);
    if (!rc)
        *t = new;
    return rc;
}

int log_set_levels(const char *loglvl, const char *guest_loglvl)
{
    struct threshold hv = hv_threshold, guest = guest_threshold;
    int rc = loglvl ? parse_threshold(loglvl, &hv) : 0;

    if (!rc && guest_loglvl)
        rc = parse_threshold(guest_loglvl, &guest);
    if (rc)
        return rc;
    hv_threshold = hv;
    guest_threshold = guest;
    return 0;
}

void log_get_levels(bool guest, char *to, size_t size)
{
    const struct threshold *t = guest ? &guest_threshold : &hv_threshold;

    format(to, size, "%s/%s", level_name[READ_ONCE(t->always)], level_name[READ_ONCE(t->limited)]);
}

/*
 * The limit: RATE_BURST lines in RATE_WINDOW for each speaker. Domains whose
 * numbers agree modulo RATE_SPEAKERS - 1 share theirs; the hypervisor has the last.
 */
#define RATE_WINDOW   MILLISECS(5000)
#define RATE_BURST    10
#define RATE_SPEAKERS 64

struct rate { stime_t since; uint32_t lines, lost; };

static struct rate rate[RATE_SPEAKERS]; /* guarded by lock */

/* May it speak? *lost: how many lines were suppressed since it last could. */
static bool rate_allows(struct rate *r, uint32_t *lost)
{
    stime_t now = stime_now();

    *lost = 0;
    if (r->lines == 0 || now - r->since >= RATE_WINDOW) {
        *lost = r->lost;
        *r = (struct rate){.since = now};
    }
    if (r->lines >= RATE_BURST) {
        r->lost++;
        return false;
    }
    r->lines++;
    return true;
}

/* --- lines --- */

static void put_line_locked(const char *mark, const char *text)
{
    char line[LINE_MAX];
    size_t n = format(line, sizeof(line) - 1, "(hv) %s%s", mark, text);

    n = MIN(n, sizeof(line) - 2);
    if (mid_line)
        show_locked("\n", 1);
    if (n > 0 && line[n - 1] == '\n')
        n--;
    for (size_t i = 0; i < n; i++) {
        if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
            line[i] = '?';
    }
    line[n++] = '\n';
    put_locked(line, n);
}

static void log_line(const struct threshold *t, enum log_level level, unsigned int speaker, const char *mark,
                     const char *fmt, va_list args) PRINTF_LIKE(5, 0);
static void log_line(const struct threshold *t, enum log_level level, unsigned int speaker, const char *mark,
                     const char *fmt, va_list args)
{
    char text[LINE_MAX];
    uint32_t lost = 0;

    if (level > t->always && level > t->limited)
        return;
    format_v(text, sizeof(text), fmt, args);
    if (!log_lock())
        return;
    if (level <= t->always || rate_allows(&rate[speaker], &lost)) {
        if (lost) {
            char note[64];

            format(note, sizeof(note), "%u lines suppressed", lost);
            put_line_locked(mark, note);
        }
        put_line_locked(mark, text);
    }
    log_unlock();
}

void log_at(enum log_level level, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_line(&hv_threshold, level, RATE_SPEAKERS - 1, "", fmt, args);
    va_end(args);
}

void log_guest(unsigned int domid, enum log_level level, const char *fmt, ...)
{
    char mark[16];
    va_list args;

    format(mark, sizeof(mark), "d%u: ", domid);
    va_start(args, fmt);
    log_line(&guest_threshold, level, domid % (RATE_SPEAKERS - 1), mark, fmt, args);
    va_end(args);
}

/* --- readers --- */

/* Copies under the lock, which the caller holds or need not (a new sink). */
static size_t copy_out(uint64_t *index, char *buf, size_t size)
{
    size_t n;

    *index = MIN(MAX(*index, ring_start), ring_end);
    n = MIN(size, ring_end - *index);
    for (size_t i = 0; i < n; i++)
        buf[i] = ring[(*index + i) % RING_SIZE];
    *index += n;
    return n;
}

size_t log_read(uint64_t *index, char *buf, size_t size)
{
    size_t n;

    if (!log_lock())
        return 0;
    n = copy_out(index, buf, size);
    log_unlock();
    return n;
}

void log_clear(void)
{
    if (!log_lock())
        return;
    ring_start = ring_end;
    log_unlock();
}

void log_add_sink(void (*write)(const char *s, size_t n))
{
    char buf[128];
    uint64_t index = 0;
    size_t n;

    if (!log_lock())
        return;
    if (nr_sinks < SINKS_MAX) {
        while ((n = copy_out(&index, buf, sizeof(buf))) > 0)
            write(buf, n);
        sink[nr_sinks++] = write;
    }
    log_unlock();
}

void log_enter_panic(void)
{
    panic_cpu = cpu_id();
    WRITE_ONCE(panicking, true);
}
