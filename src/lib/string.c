/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory and strings for a program without a C library.
 *
 * The compiler turns structure copies into calls of memcpy and memset, so
 * these must exist under these names. Copies and fills use the string
 * instructions by eight bytes, which is the fast path of real processors and
 * eight times faster than bytes under an emulator. The file is compiled
 * without loop-pattern recognition (files.mk), for otherwise the compiler
 * would turn the body of memmove into a call of memmove. Parentheses keep
 * names from being the macros of the header.
 */
#include "lib/string.h"

void *(memcpy)(void *restrict dst, const void *restrict src, size_t n)
{
    void *d = dst;
    size_t words = n / 8;

    __asm__ volatile("rep movsq\n\t"
                     "mov %3, %%ecx\n\t"
                     "rep movsb"
                     : "+D"(d), "+S"(src), "+c"(words)
                     : "r"((uint32_t)n & 7)
                     : "memory");
    return dst;
}

void *(memset)(void *dst, int c, size_t n)
{
    void *d = dst;
    size_t words = n / 8;
    uint64_t pattern = (uint8_t)c * 0x0101010101010101ULL;

    __asm__ volatile("rep stosq\n\t"
                     "mov %3, %%ecx\n\t"
                     "rep stosb"
                     : "+D"(d), "+c"(words)
                     : "a"(pattern), "r"((uint32_t)n & 7)
                     : "memory");
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    uint8_t *d = dst;
    const uint8_t *s = src;

    /* Forwards is right unless dst lies inside [src, src + n). */
    if ((uintptr_t)dst - (uintptr_t)src >= n)
        return memcpy(dst, src, n);

    while (n > 0) {
        n--;
        d[n] = s[n];
    }
    return dst;
}

int(memcmp)(const void *a, const void *b, size_t n)
{
    const uint8_t *p = a, *q = b;

    for (size_t i = 0; i < n; i++) {
        if (p[i] != q[i])
            return p[i] - q[i];
    }
    return 0;
}

void *memchr(const void *s, int c, size_t n)
{
    const uint8_t *p = s;

    for (size_t i = 0; i < n; i++) {
        if (p[i] == (uint8_t)c)
            return (void *)(uintptr_t)(p + i);
    }
    return NULL;
}

size_t(strlen)(const char *s)
{
    size_t n = 0;

    while (s[n] != '\0')
        n++;
    return n;
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n] != '\0')
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i] || a[i] == '\0')
            return (uint8_t)a[i] - (uint8_t)b[i];
    }
    return 0;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)(uintptr_t)s;
        if (*s == '\0')
            return NULL;
    }
}
