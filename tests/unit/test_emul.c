/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The emulator against the processor: random registers, flags, addressing forms
 * and operands; each instruction is run natively and emulated, and registers,
 * flags and memory must agree. Code, data and the register file of the native
 * run live at low addresses, so that every addressing form can reach them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "emul/emul.h"

#define FILE_VA 0x10000000UL /* the register file */
#define DATA_VA 0x20000000UL
#define CODE_VA 0x30000000UL
#define FLAGS   0x8d5ULL /* CF PF AF ZF SF OF */
#define AF      0x10ULL
#define OF      0x800ULL

/* By the encoding's numbers; 16 is RFLAGS, 17 the host's stack pointer. */
static uint64_t *const file = (uint64_t *)FILE_VA;
static uint8_t *const data = (uint8_t *)DATA_VA;
static uint8_t *const code = (uint8_t *)CODE_VA;
static uint64_t insn_va;
static uint64_t seed = 88172645463325252ULL;

static uint64_t random64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static unsigned int pick(unsigned int n)
{
    return (unsigned int)(random64() >> 33) % n;
}

/* Numbers near the edges are likelier than chance would have them. */
static uint64_t random_operand(void)
{
    static const uint64_t edges[] = {0,      1,          0x7f,       0x80,       0xff, 0x7fff,
                                     0x8000, 0x7fffffff, 0x80000000, ~0ULL >> 1, ~0ULL};

    return pick(3) ? random64() : edges[pick(ARRAY_SIZE(edges))];
}

static uint8_t *emit_access(uint8_t *p, uint8_t opcode, unsigned int reg, unsigned int slot)
{
    uint32_t address = (uint32_t)(FILE_VA + slot * 8);

    *p++ = (uint8_t)(0x48 | (reg >> 3) << 2);
    *p++ = opcode;
    *p++ = (uint8_t)(0x04 | (reg & 7) << 3);
    *p++ = 0x25;
    memcpy(p, &address, 4);
    return p + 4;
}

/* Builds: save, load the file, the instruction, store the file, restore, return. */
static void build(const uint8_t *insn, unsigned int length, void *at)
{
    static const uint8_t save[] = {0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57};
    static const uint8_t restore[] = {0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xfc, 0xc3};
    static const uint8_t pop_flags[] = {0x9d}, push_flags[] = {0x9c};
    uint8_t *p = at;
    uint8_t push_slot[] = {0xff, 0x34, 0x25, 0x80, 0x00, 0x00, 0x10}; /* push FILE_VA + 16 * 8 */
    uint8_t pop_slot[] = {0x8f, 0x04, 0x25, 0x80, 0x00, 0x00, 0x10};

    memcpy(p, save, sizeof(save));
    p = emit_access(p + sizeof(save), 0x89, 4, 17);
    memcpy(p, push_slot, sizeof(push_slot));
    p += sizeof(push_slot);
    *p++ = pop_flags[0];
    for (unsigned int r = 0; r < 16; r++) {
        if (r != 4)
            p = emit_access(p, 0x8b, r, r);
    }
    p = emit_access(p, 0x8b, 4, 4);
    insn_va = (uint64_t)p;
    memcpy(p, insn, length);
    p += length;
    for (unsigned int r = 0; r < 16; r++)
        p = emit_access(p, 0x89, r, r);
    p = emit_access(p, 0x8b, 4, 17);
    *p++ = push_flags[0];
    memcpy(p, pop_slot, sizeof(pop_slot));
    p += sizeof(pop_slot);
    memcpy(p, restore, sizeof(restore));
}

static uint64_t *slot_of(struct cpu_user_regs *r, unsigned int n)
{
    uint64_t *const slots[16] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp, &r->rsi, &r->rdi,
                                 &r->r8,  &r->r9,  &r->r10, &r->r11, &r->r12, &r->r13, &r->r14, &r->r15};

    return slots[n];
}

static int do_fetch(struct emul_ctx *ctx, uint64_t va, void *to, unsigned int bytes)
{
    assert_true(va / PAGE_SIZE == (va + bytes - 1) / PAGE_SIZE);
    memcpy(to, (void *)va, bytes);
    return EMUL_OKAY;
}

