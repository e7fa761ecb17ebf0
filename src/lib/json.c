/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A JSON document in a buffer. A value is written, and taken back if it turns out not to fit. */
#include "lib/json.h"

#include "lib/format.h"

#define KEPT_BACK (JSON_DEPTH_MAX + 32) /* for the closing brackets and json_end() */

static void put(struct json *j, const char *s)
{
    for (; *s != '\0'; s++, j->len++) {
        if (j->len < j->size) /* beyond the end: finish() takes it back */
            j->buf[j->len] = *s;
    }
}

static void put_quoted(struct json *j, const char *s, size_t n)
{
    char text[8];

    put(j, "\"");
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];

        format(text, sizeof(text), c == '"' || c == '\\' ? "\\%c" : c < ' ' || c >= 0x7f ? "\\u%04x" : "%c", c);
        put(j, text);
    }
    put(j, "\"");
}

/* What comes before a value; where that begins. */
static size_t start(struct json *j, const char *key)
{
    size_t at = j->len;

    if (j->comma)
        put(j, ",");
    if (key) {
        put_quoted(j, key, strlen(key));
        put(j, ":");
    }
    return at;
}

/* What began at `at` stays if `room` bytes are left after it; false: it was taken back. */
static bool finish(struct json *j, size_t at, size_t room)
{
    bool fits = j->left_out == 0 && j->len + room + KEPT_BACK <= j->size;

    if (fits)
        j->comma = true;
    else
        j->len = at;
    j->truncated |= !fits;
    return fits;
}

void json_begin(struct json *j, char *buf, size_t size)
{
    *j = (struct json){.buf = buf, .size = size, .depth = 1, .closer = "}"};
    put(j, "{");
}

void json_open(struct json *j, const char *key, const char *brackets, size_t room)
{
    size_t at = start(j, key);

    put(j, brackets[0] == '{' ? "\n{" : "\n[");
    if (!finish(j, at, j->depth < JSON_DEPTH_MAX ? room : j->size)) {
        j->left_out++;
        return;
    }
    j->closer[j->depth++] = brackets[1];
    j->comma = false;
}

void json_close(struct json *j)
{
    if (j->left_out > 0) {
        j->left_out--;
    } else if (j->depth > 0) {
        put(j, (char[]){j->closer[--j->depth], '\0'});
        j->comma = true;
    }
}

void json_close_to(struct json *j, uint32_t depth)
{
    while (j->left_out > 0 || j->depth > depth)
        json_close(j);
}

void json_value(struct json *j, const char *key, const char *fmt, ...)
{
    size_t at = start(j, key);
    char text[256];
    va_list args;

    va_start(args, fmt);
    format_v(text, sizeof(text), fmt, args);
    va_end(args);
    put(j, text);
    finish(j, at, 0);
}

void json_bytes(struct json *j, const char *key, const char *s, size_t n)
{
    size_t at = start(j, key);

    put_quoted(j, s, n);
    finish(j, at, 0);
}

size_t json_end(struct json *j)
{
    json_close_to(j, 1);
    j->size += KEPT_BACK - 8; /* what was kept back is for this; 8: bracket, newline and NUL */
    json_value(j, "truncated", j->truncated ? "true" : "false");
    json_close(j);
    put(j, "\n");
    j->buf[j->len] = '\0';
    return j->len;
}
