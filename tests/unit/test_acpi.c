/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The static ACPI tables: good ones, each kind of lie, and damage at random. Every table lies in a block of its exact size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "platform/acpi_tables.h"

static struct machine m;

static void put32(uint8_t *p, uint32_t v) { memcpy(p, &v, 4); }
static void put64(uint8_t *p, uint64_t v) { memcpy(p, &v, 8); }

static void seal(uint8_t *t, size_t len)
{
    uint8_t sum = 0;

    put32(t + 4, (uint32_t)len);
    t[9] = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + t[i]);
    t[9] = (uint8_t)-sum;
}

/* A table with this body after its header, in memory of its own. */
static uint8_t *table(const char *signature, const void *body, size_t size, size_t *len)
{
    uint8_t *t = calloc(1, ACPI_HEADER_SIZE + size);

    assert_non_null(t);
    *len = ACPI_HEADER_SIZE + size;
    memcpy(t, signature, 4);
    memcpy(t + ACPI_HEADER_SIZE, body, size);
    seal(t, *len);
    return t;
}

static const uint8_t madt_body[] = {
    0x00, 0x00, 0xe0, 0xfe, 1, 0, 0, 0,
    0, 8, 0, 0, 1, 0, 0, 0,                                 /* CPU 0 */
    0, 8, 1, 1, 1, 0, 0, 0,                                 /* CPU 1 */
    0, 8, 2, 2, 0, 0, 0, 0,                                 /* not enabled */
    9, 16, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0,        /* CPU 1 again, as x2APIC */
    9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0,        /* CPU 256 */
    1, 12, 7, 0, 0x00, 0x00, 0xc0, 0xfe, 24, 0, 0, 0,       /* IO-APIC */
    2, 10, 0, 0, 2, 0, 0, 0, 0, 0,                          /* ISA 0 is line 2 */
    2, 10, 0, 9, 9, 0, 0, 0, 13, 0,
    5, 12, 0, 0, 0, 0, 0, 0xfd, 1, 0, 0, 0,                 /* local APICs at 0x1fd000000 */
};

static void start(void)
{
    memset(&m, 0, sizeof(m));
    m.nr_cpus = m.nr_cpus_seen = 1;
}

static void test_rsdp(void **state)
{
    uint8_t r[36] = "RSD PTR ";
    struct acpi_root root;
    uint8_t sum = 0;

    put32(r + 16, 0x1234);
    for (size_t i = 0; i < 20; i++)
        sum = (uint8_t)(sum + r[i]);
    r[8] = (uint8_t)-sum;
    assert_true(acpi_read_rsdp(r, 20, &root));
    assert_int_equal(root.rsdt, 0x1234);
    assert_int_equal(root.xsdt, 0);
    assert_false(acpi_read_rsdp(r, 19, &root));

    r[15] = 2;
    r[8] = (uint8_t)(r[8] - 2);
    put64(r + 24, 0x123456789);
    assert_true(acpi_read_rsdp(r, 36, &root)); /* the extended checksum is wrong: only the RSDT is believed */
    assert_int_equal(root.xsdt, 0);
    sum = 0;
    for (size_t i = 0; i < 36; i++)
        sum = (uint8_t)(sum + r[i]);
    r[32] = (uint8_t)-sum;
    assert_true(acpi_read_rsdp(r, 36, &root));
    assert_int_equal(root.xsdt, 0x123456789);
    r[10]++;
    assert_false(acpi_read_rsdp(r, 36, &root));
}

static void test_header(void **state)
{
    size_t len;
    uint8_t *t = table("TEST", "abc", 3, &len);

    assert_null(acpi_check_table(t, len));
    t[38]++;
    assert_non_null(acpi_check_table(t, len));
    t[38]--;
    assert_non_null(acpi_check_table(t, len - 1));
    put32(t + 4, 35);
    assert_int_equal(acpi_table_length(t), 0);
    put32(t + 4, 0xffffffff);
    assert_int_equal(acpi_table_length(t), 0);
    free(t);
}

static void test_madt(void **state)
{
    size_t len;
    uint8_t *t = table("APIC", madt_body, sizeof(madt_body), &len);

    start();
    assert_null(acpi_read_madt(t, len, &m, 0, true));
    assert_int_equal(m.nr_cpus, 3);
    assert_int_equal(m.apic_id[1], 1);
    assert_int_equal(m.apic_id[2], 256);
    assert_int_equal(m.acpi_id[2], 3);
    assert_int_equal(m.nr_ioapics, 1);
    assert_int_equal(m.ioapic[0].gsi_base, 24);
    assert_int_equal(m.isa_irq[0].gsi, 2);
    assert_int_equal(m.isa_irq[9].flags, 13);
    assert_int_equal(m.lapic.v, 0x1fd000000);

    start();
    assert_null(acpi_read_madt(t, len, &m, 0, false)); /* an xAPIC cannot reach CPU 256 */
    assert_int_equal(m.nr_cpus, 2);
    free(t);
}

