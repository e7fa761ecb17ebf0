/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: any bytes as a boot module, its payload unpacked; and any bytes
 * behind right headers as LZMA2, held against liblzma.
 */
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include "lib/unpack.h"
#include "lib/xz.h"

enum { ROOM = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void unpack_module(const uint8_t *data, size_t size)
{
    static ALIGNED(64) uint8_t arena[UNPACK_ARENA];
    struct payload payload;
    const char *why = NULL;
    size_t room, made;
    uint8_t *out;

    if (payload_find(&payload, data, size, &why) != 0 || payload.packing == PACKING_NONE)
        return;
    room = MIN(payload.unpacked_size, (size_t)ROOM);
    out = malloc(room + UNPACK_SLACK);
    unpack_set_arena(arena, sizeof(arena));
    if (unpack(payload.data, payload.size, out, room + UNPACK_SLACK, &made, &why) == 0) {
        if (made > room)
            __builtin_trap();
    } else if (why == NULL) {
        __builtin_trap();
    }
    free(out);
}

/* Raw LZMA2 with a dictionary of 64 KiB: both decoders take it and agree, or both refuse it. */
static void compare_lzma2(const uint8_t *data, size_t size)
{
    static struct lzma2 lzma2;
    static uint8_t ours[ROOM + LZMA2_SLACK], theirs[ROOM];
    lzma_options_lzma options = {.dict_size = 1 << 16};
    lzma_filter filters[] = {{.id = LZMA_FILTER_LZMA2, .options = &options}, {.id = LZMA_VLI_UNKNOWN}};
    size_t used = 0, made = 0, their_used = 0, their_made = 0;
    const char *why;
    bool we_take = lzma2_decode(&lzma2, 1 << 16, data, size, &used, ours, sizeof(ours), &made, &why) == 0;
    bool they_take =
        lzma_raw_buffer_decode(filters, NULL, data, &their_used, size, theirs, &their_made, ROOM) == LZMA_OK;

    if (we_take != they_take ||
        (we_take && (made != their_made || used != their_used || memcmp(ours, theirs, made) != 0)))
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unpack_module(data, size);
    compare_lzma2(data, size);
    return 0;
}
