/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grant_table_op: an array of elements, each copied in, performed and copied out in turn. */
#include "abi/errno.h"
#include "core/softirq.h"
#include "grant/table.h"
#include "x86/nospec.h"
#include "x86/uaccess.h"

union element {
    struct gnttab_map_grant_ref map;
    struct gnttab_setup_table setup_table;
    struct gnttab_transfer transfer;
    struct gnttab_copy copy;
    struct gnttab_query_size query_size;
    struct gnttab_set_version set_version;
    struct gnttab_get_status_frames get_status_frames;
    struct gnttab_get_version get_version;
    struct gnttab_swap_grant_ref swap;
    struct gnttab_cache_flush cache_flush;
};

static int op_map(union element *e) { return grant_map(&e->map); }
static int op_setup_table(union element *e) { return grant_setup_table(&e->setup_table); }
static int op_transfer(union element *e) { return grant_transfer(&e->transfer); }
static int op_copy(union element *e) { return grant_copy(&e->copy); }
static int op_query_size(union element *e) { return grant_query_size(&e->query_size); }
static int op_set_version(union element *e) { return grant_set_version(&e->set_version); }
static int op_get_status_frames(union element *e) { return grant_get_status_frames(&e->get_status_frames); }
static int op_get_version(union element *e) { return grant_get_version(&e->get_version); }
static int op_swap(union element *e) { return grant_swap(&e->swap); }
static int op_cache_flush(union element *e) { return grant_cache_flush(&e->cache_flush); }

enum { NEVER, WHEN_DONE, ALWAYS };

static const struct grant_row {
    int (*perform)(union element *e); /* NULL with a size: unmapping, which goes in batches */
    uint8_t size;
    bool single; /* an array of exactly one */
    uint8_t answers; /* when the element is written back */
} grant_table[] = {
    [GNTTABOP_map_grant_ref] = {op_map, sizeof(struct gnttab_map_grant_ref), false, WHEN_DONE},
    [GNTTABOP_unmap_grant_ref] = {NULL, sizeof(struct gnttab_unmap_grant_ref), false, WHEN_DONE},
    [GNTTABOP_setup_table] = {op_setup_table, sizeof(struct gnttab_setup_table), true, WHEN_DONE},
    [GNTTABOP_transfer] = {op_transfer, sizeof(struct gnttab_transfer), false, WHEN_DONE},
    [GNTTABOP_copy] = {op_copy, sizeof(struct gnttab_copy), false, WHEN_DONE},
    [GNTTABOP_query_size] = {op_query_size, sizeof(struct gnttab_query_size), true, WHEN_DONE},
    [GNTTABOP_unmap_and_replace] = {NULL, sizeof(struct gnttab_unmap_and_replace), false, WHEN_DONE},
    [GNTTABOP_set_version] = {op_set_version, sizeof(struct gnttab_set_version), true, ALWAYS},
    [GNTTABOP_get_status_frames] = {op_get_status_frames, sizeof(struct gnttab_get_status_frames), true, WHEN_DONE},
    [GNTTABOP_get_version] = {op_get_version, sizeof(struct gnttab_get_version), false, WHEN_DONE},
    [GNTTABOP_swap_grant_ref] = {op_swap, sizeof(struct gnttab_swap_grant_ref), false, WHEN_DONE},
    [GNTTABOP_cache_flush] = {op_cache_flush, sizeof(struct gnttab_cache_flush), false, NEVER},
};

/* set_version answers also when it fails; an element that could not be performed has nothing else to say. */
static int perform_one(const struct grant_row *row, uint64_t gva)
{
    union element e;
    int error;

    if (guest_copy_from(&e, gva, row->size) != 0)
        return -EFAULT;
    error = row->perform(&e);
    if ((row->answers == ALWAYS || (row->answers == WHEN_DONE && error == 0)) &&
        guest_copy_to(gva, &e, row->size) != 0)
        return -EFAULT;
    return error;
}

int grant_table_op(unsigned int cmd, uint64_t *arg, unsigned int *count)
{
    const struct grant_row *row;

    if ((int)*count < 0)
        return -EINVAL;
    if (cmd >= ARRAY_SIZE(grant_table) || grant_table[cmd].size == 0)
        return -ENOSYS;
    row = &grant_table[index_nospec(cmd, ARRAY_SIZE(grant_table))];
    if (row->single && *count != 1)
        return -EINVAL;
    if (!guest_range_ok(*arg, (uint64_t)*count * row->size))
        return -EFAULT;
    while (*count > 0) {
        unsigned int done = 1;
        int error = row->perform != NULL ? perform_one(row, *arg)
                                         : grant_unmap_batch(*arg, *count, cmd == GNTTABOP_unmap_and_replace, &done);

        if (error != 0)
            return error;
        *arg += (uint64_t)done * row->size;
        *count -= done;
        if (*count > 0 && preempt_pending())
            return -ERESTART;
    }
    return 0;
}