static void test_madt_lies(void **state)
{
    uint8_t body[sizeof(madt_body)];
    size_t len;
    uint8_t *t;

    for (unsigned int lie = 0; lie < 3; lie++) {
        static const uint8_t lengths[] = {0, 1, 255};

        memcpy(body, madt_body, sizeof(body));
        body[17] = lengths[lie];
        t = table("APIC", body, sizeof(body), &len);
        start();
        assert_non_null(acpi_read_madt(t, len, &m, 0, true));
        assert_int_equal(m.nr_cpus, 1);
        assert_int_equal(m.lapic.v, 0);
        free(t);
    }
    t = table("APIC", body, 7, &len);
    assert_non_null(acpi_read_madt(t, len, &m, 0, true));
    free(t);
}

static void test_many_cpus(void **state)
{
    uint8_t body[8 + 70 * 8] = {0};
    size_t len;
    uint8_t *t;

    for (uint8_t i = 0; i < 70; i++)
        memcpy(body + 8 + 8 * i, (uint8_t[]){0, 8, i, i, 1, 0, 0, 0}, 8);
    t = table("APIC", body, sizeof(body), &len);
    start();
    m.apic_id[0] = 5;
    assert_null(acpi_read_madt(t, len, &m, 5, false));
    assert_int_equal(m.nr_cpus, NR_CPUS_MAX);
    assert_int_equal(m.nr_cpus_seen, 70);
    assert_int_equal(m.apic_id[1], 0);
    assert_int_equal(m.apic_id[6], 6);
    free(t);
}

static void test_fadt(void **state)
{
    uint8_t body[244 - ACPI_HEADER_SIZE] = {0};
    uint64_t dsdt;
    size_t len;
    uint8_t *t = table("FACP", body, sizeof(body), &len);

    put32(t + 40, 0x7fe0000);
    put32(t + 64, 0x604);
    put32(t + 76, 0x608);
    put32(t + 112, 1 << 8 | 1 << 10);
    t[116] = 1;
    put64(t + 120, 0xcf9);
    t[128] = 6;
    start();
    assert_null(acpi_read_fadt(t, len, &m, &dsdt));
    assert_int_equal(dsdt, 0x7fe0000);
    assert_int_equal(m.pm_timer_port, 0x608);
    assert_true(m.pm_timer_32bit);
    assert_int_equal(m.pm1a_cnt, 0x604);
    assert_int_equal(m.reset_reg, 0xcf9);
    assert_int_equal(m.reset_value, 6);

    t[208] = 1;                     /* the extended field wins, if it can be a port */
    put64(t + 212, 0x1008);
    put64(t + 140, 0x17fe0000);
    assert_null(acpi_read_fadt(t, len, &m, &dsdt));
    assert_int_equal(m.pm_timer_port, 0x1008);
    assert_int_equal(dsdt, 0x17fe0000);
    put64(t + 212, 0x10008);
    assert_null(acpi_read_fadt(t, len, &m, &dsdt));
    assert_int_equal(m.pm_timer_port, 0x608);
    assert_non_null(acpi_read_fadt(t, 115, &m, &dsdt));
    free(t);
}

static void test_hpet_and_mcfg(void **state)
{
    uint8_t hpet[20] = {0}, mcfg[8 + 32] = {0};
    size_t len;
    uint8_t *t;

    put64(hpet + 8, 0xfed00000);
    t = table("HPET", hpet, sizeof(hpet), &len);
    start();
    assert_null(acpi_read_hpet(t, len, &m));
    assert_int_equal(m.hpet.v, 0xfed00000);
    t[40] = 1;
    assert_non_null(acpi_read_hpet(t, len, &m));
    assert_non_null(acpi_read_hpet(t, len - 1, &m));
    free(t);

    mcfg[8 + 8] = 1;                /* segment 1 first, then segment 0 */
    put64(mcfg + 24, 0xb0000000);
    mcfg[24 + 11] = 255;
    t = table("MCFG", mcfg, sizeof(mcfg), &len);
    assert_null(acpi_read_mcfg(t, len, &m));
    assert_int_equal(m.mcfg_base.v, 0xb0000000);
    assert_int_equal(m.mcfg_last_bus, 255);
    assert_non_null(acpi_read_mcfg(t, len - 7, &m));
    t[44 + 16 + 10] = 255;
    t[44 + 16 + 11] = 1;
    assert_non_null(acpi_read_mcfg(t, len, &m));
    free(t);
}