static int do_read(struct emul_ctx *ctx, uint64_t va, void *to, unsigned int bytes)
{
    memcpy(to, (void *)va, bytes);
    return EMUL_OKAY;
}

static int do_write(struct emul_ctx *ctx, uint64_t va, const void *from, unsigned int bytes)
{
    memcpy((void *)va, from, bytes);
    return EMUL_OKAY;
}

static int do_cmpxchg(struct emul_ctx *ctx, uint64_t va, void *old, const void *new, unsigned int bytes)
{
    if (memcmp((void *)va, old, bytes) == 0)
        memcpy((void *)va, new, bytes);
    else
        memcpy(old, (void *)va, bytes);
    return EMUL_OKAY;
}

static const struct emul_ops ops = {
    .fetch = do_fetch, .read = do_read, .write = do_write, .cmpxchg = do_cmpxchg};

struct form {
    const char *name;
    uint8_t opcode[3]; /* opcode[0] is 0x0f for two-byte ones, opcode[1] 0x38 for three-byte ones */
    uint8_t byte;      /* operands are bytes */
    int8_t group;      /* reg field, or -1: a register */
    uint8_t imm;       /* 0, 1, or 4: bytes of immediate (4: by operand size) */
    uint8_t lockable, memory_only, bits, pair;
    uint64_t undefined; /* flags not compared */
};

