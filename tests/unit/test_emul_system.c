/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The emulator where no processor can be asked: privileged instructions, faults, prefixes, races, 32 bits. */
#include "emul/emul.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CODE_VA 0x400ff0ULL /* 16 bytes before a page's end */
#define DATA_VA 0x500000ULL

/* What the callbacks saw, and how they are to answer. */
static struct {
    uint8_t code[64], data[64];
    unsigned int fetches, accesses, changes; /* changes: times that memory changes under a cmpxchg */
    uint64_t fetch_limit;                    /* first linear address that cannot be fetched */
    uint64_t fault_at;                       /* data access there raises #PF */
    char call[32];
    uint64_t a, b;
} world;

static struct cpu_user_regs regs;
static struct emul_ctx ctx;

static int note(const char *call, uint64_t a, uint64_t b)
{
    strncpy(world.call, call, sizeof(world.call) - 1);
    world.a = a;
    world.b = b;
    return EMUL_OKAY;
}

static int w_fetch(struct emul_ctx *c, uint64_t va, void *to, unsigned int bytes)
{
    world.fetches++;
    assert_true(va / PAGE_SIZE == (va + bytes - 1) / PAGE_SIZE);
    if (va + bytes > world.fetch_limit)
        return emul_raise_page_fault(c, world.fetch_limit, 0x14);
    memcpy(to, world.code + (va - CODE_VA), bytes);
    return EMUL_OKAY;
}

static int w_access(struct emul_ctx *c, uint64_t va, unsigned int bytes)
{
    world.accesses++;
    if (va == world.fault_at || va < DATA_VA || va > DATA_VA + sizeof(world.data) - bytes)
        return emul_raise_page_fault(c, va, 6);
    return EMUL_OKAY;
}

static int w_read(struct emul_ctx *c, uint64_t va, void *to, unsigned int bytes)
{
    int rc = w_access(c, va, bytes);

    if (rc == EMUL_OKAY)
        memcpy(to, world.data + (va - DATA_VA), bytes);
    return rc;
}

static int w_write(struct emul_ctx *c, uint64_t va, const void *from, unsigned int bytes)
{
    int rc = w_access(c, va, bytes);

    if (rc == EMUL_OKAY)
        memcpy(world.data + (va - DATA_VA), from, bytes);
    return rc;
}

static int w_cmpxchg(struct emul_ctx *c, uint64_t va, void *old, const void *new, unsigned int bytes)
{
    uint8_t *at = world.data + (va - DATA_VA);
    int rc = w_access(c, va, bytes);

    if (rc != EMUL_OKAY)
        return rc;
    if (world.changes) {
        world.changes--;
        at[0]++;
    }
    if (memcmp(at, old, bytes) == 0)
        memcpy(at, new, bytes);
    else
        memcpy(old, at, bytes);
    return EMUL_OKAY;
}

static int w_segment(struct emul_ctx *c, enum emul_seg seg, struct emul_segment *out)
{
    static const uint64_t base[6] = {[EMUL_FS] = DATA_VA, [EMUL_GS] = DATA_VA + 16};

    *out = (struct emul_segment){.base = base[seg], .limit = seg == EMUL_DS ? 0x50000f : ~0u};
    return EMUL_OKAY;
}

static int w_read_msr(struct emul_ctx *c, uint32_t msr, uint64_t *v)
{
    *v = 0x1122334455667788;
    return note("rdmsr", msr, 0);
}

static int w_write_msr(struct emul_ctx *c, uint32_t msr, uint64_t v)
{
    return msr == 0xbad ? emul_raise(c, 13, 0) : note("wrmsr", msr, v);
}

static int w_read_cr(struct emul_ctx *c, unsigned int cr, uint64_t *v)
{
    *v = cr == 0 ? 0x8005003b : 0xabcdef0012345678;
    return note("read_cr", cr, 0);
}

/* clang-format off */
static int w_write_cr(struct emul_ctx *c, unsigned int cr, uint64_t v) { return note("write_cr", cr, v); }
static int w_write_dr(struct emul_ctx *c, unsigned int dr, uint64_t v) { return note("write_dr", dr, v); }
static int w_write_xcr(struct emul_ctx *c, uint32_t xcr, uint64_t v) { return note("write_xcr", xcr, v); }
static int w_invlpg(struct emul_ctx *c, uint64_t va) { return note("invlpg", va, 0); }
static int w_wbinvd(struct emul_ctx *c, bool invd) { return note("wbinvd", invd, 0); }
static int w_hlt(struct emul_ctx *c) { return note("hlt", 0, 0); }
static int w_set_if(struct emul_ctx *c, bool on) { return note("set_if", on, 0); }
/* clang-format on */

