/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From boot modules to servers: who is kernel, who is ramdisk, what was asked
 * for and whether it makes sense. Every mistake is one line that names the
 * module, and costs no other server its start.
 */
#include "builder/server.h"
#include "builder/builder.h"
#include "core/cmdline.h"
#include "core/log.h"
#include "mem/heap.h"
#include "mem/page_alloc.h"
#include "platform/platform.h"
#include "x86/cpu.h"

struct server *servers[SERVERS_MAX];
size_t nr_servers;

/* The modules' bytes; the same pointer for the same bytes. */
static const void *module_bytes[BOOT_MODULES_MAX];

static void tell(size_t module, const char *name, const struct fault *fault)
{
    log_always("module %zu (%s): %s", module + 1, name, fault->text);
}

/* memcmp() goes byte by byte; modules are large, and begin on a page. */
static bool same_bytes(const void *a, const void *b, uint64_t size)
{
    const uint64_t *x = a, *y = b;
    uint64_t words = size / sizeof(*x);

    for (uint64_t i = 0; i < words; i++) {
        if (x[i] != y[i])
            return false;
    }
    return memcmp(x + words, y + words, size % sizeof(*x)) == 0;
}

/* Modules that a loader brought twice are kept once; the memory of the others is free. */
static void share_modules(void)
{
    for (size_t i = 0; i < boot_info.nr_modules; i++) {
        const struct boot_module *m = &boot_info.module[i];
        size_t j = 0;

        module_bytes[i] = paddr_to_ptr(m->start);
        while (j < i && !(boot_info.module[j].size == m->size &&
                          same_bytes(module_bytes[j], module_bytes[i], m->size)))
            j++;
        if (j < i && m->size != 0) {
            module_bytes[i] = module_bytes[j];
            page_alloc_release_range(m->start.v, m->start.v + m->size);
        }
    }
}

static bool is_plain(size_t module)
{
    return module < boot_info.nr_modules && !args_is_server(boot_info.module[module].args);
}

static void enter_server(const struct server *s)
{
    struct server *copy = heap_alloc(sizeof(*copy));
    struct fault fault;

    if (copy == NULL) {
        fault_set(&fault, "not enough memory: found none for its record, expected %zu bytes", sizeof(*copy));
        tell(s->module - 1, s->args.name, &fault);
        return;
    }
    *copy = *s;
    servers[nr_servers++] = copy;
}

static void take_ramdisk(struct server *s, size_t module)
{
    if (!is_plain(module))
        return;
    s->ramdisk = module_bytes[module];
    s->ramdisk_size = boot_info.module[module].size;
}

/* --- boot-time servers --- */

static bool name_taken(const char *name)
{
    for (size_t i = 0; i < nr_servers; i++) {
        if (strcmp(servers[i]->args.name, name) == 0)
            return true;
    }
    return strcmp(name, "hospes") == 0;
}

static void read_server(size_t module)
{
    static domid_t next_id = 1;
    const struct args_limits limits = {.cpus = cpus_online_mask, .vcpus_max = DOMAIN_VCPUS_MAX};
    const struct boot_module *m = &boot_info.module[module];
    struct server s = {.module = (unsigned int)module + 1};
    struct fault fault;
    int error = args_parse_server(m->args, &limits, &s.args, &fault);

    if (error == 0 && name_taken(s.args.name)) {
        fault_set(&fault, "duplicate name: found a second %s, expected a name of its own", s.args.name);
        error = -EEXIST;
    }
    if (error == 0)
        error = image_open(module_bytes[module], m->size, &s.image, &fault);
    if (error != 0) {
        tell(module, s.args.name, &fault);
        return;
    }
    s.id = next_id++;
    s.nr_pages = s.max_pages = s.args.memory >> PAGE_SHIFT;
    take_ramdisk(&s, module + 1);
    enter_server(&s);
}

/* --- dom0 --- */

static struct dom0_memory dom0_memory;
static uint32_t dom0_vcpus;

/* The options are judged whether there is a dom0 or not. */
static void read_dom0_options(void)
{
    struct fault fault;

    if (args_parse_dom0_mem(cmdline_get("dom0_mem"), &dom0_memory, &fault) != 0)
        log_always("option dom0_mem: %s", fault.text);
    if (args_parse_dom0_vcpus(cmdline_get("dom0_max_vcpus"), cpus_online, DOMAIN_VCPUS_MAX, &dom0_vcpus,
                              &fault) != 0)
        log_always("option dom0_max_vcpus: %s", fault.text);
}

