/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a JSON document (RFC 8259) into a buffer, without memory of its own. Whatever happens, the text is valid: a
 * value for which there is no room is left out, an object or array that is left out takes with it all inside it, and
 * room to close what is open is kept back. Text that is not ASCII is taken byte by byte (Latin-1).
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include "lib/string.h"

#define JSON_DEPTH_MAX 16
#define JSON_LEAST     128 /* the smallest buffer */

struct json {
    char *buf;
    size_t size, len;
    char closer[JSON_DEPTH_MAX]; /* of each level that is open */
    uint32_t depth, left_out;    /* levels that are open; levels below them that are left out */
    bool comma;                  /* the next value follows another one */
    bool truncated;              /* something was left out */
};

/* Begin with an object in buf[0..size). */
void json_begin(struct json *j, char *buf, size_t size);

/*
 * An object ("{}") or array ("[]"). Inside an object each value has a key; in an array it is NULL. `room`: bytes
 * without which it is left out whole.
 */
void json_open(struct json *j, const char *key, const char *brackets, size_t room);
void json_close(struct json *j);
/* Close all but the outermost `depth` levels. */
void json_close_to(struct json *j, uint32_t depth);

/* A value as JSON writes it, of at most 255 characters: a number, a small object without text of others. */
void json_value(struct json *j, const char *key, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Any text. */
void json_bytes(struct json *j, const char *key, const char *s, size_t n);
static inline void json_string(struct json *j, const char *key, const char *s) { json_bytes(j, key, s, strlen(s)); }

/* The last value of the outermost object, "truncated", and the end. The length; a newline and a NUL follow the text. */
size_t json_end(struct json *j);

#endif
