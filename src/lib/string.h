/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory and strings: the C library's names with the C library's meaning.
 *
 * In a host program (unit tests, fuzzers) string.c is not linked: the C
 * library's functions, which the sanitizers watch, take its place. What the
 * C library lacks is therefore inline here.
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);

/* A freestanding compiler has to be told that it may expand these in place. */
#if __STDC_HOSTED__ == 0
#define memcpy(dst, src, n) __builtin_memcpy(dst, src, n)
#define memset(dst, c, n)   __builtin_memset(dst, c, n)
#define memcmp(a, b, n)     __builtin_memcmp(a, b, n)
#define strlen(s)           __builtin_strlen(s)
#endif

size_t(strlen)(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

/*
 * Copies at most @size - 1 characters of @src and always ends @dst with a NUL
 * (unless @size is 0). Returns the length of @src: the copy was cut short if
 * that is >= @size.
 */
static inline size_t string_copy(char *dst, const char *src, size_t size)
{
    size_t len = strlen(src);

    if (size > 0) {
        size_t n = len < size ? len : size - 1;

        memcpy(dst, src, n);
        dst[n] = '\0';
    }
    return len;
}

/* Whether @s begins with @prefix. */
static inline bool string_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

#endif
