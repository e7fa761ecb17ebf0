/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file system of the hypervisor's parameters: paths, buffers and contents, right and wrong. */
#include "control/control.h"
#include <xen/hypfs.h>

static u8 buffer[PAGE_SIZE] PAGE_ALIGNED;

static long call(unsigned op, const char *path, size_t path_size, void *data, size_t size)
{
    return counted(HYPERVISOR(hypfs_op, op, path, path_size, data, size));
}

static struct xen_hypfs_direntry *entry_at(size_t at)
{
    return (struct xen_hypfs_direntry *)(void *)(buffer + at);
}

/* Names and kinds of what is in a directory, in order. */
static void ask_directory(const char *path)
{
    long code;

    memset(buffer, 0, sizeof(buffer));
    code = call(XEN_HYPFS_OP_read, path, strlen(path) + 1, buffer, sizeof(buffer));
    ask("directory", "%s: %s type %u encoding %u", path, code_text(code), entry_at(0)->type,
        entry_at(0)->encoding);
    if (code != 0)
        return;
    for (size_t at = sizeof(struct xen_hypfs_direntry);;) {
        struct xen_hypfs_dirlistentry *e = (void *)(buffer + at);

        if (strcmp(e->name, "config")) /* what Xen was configured with: only Xen has that */
            ask("in directory", "%s/%s: type %u encoding %u", path, e->name, e->e.type, e->e.encoding);
        if (e->off_next == 0)
            return;
        at += e->off_next;
    }
}

static void ask_paths(void)
{
    static const char *const paths[] = {
        "/", "", "//", "buildinfo", "/buildinfo/", "/buildinfo//version", "/nosuch", "/buildinfo/nosuch", "/buildinf",
        "/buildinfo/version/major", "/buildinfo/version/major/", "/buildinfo/version/major/x", "/params/loglvl",
        "/params/nosuch", "/cpupool/0/sched-gran", "/cpupool/1/sched-gran", "/cpupool/00/sched-gran",
        "/cpupool/x", "/cpupool/0",
    };

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        size_t n = strlen(paths[i]);

        memset(buffer, 0xee, sizeof(buffer));
        ask("hypfs read", "\"%s\": %s %s %s %s %s", paths[i],
            code_text(call(XEN_HYPFS_OP_read, paths[i], n, buffer, sizeof(buffer))),
            code_text(call(XEN_HYPFS_OP_read, paths[i], n + 2, buffer, sizeof(buffer))),
            code_text(call(XEN_HYPFS_OP_read, paths[i], n + 1, buffer, 4)),
            code_text(call(XEN_HYPFS_OP_read, paths[i], n + 1, buffer, sizeof(struct xen_hypfs_direntry))),
            code_text(call(XEN_HYPFS_OP_read, paths[i], n + 1, buffer, sizeof(buffer))));
        ask("hypfs write", "\"%s\": %s", paths[i],
            code_text(call(XEN_HYPFS_OP_write_contents, paths[i], n + 1, buffer, 5)));
    }
}

static void ask_contents(void)
{
    static const char *const paths[] = {"/buildinfo/version/major", "/buildinfo/version/minor",
                                        "/buildinfo/version/extra", "/cpupool/0/sched-gran"};

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        long code;

        memset(buffer, 0, sizeof(buffer));
        code = call(XEN_HYPFS_OP_read, paths[i], strlen(paths[i]) + 1, buffer, sizeof(buffer));
        ask("hypfs contents", "%s: %s type %u encoding %u pad %u length %u write %u \"%s\"", paths[i], code_text(code),
            entry_at(0)->type, entry_at(0)->encoding, entry_at(0)->pad, entry_at(0)->content_len,
            entry_at(0)->max_write_len, entry_at(0)->type == XEN_HYPFS_TYPE_STRING ? (char *)buffer + 12 : "number");
    }
}

struct write {
    const char *text;
    unsigned size; /* bytes, with the NUL or without it */
};

static void ask_writes_of(const char *path, const struct write *writes)
{
    for (size_t i = 0; writes[i].text; i++) {
        memset(buffer, 0, sizeof(buffer));
        memcpy(buffer, writes[i].text, writes[i].size < 8 ? writes[i].size : strlen(writes[i].text));
        ask("hypfs writes", "%s \"%s\" %u: %s", path, writes[i].text, writes[i].size,
            code_text(call(XEN_HYPFS_OP_write_contents, path, strlen(path) + 1, buffer, writes[i].size)));
        memset(buffer, 0, sizeof(buffer));
        call(XEN_HYPFS_OP_read, path, strlen(path) + 1, buffer, sizeof(buffer));
        if (guest_is_dom0())
            ask("hypfs read again", "%s, %lu: type %u \"%s\" write %u", path, i, entry_at(0)->type, (char *)buffer + 12,
                entry_at(0)->max_write_len);
    }
}

static void ask_writes(void)
{
    static const struct write levels[] = {{"info", 5},    {"info", 4}, {"warning/all", 12}, {"loud", 5},   {"", 1},
                                          {"", 0},        {"in\0fo", 6}, {"none", 5},      {"", 4096},    {"info", 2000},
                                          {"all/all", 8}, {NULL, 0}};
    static const struct write numbers[] = {{"32", 3}, {"0", 2}, {"-1", 3}, {"4294967296", 11}, {"0x40", 5}, {"x", 2},
                                           {"64k", 4}, {"", 1}, {"64", 3}, {NULL, 0}};
    static const struct write kinds[] = {{"cpu", 4}, {"core", 5}, {"sockets", 8}, {"cpu", 3}, {"", 1}, {NULL, 0}};

    ask_writes_of("/params/loglvl", levels);
    ask_writes_of("/params/guest_loglvl", levels);
    ask_writes_of("/params/gnttab_max_frames", numbers);
    ask_writes_of("/params/gnttab_max_maptrack_frames", numbers);
    ask_writes_of("/cpupool/0/sched-gran", kinds);
}

void ask_hypfs(void)
{
    ask("hypfs version", "%s %s %s", code_text(call(0, NULL, 0, NULL, 0)), code_text(call(0, "/", 2, NULL, 0)),
        code_text(call(3, "/", 2, buffer, 10)));
    ask("hypfs without a path", "%s %s %s %s", code_text(call(XEN_HYPFS_OP_read, NULL, 2, buffer, PAGE_SIZE)),
        code_text(call(XEN_HYPFS_OP_read, "/", 0, buffer, PAGE_SIZE)),
        code_text(call(XEN_HYPFS_OP_read, (char *)buffer, 1024, buffer, PAGE_SIZE)),
        code_text(call(XEN_HYPFS_OP_read, (char *)buffer, 1025, buffer, PAGE_SIZE)));
    ask("hypfs without a buffer", "%s %s %s", code_text(call(XEN_HYPFS_OP_read, "/", 2, NULL, 0)),
        code_text(call(XEN_HYPFS_OP_read, "/", 2, NULL, PAGE_SIZE)),
        code_text(call(XEN_HYPFS_OP_write_contents, "/params/loglvl", 15, NULL, 5)));
    ask_paths();
    ask_writes();
    if (!guest_is_dom0())
        return;
    ask_directory("/");
    ask_directory("/buildinfo");
    ask_directory("/buildinfo/version");
    ask_directory("/buildinfo/compileinfo");
    ask_directory("/cpupool");
    ask_directory("/cpupool/0");
    ask_contents();
}
