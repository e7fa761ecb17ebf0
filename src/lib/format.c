/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Formatted text. Each conversion is reduced to a body (a run of characters)
 * and a prefix ("-", "0x"); one function then lays both out in the field.
 */
#include "lib/format.h"
#include "lib/string.h"

/* Where the text goes: characters past the end are counted, not written. */
struct sink {
    char *buf;
    size_t size;
    size_t len;
};

/* One conversion as it stands in the format string. */
struct spec {
    bool left, zero, alternate;
    int width;
    int precision; /* -1: none */
    enum { SIZE_INT, SIZE_LONG, SIZE_LONG_LONG, SIZE_T } size;
};

static void put_char(struct sink *out, char c)
{
    if (out->len + 1 < out->size)
        out->buf[out->len] = c;
    out->len++;
}

static void put_text(struct sink *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put_char(out, text[i]);
}

static void put_field(struct sink *out, const struct spec *spec, const char *prefix, const char *body,
                      size_t n)
{
    size_t used = strlen(prefix) + n;
    size_t pad = spec->width > 0 && (size_t)spec->width > used ? (size_t)spec->width - used : 0;
    bool zero = spec->zero && !spec->left;

    for (; pad > 0 && !spec->left && !zero; pad--)
        put_char(out, ' ');
    put_text(out, prefix, strlen(prefix));
    for (; pad > 0 && zero; pad--)
        put_char(out, '0');
    put_text(out, body, n);
    for (; pad > 0; pad--)
        put_char(out, ' ');
}

static void put_number(struct sink *out, const struct spec *spec, const char *prefix, uint64_t value,
                       unsigned int base, const char *digits)
{
    char text[20]; /* the digits of 2^64 - 1 */
    size_t at = sizeof(text);

    do {
        text[--at] = digits[value % base];
        value /= base;
    } while (value != 0);
    put_field(out, spec, prefix, text + at, sizeof(text) - at);
}

static void put_string(struct sink *out, struct spec *spec, const char *text)
{
    size_t n;

    if (text == NULL)
        text = "(null)";
    n = spec->precision >= 0 ? strnlen(text, (size_t)spec->precision) : strlen(text);
    spec->zero = false;
    put_field(out, spec, "", text, n);
}

static const char *read_number(const char *p, int *value)
{
    for (*value = 0; *p >= '0' && *p <= '9'; p++) {
        if (*value < 10000) /* wider fields serve nobody; do not overflow */
            *value = *value * 10 + (*p - '0');
    }
    return p;
}

/* Reads flags and size up to the conversion letter, to which it returns a pointer. */
static const char *read_spec(const char *p, struct spec *spec, va_list *args)
{
    *spec = (struct spec){.precision = -1};

    for (;; p++) {
        if (*p == '-')
            spec->left = true;
        else if (*p == '0')
            spec->zero = true;
        else if (*p == '#')
            spec->alternate = true;
        else
            break;
    }
    if (*p == '*') {
        spec->width = va_arg(*args, int);
        p++;
    } else {
        p = read_number(p, &spec->width);
    }
    if (*p == '.' && p[1] == '*') {
        spec->precision = va_arg(*args, int);
        p += 2;
    } else if (*p == '.') {
        p = read_number(p + 1, &spec->precision);
    }
    for (; *p == 'l' || *p == 'z'; p++)
        spec->size = *p == 'z' ? SIZE_T : spec->size == SIZE_LONG ? SIZE_LONG_LONG : SIZE_LONG;
    return p;
}

static uint64_t next_unsigned(const struct spec *spec, va_list *args)
{
    switch (spec->size) {
    case SIZE_LONG:
        return va_arg(*args, unsigned long);
    case SIZE_LONG_LONG:
        return va_arg(*args, unsigned long long);
    case SIZE_T:
        return va_arg(*args, size_t);
    default:
        return va_arg(*args, unsigned int);
    }
}

static void put_signed(struct sink *out, const struct spec *spec, va_list *args)
{
    uint64_t raw = next_unsigned(spec, args);
    int64_t value = spec->size == SIZE_INT ? (int32_t)raw : (int64_t)raw;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    put_number(out, spec, value < 0 ? "-" : "", magnitude, 10, "0123456789");
}

static void put_conversion(struct sink *out, char letter, struct spec *spec, va_list *args)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";

    switch (letter) {
    case 'c': {
        char c = (char)va_arg(*args, int);

        spec->zero = false;
        put_field(out, spec, "", &c, 1);
        break;
    }
    case 's':
        put_string(out, spec, va_arg(*args, const char *));
        break;
    case 'd':
    case 'i':
        put_signed(out, spec, args);
        break;
    case 'u':
        put_number(out, spec, "", next_unsigned(spec, args), 10, lower);
        break;
    case 'x':
    case 'X': {
        uint64_t value = next_unsigned(spec, args);
        const char *prefix = !spec->alternate || value == 0 ? "" : letter == 'x' ? "0x" : "0X";

        put_number(out, spec, prefix, value, 16, letter == 'x' ? lower : upper);
        break;
    }
    case 'p':
        put_number(out, spec, "0x", (uintptr_t)va_arg(*args, void *), 16, lower);
        break;
    default: /* %% and what we do not know: as it stands */
        put_char(out, letter);
        break;
    }
}

size_t format_v(char *buf, size_t size, const char *fmt, va_list args)
{
    struct sink out = {.buf = buf, .size = size};
    va_list rest;

    va_copy(rest, args);
    for (const char *p = fmt; *p != '\0'; p++) {
        struct spec spec;

        if (*p != '%') {
            put_char(&out, *p);
            continue;
        }
        p = read_spec(p + 1, &spec, &rest);
        if (*p == '\0')
            break;
        put_conversion(&out, *p, &spec, &rest);
    }
    va_end(rest);
    if (size > 0)
        buf[MIN(out.len, size - 1)] = '\0';
    return out.len;
}

size_t format(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    size_t len;

    va_start(args, fmt);
    len = format_v(buf, size, fmt, args);
    va_end(args);
    return len;
}
