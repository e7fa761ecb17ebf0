/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table is made by scripts/symbols.sh from the linked image and linked in
 * behind the code, which therefore does not move: eight bytes and the name for
 * each function, found by halving.
 */
#include "core/symbols.h"

struct symbol { uint32_t offset, name; };

extern const char text_start[], text_end[];
extern const uint32_t symbols_start[], symbols_end[]; /* empty while the image is linked for the first time */

const char *symbol_find(uintptr_t address, uintptr_t *offset)
{
    const struct symbol *table = (const struct symbol *)(symbols_start + 1);
    uintptr_t wanted = address - (uintptr_t)text_start;
    uint32_t low = 0, high = (uintptr_t)symbols_start == (uintptr_t)symbols_end ? 0 : symbols_start[0];
    const char *names = (const char *)(table + high);

    if (address < (uintptr_t)text_start || address >= (uintptr_t)text_end)
        return NULL;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;

        if (table[middle].offset <= wanted)
            low = middle;
        else
            high = middle;
    }
    if (high == 0)
        return NULL;
    *offset = wanted - table[low].offset;
    return names + table[low].name;
}
