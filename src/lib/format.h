/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Formatted text, as printf knows it, without floating point.
 *
 *   conversions  %c %s %d %i %u %x %X %p %%
 *   sizes        l ll z
 *   flags        0 (pad with zeroes), - (pad on the right), # (0x in front of %x)
 *   width        a number or *
 *   precision    a number or *, for %s only: at most so many characters are
 *                read, so that text without a NUL can be printed
 */
#ifndef LIB_FORMAT_H
#define LIB_FORMAT_H

#include <stdarg.h>

/*
 * Write at most @size - 1 characters and a NUL (nothing at all if @size is 0).
 * Return the length that the whole text has.
 */
size_t format_v(char *buf, size_t size, const char *fmt, va_list args) PRINTF_LIKE(3, 0);
size_t format(char *buf, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
