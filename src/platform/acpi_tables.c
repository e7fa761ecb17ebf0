/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the static ACPI tables. Fields are fetched by offset, byte by byte as
 * it were (get16 and so on), because nothing in a table need be aligned, and
 * each only after its table or entry is known to be long enough.
 */
#include "platform/acpi_tables.h"

#include "lib/checked.h"
#include "lib/string.h"

#define GAS_SPACE_MEMORY 0
#define GAS_SPACE_IO     1

static uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static uint32_t get32(const uint8_t *p) { return get16(p) | (uint32_t)get16(p + 2) << 16; }
static uint64_t get64(const uint8_t *p) { return get32(p) | (uint64_t)get32(p + 4) << 32; }

static bool sums_to_zero(const uint8_t *p, size_t len)
{
    uint8_t sum = 0;

    while (len > 0)
        sum = (uint8_t)(sum + p[--len]);
    return sum == 0;
}

bool acpi_read_rsdp(const uint8_t *p, size_t len, struct acpi_root *root)
{
    *root = (struct acpi_root){0, 0};
    if (len < 20 || memcmp(p, "RSD PTR ", 8) != 0 || !sums_to_zero(p, 20))
        return false;
    root->rsdt = get32(p + 16);
    if (p[15] >= 2 && len >= 36 && sums_to_zero(p, 36))
        root->xsdt = get64(p + 24);
    return root->rsdt != 0 || root->xsdt != 0;
}

uint32_t acpi_table_length(const uint8_t *header)
{
    uint32_t len = get32(header + 4);

    return len >= ACPI_HEADER_SIZE && len <= ACPI_TABLE_MAX ? len : 0;
}

const char *acpi_check_table(const uint8_t *t, size_t len)
{
    if (len < ACPI_HEADER_SIZE || acpi_table_length(t) != len)
        return "found an impossible length, expected 36 bytes to 16 MB";
    if (!sums_to_zero(t, len))
        return "found a wrong checksum, expected that all bytes add up to 0";
    return NULL;
}

size_t acpi_root_entries(const uint8_t *t, size_t len, bool wide)
{
    return len < ACPI_HEADER_SIZE ? 0 : (len - ACPI_HEADER_SIZE) / (wide ? 8 : 4);
}

uint64_t acpi_root_entry(const uint8_t *t, size_t index, bool wide)
{
    const uint8_t *p = t + ACPI_HEADER_SIZE + index * (wide ? 8 : 4);

    return wide ? get64(p) : get32(p);
}

/*
 * The next entry of a table of entries, each with its type in byte 0 and its
 * length in byte 1. *off is moved past it. NULL at the end; *fault is set then
 * if the rest is no entry.
 */
static const uint8_t *next_entry(const uint8_t *t, size_t len, size_t *off, const char **fault)
{
    const uint8_t *e = t + *off;

    if (*off == len)
        return NULL;
    if (len - *off < 2 || e[1] < 2 || e[1] > len - *off) {
        *fault = "found an entry whose length is 0 or leads out of the table, expected whole entries";
        return NULL;
    }
    *off += e[1];
    return e;
}

static void add_cpu(struct machine *m, uint32_t apic, uint32_t acpi, uint32_t boot_id)
{
    if (apic == boot_id) {
        m->acpi_id[0] = acpi;
        return;
    }
    for (size_t i = 1; i < m->nr_cpus; i++)
        if (m->apic_id[i] == apic)
            return; /* listed as local APIC and as x2APIC */
    m->nr_cpus_seen++;
    if (m->nr_cpus < NR_CPUS_MAX) {
        m->apic_id[m->nr_cpus] = apic;
        m->acpi_id[m->nr_cpus++] = acpi;
    }
}

