/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that outlives a reset. What is found there after one may be anything:
 * a report counts if header and text have their checksums. dom0 may read and
 * write it as it may any memory that is not RAM; if it has, the checksums fail.
 *
 * The header is made invalid before a report is written and valid after it, so
 * that a reset in the middle leaves none.
 */
#include "core/keep.h"

#include "core/log.h"
#include "core/time.h"
#include "lib/format.h"
#include "lib/string.h"

#define MAGIC       0x4853524353504f48ULL /* "HOPSCRSH" */
#define RAMOOPS_SIG 0x43474244            /* "DBGC": struct persistent_ram_buffer (Linux, fs/pstore/ram_core.c) */
#define EARLY_SIZE  16384

struct keep_header {
    uint64_t magic;
    uint32_t length, told; /* of the text; how often it was told of */
    uint64_t sum;          /* of the header, with 0 here and in `told`, and of the text */
    char about[160];
};

/* A record of ramoops: a line with the time, then the text. */
struct record {
    uint32_t signature, start, size;
    char stamp[28]; /* "====SECONDS.MICROSECONDS-D\n" */
    char text[];
};
_Static_assert(offsetof(struct record, text) == 40, "the stamp has a fixed length");

static volatile void *area;
static uint64_t address; /* of it, for the machine */
static char early[EARLY_SIZE]; /* until there is an area, or if there is none */

static struct keep_header *header(void) { return (struct keep_header *)(uintptr_t)area; }
static struct record *record(void)
{
    return (struct record *)((uintptr_t)area + PAGE_SIZE + KEEP_RECORD);
}

/* FNV-1a, 64 bits. */
static uint64_t sum_of(uint64_t sum, const void *data, size_t n)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < n; i++)
        sum = (sum ^ p[i]) * 0x100000001b3ULL;
    return sum;
}

static uint64_t sum_of_all(const struct keep_header *h)
{
    struct keep_header copy = *h;

    copy.told = 0;
    copy.sum = 0;
    return sum_of(sum_of(0xcbf29ce484222325ULL, &copy, sizeof(copy)), record()->text, h->length);
}

void keep_set_area(volatile void *at, uint64_t start)
{
    area = at;
    address = start;
}

char *keep_buffer(size_t *size)
{
    if (!area) {
        *size = sizeof(early);
        return early;
    }
    header()->magic = 0;
    *size = KEEP_RECORD - sizeof(struct record);
    return record()->text;
}

void keep_seal(size_t length, const char *about)
{
    struct keep_header h = {.magic = MAGIC, .length = (uint32_t)length};
    struct record *r = record();
    uint64_t sec;
    uint32_t nsec;

    if (!area)
        return;
    time_get_wallclock(&sec, &nsec);
    sec += (uint64_t)stime_now() / 1000000000;
    format(r->stamp, sizeof(r->stamp), "====%014llu.000000-D", (unsigned long long)sec % 100000000000000);
    r->stamp[sizeof(r->stamp) - 1] = '\n'; /* over the NUL */
    r->signature = RAMOOPS_SIG;
    r->start = 0;
    r->size = (uint32_t)(length + sizeof(r->stamp));
    string_copy(h.about, about, sizeof(h.about));
    h.sum = sum_of_all(&h);
    *header() = h;
}

void keep_print(size_t length)
{
    size_t size;
    const char *text = area ? record()->text : keep_buffer(&size);

    log_raw(KEEP_BEGIN, sizeof(KEEP_BEGIN) - 1);
    log_raw(text, length);
    log_raw(KEEP_FINISH, sizeof(KEEP_FINISH) - 1);
}

void keep_tell(void)
{
    struct keep_header h;

    if (!area)
        return;
    h = *header();
    if (h.magic != MAGIC || h.length > KEEP_RECORD - sizeof(struct record) || h.sum != sum_of_all(&h))
        return;
    h.about[sizeof(h.about) - 1] = '\0';
    log_always("an earlier run crashed: %s", h.about);
    log_always("its report is %s: %u bytes at %#llx", h.told ? "still kept" : "kept", h.length,
               (unsigned long long)(address + PAGE_SIZE + KEEP_RECORD + offsetof(struct record, text)));
    if (h.told++ == 0)
        keep_print(h.length);
    header()->told = h.told;
}
