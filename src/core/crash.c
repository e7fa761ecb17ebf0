/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report of a crash. A stack is followed by frame pointers, which all of
 * the hypervisor's code keeps, within its block and never through its guard
 * page; `addr2line -e build/hospes` tells the lines.
 */
#include "core/crash.h"

#include "core/cmdline.h"
#include "core/keep.h"
#include "core/log.h"
#include "core/symbols.h"
#include "core/time.h"
#include "core/trace.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mem/page_alloc.h"
#include "x86/atomic.h"
#include "x86/insn.h"
#include "x86/spinlock.h"

#define PLACES_MAX  24
#define PLACES_LINE 4 /* of a CPU that was only stopped, on the console */
#define LOG_TAIL    6144
#define NOTE_HEADER 16 /* of the build id: sizes, type, "GNU" */

struct crash crash;
struct trace_ring trace_ring[NR_CPUS_MAX];

static struct json doc;
static void (*tell_running)(struct json *j, const struct guest_cpu *g);
static void (*tell_domains)(struct json *j);

static const char *const kind_name[CRASH_KINDS] = {
    [CRASH_PANIC] = "panic", [CRASH_ASSERTION] = "assertion", [CRASH_EXCEPTION] = "exception",
    [CRASH_DOUBLE_FAULT] = "double fault", [CRASH_STACK_OVERFLOW] = "stack overflow", [CRASH_NMI] = "nmi",
    [CRASH_MACHINE_CHECK] = "machine check", [CRASH_WATCHDOG] = "watchdog", [CRASH_DEADLOCK] = "deadlock",
    [CRASH_DOM0] = "dom0",
};

void crash_set_guests(void (*running)(struct json *j, const struct guest_cpu *g), void (*domains)(struct json *j))
{
    tell_running = running;
    tell_domains = domains;
}

void crash_note_cpu(const struct cpu_user_regs *regs, uintptr_t place, uintptr_t frame)
{
    struct crash_cpu *c = &crash.cpus[cpu_id() % NR_CPUS_MAX];

    c->has_regs = regs != NULL;
    if (regs)
        c->regs = *regs;
    c->cs = c->regs.cs;
    c->ss = c->regs.ss;
    c->cr0 = read_cr0();
    c->cr2 = read_cr2();
    c->cr3 = read_cr3();
    c->cr4 = read_cr4();
    c->place = place;
    c->frame = frame;
    c->local = cpu_local();
    atomic_store(&c->stopped, 1u);
}

/* --- where a CPU was --- */

static const struct { const char *name; size_t at; } words[] = {
#define WORD(name, member) {#name, offsetof(struct crash_cpu, member)}
    WORD(rip, regs.rip), WORD(rsp, regs.rsp), WORD(rflags, regs.rflags), WORD(rbp, regs.rbp), WORD(rax, regs.rax),
    WORD(rbx, regs.rbx), WORD(rcx, regs.rcx), WORD(rdx, regs.rdx),       WORD(rsi, regs.rsi), WORD(rdi, regs.rdi),
    WORD(r8, regs.r8),   WORD(r9, regs.r9),   WORD(r10, regs.r10),       WORD(r11, regs.r11), WORD(r12, regs.r12),
    WORD(r13, regs.r13), WORD(r14, regs.r14), WORD(r15, regs.r15),       WORD(cs, cs),        WORD(ss, ss),
    WORD(cr0, cr0),      WORD(cr2, cr2),      WORD(cr3, cr3),            WORD(cr4, cr4),
#undef WORD
};

/* The last four are known without regs, too. */
static size_t first_word(const struct crash_cpu *c) { return c->has_regs ? 0 : ARRAY_SIZE(words) - 4; }

static unsigned long word(const struct crash_cpu *c, size_t i)
{
    return *(const uint64_t *)((const char *)c + words[i].at);
}

static bool in_guest(const struct crash_cpu *c)
{
    return c->has_regs && (c->regs.cs & 3) != 0;
}

/* May two words be read at `at`? They must lie in the block of `c`'s stack, below cpu_local, not in the guard page. */
static bool in_stack(const struct crash_cpu *c, uintptr_t at)
{
    uintptr_t end = (uintptr_t)c->local, start = end - CPU_LOCAL_OFFSET, offset = at - start;

    return at >= start && at <= end - 2 * sizeof(at) && (at & 7) == 0 &&
           offset / PAGE_SIZE != CPU_GUARD_OFFSET / PAGE_SIZE;
}

/*
 * place[0] is where it was, the others where calls return to; how many. A function that has just been entered has no
 * frame yet: push and move of the frame pointer are its first 4 bytes, and the return address is where RSP says.
 */
