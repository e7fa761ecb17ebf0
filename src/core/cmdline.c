/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line. `known` is the list of all options there are, with what
 * their values must look like, so that a mistyped one is named at start-up
 * rather than silently ignored. Options have no state here: whoever wants one
 * asks for it.
 */
#include "core/cmdline.h"

#include "core/log.h"
#include "lib/parse.h"
#include "lib/string.h"

#define LINE_SIZE 1024

enum value_kind {
    VALUE_TEXT, /* its user checks it */
    VALUE_FLAG,
    VALUE_LIST, /* of a flag and other things; its user checks it */
    VALUE_NUMBER,
};

static const struct known_option { const char *name; enum value_kind kind; } known[] = {
    {"com1", VALUE_TEXT},
    {"com2", VALUE_TEXT},
    {"console", VALUE_TEXT},
    {"dom0_max_vcpus", VALUE_TEXT},
    {"dom0_mem", VALUE_TEXT},
    {"dom0_vcpus_pin", VALUE_FLAG},
    {"guest_loglvl", VALUE_TEXT},
    {"loglvl", VALUE_TEXT},
    {"maxcpus", VALUE_NUMBER},
    {"nmi", VALUE_TEXT},
    {"noreboot", VALUE_FLAG},
    {"pv-l1tf", VALUE_LIST},
    {"pv-linear-pt", VALUE_FLAG},
    {"sched", VALUE_TEXT},
    {"spec-ctrl", VALUE_LIST},
    {"tsc", VALUE_TEXT},
    {"watchdog", VALUE_FLAG},
    {"watchdog_timeout", VALUE_NUMBER},
    {"xpti", VALUE_LIST},
};

static char line_as_given[LINE_SIZE];
static char words[LINE_SIZE + 1]; /* each word ended by a NUL, an empty one ends the list */

static const struct known_option *find_known(struct span name)
{
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (span_equals(name, known[i].name))
            return &known[i];
    }
    return NULL;
}

static struct span without_no(struct span name)
{
    if (name.len > 3 && memcmp(name.at, "no-", 3) == 0)
        return (struct span){name.at + 3, name.len - 3};
    return name;
}

/* Names what is wrong with a word; true if it may stay. */
static bool check_option(const struct option *o)
{
    const struct known_option *k = find_known(o->key), *no = find_known(without_no(o->key));
    const char *expected = NULL;
    uint64_t number;
    bool flag;

    if (!k && !(no && (no->kind == VALUE_FLAG || no->kind == VALUE_LIST))) {
        log_warn("option %.*s: unknown key: found %.*s, expected an option of Hospes; it is ignored", (int)o->key.len,
                 o->key.at, (int)o->word.len, o->word.at);
        return false;
    }
    if (!k)
        expected = o->has_value ? "no value after no-" : NULL;
    else if (k->kind == VALUE_FLAG && o->has_value && parse_bool(o->value, &flag) != 0)
        expected = "yes or no";
    else if (k->kind == VALUE_NUMBER && parse_u64(o->value, &number) != 0)
        expected = "a number";
    if (expected)
        log_warn("option %.*s: bad value: found %.*s, expected %s; it is ignored", (int)o->key.len, o->key.at,
                 (int)o->value.len, o->value.at, expected);
    return !expected;
}

/* Some loaders put the image's file name in front. */
static bool is_file_name(const struct option *o)
{
    return !o->has_value && !find_known(o->key) &&
           (memchr(o->word.at, '/', o->word.len) || memchr(o->word.at, '.', o->word.len) ||
            string_starts_with(o->word.at, "hospes"));
}

void cmdline_init(const char *line)
{
    const char *text = line_as_given, *start = line_as_given;
    struct option o;
    char *out = words;

    if (string_copy(line_as_given, line, LINE_SIZE) >= LINE_SIZE)
        log_warn("option line: too long: found %lu characters, expected at most %u; the rest is ignored",
                 (unsigned long)strlen(line), LINE_SIZE - 1);
    for (bool first = true; parse_next_option(&text, &o); first = false) {
        if (first && is_file_name(&o)) {
            start = text;
            continue;
        }
        if (span_equals(o.word, "--")) /* dom0's own from here */
            break;
        if (!check_option(&o))
            continue;
        memcpy(out, o.word.at, o.word.len); /* fits: words and separators came from a line of this size */
        out += o.word.len;
        *out++ = '\0';
    }
    *out = '\0';
    while (*start == ' ')
        start++;
    memmove(line_as_given, start, strlen(start) + 1);
}

const char *cmdline_text(void)
{
    return line_as_given;
}

const char *cmdline_get(const char *name)
{
    size_t len = strlen(name);
    const char *value = NULL;

    for (const char *w = words; *w != '\0'; w += strlen(w) + 1) {
        if (strncmp(w, name, len) != 0)
            continue;
        if (w[len] == '=')
            value = w + len + 1;
        else if (w[len] == '\0')
            value = w + len;
    }
    return value;
}

bool cmdline_flag(const char *name, bool def)
{
    bool result = def;

    for (const char *w = words; *w != '\0'; w += strlen(w) + 1) {
        struct span word = span_of(w), plain = without_no(word);

        if (plain.len != word.len && span_equals(plain, name)) {
            result = false;
        } else if (string_starts_with(w, name)) {
            const char *rest = w + strlen(name);

            if (*rest == '\0')
                result = true;
            else if (*rest == '=') /* checked when it was read */
                parse_bool(span_of(rest + 1), &result);
        }
    }
    return result;
}