static int w_read_dr(struct emul_ctx *c, unsigned int dr, uint64_t *v)
{
    *v = 0xffff0ff0;
    return note("read_dr", dr, 0);
}

static int w_cpuid(struct emul_ctx *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    for (uint32_t i = 0; i < 4; i++)
        out[i] = 0x100 + i;
    return note("cpuid", leaf, subleaf);
}

static int w_in(struct emul_ctx *c, uint16_t port, unsigned int bytes, uint32_t *v)
{
    *v = 0x12345678;
    return port == 0x666 ? emul_raise(c, 13, 0) : note("in", port, bytes);
}

static int w_out(struct emul_ctx *c, uint16_t port, unsigned int bytes, uint32_t v)
{
    world.b = (uint64_t)bytes << 32 | v;
    return note("out", port, world.b);
}

static int w_tsc(struct emul_ctx *c, uint64_t *tsc, uint32_t *aux)
{
    *tsc = 0x9900000011;
    if (aux)
        *aux = 7;
    return EMUL_OKAY;
}

static int w_pmc(struct emul_ctx *c, uint32_t counter, uint64_t *v)
{
    *v = 5;
    return note("rdpmc", counter, 0);
}

static const struct emul_ops ops = {
    .fetch = w_fetch,
    .read = w_read,
    .write = w_write,
    .cmpxchg = w_cmpxchg,
    .segment = w_segment,
    .read_msr = w_read_msr,
    .write_msr = w_write_msr,
    .read_cr = w_read_cr,
    .write_cr = w_write_cr,
    .read_dr = w_read_dr,
    .write_dr = w_write_dr,
    .write_xcr = w_write_xcr,
    .invlpg = w_invlpg,
    .wbinvd = w_wbinvd,
    .hlt = w_hlt,
    .cpuid = w_cpuid,
    .port_in = w_in,
    .port_out = w_out,
    .set_if = w_set_if,
    .read_tsc = w_tsc,
    .read_pmc = w_pmc,
};

static int begin(void **state)
{
    memset(&world, 0, sizeof(world));
    memset(&regs, 0, sizeof(regs));
    world.fetch_limit = ~0ULL;
    regs.rip = CODE_VA;
    regs.rflags = 0x202;
    regs.rdi = DATA_VA;
    ctx = (struct emul_ctx){.regs = &regs, .ops = &ops, .mode64 = true, .privileged = true};
    return 0;
}

static int run_bytes(const void *code, size_t len)
{
    memset(world.code, 0x90, sizeof(world.code));
    memcpy(world.code, code, len);
    world.call[0] = 0;
    regs.rip = CODE_VA;
    return emul_run(&ctx);
}

/* The code as a string literal. */
#define RUN(code) run_bytes((code), sizeof(code) - 1)

#define EXPECT_CALL(code, name, x, y) \
    do { \
        assert_int_equal(RUN(code), EMUL_OKAY); \
        assert_string_equal(world.call, name); \
        assert_int_equal(world.a, x); \
        assert_int_equal(world.b, y); \
        assert_int_equal(regs.rip, CODE_VA + sizeof(code) - 1); \
    } while (0)

static void expect_fault(int rc, unsigned int vector, uint32_t error)
{
    assert_int_equal(rc, EMUL_EXCEPTION);
    assert_int_equal(ctx.fault.vector, vector);
    assert_int_equal(ctx.fault.error_code, error);
    assert_int_equal(regs.rip, CODE_VA);
}

