/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypfs_op: what the hypervisor is and how it is set, as a tree of small files
 * for `xenhypfs` and `xl set-parameters` (<xen/hypfs.h>). The tree is a table;
 * a row names the row of its directory. The row "*" stands for each of the
 * pools of processors that there are.
 */
#include "abi/errno.h"
#include "core/log.h"
#include "hypercall/control.h"
#include "lib/format.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mem/heap.h"
#include "x86/uaccess.h"
#include <xen/hypfs.h>

#define VALUE_MAX  256  /* bytes of a file, with the NUL of a text */
#define NUMBER_MAX 12   /* of a number that is written as text */
#define LIST_MAX   4096 /* of a directory's list: what would be more is left out */

/* A file that says which messages are printed: the hypervisor's, or those about guests. */
enum { LEVEL_NONE, LEVEL_HV, LEVEL_GUEST };

struct node {
    const char *name;
    uint8_t parent;                /* index in the table; the root is its own */
    uint8_t type;                  /* XEN_HYPFS_TYPE_* */
    uint8_t max_write;             /* bytes with the NUL; 0: read only */
    const char *text;              /* what it holds, or: */
    uint32_t *number;              /* atomic: a number, which is a text if it can be written; or: */
    uint8_t level;                 /* LEVEL_* */
};

/* Where a path has led. */
struct place {
    const struct node *node;
    uint32_t pool; /* below /cpupool/N */
};

static uint32_t major = XEN_VERSION_MAJOR, minor = XEN_VERSION_MINOR; /* constant */

enum { ROOT, BUILDINFO, CHANGESET, COMPILEINFO, VERSION, CPUPOOL, POOL, PARAMS };

#define DIRECTORY(called, in)    {.name = called, .parent = in, .type = XEN_HYPFS_TYPE_DIR}
#define TEXT(called, in, string) {.name = called, .parent = in, .type = XEN_HYPFS_TYPE_STRING, .text = string}
#define LIMIT(called, variable) \
    {called, PARAMS, XEN_HYPFS_TYPE_STRING, .max_write = NUMBER_MAX, .number = &(variable)}
#define LEVELS(called, whose) {called, PARAMS, XEN_HYPFS_TYPE_STRING, .max_write = 16, .level = whose}

/* A directory lists its entries in this order. */
static const struct node nodes[] = {
    [ROOT] = DIRECTORY("", ROOT),
    [BUILDINFO] = DIRECTORY("buildinfo", ROOT),
    [CHANGESET] = TEXT("changeset", BUILDINFO, ""),
    [COMPILEINFO] = DIRECTORY("compileinfo", BUILDINFO),
    [VERSION] = DIRECTORY("version", BUILDINFO),
    [CPUPOOL] = DIRECTORY("cpupool", ROOT),
    [POOL] = DIRECTORY("*", CPUPOOL),
    [PARAMS] = DIRECTORY("params", ROOT),
    TEXT("compile_by", COMPILEINFO, COMPILED_BY),
    TEXT("compile_date", COMPILEINFO, ""),
    TEXT("compile_domain", COMPILEINFO, ""),
    TEXT("compiler", COMPILEINFO, __VERSION__),
    TEXT("extra", VERSION, EXTRA_VERSION),
    {"major", VERSION, XEN_HYPFS_TYPE_UINT, .number = &major},
    {"minor", VERSION, XEN_HYPFS_TYPE_UINT, .number = &minor},
    {"sched-gran", POOL, XEN_HYPFS_TYPE_STRING, .max_write = 8, .text = "cpu"},
    LIMIT("gnttab_max_frames", control_grant_frames),
    LIMIT("gnttab_max_maptrack_frames", control_maptrack_frames),
    LEVELS("guest_loglvl", LEVEL_GUEST),
    LEVELS("loglvl", LEVEL_HV),
};

/* --- paths --- */

/* From a directory to what is called `name` in it. */
static bool step(struct place *p, struct span name)
{
    struct sched_pool_info pool;
    uint64_t id;

    for (size_t i = ROOT + 1; i < ARRAY_SIZE(nodes); i++) {
        if (&nodes[nodes[i].parent] != p->node)
            continue;
        if (i == POOL) {
            if (parse_u64(name, &id) != 0 || id > UINT32_MAX || sched_pool_get_info((uint32_t)id, false, &pool) != 0)
                continue;
            p->pool = (uint32_t)id;
        } else if (!span_equals(name, nodes[i].name)) {
            continue;
        }
        p->node = &nodes[i];
        return true;
    }
    return false;
}

/* A directory's path may end in one more '/'. */
static int find(const char *path, struct place *p)
{
    *p = (struct place){&nodes[ROOT], 0};
    for (path++; *path != '\0'; path++) {
        const char *end = strchr(path, '/');
        size_t n = end != NULL ? (size_t)(end - path) : strlen(path);

        if (!step(p, (struct span){path, n}))
            return -ENOENT;
        path += n;
        if (*path == '\0' || p->node->type != XEN_HYPFS_TYPE_DIR)
            break;
    }
    return *path == '\0' ? 0 : -ENOENT;
}

/* --- reading --- */

/* What a file holds; its length. */
static uint32_t fill_file(const struct node *n, char *to)
{
    if (n->number != NULL && n->max_write == 0) {
        memcpy(to, n->number, sizeof(*n->number));
        return sizeof(*n->number);
    }
    if (n->number != NULL)
        format(to, VALUE_MAX, "%u", atomic_load(n->number));
    else if (n->level != LEVEL_NONE)
        log_get_levels(n->level == LEVEL_GUEST, to, VALUE_MAX);
    else
        string_copy(to, n->text, VALUE_MAX);
    return (uint32_t)strlen(to) + 1;
}