/* A length that is too short for the type leaves the entry out: a later version cannot be shorter. */
static void read_madt_entry(const uint8_t *e, struct machine *m, uint32_t boot_id, bool x2apic)
{
    enum { CPU = 0, IOAPIC = 1, OVERRIDE = 2, LAPIC_ADDRESS = 5, X2APIC = 9 };

    if (e[0] == CPU && e[1] >= 8) {
        if ((get32(e + 4) & 1) && e[3] != 0xff)
            add_cpu(m, e[3], e[2], boot_id);
    } else if (e[0] == X2APIC && e[1] >= 16) {
        if ((get32(e + 8) & 1) && (x2apic || get32(e + 4) < 0xff))
            add_cpu(m, get32(e + 4), get32(e + 12), boot_id);
    } else if (e[0] == IOAPIC && e[1] >= 12) {
        if (m->nr_ioapics < ARRAY_SIZE(m->ioapic)) {
            m->ioapic[m->nr_ioapics].id = e[2];
            m->ioapic[m->nr_ioapics].base = paddr(get32(e + 4));
            m->ioapic[m->nr_ioapics++].gsi_base = get32(e + 8);
        }
    } else if (e[0] == OVERRIDE && e[1] >= 10) {
        if (e[2] == 0 && e[3] < ARRAY_SIZE(m->isa_irq)) {
            m->isa_irq[e[3]].gsi = get32(e + 4);
            m->isa_irq[e[3]].flags = get16(e + 8);
        }
    } else if (e[0] == LAPIC_ADDRESS && e[1] >= 12) {
        m->lapic = paddr(get64(e + 4));
    }
}

const char *acpi_read_madt(const uint8_t *t, size_t len, struct machine *m, uint32_t boot_id, bool x2apic)
{
    struct machine read = *m;
    const char *fault = NULL;
    const uint8_t *e;
    size_t off = 44;

    if (len < off)
        return "found less than its fixed part, expected 44 bytes";
    read.lapic = paddr(get32(t + 36));
    while ((e = next_entry(t, len, &off, &fault)))
        read_madt_entry(e, &read, boot_id, x2apic);
    if (!fault)
        *m = read;
    return fault;
}

/* An I/O port: from the extended field at @x if the table has it and it is used, else the old. 0: none. */
static uint16_t fadt_port(const uint8_t *t, size_t len, size_t old, size_t x)
{
    if (len >= x + 12 && t[x] == GAS_SPACE_IO && get64(t + x + 4) != 0 && get64(t + x + 4) <= 0xffff)
        return get16(t + x + 4);
    return get32(t + old) <= 0xffff ? get16(t + old) : 0;
}

const char *acpi_read_fadt(const uint8_t *t, size_t len, struct machine *m, uint64_t *dsdt)
{
    enum {
        DSDT = 40, PM1A_CNT = 64, PM1B_CNT = 68, PM_TIMER = 76, FLAGS = 112, RESET_REG = 116,
        RESET_VALUE = 128, X_DSDT = 140, X_PM1A_CNT = 172, X_PM1B_CNT = 184, X_PM_TIMER = 208
    };
    enum { TIMER_32BIT = 1 << 8, RESET_SUPPORTED = 1 << 10 };

    if (len < RESET_REG)
        return "found less than ACPI 1.0 has, expected 116 bytes";
    m->pm_timer_port = fadt_port(t, len, PM_TIMER, X_PM_TIMER);
    m->pm_timer_32bit = (get32(t + FLAGS) & TIMER_32BIT) != 0;
    m->pm1a_cnt = fadt_port(t, len, PM1A_CNT, X_PM1A_CNT);
    m->pm1b_cnt = fadt_port(t, len, PM1B_CNT, X_PM1B_CNT);
    if (len > RESET_VALUE && (get32(t + FLAGS) & RESET_SUPPORTED)) {
        m->reset_reg_space = t[RESET_REG];
        m->reset_reg = get64(t + RESET_REG + 4);
        m->reset_value = t[RESET_VALUE];
    }
    *dsdt = len >= X_DSDT + 8 ? get64(t + X_DSDT) : 0;
    if (*dsdt == 0)
        *dsdt = get32(t + DSDT);
    return NULL;
}

