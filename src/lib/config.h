/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Force-included first everywhere: the basic types and the few attributes. */
#ifndef LIB_CONFIG_H
#define LIB_CONFIG_H

#ifndef __ASSEMBLY__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)      (sizeof(a) / sizeof((a)[0]))
#define BIT(n)             (1ULL << (n))
#define MIN(a, b)          ((a) < (b) ? (a) : (b))
#define MAX(a, b)          ((a) > (b) ? (a) : (b))
#define ALIGN_UP(x, a)     (((x) + (a) - 1) & ~((a) - 1))
#define ALIGN_DOWN(x, a)   ((x) & ~((a) - 1))
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))

#define likely(x)          __builtin_expect(!!(x), 1)
#define unlikely(x)        __builtin_expect(!!(x), 0)
#define PRINTF_LIKE(f, a)  __attribute__((format(printf, f, a)))
#define NORETURN           __attribute__((noreturn))
#define MUST_CHECK         __attribute__((warn_unused_result))
#define PACKED             __attribute__((packed))
#define ALIGNED(n)         __attribute__((aligned(n)))
#define ALWAYS_INLINE      inline __attribute__((always_inline))
#define NOINLINE           __attribute__((noinline))
#define READ_ONCE(x)       (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)   (*(volatile __typeof__(x) *)&(x) = (v))
#endif

#define HOSPES_VERSION     "0.1"
#define NR_CPUS_MAX        64
#define PAGE_SHIFT         12
#define PAGE_SIZE          4096

#endif
