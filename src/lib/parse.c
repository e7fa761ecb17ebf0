/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading what a person typed. Every reader consumes from the front of a span
 * and insists at the end that nothing is left over.
 */
#include "lib/parse.h"
#include "lib/checked.h"

#define CPUS_IN_MASK 64

bool span_copy(char *dst, size_t size, struct span span)
{
    size_t n = size == 0 ? 0 : MIN(span.len, size - 1);

    memcpy(dst, span.at, n);
    if (size > 0)
        dst[n] = '\0';
    return n == span.len;
}

static void skip(struct span *text, size_t n)
{
    text->at += n;
    text->len -= n;
}

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The value of a digit, or a number too large for any base. */
static unsigned int digit_value(char c)
{
    c = to_lower(c);
    if (c >= '0' && c <= '9')
        return (unsigned int)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned int)(c - 'a') + 10;
    return 255;
}

int parse_u64_prefix(struct span *text, uint64_t *value)
{
    struct span rest = *text;
    uint64_t number = 0;
    unsigned int base = 10;
    size_t digits = 0;

    if (rest.len == 0)
        return -ENODATA;
    if (rest.len >= 2 && rest.at[0] == '0' && to_lower(rest.at[1]) == 'x') {
        base = 16;
        skip(&rest, 2);
    }
    for (; rest.len > 0 && digit_value(rest.at[0]) < base; digits++) {
        if (!checked_mul_u64(number, base, &number) ||
            !checked_add_u64(number, digit_value(rest.at[0]), &number))
            return -EOVERFLOW;
        skip(&rest, 1);
    }
    if (digits == 0)
        return -EINVAL;
    *text = rest;
    *value = number;
    return 0;
}

int parse_u64(struct span text, uint64_t *value)
{
    uint64_t number;
    int error = parse_u64_prefix(&text, &number);

    if (error != 0)
        return error;
    if (text.len != 0)
        return -EINVAL;
    *value = number;
    return 0;
}

int parse_size(struct span text, uint64_t unit, uint64_t *bytes)
{
    static const char units[] = "bkmgt";
    uint64_t number;
    int error = parse_u64_prefix(&text, &number);

    if (error != 0)
        return error;
    if (text.len > 0) {
        char letter = to_lower(text.at[0]);
        const char *found = letter != '\0' ? strchr(units, letter) : NULL;

        if (found == NULL)
            return -EOPNOTSUPP;
        if (text.len > 1)
            return -EINVAL;
        unit = 1ULL << (10 * (found - units));
    }
    if (!checked_mul_u64(number, unit, &number))
        return -EOVERFLOW;
    *bytes = number;
    return 0;
}

/* "N" or "N-M" at the front of @text. */
static int parse_cpu_range(struct span *text, uint64_t *first, uint64_t *last)
{
    int error = parse_u64_prefix(text, first);

    if (error != 0)
        return error;
    *last = *first;
    if (text->len > 0 && text->at[0] == '-') {
        skip(text, 1);
        error = parse_u64_prefix(text, last);
        if (error != 0)
            return error;
    }
    if (*first >= CPUS_IN_MASK || *last >= CPUS_IN_MASK)
        return -ERANGE;
    return *first <= *last ? 0 : -EDOM;
}

int parse_cpu_list(struct span text, uint64_t *mask)
{
    uint64_t result = 0;

    for (;;) {
        uint64_t first, last;
        int error = parse_cpu_range(&text, &first, &last);

        if (error != 0)
            return error;
        result |= (~0ULL >> (CPUS_IN_MASK - 1 - (last - first))) << first;
        if (text.len == 0)
            break;
        if (text.at[0] != ',')
            return -EINVAL;
        skip(&text, 1);
    }
    *mask = result;
    return 0;
}

int parse_bool(struct span text, bool *value)
{
    static const char *const words[2][4] = {
        {"no", "off", "false", "0"},
        {"yes", "on", "true", "1"},
    };

    if (text.len == 0)
        return -ENODATA;
    for (size_t meaning = 0; meaning < 2; meaning++) {
        for (size_t i = 0; i < ARRAY_SIZE(words[meaning]); i++) {
            if (span_equals(text, words[meaning][i])) {
                *value = meaning == 1;
                return 0;
            }
        }
    }
    return -EINVAL;
}

const char *parse_error(int error)
{
    switch (error) {
    case 0:
        return "correct";
    case -ENODATA:
        return "a value is missing";
    case -EINVAL:
        return "a character does not belong there";
    case -EOVERFLOW:
        return "the number is too large";
    case -EOPNOTSUPP:
        return "the unit is none of B, K, M, G and T";
    case -ERANGE:
        return "a CPU number is larger than 63";
    case -EDOM:
        return "a range runs backwards";
    default:
        return "not understood";
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool parse_next_option(const char **text, struct option *option)
{
    const char *p = *text, *equals;
    size_t len = 0;

    while (is_space(*p))
        p++;
    while (p[len] != '\0' && !is_space(p[len]))
        len++;
    *text = p + len;
    if (len == 0)
        return false;

    equals = memchr(p, '=', len);
    option->word = (struct span){p, len};
    option->has_value = equals != NULL;
    option->key = (struct span){p, equals != NULL ? (size_t)(equals - p) : len};
    option->value = (struct span){p + len, 0};
    if (equals != NULL)
        option->value = (struct span){equals + 1, len - option->key.len - 1};
    return true;
}