static void test_registers(void **state)
{
    regs.rcx = 0xffffffffc0000080;
    EXPECT_CALL("\x0f\x32", "rdmsr", 0xc0000080, 0);
    assert_int_equal(regs.rax, 0x55667788);
    assert_int_equal(regs.rdx, 0x11223344);
    regs.rax = 0xffffffff00000001;
    regs.rdx = 0xffffffff00000002;
    EXPECT_CALL("\x0f\x30", "wrmsr", 0xc0000080, 0x200000001);
    EXPECT_CALL("\x0f\x20\xd8", "read_cr", 3, 0); /* mov %cr3, %rax */
    assert_int_equal(regs.rax, 0xabcdef0012345678);
    EXPECT_CALL("\x44\x0f\x20\xc3", "read_cr", 8, 0); /* mov %cr8, %rbx */
    regs.r9 = 0x660;
    EXPECT_CALL("\x41\x0f\x22\xe1", "write_cr", 4, 0x660); /* mov %r9, %cr4 */
    EXPECT_CALL("\x0f\x22\x20", "write_cr", 4, regs.rax);  /* the mod field counts for nothing */
    EXPECT_CALL("\x0f\x21\xf0", "read_dr", 6, 0);
    EXPECT_CALL("\x0f\x23\xf8", "write_dr", 7, 0xffff0ff0);
    expect_fault(RUN("\x0f\x20\xc8"), 6, 0);     /* CR1 */
    expect_fault(RUN("\x44\x0f\x21\xc0"), 6, 0); /* DR8 */
    EXPECT_CALL("\x0f\x06", "write_cr", 0, 0x80050033);
    regs.rax = 0x4;
    EXPECT_CALL("\x0f\x01\xf0", "write_cr", 0, 0x80050035); /* lmsw %ax: PE stays, TS goes */
    world.data[0] = 0xb;
    EXPECT_CALL("\x0f\x01\x37", "write_cr", 0, 0x8005003b); /* lmsw (%rdi) */
    regs.rcx = 0;
    regs.rdx = 0;
    regs.rax = 7;
    EXPECT_CALL("\x0f\x01\xd1", "write_xcr", 0, 7);
    EXPECT_CALL("\x0f\x01\x3f", "invlpg", DATA_VA, 0);
    EXPECT_CALL("\x64\x0f\x01\x3f", "invlpg", DATA_VA * 2, 0);
    EXPECT_CALL("\x0f\x09", "wbinvd", 0, 0);
    EXPECT_CALL("\x0f\x08", "wbinvd", 1, 0);
    EXPECT_CALL("\xf4", "hlt", 0, 0);
    EXPECT_CALL("\xfa", "set_if", 0, 0);
    EXPECT_CALL("\xfb", "set_if", 1, 0);
    EXPECT_CALL("\x0f\x33", "rdpmc", 0, 0);
    assert_int_equal(RUN("\x0f\x01\xf9"), EMUL_OKAY); /* rdtscp */
    assert_int_equal(regs.rax, 0x11);
    assert_int_equal(regs.rdx, 0x99);
    assert_int_equal(regs.rcx, 7);
    regs.rax = 0xdeadbeef00000007;
    regs.rcx = 0xdeadbeef00000001;
    EXPECT_CALL("\x0f\xa2", "cpuid", 7, 1);
    assert_int_equal(regs.rax, 0x100);
    assert_int_equal(regs.rbx, 0x101);
    assert_int_equal(regs.rcx, 0x102);
    assert_int_equal(regs.rdx, 0x103);
}

static void test_privilege(void **state)
{
    ctx.privileged = false;
    expect_fault(RUN("\x0f\x32"), 13, 0);
    expect_fault(RUN("\x0f\x20\xd8"), 13, 0);
    expect_fault(RUN("\xf4"), 13, 0);
    expect_fault(RUN("\x0f\x06"), 13, 0);
    EXPECT_CALL("\xfa", "set_if", 0, 0); /* judged by its callback */
    EXPECT_CALL("\x0f\xa2", "cpuid", 0, 0);
    regs.rcx = 0xbad;
    ctx.privileged = true;
    expect_fault(RUN("\x0f\x30"), 13, 0); /* the callback's own exception */
}