static size_t find_places(const struct crash_cpu *c, uintptr_t place[PLACES_MAX])
{
    uintptr_t frame = c->has_regs ? c->regs.rbp : c->frame, sp = c->regs.rsp, offset;
    size_t n = 0;
    bool known;

    if (in_guest(c) || !c->local)
        return 0;
    if (c->has_regs) {
        place[n++] = c->regs.rip;
        known = symbol_find(c->regs.rip, &offset);
        if (!known || offset < 4) { /* or it was called through a bad pointer */
            sp += known && offset > 0 ? sizeof(sp) : 0;
            if (in_stack(c, sp) && symbol_find(*(const uintptr_t *)sp, &offset))
                place[n++] = *(const uintptr_t *)sp;
        }
    }
    while (n < PLACES_MAX && in_stack(c, frame)) {
        const uintptr_t *f = (const uintptr_t *)frame;

        if (!symbol_find(f[1] - 1, &offset))
            break;
        place[n++] = f[1];
        if (f[0] <= frame)
            break;
        frame = f[0];
    }
    return n;
}

/* The function of place `i`, or "?"; what a call returns to may be the first byte of the next function. */
static const char *name_place(const struct crash_cpu *c, size_t i, uintptr_t place, uintptr_t *offset)
{
    bool back = i > 0 || !c->has_regs;
    const char *name = symbol_find(place - back, offset);

    *offset = name ? *offset + back : 0;
    return name ? name : "?";
}

/* --- on the console --- */

static void print_registers(const struct crash_cpu *c)
{
    for (size_t i = first_word(c); i < ARRAY_SIZE(words); i += 4)
        log_always("%-6s %016lx %-6s %016lx %-6s %016lx %-6s %016lx", words[i].name, word(c, i), words[i + 1].name,
                   word(c, i + 1), words[i + 2].name, word(c, i + 2), words[i + 3].name, word(c, i + 3));
}

static void print_cpu(unsigned int cpu, size_t places)
{
    const struct crash_cpu *c = &crash.cpus[cpu];
    uintptr_t place[PLACES_MAX], offset;
    size_t n = find_places(c, place);

    for (size_t i = 0; i < n && i < places; i++) {
        const char *name = name_place(c, i, place[i], &offset);

        log_always("%s %016lx %s+0x%lx", i == 0 ? "  in" : "  called from", place[i], name, offset);
    }
    for (uint32_t i = 0; c->local && i < c->local->locks_held && i < LOCKS_HELD_MAX; i++)
        log_always("  holds the lock %s at %016lx", spin_level_name(c->local->held[i]),
                   (unsigned long)c->local->held[i]);
}

static void print_crashed(void)
{
    const struct crash_cpu *c = &crash.cpus[crash.cpu];

    log_always("%s on CPU %u of %u", kind_name[crash.kind], crash.cpu, cpus_online);
    print_registers(c);
    print_cpu(crash.cpu, PLACES_MAX);
}

static const char *state_of(unsigned int cpu)
{
    if (cpu == crash.cpu)
        return "crashed";
    return atomic_load(&crash.cpus[cpu].stopped) ? "stopped" : "silent";
}

static void print_others(void)
{
    for (unsigned int cpu = 0; cpu < cpus_online; cpu++) {
        if (cpu == crash.cpu)
            continue;
        log_always("CPU %u: %s%s", cpu, state_of(cpu), in_guest(&crash.cpus[cpu]) ? " in a server" : "");
        print_cpu(cpu, PLACES_LINE);
    }
}

/* --- the document --- */

static void write_registers(const struct crash_cpu *c)
{
    json_open(&doc, "registers", "{}", 1024);
    for (size_t i = first_word(c); i < ARRAY_SIZE(words); i++)
        json_value(&doc, words[i].name, "\"0x%lx\"", word(c, i));
    json_close(&doc);
}

static void write_stack(const struct crash_cpu *c)
{
    uintptr_t place[PLACES_MAX], offset;
    size_t n = find_places(c, place);

    json_open(&doc, "stack", "[]", 64);
    for (size_t i = 0; i < n; i++) {
        const char *name = name_place(c, i, place[i], &offset);

        json_value(&doc, NULL, "\n{\"address\":\"0x%lx\",\"function\":\"%s\",\"offset\":%lu}", place[i], name, offset);
    }
    json_close(&doc);
}

static void write_cpu(unsigned int cpu)
{
    const struct crash_cpu *c = &crash.cpus[cpu];
    const struct cpu_local *local = cpu_locals[cpu];

    json_open(&doc, NULL, "{}", 6144);
    json_value(&doc, "cpu", "%u", cpu);
    json_value(&doc, "apic_id", "%u", cpu_apic_id[cpu]);
    json_string(&doc, "state", state_of(cpu));
    json_string(&doc, "mode", in_guest(c) ? "guest" : "hypervisor");
    if (atomic_load(&c->stopped)) {
        write_registers(c);
        write_stack(c);
    }
    json_open(&doc, "locks", "[]", 64);
    for (uint32_t i = 0; local && i < local->locks_held && i < LOCKS_HELD_MAX; i++)
        json_value(&doc, NULL, "{\"level\":\"%s\",\"address\":\"0x%lx\"}", spin_level_name(local->held[i]),
                   (uintptr_t)local->held[i]);
    json_close(&doc);
    if (local && local->guest && tell_running)
        tell_running(&doc, local->guest);
    json_close(&doc);
}