const char *acpi_read_hpet(const uint8_t *t, size_t len, struct machine *m)
{
    if (len < 56)
        return "found less than one timer block, expected 56 bytes";
    if (t[40] != GAS_SPACE_MEMORY || get64(t + 44) == 0)
        return "found an address that is not in memory, expected memory";
    m->hpet = paddr(get64(t + 44));
    return NULL;
}

const char *acpi_read_mcfg(const uint8_t *t, size_t len, struct machine *m)
{
    if (len < 44 || (len - 44) % 16 != 0)
        return "found a part of an entry, expected whole entries of 16 bytes";
    for (size_t off = 44; off < len; off += 16) {
        const uint8_t *e = t + off;

        if (get16(e + 8) != 0)
            continue; /* only PCI segment 0 is used */
        if (e[10] > e[11])
            return "found a range of buses that runs backwards, expected first <= last";
        m->mcfg_base = paddr(get64(e));
        m->mcfg_first_bus = e[10];
        m->mcfg_last_bus = e[11];
        break;
    }
    return NULL;
}

const char *acpi_read_srat(const uint8_t *t, size_t len, struct machine *m)
{
    enum { CPU = 0, X2APIC = 2 };
    uint8_t node[NR_CPUS_MAX] = {0};
    const char *fault = NULL;
    const uint8_t *e;
    size_t off = 48;

    if (len < off)
        return "found less than its fixed part, expected 48 bytes";
    while ((e = next_entry(t, len, &off, &fault))) {
        uint32_t apic, domain;

        if (e[0] == CPU && e[1] >= 16 && (get32(e + 4) & 1)) {
            apic = e[3];
            domain = e[2] | (get32(e + 8) & 0xffffff00);
        } else if (e[0] == X2APIC && e[1] >= 24 && (get32(e + 12) & 1)) {
            apic = get32(e + 8);
            domain = get32(e + 4);
        } else {
            continue;
        }
        for (size_t i = 0; i < m->nr_cpus; i++)
            if (m->apic_id[i] == apic)
                node[i] = (uint8_t)MIN(domain, 255u);
    }
    if (!fault)
        memcpy(m->node, node, sizeof(node));
    return fault;
}

/* A constant of a package, at *off: a byte after its prefix, or the names of 0 and 1. */
static bool read_aml_byte(const uint8_t *t, size_t len, size_t *off, uint8_t *value)
{
    enum { ZERO = 0, ONE = 1, BYTE_PREFIX = 0x0a };

    if (*off < len && (t[*off] == ZERO || t[*off] == ONE)) {
        *value = t[(*off)++];
        return true;
    }
    if (!range_within(*off, 2, len) || t[*off] != BYTE_PREFIX)
        return false;
    *value = t[*off + 1];
    *off += 2;
    return true;
}

const char *acpi_read_dsdt(const uint8_t *t, size_t len, struct machine *m)
{
    enum { NAME_OP = 0x08, PACKAGE_OP = 0x12 };

    for (size_t at = ACPI_HEADER_SIZE + 1; range_within(at, 7, len); at++) {
        bool named = t[at - 1] == NAME_OP || (t[at - 1] == '\\' && t[at - 2] == NAME_OP);
        size_t off = at + 5;
        uint8_t a, b;

        if (!named || memcmp(t + at, "_S5_", 4) != 0 || t[at + 4] != PACKAGE_OP)
            continue;
        off += 1u + (t[off] >> 6); /* the package's length: its first byte says how many follow */
        off += 1;                  /* number of elements */
        if (!read_aml_byte(t, len, &off, &a) || !read_aml_byte(t, len, &off, &b) || a > 7 || b > 7)
            return "found no two sleep types in \\_S5_, expected constants from 0 to 7";
        m->slp_typ5_a = a;
        m->slp_typ5_b = b;
        m->slp_typ5_known = true;
        break;
    }
    return NULL;
}
