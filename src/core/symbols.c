/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table is made by scripts/symbols.sh from the linked image and linked in
 * behind the code, which therefore does not move: eight bytes and the name for
 * each function, found by halving.
 */
#include "core/symbols.h"

#include "lib/string.h"

struct symbol { uint32_t offset, name; };

extern const char text_start[], text_end[];
extern const uint32_t symbols_start[], symbols_end[]; /* empty while the image is linked for the first time */

static const struct symbol *table(uint32_t *count)
{
    *count = (uintptr_t)symbols_start == (uintptr_t)symbols_end ? 0 : symbols_start[0];
    return (const struct symbol *)(symbols_start + 1);
}

const char *symbol_find(uintptr_t address, uintptr_t *offset)
{
    uintptr_t wanted = address - (uintptr_t)text_start;
    uint32_t count, low = 0, high;
    const struct symbol *t = table(&count);

    if (address < (uintptr_t)text_start || address >= (uintptr_t)text_end || count == 0)
        return NULL;
    for (high = count; high - low > 1;) {
        uint32_t middle = (low + high) / 2;

        if (t[middle].offset <= wanted)
            low = middle;
        else
            high = middle;
    }
    *offset = wanted - t[low].offset;
    return (const char *)(t + count) + t[low].name;
}

uintptr_t symbol_address(const char *name, size_t len)
{
    uint32_t count;
    const struct symbol *t = table(&count);

    for (uint32_t i = 0; i < count; i++) {
        const char *s = (const char *)(t + count) + t[i].name;

        if (strlen(s) == len && memcmp(s, name, len) == 0)
            return (uintptr_t)text_start + t[i].offset;
    }
    return 0;
}