/* The function where it went wrong, as far as the stack says: who wanted a lock, not the lock's own. */
static void write_function(void)
{
    static const char *const messengers[] = {"?", "spin_", "lock_wait", "upcall_lock_wait", "check_order", "note_"};
    const struct crash_cpu *c = &crash.cpus[crash.cpu];
    uintptr_t place[PLACES_MAX], offset;
    size_t n = find_places(c, place);
    const char *name = NULL;

    for (size_t i = 0; i < n && !name; i++) {
        name = name_place(c, i, place[i], &offset);
        for (size_t k = 0; k < ARRAY_SIZE(messengers) && name; k++)
            name = string_starts_with(name, messengers[k]) ? NULL : name;
    }
    if (name)
        json_value(&doc, "function", "\"%s\",\"offset\":%lu", name, offset);
}

static void begin_document(void)
{
    extern const char build_id_note[], build_id_note_end[];
    char id[48] = "", *buffer;
    uint64_t sec;
    uint32_t nsec;
    size_t size;

    for (const char *p = build_id_note + NOTE_HEADER; p < build_id_note_end && strlen(id) + 2 < sizeof(id); p++)
        format(id + strlen(id), 3, "%02x", (unsigned char)*p);
    time_get_wallclock(&sec, &nsec);
    buffer = keep_buffer(&size);
    json_begin(&doc, buffer, size);
    json_string(&doc, "format", "hospes-crash-report");
    json_value(&doc, "format_version", "1");
    json_string(&doc, "version", HOSPES_VERSION);
    json_string(&doc, "build_id", id);
    json_string(&doc, "command_line", cmdline_text());
    json_value(&doc, "since_boot_ns", "%lld", (long long)stime_now());
    json_value(&doc, "wallclock_s", "%llu", (unsigned long long)sec + (uint64_t)stime_now() / 1000000000);
    json_value(&doc, "memory", "{\"total_frames\":%lu,\"free_frames\":%lu}", page_alloc_total_frames(),
               page_alloc_free_frames());
    json_open(&doc, "reason", "{}", 1024);
    json_string(&doc, "kind", kind_name[crash.kind]);
    json_string(&doc, "text", crash.text);
    json_value(&doc, "cpu", "%u", crash.cpu);
    write_function();
    json_close(&doc);
}

/* A section of the document; an earlier one may have been left by a fault. */
static void begin_section(const char *name)
{
    json_close_to(&doc, 1);
    json_open(&doc, name, "[]", 64);
}

static void write_cpus(void)
{
    begin_section("cpus");
    write_cpu(crash.cpu); /* first, whatever its number */
    for (unsigned int cpu = 0; cpu < cpus_online; cpu++) {
        if (cpu != crash.cpu)
            write_cpu(cpu);
    }
}

static void write_domains(void)
{
    begin_section("domains");
    if (tell_domains)
        tell_domains(&doc);
}

/* The latest lines of the log, the report for a person among them. */
static void write_log(void)
{
    static char tail[LOG_TAIL];
    uint64_t index = UINT64_MAX;

    log_read(&index, tail, 0);
    index -= MIN(index, sizeof(tail));
    json_close_to(&doc, 1);
    json_bytes(&doc, "log", tail, log_read(&index, tail, sizeof(tail)));
}

static void write_trace(void)
{
    static const char *const names[TRACE_KINDS] = {
        [TRACE_NONE] = "none", [TRACE_SWITCH] = "switch", [TRACE_IDLE] = "idle", [TRACE_DOMCTL] = "domctl",
        [TRACE_SYSCTL] = "sysctl", [TRACE_CREATE] = "create", [TRACE_SHUTDOWN] = "shutdown", [TRACE_KILL] = "kill",
    };

    begin_section("trace");
    for (unsigned int cpu = 0; cpu < cpus_online; cpu++) {
        const struct trace_ring *ring = &trace_ring[cpu];

        for (uint64_t i = ring->next - MIN(ring->next, (uint64_t)TRACE_RECORDS); i < ring->next; i++) {
            const struct trace_record *r = &ring->record[i % TRACE_RECORDS];

            json_value(&doc, NULL, "\n{\"cpu\":%u,\"time_ns\":%lld,\"what\":\"%s\",\"domain\":%u,\"argument\":%u}", cpu,
                       (long long)r->time, names[r->kind % TRACE_KINDS], r->domain, r->arg);
        }
    }
}

static void end_document(void)
{
    size_t length;

    if (!doc.buf) /* it never began */
        return;
    length = json_end(&doc);
    keep_seal(length, crash.text);
    keep_print(length);
}

void (*const crash_steps[])(void) = {
    print_crashed, print_others, begin_document, write_cpus, write_domains, write_log, write_trace, end_document, NULL,
};