static void test_ports(void **state)
{
    regs.rdx = 0xffff0cf8;
    regs.rax = 0xffffffffffffffff;
    EXPECT_CALL("\xec", "in", 0xcf8, 1);
    assert_int_equal(regs.rax, 0xffffffffffffff78);
    EXPECT_CALL("\x66\xed", "in", 0xcf8, 2);
    assert_int_equal(regs.rax, 0xffffffffffff5678);
    EXPECT_CALL("\x48\xed", "in", 0xcf8, 4);
    assert_int_equal(regs.rax, 0x12345678);
    EXPECT_CALL("\xe4\x80", "in", 0x80, 1); /* the immediate is not signed */
    EXPECT_CALL("\xe7\x80", "out", 0x80, 4ULL << 32 | 0x12345678);
    EXPECT_CALL("\xee", "out", 0xcf8, 1ULL << 32 | 0x78);
    regs.rcx = 3;
    EXPECT_CALL("\xf3\x66\x6d", "in", 0xcf8, 2); /* rep insw */
    assert_int_equal(regs.rcx, 0);
    assert_int_equal(regs.rdi, DATA_VA + 6);
    assert_memory_equal(world.data, "\x78\x56\x78\x56\x78\x56\0", 7);
    regs.rsi = DATA_VA + 1;
    EXPECT_CALL("\x6e", "out", 0xcf8, 1ULL << 32 | 0x56);
    assert_int_equal(regs.rsi, DATA_VA + 2);
    regs.rsi = 4;
    EXPECT_CALL("\x64\x6e", "out", 0xcf8, 1ULL << 32 | 0x78); /* outsb %fs:(%rsi) */
    regs.rdx = 0x666;
    expect_fault(RUN("\xec"), 13, 0);
    regs.rdi = 0x8000000000000000; /* the address is checked before the port is read */
    regs.rdx = 0xcf8;
    expect_fault(RUN("\x6c"), 13, 0);
    assert_string_equal(world.call, "");
    regs.rcx = 0;
    assert_int_equal(RUN("\xf3\x6c"), EMUL_OKAY); /* nothing to do is no fault */
}

static void test_faults(void **state)
{
    world.fault_at = DATA_VA;
    regs.rax = 0x1234;
    expect_fault(RUN("\x48\x89\x07"), 14, 6);
    assert_int_equal(ctx.fault.cr2, DATA_VA);
    expect_fault(RUN("\xf0\x48\x01\x07"), 14, 6);
    assert_int_equal(regs.rflags, 0x202);
    regs.rdi = 0x7fffffffffff; /* the last byte is not canonical */
    expect_fault(RUN("\x48\x89\x07"), 13, 0);
    regs.rbp = 0x8000000000000000;
    expect_fault(RUN("\x48\x89\x45\x00"), 12, 0);     /* through RBP: the stack segment */
    expect_fault(RUN("\x3e\x48\x89\x45\x00"), 12, 0); /* a DS prefix is nothing in 64-bit mode */
    expect_fault(RUN("\x65\x48\x89\x45\x00"), 13, 0);
    regs.rdi = DATA_VA + 8;
    expect_fault(RUN("\x48\x0f\xc7\x0f"), 13, 0);        /* cmpxchg16b unaligned */
    expect_fault(RUN("\xf0\x48\x89\x07"), 6, 0);         /* lock mov */
    expect_fault(RUN("\xf0\x48\x01\xf8"), 6, 0);         /* lock add to a register */
    expect_fault(RUN("\xf0\x48\x03\x07"), 6, 0);         /* lock add from memory */
    expect_fault(RUN("\xf0\x48\x39\x07"), 6, 0);         /* lock cmp */
    expect_fault(RUN("\xf0\x48\x0f\xba\x27\x01"), 6, 0); /* lock bt */
    assert_int_equal(RUN("\x0f\xff"), EMUL_UNHANDLEABLE);
    assert_int_equal(RUN("\xff\x37"), EMUL_UNHANDLEABLE); /* push */
    assert_int_equal(RUN("\x0f\xc3\xc0"), EMUL_UNHANDLEABLE);
}

static void test_fetching(void **state)
{
    /* 14 prefixes and one byte are 15: allowed. One more is #GP. The page ends after 16 bytes. */
    EXPECT_CALL("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\xf4", "hlt", 0, 0);
    assert_int_equal(world.fetches, 1);
    expect_fault(RUN("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\xf4"), 13, 0);

    /* Bytes of the next page are fetched when they are needed, and not otherwise. */
    memset(world.code, 0x90, sizeof(world.code));
    memcpy(world.code + 14, "\x0f\x32\x48\x89\x07", 5);
    world.fetch_limit = CODE_VA + 16;
    world.fetches = 0;
    regs.rip = CODE_VA + 14;
    assert_int_equal(emul_run(&ctx), EMUL_OKAY);
    assert_int_equal(world.fetches, 1);
    memcpy(world.code + 14, "\x48\x89\x07", 3);
    regs.rip = CODE_VA + 14;
    assert_int_equal(emul_run(&ctx), EMUL_EXCEPTION);
    assert_int_equal(ctx.fault.vector, 14);
    assert_int_equal(ctx.fault.cr2, CODE_VA + 16);
    world.fetch_limit = ~0ULL;
    world.fetches = 0;
    regs.rax = 0x77;
    regs.rip = CODE_VA + 14;
    assert_int_equal(emul_run(&ctx), EMUL_OKAY);
    assert_int_equal(world.fetches, 2);
    assert_int_equal(world.data[0], 0x77);
}

