/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypervisor's prompt: a line is a command. docs/console.md says what each answers. */
#include "builder/builder.h"
#include "builder/server.h"
#include "core/log.h"
#include "lib/format.h"
#include "mem/page_alloc.h"
#include "x86/counters.h"

#define PROMPT    "hospes> "
#define TYPED_MAX 80

static struct {
    char typed[TYPED_MAX];
    size_t len;
    const char *rest; /* of the line, for a command whose argument is not a server */
} prompt;

/* --- the commands --- */

static void do_help(struct server *s);

static void do_list(struct server *none)
{
    screen_print("%-16s %4s %-8s %5s %10s %10s", "NAME", "ID", "STATE", "VCPUS", "MEMORY", "CPU-TIME");
    for (size_t i = 0; i < nr_servers; i++) {
        struct server *s = servers[i];
        uint64_t ms = 0;

        for (uint32_t v = 0; s->phase == SERVER_LIVE && v < s->args.vcpus; v++)
            ms += (uint64_t)sched_cpu_time(&s->domain->vcpu[v]->unit) / 1000000;
        screen_print("%-16s %4u %-8s %5u %7llu MB %7llu.%llu s", s->args.name, s->id, server_state(s),
                     s->args.vcpus, (unsigned long long)(s->nr_pages / 256), (unsigned long long)(ms / 1000),
                     (unsigned long long)(ms % 1000 / 100));
    }
}

/* What the vCPU does. The guest may change its event words as we read them: they are only shown. */
static void print_vcpu(struct vcpu *v)
{
    static const struct { uint64_t flag; const char *word; } why[] = {
        {VPF_BLOCKED, "blocked"}, {VPF_POLLING, "polling"}, {VPF_DOWN, "down"},
    };
    unsigned int id = v->id;
    bool here = v == current_vcpu();
    const char *state = "running";
    uint64_t flags = atomic_load(&v->pause_flags);

    for (size_t i = 0; i < ARRAY_SIZE(why); i++) {
        if ((flags & why[i].flag) != 0)
            state = why[i].word;
    }
    if (!here)
        vcpu_pause_sync(v);
    screen_print("vcpu %u: %s, last on CPU %u, events %s", id, state, v->unit.cpu,
                 READ_ONCE(v->vcpu_info->evtchn_upcall_pending) != 0 ? "pending" : "none pending");
    v->domain->ops->dump_vcpu(v);
    if (!here)
        vcpu_unpause(v);
}

static void do_state(struct server *s)
{
    uint64_t words = 0;

    if (s->phase != SERVER_LIVE) {
        screen_print("%s: %s", s->args.name, server_state(s));
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(s->domain->shared_info->evtchn_pending); i++)
        words += READ_ONCE(s->domain->shared_info->evtchn_pending[i]) != 0;
    screen_print("%s: %s, domain %u, %llu frames, %llu words of events pending", s->args.name,
                 server_state(s), s->domain->id, (unsigned long long)s->domain->tot_pages,
                 (unsigned long long)words);
    for (uint32_t i = 0; i < s->args.vcpus; i++)
        print_vcpu(s->domain->vcpu[i]);
}

static void answer(const struct server *s, int error, const char *done)
{
    if (error != 0)
        screen_print("%s: %s", s->args.name, s->is_dom0 ? "the machine depends on it" : server_state(s));
    else if (done != NULL)
        screen_print("%s: %s", s->args.name, done);
}

static void do_pause(struct server *s)
{
    answer(s, server_pause(s->args.name), "paused");
}

static void do_resume(struct server *s)
{
    answer(s, server_resume(s->args.name), "resumed");
}

static void do_stop(struct server *s)
{
    answer(s, server_stop(s->args.name), NULL);
}

static void do_restart(struct server *s)
{
    answer(s, server_restart(s->args.name), NULL);
}

static void do_memory(struct server *none)
{
    screen_print("free frames: %llu", (unsigned long long)page_alloc_free_frames());
}

/* For tests: how a server's making copes with each allocation that fails in turn. */
static void do_fail(struct server *none)
{
    struct option number;
    uint64_t n = 0;

    if (!HOSPES_SANITIZE)
        screen_print("fail is for a build with SANITIZE=1");
    else if (parse_next_option(&prompt.rest, &number) && parse_u64(number.word, &n) != 0)
        screen_print("fail needs a number");
    else
        screen_print("%llu allocations until now", (unsigned long long)page_alloc_fail_at(n));
}