static const struct form forms[] = {
    {"add", {0x01}, 0, -1, 0, 1, 0, 0, 0, 0},
    {"add8", {0x00}, 1, -1, 0, 1, 0, 0, 0, 0},
    {"add r", {0x03}, 0, -1, 0, 0, 0, 0, 0, 0},
    {"or", {0x09}, 0, -1, 0, 1, 0, 0, 0, AF},
    {"adc", {0x11}, 0, -1, 0, 1, 0, 0, 0, 0},
    {"adc8 r", {0x12}, 1, -1, 0, 0, 0, 0, 0, 0},
    {"sbb", {0x19}, 0, -1, 0, 1, 0, 0, 0, 0},
    {"sbb8", {0x18}, 1, -1, 0, 1, 0, 0, 0, 0},
    {"and", {0x21}, 0, -1, 0, 1, 0, 0, 0, AF},
    {"and8", {0x20}, 1, -1, 0, 1, 0, 0, 0, AF},
    {"sub", {0x29}, 0, -1, 0, 1, 0, 0, 0, 0},
    {"xor", {0x31}, 0, -1, 0, 1, 0, 0, 0, AF},
    {"xor8 r", {0x32}, 1, -1, 0, 0, 0, 0, 0, AF},
    {"cmp", {0x39}, 0, -1, 0, 0, 0, 0, 0, 0},
    {"cmp r", {0x3b}, 0, -1, 0, 0, 0, 0, 0, 0},
    {"test", {0x85}, 0, -1, 0, 0, 0, 0, 0, AF},
    {"add imm", {0x81}, 0, 0, 4, 1, 0, 0, 0, 0},
    {"or imm8", {0x83}, 0, 1, 1, 1, 0, 0, 0, AF},
    {"adc imm8", {0x83}, 0, 2, 1, 1, 0, 0, 0, 0},
    {"sbb imm", {0x81}, 0, 3, 4, 1, 0, 0, 0, 0},
    {"and imm", {0x81}, 0, 4, 4, 1, 0, 0, 0, AF},
    {"sub8 imm", {0x80}, 1, 5, 1, 1, 0, 0, 0, 0},
    {"cmp imm8", {0x83}, 0, 7, 1, 0, 0, 0, 0, 0},
    {"test imm", {0xf7}, 0, 0, 4, 0, 0, 0, 0, AF},
    {"mov", {0x89}, 0, -1, 0, 0, 0, 0, 0, 0},
    {"mov8", {0x88}, 1, -1, 0, 0, 0, 0, 0, 0},
    {"mov r", {0x8b}, 0, -1, 0, 0, 0, 0, 0, 0},
    {"mov8 r", {0x8a}, 1, -1, 0, 0, 0, 0, 0, 0},
    {"mov imm", {0xc7}, 0, 0, 4, 0, 0, 0, 0, 0},
    {"mov8 imm", {0xc6}, 1, 0, 1, 0, 0, 0, 0, 0},
    {"movnti", {0x0f, 0xc3}, 0, -1, 0, 0, 1, 0, 0, 0},
    {"xchg", {0x87}, 0, -1, 0, 1, 0, 0, 0, 0},
    {"xchg8", {0x86}, 1, -1, 0, 1, 0, 0, 0, 0},
    {"inc", {0xff}, 0, 0, 0, 1, 0, 0, 0, 0},
    {"dec8", {0xfe}, 1, 1, 0, 1, 0, 0, 0, 0},
    {"not", {0xf7}, 0, 2, 0, 1, 0, 0, 0, 0},
    {"neg", {0xf7}, 0, 3, 0, 1, 0, 0, 0, 0},
    {"neg8", {0xf6}, 1, 3, 0, 1, 0, 0, 0, 0},
    {"xadd", {0x0f, 0xc1}, 0, -1, 0, 1, 0, 0, 0, 0},
    {"xadd8", {0x0f, 0xc0}, 1, -1, 0, 1, 0, 0, 0, 0},
    {"cmpxchg", {0x0f, 0xb1}, 0, -1, 0, 1, 0, 0, 0, 0},
    {"cmpxchg8", {0x0f, 0xb0}, 1, -1, 0, 1, 0, 0, 0, 0},
    {"bt", {0x0f, 0xa3}, 0, -1, 0, 0, 0, 1, 0, 0x894},
    {"bts", {0x0f, 0xab}, 0, -1, 0, 1, 0, 1, 0, 0x894},
    {"btr", {0x0f, 0xb3}, 0, -1, 0, 1, 0, 1, 0, 0x894},
    {"btc", {0x0f, 0xbb}, 0, -1, 0, 1, 0, 1, 0, 0x894},
    {"bts imm", {0x0f, 0xba}, 0, 5, 1, 1, 0, 0, 0, 0x894},
    {"btr imm", {0x0f, 0xba}, 0, 6, 1, 1, 0, 0, 0, 0x894},
    {"btc imm", {0x0f, 0xba}, 0, 7, 1, 1, 0, 0, 0, 0x894},
    {"rol imm", {0xc1}, 0, 0, 1, 0, 0, 0, 0, OF},
    {"ror8 imm", {0xc0}, 1, 1, 1, 0, 0, 0, 0, OF},
    {"rcl", {0xd3}, 0, 2, 0, 0, 0, 0, 0, OF},
    {"rcr8", {0xd2}, 1, 3, 0, 0, 0, 0, 0, OF},
    {"rcr 1", {0xd1}, 0, 3, 0, 0, 0, 0, 0, 0},
    {"shl imm", {0xc1}, 0, 4, 1, 0, 0, 0, 0, OF | AF},
    {"shl8 1", {0xd0}, 1, 4, 0, 0, 0, 0, 0, AF},
    {"shr", {0xd3}, 0, 5, 0, 0, 0, 0, 0, OF | AF},
    {"shr 1", {0xd1}, 0, 5, 0, 0, 0, 0, 0, AF},
    {"sal imm", {0xc1}, 0, 6, 1, 0, 0, 0, 0, OF | AF},
    {"sar", {0xd3}, 0, 7, 0, 0, 0, 0, 0, OF | AF},
    {"sar8 1", {0xd0}, 1, 7, 0, 0, 0, 0, 0, AF},
    {"shld imm", {0x0f, 0xa4}, 0, -1, 1, 0, 0, 0, 0, OF | AF},
    {"shld", {0x0f, 0xa5}, 0, -1, 0, 0, 0, 0, 0, OF | AF},
    {"shrd imm", {0x0f, 0xac}, 0, -1, 1, 0, 0, 0, 0, OF | AF},
    {"shrd", {0x0f, 0xad}, 0, -1, 0, 0, 0, 0, 0, OF | AF},
    {"setb", {0x0f, 0x92}, 1, 0, 0, 0, 0, 0, 0, 0},
    {"setne", {0x0f, 0x95}, 1, 0, 0, 0, 0, 0, 0, 0},
    {"seta", {0x0f, 0x97}, 1, 0, 0, 0, 0, 0, 0, 0},
    {"setp", {0x0f, 0x9a}, 1, 0, 0, 0, 0, 0, 0, 0},
    {"setge", {0x0f, 0x9d}, 1, 0, 0, 0, 0, 0, 0, 0},
    {"setle", {0x0f, 0x9e}, 1, 0, 0, 0, 0, 0, 0, 0},
    {"movbe r", {0x0f, 0x38, 0xf0}, 0, -1, 0, 0, 1, 0, 0, 0},
    {"movbe", {0x0f, 0x38, 0xf1}, 0, -1, 0, 0, 1, 0, 0, 0},
    {"pop", {0x8f}, 0, 0, 0, 0, 0, 0, 0, 0},
    {"cmpxchg8b", {0x0f, 0xc7}, 0, 1, 0, 1, 1, 0, 1, 0},
};

