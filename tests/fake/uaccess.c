/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory that is pieces of the program's own, at their own addresses. */
#include "abi/errno.h"
#include "fake.h"
#include "lib/string.h"
#include "x86/uaccess.h"

static struct piece {
    uint64_t start, size;
} pieces[4];

void fake_guest_sees(void *start, size_t size)
{
    size_t i = 0;

    while (pieces[i].size && pieces[i].start != (uint64_t)start)
        i++;
    pieces[i] = (struct piece){(uint64_t)start, size};
}

static bool is_seen(uint64_t gva, size_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        uint64_t at = gva - pieces[i].start;

        if (at <= pieces[i].size && size <= pieces[i].size - at)
            return true;
    }
    return false;
}

bool guest_range_ok(uint64_t gva, uint64_t size)
{
    return size == 0 || (gva + size > gva && gva + size < 1ULL << 47);
}

int guest_copy_from(void *dst, uint64_t gva, size_t size)
{
    if (!is_seen(gva, size))
        return -EFAULT;
    memcpy(dst, (const void *)gva, size);
    return 0;
}

int guest_copy_to(uint64_t gva, const void *src, size_t size)
{
    if (!is_seen(gva, size))
        return -EFAULT;
    memcpy((void *)gva, src, size);
    return 0;
}

int guest_write_u64(uint64_t gva, uint64_t v)
{
    return guest_copy_to(gva, &v, sizeof(v));
}
