/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the static ACPI tables in memory and filling struct machine from
 * them. A table that is corrupt is named in one line and left out: the machine
 * is then described by what else there is, in the worst case one CPU, a PIT and
 * the ISA interrupts where they have always been.
 */
#include "core/log.h"
#include "lib/string.h"
#include "mem/hvmap.h"
#include "mem/layout.h"
#include "platform/acpi_tables.h"
#include "x86/cpu.h"
#include "x86/lapic.h"

#define EBDA_POINTER 0x40e /* real-mode segment of the extended BIOS data area */
#define EBDA_SCAN    1024
#define BIOS_START   0xe0000
#define BIOS_SIZE    0x20000

struct boot_info boot_info;
struct machine machine;

/* A root pointer on a 16-byte boundary of [start, start + size). */
static bool scan_for_root(uint64_t start, size_t size, struct acpi_root *root)
{
    const uint8_t *p = hvmap_firmware(paddr(start), size);

    for (size_t off = 0; p && off + 16 <= size; off += 16)
        if (acpi_read_rsdp(p + off, size - off, root))
            return true;
    return false;
}

static bool find_root(struct acpi_root *root)
{
    const uint8_t *ebda;
    uint64_t at;

    if (boot_info.rsdp.v != 0)
        return scan_for_root(boot_info.rsdp.v, 36, root);
    ebda = hvmap_firmware(paddr(EBDA_POINTER), 2);
    at = ebda ? (uint64_t)(ebda[0] | ebda[1] << 8) << 4 : 0;
    if (at >= 0x400 && at < 0xa0000 && scan_for_root(at, EBDA_SCAN, root))
        return true;
    return scan_for_root(BIOS_START, BIOS_SIZE, root);
}

static void name_fault(const char *signature, const char *fault)
{
    log_always("ACPI %.4s: %s; the table is left out", signature, fault);
}

/* The whole table at machine address @at, checked; NULL and a line about `name` if it is corrupt. */
static const uint8_t *map_table(uint64_t at, const char *name, size_t *len)
{
    const char *fault = "found an address that cannot be mapped, expected memory";
    const uint8_t *t = hvmap_firmware(paddr(at), ACPI_HEADER_SIZE);

    if (t) {
        *len = acpi_table_length(t);
        t = *len ? hvmap_firmware(paddr(at), *len) : NULL;
        fault = t ? acpi_check_table(t, *len) : "found an impossible length, expected 36 bytes to 16 MB";
    }
    if (!fault)
        return t;
    name_fault(name, fault);
    return NULL;
}

/* The first table with this signature that the root table lists, checked; NULL: none, or it is corrupt. */
static const uint8_t *find_table(const uint8_t *root, size_t root_len, bool wide, const char *signature,
                                 size_t *len)
{
    for (size_t i = 0; i < acpi_root_entries(root, root_len, wide); i++) {
        uint64_t at = acpi_root_entry(root, i, wide);
        const uint8_t *header = at ? hvmap_firmware(paddr(at), ACPI_HEADER_SIZE) : NULL;

        if (header && memcmp(header, signature, 4) == 0)
            return map_table(at, signature, len);
    }
    return NULL;
}

static void read_tables(const uint8_t *root, size_t root_len, bool wide)
{
    static const struct {
        char signature[5];
        const char *(*read)(const uint8_t *t, size_t len, struct machine *m);
    } simple[] = {
        {"HPET", acpi_read_hpet},
        {"MCFG", acpi_read_mcfg},
        {"SRAT", acpi_read_srat},
    };
    const char *fault;
    const uint8_t *t;
    uint64_t dsdt = 0;
    size_t len;

    t = find_table(root, root_len, wide, "APIC", &len);
    if (t && (fault = acpi_read_madt(t, len, &machine, lapic_id(), cpu_features.x2apic)))
        name_fault("APIC", fault);
    t = find_table(root, root_len, wide, "FACP", &len);
    if (t && (fault = acpi_read_fadt(t, len, &machine, &dsdt)))
        name_fault("FACP", fault);
    t = dsdt ? map_table(dsdt, "DSDT", &len) : NULL;
    if (t && (fault = acpi_read_dsdt(t, len, &machine)))
        name_fault("DSDT", fault);
    for (size_t i = 0; i < ARRAY_SIZE(simple); i++) {
        t = find_table(root, root_len, wide, simple[i].signature, &len);
        if (t && (fault = simple[i].read(t, len, &machine)))
            name_fault(simple[i].signature, fault);
    }
}

void acpi_init(void)
{
    struct acpi_root root;
    const uint8_t *t = NULL;
    size_t len = 0;
    bool wide = false;

    machine.nr_cpus = machine.nr_cpus_seen = 1;
    machine.apic_id[0] = lapic_id();
    machine.lapic = paddr(0xfee00000);
    for (uint32_t i = 0; i < ARRAY_SIZE(machine.isa_irq); i++)
        machine.isa_irq[i].gsi = i;

    if (!find_root(&root)) {
        log_always("ACPI RSDP: found none, expected one; one CPU is used");
        return;
    }
    if (root.xsdt) {
        t = map_table(root.xsdt, "XSDT", &len);
        wide = t != NULL;
    }
    if (!t && root.rsdt)
        t = map_table(root.rsdt, "RSDT", &len);
    if (t)
        read_tables(t, len, wide);
}