/* An instruction under construction, and what it needs of the registers. */
struct build {
    uint8_t bytes[24];
    unsigned int length, size;
    bool memory;
};

static void put(struct build *b, uint8_t byte)
{
    b->bytes[b->length++] = byte;
}

static void put32(struct build *b, uint32_t value)
{
    memcpy(b->bytes + b->length, &value, 4);
    b->length += 4;
}

/* A register that is not `not` and can be a base. */
static unsigned int pick_base(unsigned int not )
{
    unsigned int r;

    do
        r = pick(16);
    while (r == not || r == 4);
    return r;
}

/* ModRM, SIB and displacement for an operand at `target`; sets registers so that it is there. */
static void put_address(struct build *b, unsigned int reg, uint64_t target, unsigned int base,
                        unsigned int index, unsigned int style, bool addr32)
{
    unsigned int mod = pick(3), scale = pick(4);
    int32_t disp = mod == 0 ? 0 : mod == 1 ? (int8_t)random64() : (int32_t)(random64() & 0xffffff) - 0x800000;
    uint64_t upper = addr32 ? random64() << 32 : 0; /* cut off by the address size */

    if (style == 0) { /* absolute */
        put(b, (uint8_t)(0x04 | (reg & 7) << 3));
        put(b, 0x25);
        put32(b, (uint32_t)target);
        return;
    }
    if (style == 1) { /* base and displacement */
        if ((base & 7) == 5 && mod == 0)
            mod = 1;
        put(b, (uint8_t)(mod << 6 | (reg & 7) << 3 | (base & 7)));
        if ((base & 7) == 4)
            put(b, 0x24);
        file[base] = (target - (uint64_t)disp) | upper;
    } else { /* base, index, scale, displacement */
        if ((base & 7) == 5 && mod == 0)
            mod = 1;
        put(b, (uint8_t)(mod << 6 | (reg & 7) << 3 | 4));
        put(b, (uint8_t)(scale << 6 | (index & 7) << 3 | (base & 7)));
        file[index] = random64() & 0xfffff;
        file[base] = target - (uint64_t)disp - (file[index] << scale);
        if (addr32)
            file[base] = (uint32_t)file[base] | upper;
    }
    if (mod == 1)
        put(b, (uint8_t)disp);
    else if (mod == 2)
        put32(b, (uint32_t)disp);
}