static void read_dom0(size_t module)
{
    const struct boot_module *m = &boot_info.module[module];
    struct server s = {
        .module = (unsigned int)module + 1,
        .is_dom0 = true,
        .args = {.name = "dom0", .vcpus = dom0_vcpus, .cpus = cpus_online_mask, .weight = 256,
                 .console = true},
    };
    struct fault fault;

    s.args.cmdline = args_plain_cmdline(m->args, boot_info.loader);
    if (strlen(s.args.cmdline) >= SERVER_CMDLINE_MAX) {
        fault_set(&fault, "bad value of the kernel's arguments: found %zu bytes, expected at most %u",
                  strlen(s.args.cmdline), SERVER_CMDLINE_MAX - 1);
        tell(module, s.args.name, &fault);
        return;
    }
    if (image_open(module_bytes[module], m->size, &s.image, &fault) != 0) {
        tell(module, s.args.name, &fault);
        return;
    }
    take_ramdisk(&s, module + 1);
    enter_server(&s);
}

/* What is left for dom0 when the boot-time servers have theirs. */
static void set_dom0_memory(struct server *dom0)
{
    uint64_t free = page_alloc_free_frames();

    for (size_t i = 0; i < nr_servers; i++)
        free -= MIN(free, servers[i]->nr_pages);
    dom0->nr_pages = args_dom0_pages(&dom0_memory, free, &dom0->max_pages);
    dom0->max_pages = MIN(dom0->max_pages, page_alloc_total_frames());
    dom0->args.memory = dom0->nr_pages << PAGE_SHIFT;
}

/* --- all modules --- */

/* dom0 is the first of the table, so that it is built before what it might want is given away. */
static void read_modules(void)
{
    bool dom0 = false;
    struct fault fault;

    for (size_t i = 0; i < boot_info.nr_modules; i++) {
        if (!is_plain(i)) {
            read_server(i);
        } else if (!dom0) {
            read_dom0(i);
            dom0 = true;
        } else {
            fault_set(&fault, "neither kernel nor ramdisk: found a plain module more, expected domain=NAME");
            tell(i, "unnamed", &fault);
            continue;
        }
        if (is_plain(i + 1))
            i++;
    }
    for (size_t i = 0; i < nr_servers; i++) {
        if (servers[i]->is_dom0) {
            struct server *s = servers[i];

            memmove(&servers[1], &servers[0], i * sizeof(struct server *));
            servers[0] = s;
            set_dom0_memory(s);
        }
    }
}

void servers_start(void)
{
    read_dom0_options();
    share_modules();
    read_modules();
    if (boot_info.nr_modules == 0)
        log_always("no modules: found none, expected a kernel with the arguments "
                   "'domain=NAME memory=128M -- ITS ARGUMENTS', and then its ramdisk");
    for (size_t i = 0; i < nr_servers; i++) {
        if (servers[i]->args.console)
            console_add(&servers[i]->console, servers[i]->args.name, !servers[i]->is_dom0 || nr_servers > 1);
    }
    life_start();
    for (size_t i = 0; i < nr_servers; i++)
        life_build_now(servers[i]);
    console_ready();
}

/* --- what the operator sees and says --- */

struct server *server_find(struct span name)
{
    uint64_t number;

    for (size_t i = 0; i < nr_servers; i++) {
        if (span_equals(name, servers[i]->args.name))
            return servers[i];
    }
    for (size_t i = 0; parse_u64(name, &number) == 0 && i < nr_servers; i++) {
        if (servers[i]->id == number)
            return servers[i];
    }
    return NULL;
}

const char *server_state(const struct server *s)
{
    if (s->phase == SERVER_GONE || s->phase == SERVER_BUILDING)
        return "gone";
    if (s->phase != SERVER_LIVE)
        return atomic_load(&s->end) == END_CRASH ? "crashed" : "gone";
    if (s->paused)
        return "paused";
    for (uint32_t i = 0; i < s->args.vcpus; i++) {
        if (atomic_load(&s->domain->vcpu[i]->pause_flags) == 0)
            return "running";
    }
    return "blocked";
}

int server_pause(const char *name)
{
    struct server *s = server_find(span_of(name));

    if (s == NULL)
        return -ENOENT;
    if (s->phase != SERVER_LIVE)
        return -EINVAL;
    if (!s->paused)
        domain_pause_nosync(s->domain);
    s->paused = true;
    return 0;
}

int server_resume(const char *name)
{
    struct server *s = server_find(span_of(name));

    if (s == NULL)
        return -ENOENT;
    if (s->phase != SERVER_LIVE)
        return -EINVAL;
    if (s->paused)
        domain_unpause(s->domain);
    s->paused = false;
    return 0;
}

int server_stop(const char *name)
{
    struct server *s = server_find(span_of(name));

    return s == NULL ? -ENOENT : life_end(s, END_STOP);
}

int server_restart(const char *name)
{
    struct server *s = server_find(span_of(name));

    return s == NULL ? -ENOENT : life_restart(s);
}
