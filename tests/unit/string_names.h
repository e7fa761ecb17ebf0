/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other names for the functions of src/lib/string.c, to test them beside the C library's. */
#ifndef TESTS_UNIT_STRING_NAMES_H
#define TESTS_UNIT_STRING_NAMES_H

#define memcpy  hv_memcpy
#define memmove hv_memmove
#define memset  hv_memset
#define memcmp  hv_memcmp
#define memchr  hv_memchr
#define strlen  hv_strlen
#define strnlen hv_strnlen
#define strcmp  hv_strcmp
#define strncmp hv_strncmp
#define strchr  hv_strchr

#endif
