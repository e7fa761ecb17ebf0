/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Module arguments. Each key is a row of a table with its reader and the words
 * that say what is expected; the first mistake is told and ends the reading.
 */
#include "builder/args.h"
#include "lib/bitmap.h"
#include "lib/format.h"

#define FOUND_MAX 48 /* so much of a wrong word is repeated */

static int shown(struct span s)
{
    return (int)MIN(s.len, (size_t)FOUND_MAX);
}

void fault_set(struct fault *f, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    format_v(f->text, sizeof(f->text), fmt, args);
    va_end(args);
}

/* A file name has no '=' before its first '/'. */
static bool is_file_name(const struct option *o)
{
    const char *slash = memchr(o->word.at, '/', o->word.len);

    return !o->has_value || (slash != NULL && slash < o->value.at);
}

/* The keys of a boot-time server's module, from domain= on; NULL: it is none. */
static const char *server_keys(const char *args)
{
    const char *rest = args, *start;
    struct option o;

    if (!parse_next_option(&rest, &o))
        return NULL;
    if (o.has_value && span_equals(o.key, "domain"))
        return o.word.at;
    start = rest;
    if (is_file_name(&o) && parse_next_option(&rest, &o) && o.has_value && span_equals(o.key, "domain"))
        return start;
    return NULL;
}

bool args_is_server(const char *args)
{
    return server_keys(args) != NULL;
}

/* --- one reader for each key: 0 or the parser's error --- */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

static int read_domain(struct span value, const struct args_limits *limits, struct server_args *out)
{
    if (value.len == 0)
        return -ENODATA;
    if (value.len >= sizeof(out->name))
        return -EOVERFLOW;
    for (size_t i = 0; i < value.len; i++) {
        if (!is_name_char(value.at[i]))
            return -EINVAL;
    }
    span_copy(out->name, sizeof(out->name), value);
    return 0;
}

static int read_memory(struct span value, const struct args_limits *limits, struct server_args *out)
{
    int error = parse_size(value, 1ULL << 20, &out->memory);

    out->memory &= ~(uint64_t)(PAGE_SIZE - 1);
    return error == 0 && out->memory == 0 ? -EINVAL : error;
}

static int read_number(struct span value, uint64_t max, uint64_t *number)
{
    int error = parse_u64(value, number);

    return error == 0 && (*number == 0 || *number > max) ? -EINVAL : error;
}

static int read_vcpus(struct span value, const struct args_limits *limits, struct server_args *out)
{
    uint64_t number;
    int error = read_number(value, UINT32_MAX, &number);

    if (error != 0)
        return error;
    if (number > limits->vcpus_max)
        return -E2BIG;
    out->vcpus = (uint32_t)number;
    return 0;
}

static int read_cpus(struct span value, const struct args_limits *limits, struct server_args *out)
{
    int error = parse_cpu_list(value, &out->cpus);

    return error == 0 && (out->cpus & ~limits->cpus) != 0 ? -EINVAL : error;
}

static int read_weight(struct span value, const struct args_limits *limits, struct server_args *out)
{
    uint64_t number;
    int error = read_number(value, UINT16_MAX, &number);

    if (error == 0)
        out->weight = (uint16_t)number;
    return error;
}

/* Percent of one CPU; 0: no limit. */
static int read_cap(struct span value, const struct args_limits *limits, struct server_args *out)
{
    uint64_t number;
    int error = parse_u64(value, &number);

    if (error == 0 && number > 100ULL * limits->vcpus_max)
        return -EINVAL;
    if (error == 0)
        out->cap = (uint16_t)number;
    return error;
}

static int read_console(struct span value, const struct args_limits *limits, struct server_args *out)
{
    return parse_bool(value, &out->console);
}

static const struct key {
    const char *name, *expected;
    int (*read)(struct span value, const struct args_limits *limits, struct server_args *out);
} keys[] = {
    {"domain", "1 to 31 letters, digits, '.', '_' or '-'", read_domain},
    {"memory", "a size such as 128M", read_memory},
    {"vcpus", "a number from 1", read_vcpus},
    {"cpus", "a list such as 0-1,3 of CPUs that run", read_cpus},
    {"weight", "a number from 1 to 65535", read_weight},
    {"cap", "a percentage of one CPU, 0 for none", read_cap},
    {"console", "yes or no", read_console},
};

static const struct key *find_key(struct span name)
{
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (span_equals(name, keys[i].name))
            return &keys[i];
    }
    return NULL;
}

static int read_option(const struct option *o, const struct args_limits *limits, uint32_t *seen,
                       struct server_args *out, struct fault *fault)
{
    const struct key *key = find_key(o->key);
    int error;

    if (key == NULL) {
        fault_set(fault, "unknown key: found %.*s, expected domain, memory, vcpus, cpus, weight, cap, console, --",
                  shown(o->word), o->word.at);
        return -EINVAL;
    }
    if ((*seen & BIT(key - keys)) != 0) {
        fault_set(fault, "contradictory %s: found a second %.*s, expected it once", key->name, shown(o->word),
                  o->word.at);
        return -EINVAL;
    }
    *seen |= (uint32_t)BIT(key - keys);
    error = key->read(o->value, limits, out);
    if (error == -E2BIG) {
        fault_set(fault, "too many vcpus: found %.*s, expected at most %u", shown(o->value), o->value.at,
                  limits->vcpus_max);
    } else if (error != 0) {
        fault_set(fault, "bad value of %s: found %.*s, expected %s", key->name, shown(o->word), o->word.at,
                  key->expected);
    }
    return error != 0 ? -EINVAL : 0;
}