static void do_counters(struct server *none)
{
    static const char *const names[COUNTERS] = {
        [COUNT_SWITCHES] = "switches of vCPU", [COUNT_CR3_LOADS] = "CR3 loads (less system calls)",
        [COUNT_CR4_LOADS] = "CR4 loads", [COUNT_TLB_FLUSHES] = "TLB flushes", [COUNT_PAGE_FLUSHES] = "page flushes",
        [COUNT_IPIS_WAKE] = "IPIs to wake", [COUNT_IPIS_CROSSCALL] = "IPIs for cross-calls",
        [COUNT_IPIS_OTHER] = "IPIs, other", [COUNT_TIMER_SETS] = "timer settings",
        [COUNT_INTERRUPTS] = "interrupts",
    };

    for (unsigned int c = 0; c < COUNTERS; c++) {
        uint64_t sum = 0;

        for (unsigned int cpu = 0; cpu < NR_CPUS_MAX; cpu++)
            sum += counters[cpu][c];
        screen_print("%-30s %12llu", names[c], (unsigned long long)sum);
    }
}

static void do_input(struct server *s)
{
    if (!console_give_input(&s->console))
        screen_print("%s: %s", s->args.name, s->args.console ? server_state(s) : "has no console");
}

static void do_reset(struct server *none)
{
    log_always("reset");
    machine_reset();
}

static const struct command {
    const char *word;
    bool needs_server;
    void (*run)(struct server *s);
    const char *help;
} commands[] = {
    {"help", false, do_help, "these lines"},
    {"list", false, do_list, "a line for each server"},
    {"state", true, do_state, "NAME: its vCPUs with registers"},
    {"pause", true, do_pause, "NAME: hold all its vCPUs"},
    {"resume", true, do_resume, "NAME: let them go"},
    {"stop", true, do_stop, "NAME: destroy it"},
    {"restart", true, do_restart, "NAME: destroy it and build it anew"},
    {"memory", false, do_memory, "the free frames"},
    {"fail", false, do_fail, "N: let the Nth allocation from now fail (0: none)"},
    {"counters", false, do_counters, "what the CPUs did how often since boot"},
    {"input", true, do_input, "NAME: give it the input (Ctrl-O: next)"},
    {"reset", false, do_reset, "reboot the machine"},
};

static void do_help(struct server *none)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        screen_print("%-8s %s", commands[i].word, commands[i].help);
}

/* --- the line --- */

static void run_line(const char *line)
{
    struct option word, name;
    struct server *s = NULL;

    if (!parse_next_option(&line, &word))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        const struct command *c = &commands[i];

        if (!span_equals(word.word, c->word))
            continue;
        if (c->needs_server && !parse_next_option(&line, &name)) {
            screen_print("%s needs the name of a server", c->word);
            return;
        }
        if (c->needs_server)
            s = server_find(name.word);
        if (c->needs_server && s == NULL)
            screen_print("no such server: %.*s; try list", (int)name.word.len, name.word.at);
        else {
            prompt.rest = line;
            c->run(s);
        }
        return;
    }
    screen_print("no such command: %.*s; try help", (int)word.word.len, word.word.at);
}

/* Show text of the prompt's line, behind what was typed if the line must be begun anew. */
static void show(const char *text, size_t n, bool end)
{
    char lead[sizeof(PROMPT) + TYPED_MAX];

    format(lead, sizeof(lead), PROMPT "%.*s", (int)prompt.len, prompt.typed);
    screen_write(&prompt, lead, text, n, end);
}

void prompt_show(void)
{
    if (!screen_is_open(&prompt))
        show("", 0, false);
}

static void enter(void)
{
    char line[TYPED_MAX + 1];

    show("", 0, true);
    memcpy(line, prompt.typed, prompt.len);
    line[prompt.len] = '\0';
    prompt.len = 0;
    run_line(line);
}

void prompt_key(char c)
{
    if (c == '\r' || c == '\n') {
        enter();
        return;
    }
    if (c == '\b' || c == 0x7f) {
        if (prompt.len > 0) {
            show("\b \b", 3, false);
            prompt.len--;
        }
    } else if (c >= ' ' && prompt.len < TYPED_MAX) {
        show(&c, 1, false);
        prompt.typed[prompt.len++] = c;
    }
}
