/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: any text as a module's arguments, the values of dom0_mem= and
 * dom0_max_vcpus=, and the hypervisor's command line. What is accepted must be
 * within the limits, what is refused named.
 */
#include "abi/errno.h"
#include "builder/args.h"
#include "core/cmdline.h"
#include "core/log.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct args_limits limits = {.cpus = 0xff, .vcpus_max = 32};

void log_at(enum log_level level, const char *fmt, ...) {}

static void expect(bool what)
{
    if (!what)
        __builtin_trap();
}

static void expect_fault(const struct fault *f)
{
    expect(f->text[0] != '\0' && memchr(f->text, '\0', sizeof(f->text)) != NULL);
}

static void try_server(const char *text)
{
    struct server_args a;
    struct fault f = {""};

    if (!args_is_server(text))
        return;
    if (args_parse_server(text, &limits, &a, &f) != 0) {
        expect_fault(&f);
        expect(a.name[0] != '\0');
        return;
    }
    expect(memchr(a.name, '\0', sizeof(a.name)) != NULL && a.name[0] != '\0');
    expect(a.memory > 0 && a.memory % PAGE_SIZE == 0);
    expect(a.vcpus >= 1 && a.vcpus <= limits.vcpus_max && a.cpus != 0 && (a.cpus & ~limits.cpus) == 0);
    expect(a.weight > 0 && strlen(a.cmdline) <= strlen(text) && strlen(a.cmdline) < SERVER_CMDLINE_MAX);
}

static void try_dom0(const char *text)
{
    struct dom0_memory m;
    struct fault f = {""};
    uint64_t most;
    uint32_t vcpus;

    if (args_parse_dom0_mem(text, &m, &f) == 0)
        (void)args_dom0_pages(&m, 1 << 20, &most);
    else
        expect_fault(&f);
    f.text[0] = '\0';
    if (args_parse_dom0_vcpus(text, 8, 32, &vcpus, &f) == 0)
        expect(vcpus >= 1 && vcpus <= 32);
    else
        expect_fault(&f);
}

static void try_cmdline(const char *text)
{
    cmdline_init(text);
    expect(strlen(cmdline_text()) <= MIN(strlen(text), (size_t)1023));
    (void)cmdline_get("dom0_mem");
    (void)cmdline_flag("noreboot", true);
    (void)cmdline_flag("pv-linear-pt", false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    const char *plain;

    memcpy(text, data, size);
    text[size] = '\0';
    try_server(text);
    plain = args_plain_cmdline(text, size & 1 ? "qemu" : "GRUB 2.06");
    expect(plain >= text && plain <= text + size);
    try_dom0(text);
    try_cmdline(text);
    free(text);
    return 0;
}
