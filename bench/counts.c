/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TCG plugin of QEMU that counts, between two marks in bench.c, what instruction counts do not show, in the
 * same way whatever runs: entries to the hypervisor, CR3 loads, single-page flushes, and where instructions were
 * executed (user, kernel, hypervisor). Whoever runs at an address of the hypervisor's 16 root slots is the
 * hypervisor. Debian ships no qemu-plugin.h; the few declarations of its version 1 that are used stand here.
 *
 * arguments: out=FILE (a line for each pair of marks)
 *            profile=FILE (and in each the hypervisor's blocks: address, instructions executed;
 *            and from which blocks of the guest it was entered: address, where to, how often)
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef uint64_t plugin_id;
typedef void block_cb(unsigned int vcpu, void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*cb)(plugin_id id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, block_cb *cb, int flags, void *data);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *counter, uint64_t add);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, block_cb *cb, int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *counter, uint64_t add);

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

enum { USER, KERNEL, HYPERVISOR, PLACES };

#define HV_FIRST 0xffff800000000000
#define HV_LAST  0xffff87ffffffffff

/* The images lie near one of these; both fit in so much. */
static const uint64_t image[] = {0xffff828000000000, 0xffff82d040000000};
#define IMAGE_SIZE 0x800000

static struct {
    uint64_t insns[PLACES], entries, cr3, cr4, invlpg;
} now, start;
static uint64_t *profile; /* by address in the image: instructions executed in blocks that start there */
static FILE *out, *profile_out;
static int pairs;

static int place_of(uint64_t va)
{
    return va >= HV_FIRST && va <= HV_LAST ? HYPERVISOR : va >> 63 ? KERNEL : USER;
}

#define SITES 4096
static struct {
    uint64_t from, to, count;
} site[SITES];

static void count_site(uint64_t from, uint64_t to)
{
    uint64_t h = (from ^ to * 31) * 0x9e3779b97f4a7c15 >> 52;

    for (int i = 0; i < SITES; i++, h = (h + 1) % SITES) {
        if (!site[h].count) {
            site[h].from = from;
            site[h].to = to;
        }
        if (site[h].from == from && site[h].to == to) {
            site[h].count++;
            return;
        }
    }
}

/* A block is executed; `data`: its address. */
static void enter(unsigned int vcpu, void *data)
{
    static uint64_t last[64];
    uint64_t va = (uint64_t)data, from = last[vcpu & 63];

    last[vcpu & 63] = va;
    if (place_of(va) == HYPERVISOR && place_of(from) != HYPERVISOR) {
        now.entries++;
        if (profile)
            count_site(from, va);
    }
}

static void mark_begin(unsigned int vcpu, void *data)
{
    start = now;
    if (profile)
        memset(profile, 0, IMAGE_SIZE * 2 * sizeof(*profile));
    memset(site, 0, sizeof(site));
}

static void mark_end(unsigned int vcpu, void *data)
{
    fprintf(out, "%d user %" PRIu64 " kernel %" PRIu64 " hypervisor %" PRIu64 " entries %" PRIu64 " cr3 %" PRIu64
            " cr4 %" PRIu64 " invlpg %" PRIu64 "\n", pairs, now.insns[USER] - start.insns[USER],
            now.insns[KERNEL] - start.insns[KERNEL], now.insns[HYPERVISOR] - start.insns[HYPERVISOR],
            now.entries - start.entries, now.cr3 - start.cr3, now.cr4 - start.cr4, now.invlpg - start.invlpg);
    fflush(out);
    if (profile) {
        for (uint64_t i = 0; i < IMAGE_SIZE * 2; i++)
            if (profile[i])
                fprintf(profile_out, "%d %" PRIx64 " %" PRIu64 "\n", pairs,
                        image[i / IMAGE_SIZE] + i % IMAGE_SIZE, profile[i]);
        for (int i = 0; i < SITES; i++)
            if (site[i].count)
                fprintf(profile_out, "%d from %" PRIx64 " %" PRIx64 " %" PRIu64 "\n", pairs, site[i].from,
                        site[i].to, site[i].count);
        fflush(profile_out);
    }
    pairs++;
}

static uint64_t *profile_slot(uint64_t va)
{
    for (unsigned int i = 0; profile && i < 2; i++)
        if (va - image[i] < IMAGE_SIZE)
            return &profile[i * IMAGE_SIZE + (va - image[i])];
    return NULL;
}

/* What one instruction is, by its bytes. */
static void look_at(struct qemu_plugin_insn *insn)
{
    const uint8_t *b = qemu_plugin_insn_data(insn);
    size_t n = qemu_plugin_insn_size(insn);

    while (n > 3 && ((b[0] & 0xf0) == 0x40 || b[0] == 0x2e)) { /* REX, or a CS prefix that only fills */
        b++;
        n--;
    }
    if (n < 3 || b[0] != 0x0f)
        return;
    if (b[1] == 0x22 && (b[2] & 0x38) == 0x18)
        qemu_plugin_register_vcpu_insn_exec_inline(insn, 0, &now.cr3, 1);
    else if (b[1] == 0x22 && (b[2] & 0x38) == 0x20)
        qemu_plugin_register_vcpu_insn_exec_inline(insn, 0, &now.cr4, 1);
    else if (b[1] == 0x01 && (b[2] & 0x38) == 0x38 && b[2] < 0xc0)
        qemu_plugin_register_vcpu_insn_exec_inline(insn, 0, &now.invlpg, 1);
    else if (n == 7 && memcmp(b, "\x0f\x1f\x80\x01HoS", 7) == 0) /* bench.c's marks */
        qemu_plugin_register_vcpu_insn_exec_cb(insn, mark_begin, 0, NULL);
    else if (n == 7 && memcmp(b, "\x0f\x1f\x80\x02HoS", 7) == 0)
        qemu_plugin_register_vcpu_insn_exec_cb(insn, mark_end, 0, NULL);
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
    uint64_t va = qemu_plugin_tb_vaddr(tb), *slot = profile_slot(va);
    size_t n = qemu_plugin_tb_n_insns(tb);

    qemu_plugin_register_vcpu_tb_exec_cb(tb, enter, 0, (void *)va);
    qemu_plugin_register_vcpu_tb_exec_inline(tb, 0, &now.insns[place_of(va)], n);
    if (slot)
        qemu_plugin_register_vcpu_tb_exec_inline(tb, 0, slot, n);
    for (size_t i = 0; i < n; i++)
        look_at(qemu_plugin_tb_get_insn(tb, i));
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0)
            out = fopen(argv[i] + 4, "w");
        else if (strncmp(argv[i], "profile=", 8) == 0)
            profile_out = fopen(argv[i] + 8, "w");
    }
    if (profile_out)
        profile = calloc(IMAGE_SIZE * 2, sizeof(*profile));
    if (!out)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
