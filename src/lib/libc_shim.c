/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the static libraries behind unpack() ask of a C library. unpack() gives
 * them their memory itself, so that what allocates is linked but never called:
 * it fails if it is. The checks that the libraries were built with end in a
 * trap, which the hypervisor reports like any broken invariant.
 */
#include "lib/string.h"

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void free(void *memory);
NORETURN void abort(void);
NORETURN void __stack_chk_fail(void);
extern uintptr_t __stack_chk_guard;

void *malloc(size_t size)
{
    return NULL;
}

void *calloc(size_t count, size_t size)
{
    return NULL;
}

void free(void *memory) {}

void abort(void)
{
    __builtin_trap();
}

/* Our own code asks this too where it is built with guards on the stack (SANITIZE=1), against this word. */
uintptr_t __stack_chk_guard = 0x00cf9a7e31d5b86b;

void __stack_chk_fail(void)
{
    __builtin_trap();
}

/* Weak in libzstd, and too far from address 0 to stay undefined: its tracing, off. */
unsigned long long ZSTD_trace_decompress_begin(const void *context);
void ZSTD_trace_decompress_end(unsigned long long context, const void *trace);

unsigned long long ZSTD_trace_decompress_begin(const void *context)
{
    return 0;
}

void ZSTD_trace_decompress_end(unsigned long long context, const void *trace) {}