/* Assembles one random instance of a form into *b. The register file is filled. */
static void assemble(const struct form *f, struct build *b)
{
    static const uint8_t sizes[3] = {2, 4, 8};
    unsigned int size = f->byte ? 1 : sizes[pick(3)], style = pick(3),
                 reg = f->group < 0 ? pick_base(99) : (unsigned int)f->group;
    unsigned int base = pick_base(f->group < 0 ? reg : 99), index = pick_base(base);
    bool addr32 = pick(4) == 0, use_rex;
    uint64_t target = DATA_VA + 1024 + pick(1024);
    uint8_t rex;

    *b = (struct build){.memory = f->memory_only || pick(4) != 0};
    if (f->opcode[1] == 0xc3 && size == 2)
        size = 4; /* MOVNTI has no 16-bit form */
    if (size == 2 && (f->opcode[1] & 0xf6) == 0xa4)
        size = 4; /* SHLD and SHRD of 16 bits by more than 16 have no meaning */
    if (f->pair) {
        size = pick(2) ? 8 : 4;
        target &= ~15ULL;
        base = 6 + pick(2); /* RSI, RDI: the others are operands */
        index = 8 + pick(4);
    }
    if (f->group < 0 && index == reg)
        index = (reg + 1) % 16 == 4 || (reg + 1) % 16 == base ? (reg + 3) % 16 : (reg + 1) % 16;
    if (index == 4 || index == base || (f->group < 0 && index == reg))
        style = MIN(style, 1u);
    for (unsigned int r = 0; r < 16; r++)
        file[r] = random_operand();
    if (f->bits && b->memory) { /* a bit number within reach of the page */
        uint64_t mask = ~0ULL >> (64 - 8 * size);

        file[reg] = (file[reg] & ~mask) | ((pick(4096) - 2048ULL) & mask);
    }

    if (f->opcode[0] == 0x8f) { /* POP */
        size = size == 4 ? 8 : size;
        file[4] = DATA_VA + 512 + pick(256);
    }
    rex = (uint8_t)(0x40u | (size == 8 ? 8u : 0) | (reg & 8) >> 1);
    if (!b->memory || style == 1)
        rex |= (uint8_t)(base >> 3);
    else if (style == 2)
        rex |= (uint8_t)((index & 8) >> 2 | base >> 3);
    use_rex = rex != 0x40 || (size == 1 && pick(2));

    if (f->lockable && b->memory && pick(2))
        put(b, 0xf0);
    if (size == 2)
        put(b, 0x66);
    if (addr32 && b->memory)
        put(b, 0x67);
    if (use_rex)
        put(b, rex);
    put(b, f->opcode[0]);
    if (f->opcode[0] == 0x0f)
        put(b, f->opcode[1]);
    if (f->opcode[1] == 0x38)
        put(b, f->opcode[2]);
    if (b->memory)
        put_address(b, reg, target, base, index, style, addr32);
    else
        put(b, (uint8_t)(0xc0 | (reg & 7) << 3 | (base & 7)));
    if (f->imm == 1 || (f->imm == 4 && size == 1))
        put(b, (uint8_t)random_operand());
    else if (f->imm == 4 && size == 2) {
        put(b, (uint8_t)random_operand());
        put(b, (uint8_t)random_operand());
    } else if (f->imm == 4)
        put32(b, (uint32_t)random_operand());
    b->size = size;
    for (unsigned int i = 0; i < 2048 + 1024; i++)
        data[i] = (uint8_t)random_operand();
    if (pick(2)) { /* comparisons should be equal now and then */
        memcpy(&data[target - DATA_VA], &file[0], 8);
        memcpy(&data[target - DATA_VA + 8], &file[2], 8);
        if (f->pair && size == 4)
            memcpy(&data[target - DATA_VA + 4], &file[2], 4);
    }
}

