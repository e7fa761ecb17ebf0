/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the static ACPI tables (ACPI 6.5, chapter 5), as pure functions over
 * a copy or view of each. Firmware wrote them, and not all firmware is sound:
 * no length in them is believed before it is checked.
 *
 * A table reader returns NULL, or what is wrong in words; then *m is as it was.
 * @t is the whole table with its header, @len its length (at least
 * ACPI_HEADER_SIZE), which acpi_check_table() has accepted.
 */
#ifndef PLATFORM_ACPI_TABLES_H
#define PLATFORM_ACPI_TABLES_H

#include "platform/platform.h"

#define ACPI_HEADER_SIZE 36
#define ACPI_TABLE_MAX   (16u << 20)

struct acpi_root {
    uint64_t rsdt, xsdt; /* machine addresses; 0: none */
};

/* A root pointer within @len bytes at @p? */
bool acpi_read_rsdp(const uint8_t *p, size_t len, struct acpi_root *root);

/* The length that a table's header claims; 0 if it is impossible. */
uint32_t acpi_table_length(const uint8_t *header);

/* Checksum and length. */
const char *acpi_check_table(const uint8_t *t, size_t len);

/* Number of tables that an RSDT or XSDT lists, and the address of one. */
size_t acpi_root_entries(const uint8_t *t, size_t len, bool wide);
uint64_t acpi_root_entry(const uint8_t *t, size_t index, bool wide);

/* CPUs, IO-APICs, ISA interrupts. @boot_id: of the CPU we run on; @x2apic: ids above 254 can be reached. */
const char *acpi_read_madt(const uint8_t *t, size_t len, struct machine *m, uint32_t boot_id, bool x2apic);

/* PM timer, reset register, power-off ports; *dsdt is the DSDT's address, 0 if there is none. */
const char *acpi_read_fadt(const uint8_t *t, size_t len, struct machine *m, uint64_t *dsdt);
const char *acpi_read_hpet(const uint8_t *t, size_t len, struct machine *m);
const char *acpi_read_mcfg(const uint8_t *t, size_t len, struct machine *m);

/* The node of each CPU in apic_id[]: the MADT comes first. */
const char *acpi_read_srat(const uint8_t *t, size_t len, struct machine *m);

/* Looks for the package \_S5_ in the DSDT's byte code. */
const char *acpi_read_dsdt(const uint8_t *t, size_t len, struct machine *m);

#endif
