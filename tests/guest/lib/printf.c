/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of printf that the tiny guests use: %c %s %d %u %x %p %%, with l, z, width and 0. */
#include "lib/guest.h"

struct out {
    char *buf;
    size_t size, len;
};

static void put(struct out *out, char c)
{
    if (out->len + 1 < out->size)
        out->buf[out->len] = c;
    out->len++;
}

static void put_number(struct out *out, u64 value, bool negative, unsigned base, int width, char pad)
{
    char digits[24];
    int n = 0;

    do
        digits[n++] = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    if (negative && pad == '0')
        put(out, '-');
    for (int i = n + negative; i < width; i++)
        put(out, pad);
    if (negative && pad == ' ')
        put(out, '-');
    while (n > 0)
        put(out, digits[--n]);
}

static void put_string(struct out *out, const char *s, int width, bool left)
{
    int len = (int)strlen(s);

    for (int i = len; !left && i < width; i++)
        put(out, ' ');
    for (int i = 0; i < len; i++)
        put(out, s[i]);
    for (int i = len; left && i < width; i++)
        put(out, ' ');
}

int guest_vsnprintf(char *buf, size_t size, const char *fmt, __builtin_va_list args)
{
    struct out out = {buf, size, 0};

    for (; *fmt; fmt++) {
        bool left = false, is_long = false;
        char pad = ' ', one[2] = {0, 0};
        int width = 0;
        s64 number;

        if (*fmt != '%') {
            put(&out, *fmt);
            continue;
        }
        fmt++;
        for (; *fmt == '-' || *fmt == '0'; fmt++) {
            left |= *fmt == '-';
            pad = *fmt == '0' ? '0' : pad;
        }
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            width = width * 10 + (*fmt - '0');
        for (; *fmt == 'l' || *fmt == 'z'; fmt++)
            is_long = true;
        switch (*fmt) {
        case 'd':
            number = is_long ? __builtin_va_arg(args, s64) : __builtin_va_arg(args, int);
            put_number(&out, number < 0 ? 0 - (u64)number : (u64)number, number < 0, 10, width, pad);
            break;
        case 'u':
        case 'x':
            put_number(&out, is_long ? __builtin_va_arg(args, u64) : __builtin_va_arg(args, unsigned), false,
                       *fmt == 'u' ? 10 : 16, width, pad);
            break;
        case 'p':
            put_number(&out, (u64) __builtin_va_arg(args, void *), false, 16, 16, '0');
            break;
        case 's':
            put_string(&out, __builtin_va_arg(args, const char *), width, left);
            break;
        case 'c':
            one[0] = (char)__builtin_va_arg(args, int);
            put_string(&out, one, width, left);
            break;
        default:
            put(&out, *fmt);
        }
    }
    if (size)
        buf[out.len < size ? out.len : size - 1] = 0;
    return (int)out.len;
}

int guest_snprintf(char *buf, size_t size, const char *fmt, ...)
{
    __builtin_va_list args;
    int len;

    __builtin_va_start(args, fmt);
    len = guest_vsnprintf(buf, size, fmt, args);
    __builtin_va_end(args);
    return len;
}