/* What follows "--", without white space in front. */
static int read_cmdline(const char *text, struct server_args *out, struct fault *fault)
{
    while (*text == ' ')
        text++;
    out->cmdline = text;
    if (strlen(text) < SERVER_CMDLINE_MAX)
        return 0;
    fault_set(fault, "bad value of the kernel's arguments: found %zu bytes, expected at most %u",
              strlen(text), SERVER_CMDLINE_MAX - 1);
    return -EINVAL;
}

int args_parse_server(const char *args, const struct args_limits *limits, struct server_args *out,
                      struct fault *fault)
{
    const char *text = server_keys(args);
    struct option o;
    uint32_t seen = 0;

    *out = (struct server_args){
        .name = "unnamed", .memory = SERVER_MEMORY_USUAL, .vcpus = 1, .cpus = limits->cpus,
        .weight = 256, .console = true, .cmdline = "",
    };
    while (text != NULL && parse_next_option(&text, &o)) {
        int error;

        if (span_equals(o.word, "--"))
            return read_cmdline(text, out, fault);
        error = read_option(&o, limits, &seen, out, fault);
        if (error != 0)
            return error;
    }
    return 0;
}

/* --- the classic form --- */

const char *args_plain_cmdline(const char *args, const char *loader)
{
    const char *rest = args;
    struct option o;

    if (!string_starts_with(loader, "GRUB") && parse_next_option(&rest, &o) && is_file_name(&o))
        args = rest;
    while (*args == ' ')
        args++;
    return args;
}

static int read_dom0_size(struct span part, struct dom0_size *size)
{
    size->given = true;
    size->all_but = part.len > 0 && part.at[0] == '-';
    if (size->all_but)
        part = (struct span){part.at + 1, part.len - 1};
    return parse_size(part, 1024, &size->bytes);
}

int args_parse_dom0_mem(const char *value, struct dom0_memory *out, struct fault *fault)
{
    const char *rest = value;

    *out = (struct dom0_memory){0};
    while (rest != NULL) {
        const char *comma = strchr(rest, ',');
        struct span part = comma != NULL ? (struct span){rest, (size_t)(comma - rest)} : span_of(rest);
        struct dom0_size *size = &out->size;

        if (part.len > 4 && (memcmp(part.at, "min:", 4) == 0 || memcmp(part.at, "max:", 4) == 0)) {
            size = part.at[1] == 'i' ? &out->min : &out->max;
            part = (struct span){part.at + 4, part.len - 4};
        }
        if (read_dom0_size(part, size) != 0) {
            fault_set(fault, "bad value: found %.*s, expected SIZE, min:SIZE, max:SIZE, with commas between",
                      shown(span_of(value)), value);
            *out = (struct dom0_memory){0};
            return -EINVAL;
        }
        rest = comma != NULL ? comma + 1 : NULL;
    }
    return 0;
}

int args_parse_dom0_vcpus(const char *value, uint32_t cpus, uint32_t vcpus_max, uint32_t *out,
                          struct fault *fault)
{
    uint64_t min = 1, max = vcpus_max;
    struct span text = span_of(value != NULL ? value : "-");
    const char *dash = memchr(text.at, '-', text.len);
    int error = 0;

    *out = MIN(cpus, vcpus_max);
    if (dash == NULL) {
        error = parse_u64(text, &min);
        max = min;
    } else {
        struct span low = {text.at, (size_t)(dash - text.at)};
        struct span high = {dash + 1, text.len - low.len - 1};

        error = low.len != 0 ? parse_u64(low, &min) : 0;
        if (error == 0 && high.len != 0)
            error = parse_u64(high, &max);
    }
    if (error != 0 || min == 0 || max < min) {
        fault_set(fault, "bad value: found %.*s, expected N or MIN-MAX, from 1", shown(text), text.at);
        return -EINVAL;
    }
    if (min > vcpus_max) {
        fault_set(fault, "too many vcpus: found %.*s, expected at most %u", shown(text), text.at, vcpus_max);
        return -EINVAL;
    }
    *out = (uint32_t)MAX(min, MIN(max, (uint64_t)*out));
    return 0;
}

static uint64_t dom0_pages_of(const struct dom0_size *size, uint64_t free)
{
    uint64_t pages = size->bytes >> PAGE_SHIFT;

    if (!size->all_but)
        return pages;
    return pages < free ? free - pages : 0;
}

uint64_t args_dom0_pages(const struct dom0_memory *m, uint64_t free, uint64_t *max_pages)
{
    uint64_t spare = MIN(free / 16, (128ULL << 20) >> PAGE_SHIFT);
    uint64_t pages = m->size.given ? dom0_pages_of(&m->size, free) : free - spare;

    *max_pages = UINT64_MAX;
    if (m->max.given) {
        *max_pages = dom0_pages_of(&m->max, free);
        pages = MIN(pages, *max_pages);
    }
    if (m->min.given)
        pages = MAX(pages, dom0_pages_of(&m->min, free));
    return pages;
}
