/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A JSON document in a buffer. A value is written, and taken back if it turns out not to fit. */
#include "lib/json.h"

#include "lib/format.h"
#include "lib/string.h"

#define KEPT_BACK (JSON_DEPTH_MAX + 32) /* for the closing brackets and json_end() */

static void put(struct json *j, char c)
{
    if (j->len < j->size)
        j->buf[j->len] = c;
    j->len++; /* beyond the end: commit() takes it back */
}

static void put_text(struct json *j, const char *s)
{
    while (*s != '\0')
        put(j, *s++);
}

static void put_quoted(struct json *j, const char *s, size_t n)
{
    char code[8];

    put(j, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c == '"' || c == '\\') {
            put(j, '\\');
            put(j, (char)c);
        } else if (c < ' ' || c >= 0x7f) {
            format(code, sizeof(code), "\\u%04x", c);
            put_text(j, code);
        } else {
            put(j, (char)c);
        }
    }
    put(j, '"');
}

/* What comes before a value. */
static void put_key(struct json *j, const char *key)
{
    if (j->comma)
        put(j, ',');
    if (key) {
        put_quoted(j, key, strlen(key));
        put(j, ':');
    }
}

/* What was put since `start` stays if `room` bytes are left after it; false: it was taken back. */
static bool commit(struct json *j, size_t start, size_t room)
{
    if (j->left_out == 0 && j->len + room + KEPT_BACK <= j->size) {
        j->comma = true;
        return true;
    }
    j->len = start;
    j->truncated = true;
    return false;
}

static void open_level(struct json *j, const char *key, char opener, char closer, size_t room)
{
    size_t start = j->len;

    put_key(j, key);
    put(j, '\n');
    put(j, opener);
    if (j->depth == JSON_DEPTH_MAX || !commit(j, start, room)) {
        j->len = start;
        j->left_out++;
        return;
    }
    j->closer[j->depth++] = closer;
    j->comma = false;
}

void json_begin(struct json *j, char *buf, size_t size)
{
    *j = (struct json){.buf = buf, .size = size, .depth = 1, .len = 1, .closer = "}"};
    buf[0] = '{';
}

void json_open_object(struct json *j, const char *key, size_t room)
{
    open_level(j, key, '{', '}', room);
}

void json_open_array(struct json *j, const char *key, size_t room)
{
    open_level(j, key, '[', ']', room);
}

void json_close(struct json *j)
{
    if (j->left_out > 0) {
        j->left_out--;
    } else if (j->depth > 0) {
        put(j, j->closer[--j->depth]);
        j->comma = true;
    }
}

void json_close_to(struct json *j, uint32_t depth)
{
    while (j->left_out > 0 || j->depth > depth)
        json_close(j);
}

static void put_value(struct json *j, const char *key, const char *text)
{
    size_t start = j->len;

    put_key(j, key);
    put_text(j, text);
    commit(j, start, 0);
}

void json_number(struct json *j, const char *key, int64_t value)
{
    char text[24];

    format(text, sizeof(text), "%lld", (long long)value);
    put_value(j, key, text);
}

void json_hex(struct json *j, const char *key, uint64_t value)
{
    char text[24];

    format(text, sizeof(text), "\"0x%llx\"", (unsigned long long)value);
    put_value(j, key, text);
}

void json_bool(struct json *j, const char *key, bool value)
{
    put_value(j, key, value ? "true" : "false");
}

void json_bytes(struct json *j, const char *key, const char *s, size_t n)
{
    size_t start = j->len;

    put_key(j, key);
    put_quoted(j, s, n);
    commit(j, start, 0);
}

void json_string(struct json *j, const char *key, const char *s)
{
    json_bytes(j, key, s, strlen(s));
}

size_t json_end(struct json *j)
{
    json_close_to(j, 1);
    j->size += KEPT_BACK - 8; /* what was kept back is for this; 8: bracket, newline and NUL */
    json_bool(j, "truncated", j->truncated);
    json_close(j);
    put(j, '\n');
    j->buf[j->len] = '\0';
    return j->len;
}
