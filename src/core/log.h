/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's log: a ring in memory (console ring, `xl dmesg`) and the
 * console devices. A message is one line; the mark "(hv) " and the newline are
 * added, and control characters are replaced.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

/*
 * loglvl= (info unless given) and guest_loglvl= (none/warning unless given) say
 * what is printed. LOG_ALWAYS: whatever they say (the lines docs/console.md promises).
 */
enum log_level { LOG_ALWAYS, LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_at(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
#define log_always(...) log_at(LOG_ALWAYS, __VA_ARGS__)
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_WARNING, __VA_ARGS__)
#define log_info(...)  log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

/* About a guest: governed by guest_loglvl, marked with the domain ("d3: "). Rate: ten lines in 5 s for each. */
void log_guest(unsigned int domid, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);

/*
 * What servers and the prompt print, bytes as they are, to the console alone: in the ring, it would be read back by
 * `xl dmesg` while that prints, without end.
 */
void log_raw(const char *s, size_t n);

/*
 * A console device: it is given what the ring holds now, and from here on what is written ("\n" alone ends a
 * line). Called once by platform/ for each device; `write` is called under LOCK_LOG.
 */
void log_add_sink(void (*write)(const char *s, size_t n));

/* loglvl=, guest_loglvl= values ("all", "info", "error/warning", ...); NULL: as it is. 0 or -EINVAL (nothing set). */
int log_set_levels(const char *loglvl, const char *guest_loglvl);
/* "info/info": one of them as it is now, cut to `size` bytes with the NUL. */
void log_get_levels(bool guest, char *to, size_t size);

/* Copy at most `size` bytes out of the ring from *index (a count that only grows), and advance it; how many. */
size_t log_read(uint64_t *index, char *buf, size_t size);
void log_clear(void);

/* From here on, only this CPU logs and locks are broken (panic). */
void log_enter_panic(void);

#endif
