/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a JSON document (RFC 8259) into a buffer, without memory of its own. Whatever happens, the text is valid: a
 * value for which there is no room is left out, an object or array that is left out takes with it all inside it, and
 * room to close what is open is kept back. Text that is not ASCII is taken byte by byte (Latin-1).
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#define JSON_DEPTH_MAX 16

struct json {
    char *buf;
    size_t size, len;
    char closer[JSON_DEPTH_MAX]; /* of each level that is open */
    uint32_t depth, left_out;    /* levels that are open; levels below them that are left out */
    bool comma;                  /* the next value follows another one */
    bool truncated;              /* something was left out */
};

/* Begin with an object or array in buf[0..size); size >= JSON_LEAST. */
#define JSON_LEAST 128
void json_begin(struct json *j, char *buf, size_t size);

/* Inside an object each value has a key; in an array it is NULL. `room`: bytes without which it is left out whole. */
void json_open_object(struct json *j, const char *key, size_t room);
void json_open_array(struct json *j, const char *key, size_t room);
void json_close(struct json *j);
/* Close all but the outermost `depth` levels. */
void json_close_to(struct json *j, uint32_t depth);

void json_number(struct json *j, const char *key, int64_t value);
void json_hex(struct json *j, const char *key, uint64_t value); /* as text: "0x1f" */
void json_bool(struct json *j, const char *key, bool value);
void json_string(struct json *j, const char *key, const char *s);
void json_bytes(struct json *j, const char *key, const char *s, size_t n);

/* The last value of the outermost object, "truncated", and the end. The length; a newline and a NUL follow the text. */
size_t json_end(struct json *j);

#endif