static void test_forced_prefix(void **state)
{
    ctx.forced_prefix = true;
    EXPECT_CALL("\x0f\x0bxen\x0f\xa2", "cpuid", 0, 0);
    assert_int_equal(ctx.insn.kind, EMUL_CPUID);
    assert_int_equal(RUN("\x0f\x0bxem\x0f\xa2"), EMUL_UNHANDLEABLE);
    assert_int_equal(RUN("\x0f\xa2"), EMUL_UNHANDLEABLE);
    regs.rip = CODE_VA + 1; /* RIP-relative addresses count the prefix */
    memcpy(world.code, "\x90\x0f\x0bxen\x48\x89\x05\x00\x00\x00\x00", 13);
    assert_int_equal(emul_decode(&ctx), EMUL_OKAY);
    assert_int_equal(ctx.insn.offset, CODE_VA + 13);
}

/* Another processor changes the entry between our read and our exchange. */
static void test_races(void **state)
{
    world.data[0] = 0x10;
    world.changes = 3;
    regs.rax = 0x20;
    assert_int_equal(RUN("\x48\x09\x07"), EMUL_OKAY); /* or %rax, (%rdi) */
    assert_int_equal(world.data[0], 0x33);
    world.data[0] = 0x10;
    world.changes = 2;
    assert_int_equal(RUN("\x48\x87\x07"), EMUL_OKAY); /* xchg gets the last value */
    assert_int_equal(regs.rax, 0x12);
    assert_int_equal(world.data[0], 0x20);
    world.changes = 1000;
    assert_int_equal(RUN("\x48\x09\x07"), EMUL_RETRY);
    assert_int_equal(regs.rip, CODE_VA);
    world.changes = 1;
    world.data[0] = 0x41;
    regs.rax = 0x41;
    regs.rbx = 0x99;
    assert_int_equal(RUN("\xf0\x48\x0f\xb1\x1f"), EMUL_OKAY); /* cmpxchg just fails */
    assert_int_equal(regs.rax, 0x42);
    assert_int_equal(regs.rflags & 0x40, 0);
    assert_int_equal(world.data[0], 0x42);
}

static void test_cmpxchg16b(void **state)
{
    memcpy(world.data, "AAAAAAAABBBBBBBB", 16);
    memcpy(&regs.rax, "AAAAAAAA", 8);
    memcpy(&regs.rdx, "BBBBBBBB", 8);
    memcpy(&regs.rbx, "CCCCCCCC", 8);
    memcpy(&regs.rcx, "DDDDDDDD", 8);
    assert_int_equal(RUN("\xf0\x48\x0f\xc7\x0f"), EMUL_OKAY);
    assert_int_equal(regs.rflags & 0x40, 0x40);
    assert_memory_equal(world.data, "CCCCCCCCDDDDDDDD", 16);
    assert_int_equal(RUN("\xf0\x48\x0f\xc7\x0f"), EMUL_OKAY);
    assert_int_equal(regs.rflags & 0x40, 0);
    assert_memory_equal(&regs.rax, "CCCCCCCC", 8);
    assert_memory_equal(&regs.rdx, "DDDDDDDD", 8);
}

