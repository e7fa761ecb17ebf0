/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading what a person typed: numbers, sizes, CPU lists, yes and no, and the
 * words of a command line. Text is a span, which need not end in a NUL.
 *
 * The whole span must be the value; nothing is stored unless 0 is returned.
 * The errors, for which parse_error() has words:
 *
 *   -ENODATA     there is no text
 *   -EINVAL      a character that does not belong there
 *   -EOVERFLOW   the number does not fit 64 bits
 *   -EOPNOTSUPP  a suffix that is no unit
 *   -ERANGE      a CPU number beyond 63
 *   -EDOM        a range that runs backwards
 */
#ifndef LIB_PARSE_H
#define LIB_PARSE_H

#include "abi/errno.h"
#include "lib/string.h"

struct span {
    const char *at;
    size_t len;
};

static inline struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static inline bool span_equals(struct span span, const char *text)
{
    return strlen(text) == span.len && memcmp(span.at, text, span.len) == 0;
}

/* Copies to @dst, ended by a NUL; false, with @dst cut short, if it does not fit. */
bool span_copy(char *dst, size_t size, struct span span);

/* A decimal number, or a hexadecimal one after 0x. */
int parse_u64(struct span text, uint64_t *value);

/* The same at the front of @text, from which it is taken off. */
int parse_u64_prefix(struct span *text, uint64_t *value);

/*
 * A size in bytes: a number and a unit B, K, M, G or T (either case, powers of
 * 1024). Without a unit the number counts @unit bytes.
 */
int parse_size(struct span text, uint64_t unit, uint64_t *bytes);

/* CPU numbers and ranges from 0 to 63, "0-3,5", as a mask. */
int parse_cpu_list(struct span text, uint64_t *mask);

/* yes, on, true, 1, or no, off, false, 0. */
int parse_bool(struct span text, bool *value);

/* What was wrong, in words that follow "KEY=VALUE: ". */
const char *parse_error(int error);

/* One word of a command line: KEY=VALUE, or KEY alone. */
struct option {
    struct span word;  /* the whole word */
    struct span key;   /* up to the first '=' */
    struct span value; /* after it; empty if there is none */
    bool has_value;    /* there was a '=' */
};

/*
 * Takes the next word, ended by white space, off the front of *@text, which
 * ends in a NUL. False at the end of the text. The option points into the text.
 */
bool parse_next_option(const char **text, struct option *option);

#endif