static uint32_t fill_directory(const struct place *p, char *to);

/* In `to`, which has room for LIST_MAX bytes unless it is NULL: its contents; how many bytes they are, at most that. */
static uint32_t fill(const struct place *p, char *to)
{
    char value[VALUE_MAX];

    if (p->node->type == XEN_HYPFS_TYPE_DIR)
        return fill_directory(p, to);
    return fill_file(p->node, to != NULL ? to : value);
}

static xen_hypfs_direntry_t entry_of(const struct place *p, uint32_t length)
{
    return (xen_hypfs_direntry_t){.type = p->node->type, .content_len = length, .max_write_len = p->node->max_write};
}

/* One entry at the end of a list that has `size` bytes, and the latest of them at *last; the new size. */
static uint32_t fill_entry(const struct place *p, const char *name, char *list, uint32_t size, uint32_t *last)
{
    const size_t name_at = offsetof(struct xen_hypfs_dirlistentry, name);
    uint32_t length = (uint32_t)ALIGN_UP(name_at + strlen(name) + 1, (size_t)4);
    struct xen_hypfs_dirlistentry *before, *e;

    if (size + length > LIST_MAX)
        return size;
    if (list != NULL) {
        before = (void *)(list + *last);
        e = (void *)(list + size);
        before->off_next = (uint16_t)(size - *last);
        memset(e, 0, length);
        e->e = entry_of(p, fill(p, NULL));
        string_copy(e->name, name, length - name_at);
    }
    *last = size;
    return size + length;
}

static uint32_t fill_directory(const struct place *p, char *list)
{
    struct sched_pool_info pool = {.id = 0};
    uint32_t size = 0, last = 0;
    char name[NUMBER_MAX];

    for (size_t i = ROOT + 1; i < ARRAY_SIZE(nodes); i++) {
        struct place child = {&nodes[i], p->pool};

        if (&nodes[nodes[i].parent] != p->node)
            continue;
        if (i != POOL) {
            size = fill_entry(&child, nodes[i].name, list, size, &last);
            continue;
        }
        for (; sched_pool_get_info(pool.id, true, &pool) == 0; pool.id++) {
            child.pool = pool.id;
            format(name, sizeof(name), "%u", pool.id);
            size = fill_entry(&child, name, list, size, &last);
        }
    }
    return size;
}

/* The entry, which the caller gets even if it has no room for what follows it. */
static int64_t read_place(const struct place *p, uint64_t gva, uint64_t room)
{
    xen_hypfs_direntry_t e;
    int64_t error = 0;
    char *data;
    bool fits;

    if (room < sizeof(e))
        return -EINVAL;
    data = heap_alloc(LIST_MAX);
    if (data == NULL)
        return -ENOMEM;
    e = entry_of(p, fill(p, data));
    fits = room - sizeof(e) >= e.content_len;
    if (guest_copy_to(gva, &e, sizeof(e)) != 0 || (fits && guest_copy_to(gva + sizeof(e), data, e.content_len) != 0))
        error = -EFAULT;
    else if (!fits)
        error = -ENOBUFS;
    heap_free(data);
    return error;
}

/* --- writing --- */

/* Processors are given to vCPUs one by one, and that does not change under a pool that has some. */
static int write_granularity(const char *value)
{
    bool known = strcmp(value, "cpu") == 0 || strcmp(value, "core") == 0 || strcmp(value, "socket") == 0;

    return known ? -EBUSY : -EINVAL;
}

static int64_t write_place(const struct place *p, uint64_t gva, uint64_t size)
{
    const struct node *n = p->node;
    char value[VALUE_MAX];
    uint64_t number;

    if (n->max_write == 0)
        return -EACCES;
    if (size > n->max_write)
        return -ENOSPC;
    if (guest_copy_from(value, gva, size) != 0)
        return -EFAULT;
    if (size == 0 || strnlen(value, size) != size - 1)
        return n->number == NULL && n->level == LEVEL_NONE ? -EINVAL : -EDOM;
    if (n->level != LEVEL_NONE && *value == '\0')
        return 0;
    if (n->level != LEVEL_NONE)
        return log_set_levels(n->level == LEVEL_HV ? value : NULL, n->level == LEVEL_GUEST ? value : NULL);
    if (n->number == NULL)
        return write_granularity(value);
    number = 0;
    if (*value != '\0' && parse_u64(span_of(value), &number) != 0)
        return -EINVAL;
    if (number > UINT32_MAX)
        return -ERANGE;
    atomic_store(n->number, (uint32_t)number);
    return 0;
}

int64_t do_hypfs_op(struct hypercall_args *args)
{
    uint64_t size = args->a[2];
    char path[XEN_HYPFS_MAX_PATHLEN];
    struct place p;

    if (args->a[0] == XEN_HYPFS_OP_get_version)
        return args->a[1] || size || args->a[3] || args->a[4] ? -EINVAL : XEN_HYPFS_VERSION;
    if (size > sizeof(path))
        return -EINVAL;
    if (guest_copy_from(path, args->a[1], size) != 0)
        return -EFAULT;
    if (size == 0 || path[0] != '/' || strnlen(path, size) != size - 1)
        return -EINVAL;
    if (args->a[0] != XEN_HYPFS_OP_read && args->a[0] != XEN_HYPFS_OP_write_contents)
        return -EOPNOTSUPP;
    if (find(path, &p) != 0)
        return -ENOENT;
    return args->a[0] == XEN_HYPFS_OP_read ? read_place(&p, args->a[3], args->a[4])
                                           : write_place(&p, args->a[3], args->a[4]);
}