/* A repeated store that fails in the middle keeps what it did; single steps stop after each. */
static void test_repeats(void **state)
{
    world.fault_at = DATA_VA + 24;
    regs.rcx = 8;
    regs.rax = ~0ULL;
    assert_int_equal(RUN("\xf3\x48\xab"), EMUL_OKAY);
    assert_int_equal(regs.rcx, 5);
    assert_int_equal(regs.rdi, DATA_VA + 24);
    assert_int_equal(regs.rip, CODE_VA);
    expect_fault(RUN("\xf3\x48\xab"), 14, 6);
    world.fault_at = 0;
    regs.rflags |= 0x100;
    assert_int_equal(RUN("\xf3\x48\xab"), EMUL_OKAY);
    assert_int_equal(regs.rcx, 4);
    assert_int_equal(regs.rip, CODE_VA);
    assert_true(ctx.single_step);
    regs.rcx = 1;
    assert_int_equal(RUN("\xf3\x48\xab"), EMUL_OKAY);
    assert_int_equal(regs.rip, CODE_VA + 3);
    assert_true(ctx.single_step);
    regs.rflags = 0x10202; /* RF ends with the instruction */
    assert_int_equal(RUN("\x48\x89\x07"), EMUL_OKAY);
    assert_false(ctx.single_step);
    assert_int_equal(regs.rflags, 0x202);
}

static void test_segments(void **state)
{
    regs.rax = 0x55;
    regs.rdi = 8;
    assert_int_equal(RUN("\x64\x88\x07"), EMUL_OKAY); /* mov %al, %fs:(%rdi) */
    assert_int_equal(world.data[8], 0x55);
    assert_int_equal(RUN("\x65\x88\x07"), EMUL_OKAY);
    assert_int_equal(world.data[24], 0x55);
    assert_int_equal(RUN("\x64\x2e\x88\x47\x01"), EMUL_OKAY); /* CS after FS is nothing */
    assert_int_equal(world.data[9], 0x55);
}

static void test_compatibility_mode(void **state)
{
    ctx.mode64 = false;
    regs.rax = 0xffffffff00000055;
    regs.rdi = 0xffffffff00500000;
    assert_int_equal(RUN("\x89\x07"), EMUL_OKAY);
    assert_int_equal(world.data[0], 0x55);
    assert_int_equal(RUN("\x40"), EMUL_UNHANDLEABLE);             /* inc %eax, no REX prefix */
    assert_int_equal(RUN("\x89\x05\x04\x00\x50\x00"), EMUL_OKAY); /* absolute, not RIP-relative */
    assert_int_equal(world.data[4], 0x55);
    regs.rdi = 0x50000d; /* across the limit of DS */
    expect_fault(RUN("\x89\x07"), 13, 0);
    EXPECT_CALL("\x0f\x22\xc0", "write_cr", 0, 0x55);
}

/* Any bytes whatever: an answer, no access that a callback did not see, and RIP within 15 bytes. */
static void test_random_bytes(void **state)
{
    uint64_t seed = 88172645463325252ULL;
    unsigned int answers[4] = {0};

    for (unsigned int i = 0; i < 300000; i++) {
        uint8_t code[16];
        int rc;

        begin(NULL);
        for (unsigned int j = 0; j < sizeof(code); j++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            code[j] = (uint8_t)(seed >> 40);
        }
        if (i & 1) /* two-byte opcodes, now and then with a prefix */
            code[(i >> 2) & 1] = 0x0f;
        ctx.mode64 = i % 3 != 0;
        ctx.privileged = i % 5 != 0;
        ctx.forced_prefix = i % 64 == 0;
        if (ctx.forced_prefix)
            memcpy(code, "\x0f\x0bxen", 5);
        regs.rcx = seed & 7;
        regs.rsi = DATA_VA + 8;
        rc = run_bytes(code, sizeof(code));
        assert_in_range(rc, EMUL_OKAY, EMUL_RETRY);
        answers[rc]++;
        if (rc != EMUL_OKAY)
            assert_int_equal(regs.rip, CODE_VA);
        else
            assert_in_range(regs.rip, CODE_VA, CODE_VA + EMUL_INSN_MAX + (ctx.forced_prefix ? 5 : 0));
    }
    assert_true(answers[EMUL_OKAY] > 1000 && answers[EMUL_EXCEPTION] > 1000 &&
                answers[EMUL_UNHANDLEABLE] > 1000);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_registers), TEST(test_privilege),          TEST(test_ports),
        TEST(test_faults),    TEST(test_fetching),           TEST(test_forced_prefix),
        TEST(test_races),     TEST(test_cmpxchg16b),         TEST(test_repeats),
        TEST(test_segments),  TEST(test_compatibility_mode), TEST(test_random_bytes),
    };

    return cmocka_run_group_tests_name("emul_system", tests, NULL, NULL);
}
