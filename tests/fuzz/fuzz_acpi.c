/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: any tables as the firmware's. An input is a list of tables; their
 * checksums are made right, or hardly any would be looked at. Each lies in a
 * block of its own size, so that a step beyond it is seen.
 */
#include "core/log.h"
#include "mem/hvmap.h"
#include "platform/platform.h"
#include "x86/cpu.h"
#include "x86/lapic.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TABLES  10
#define HEADER  36
#define FIRST   0x100000ULL /* table n lies at FIRST * (n + 1) */
#define RSDP_AT 0x80000ULL  /* where the loader says that the root pointer is */

static const char names[][5] = {"APIC", "FACP", "HPET", "MCFG", "SRAT", "DSDT", "SSDT"};

static struct table {
    uint8_t *at;
    size_t size;
} table[TABLES];
static unsigned int tables;
static uint8_t rsdp[36], ebda[1024], bios[0x20000];
static const uint8_t ebda_at[2] = {0xc0, 0x9f};
struct cpu_features cpu_features;

uint32_t lapic_id(void)
{
    return 3;
}

void log_at(enum log_level level, const char *fmt, ...) {}

const void *hvmap_firmware(paddr_t p, size_t size)
{
    uint64_t n = p.v / FIRST, off = p.v % FIRST;

    if (p.v == RSDP_AT && size <= sizeof(rsdp))
        return rsdp;
    if (p.v == 0x40e)
        return ebda_at;
    if (p.v == 0x9fc00 && size <= sizeof(ebda))
        return ebda;
    if (p.v == 0xe0000 && size <= sizeof(bios))
        return bios;
    if (n == 0 || n > tables || off + size > table[n - 1].size)
        return NULL;
    return table[n - 1].at + off;
}

static void seal(uint8_t *at, size_t size, size_t sum_at)
{
    uint8_t sum = 0;

    at[sum_at] = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + at[i]);
    at[sum_at] = (uint8_t)-sum;
}

static uint8_t *add_table(const char *name, size_t body, uint32_t said)
{
    struct table *t = &table[tables++];

    t->size = HEADER + body;
    t->at = calloc(1, t->size);
    memcpy(t->at, name, 4);
    memcpy(t->at + 4, &said, 4);
    return t->at + HEADER;
}

/* Name (7 bits) and whether its length is a lie, bytes (two), bytes. The FADT names the last table as DSDT. */
static void read_input(const uint8_t *data, size_t size)
{
    while (size >= 3 && tables < TABLES - 1) {
        size_t len = (size_t)(data[1] | data[2] << 8), said;
        const char *name = names[data[0] % 128 % ARRAY_SIZE(names)];
        uint8_t *body;

        data += 3;
        size -= 3;
        len = MIN(len, size);
        said = data[-3] & 128 ? len : HEADER + len;
        body = add_table(name, len, (uint32_t)said);
        memcpy(body, data, len);
        if (memcmp(name, "FACP", 4) == 0 && len >= 8) {
            uint32_t dsdt = (uint32_t)(FIRST * (tables + 1));

            memcpy(body + 4, &dsdt, 4);
        }
        seal(body - HEADER, HEADER + len, 9);
        data += len;
        size -= len;
    }
}

static void add_root(bool wide)
{
    unsigned int n = tables;
    size_t each = wide ? 8 : 4;
    uint8_t *list = add_table(wide ? "XSDT" : "RSDT", n * each, (uint32_t)(HEADER + n * each));
    uint64_t at = FIRST * tables;

    for (unsigned int i = 0; i < n; i++) {
        uint64_t to = FIRST * (i + 1);

        memcpy(list + i * each, &to, each);
    }
    seal(list - HEADER, HEADER + n * each, 9);
    memset(rsdp, 0, sizeof(rsdp));
    memcpy(rsdp, "RSD PTR ", 8);
    rsdp[15] = wide ? 2 : 0;
    rsdp[20] = sizeof(rsdp);
    memcpy(rsdp + (wide ? 24 : 16), &at, wide ? 8 : 4);
    seal(rsdp, 20, 8);
    seal(rsdp, sizeof(rsdp), 32);
}

/* Bits 2 and 3 of the first byte: told by the loader, in the EBDA, in the BIOS, nowhere; 4 to 7: where in these. */
static void place_root(uint8_t how)
{
    uint8_t *const to[4] = {NULL, ebda, bios + sizeof(bios) - 512, NULL};

    memset(ebda, 0, sizeof(ebda));
    memset(bios + sizeof(bios) - 512, 0, 512);
    boot_info.rsdp = paddr(how & 12 ? 0 : RSDP_AT);
    if (to[how >> 2 & 3])
        memcpy(to[how >> 2 & 3] + (how >> 4) * 16, rsdp, sizeof(rsdp));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    cpu_features.x2apic = data[0] & 2;
    read_input(data + 1, size - 1);
    add_root(data[0] & 1);
    memset(&machine, 0, sizeof(machine));
    place_root(data[0]);
    acpi_init();
    if (machine.nr_cpus < 1 || machine.nr_cpus > NR_CPUS_MAX || machine.nr_cpus > machine.nr_cpus_seen ||
        machine.nr_ioapics > ARRAY_SIZE(machine.ioapic) || machine.apic_id[0] != 3)
        __builtin_trap();
    while (tables > 0)
        free(table[--tables].at);
    return 0;
}