static void compare(const struct form *f, const struct build *b, const uint64_t *start)
{
    static uint8_t before[4096], native[4096];
    struct cpu_user_regs regs = {.rflags = start[16]};
    struct emul_ctx ctx = {.regs = &regs, .ops = &ops, .mode64 = true};

    memcpy(before, data, sizeof(before));
    build(b->bytes, b->length, code);
    ((void (*)(void))CODE_VA)();
    memcpy(native, data, sizeof(native));
    memcpy(data, before, sizeof(before));

    for (unsigned int r = 0; r < 16; r++)
        *slot_of(&regs, r) = start[r];
    regs.rip = insn_va;
    if (emul_run(&ctx) != EMUL_OKAY)
        fail_msg("%s: not emulated", f->name);
    assert_int_equal(ctx.insn.length, b->length);
    assert_int_equal(regs.rip, insn_va + b->length);
    for (unsigned int r = 0; r < 16; r++) {
        if (*slot_of(&regs, r) != file[r])
            fail_msg("%s size %u: register %u is %lx, natively %lx", f->name, b->size, r, *slot_of(&regs, r),
                     file[r]);
    }
    if (((regs.rflags ^ file[16]) & FLAGS & ~f->undefined) != 0)
        fail_msg("%s size %u: flags %lx, natively %lx", f->name, b->size, regs.rflags, file[16]);
    if (memcmp(data, native, sizeof(native)) != 0)
        fail_msg("%s size %u: memory differs", f->name, b->size);
}

static void test_against_processor(void **state)
{
    uint64_t start[17];

    for (unsigned int i = 0; i < 200000; i++) {
        const struct form *f = &forms[i % ARRAY_SIZE(forms)];
        struct build b;

        assemble(f, &b);
        file[16] = (random64() & FLAGS) | 0x202;
        memcpy(start, file, sizeof(start));
        compare(f, &b, start);
    }
}

/* rep stos, rep movs, both directions, all sizes. */
static void test_strings(void **state)
{
    static const struct form stos = {.name = "stos"}, movs = {.name = "movs"};
    uint64_t start[17];

    for (unsigned int i = 0; i < 20000; i++) {
        struct build b = {.length = 0};
        unsigned int size = 1u << pick(4);
        bool move = pick(2);

        if (pick(2))
            put(&b, pick(2) ? 0xf3 : 0xf2);
        if (size == 2)
            put(&b, 0x66);
        if (pick(4) == 0)
            put(&b, 0x67);
        if (size == 8)
            put(&b, 0x48);
        put(&b, (uint8_t)((move ? 0xa4 : 0xaa) | (size > 1)));
        b.size = size;
        for (unsigned int r = 0; r < 16; r++)
            file[r] = random64();
        for (unsigned int j = 0; j < 4096; j++)
            data[j] = (uint8_t)random64();
        file[1] = pick(30);
        file[6] = DATA_VA + 1024 + pick(512);
        file[7] = DATA_VA + 1024 + pick(512);
        file[16] = (random64() & FLAGS) | 0x202 | (pick(2) ? 0x400 : 0);
        memcpy(start, file, sizeof(start));
        compare(move ? &movs : &stos, &b, start);
    }
}

/* RIP-relative, absolute 64-bit, and an instruction split over two pages. */
static void test_special_addresses(void **state)
{
    static const struct form relative = {.name = "rip-relative"}, moffs = {.name = "moffs"};
    uint64_t start[17], address = DATA_VA + 0x123;
    struct build b = {.size = 8};

    build(b.bytes, 0, code);
    for (unsigned int i = 0; i < 2; i++) {
        b.length = 0;
        put(&b, 0x48);
        put(&b, 0x81); /* add $imm32, disp(%rip): the displacement counts from behind the immediate */
        put(&b, 0x05);
        put32(&b, (uint32_t)(address - (insn_va + 11)));
        put32(&b, 0x12345678);
        file[16] = 0x202;
        memcpy(start, file, sizeof(start));
        compare(&relative, &b, start);
    }
    for (unsigned int op = 0xa0; op <= 0xa3; op++) {
        b.length = 0;
        put(&b, 0x48);
        put(&b, (uint8_t)op);
        memcpy(b.bytes + b.length, &address, 8);
        b.length += 8;
        file[16] = 0x202;
        memcpy(start, file, sizeof(start));
        compare(&moffs, &b, start);
    }
}

static int set_up(void **state)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

    if (mmap(file, 4096, PROT_READ | PROT_WRITE, flags, -1, 0) != file ||
        mmap(data, 8192, PROT_READ | PROT_WRITE, flags, -1, 0) != data ||
        mmap(code, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0) != code)
        return -1;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_processor),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_special_addresses),
    };

    return cmocka_run_group_tests_name("emul", tests, set_up, NULL);
}