static void test_srat(void **state)
{
    static const uint8_t body[12 + 16 + 24] = {
        [12] = 0, 16, 1, 1, 1,                                   /* APIC id 1 in node 1 */
        [28] = 2, 24, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0,  /* APIC id 256 in node 2 */
    };
    uint8_t endless[12 + 16] = {0};
    size_t len;
    uint8_t *t = table("SRAT", body, sizeof(body), &len);

    start();
    m.nr_cpus = 3;
    m.apic_id[1] = 1;
    m.apic_id[2] = 256;
    assert_null(acpi_read_srat(t, len, &m));
    assert_int_equal(m.node[0], 0);
    assert_int_equal(m.node[1], 1);
    assert_int_equal(m.node[2], 2);
    free(t);

    t = table("SRAT", endless, sizeof(endless), &len);
    assert_non_null(acpi_read_srat(t, len, &m));
    assert_int_equal(m.node[1], 1);
    free(t);
}

static void test_s5(void **state)
{
    static const uint8_t good[] = {0x10, 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 0x05, 0x01, 0, 0};
    static const uint8_t rooted[] = {0x08, '\\', '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0, 0, 0, 0};
    static const uint8_t cut[] = {0x08, '_', 'S', '5', '_', 0x12, 0xc6, 0x04};
    size_t len;
    uint8_t *t = table("DSDT", good, sizeof(good), &len);

    start();
    assert_null(acpi_read_dsdt(t, len, &m));
    assert_true(m.slp_typ5_known);
    assert_int_equal(m.slp_typ5_a, 5);
    assert_int_equal(m.slp_typ5_b, 1);
    free(t);
    start();
    t = table("DSDT", rooted, sizeof(rooted), &len);
    assert_null(acpi_read_dsdt(t, len, &m));
    assert_true(m.slp_typ5_known);
    free(t);
    start();
    t = table("DSDT", cut, sizeof(cut), &len);
    assert_non_null(acpi_read_dsdt(t, len, &m));
    assert_false(m.slp_typ5_known);
    free(t);
}

static void read_all(const uint8_t *t, size_t len)
{
    uint64_t dsdt;

    acpi_read_madt(t, len, &m, 0, true);
    acpi_read_fadt(t, len, &m, &dsdt);
    acpi_read_hpet(t, len, &m);
    acpi_read_mcfg(t, len, &m);
    acpi_read_srat(t, len, &m);
    acpi_read_dsdt(t, len, &m);
    for (size_t i = 0; i < acpi_root_entries(t, len, true); i++)
        (void)acpi_root_entry(t, i, true);
    for (size_t i = 0; i < acpi_root_entries(t, len, false); i++)
        (void)acpi_root_entry(t, i, false);
    assert_true(m.nr_cpus >= 1 && m.nr_cpus <= NR_CPUS_MAX);
    assert_true(m.nr_ioapics <= ARRAY_SIZE(m.ioapic));
}

/* Every length and random bytes: the sanitizers watch that nothing beyond the block is read. */
static void test_damaged(void **state)
{
    uint8_t body[300];
    size_t len;

    srandom(3);
    for (unsigned int round = 0; round < 20000; round++) {
        size_t size = (size_t)random() % sizeof(body);
        uint8_t *t;

        for (size_t i = 0; i < sizeof(body); i++)
            body[i] = (uint8_t)(random() % 4 == 0 ? random() : random() % 20);
        if (round % 2 == 0)
            memcpy(body, madt_body, MIN(size, sizeof(madt_body)));
        if (round % 3 == 0 && size > 20)
            memcpy(body + (size_t)random() % (size - 5), "\x08_S5_\x12", 6);
        if (size > 0)
            body[(size_t)random() % size] = (uint8_t)random();
        t = table("TEST", body, size, &len);
        assert_null(acpi_check_table(t, len));
        start();
        read_all(t, len);
        free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rsdp),      cmocka_unit_test(test_header),    cmocka_unit_test(test_madt),
        cmocka_unit_test(test_madt_lies), cmocka_unit_test(test_many_cpus), cmocka_unit_test(test_fadt),
        cmocka_unit_test(test_hpet_and_mcfg), cmocka_unit_test(test_srat),  cmocka_unit_test(test_s5),
        cmocka_unit_test(test_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
