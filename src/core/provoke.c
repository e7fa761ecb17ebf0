/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Crashes for tests. A fault is a few bytes of code that are written over the
 * first ones of a function (functions begin at multiples of 16), so that any
 * function can be made to fail in any way, and none of them pays for it.
 */
#include "core/provoke.h"

#include "abi/errno.h"
#include "core/panic.h"
#include "core/symbols.h"
#include "lib/string.h"
#include "mem/layout.h"
#include "x86/atomic.h"
#include "x86/insn.h"
#include "x86/msr.h"
#include "x86/spinlock.h"

#define CODE_MAX   16
#define NO_PAGE    (HV_END - PAGE_SIZE) /* nothing is mapped there */
#define NO_ADDRESS 0x8000000000000000ULL /* not canonical */

static spinlock_t lost = {.next = 1, .level = LOCK_LOG}; /* taken, and nobody will ever release it */
static spinlock_t first = {.level = LOCK_CONSOLE}, second = {.level = LOCK_WORK}; /* the wrong way round */

NO_LOCK_CHECK static void wait_for_lost_lock(void) { spin_lock(&lost); }
static void assert_wrong(void) { ASSERT(first.level == second.level); }
static void panic_here(void) { panic("provoked, with \"quotes\", a \\ and a \t tab"); }
/* One after the other, behind the back of the check of the source. */
NO_LOCK_CHECK static void break_order(void)
{
    void (*const take)(spinlock_t *l) = spin_lock;

    take(&first);
    take(&second);
}

/* `call`: what the code calls, its distance put where the code ends; `address`: the same for an address. */
static const struct fault {
    const char *name;
    uint8_t length, code[CODE_MAX];
    uint64_t address;
    void (*call)(void);
} faults[] = {
    {"panic", 1, {0xe8}, 0, panic_here},
    {"assertion", 1, {0xe8}, 0, assert_wrong},
    {"lock-order", 1, {0xe8}, 0, break_order},
    {"deadlock", 1, {0xe8}, 0, wait_for_lost_lock},
    {"undefined", 2, {0x0f, 0x0b}, 0, NULL},                       /* ud2 */
    {"divide", 4, {0x31, 0xc9, 0xf7, 0xf1}, 0, NULL},              /* xor %ecx, %ecx; div %ecx */
    {"page-fault", 1, {0xa2}, NO_PAGE, NULL},                      /* movabs %al, ADDRESS */
    {"protection", 1, {0xa2}, NO_ADDRESS, NULL},
    {"call", 4, {0x31, 0xc0, 0xff, 0xd0}, 0, NULL},                /* xor %eax, %eax; call *%rax */
    {"double-fault", 2, {0x48, 0xbc}, NO_PAGE, NULL},              /* movabs ADDRESS, %rsp; what follows pushes */
    {"stack-overflow", 5, {0xe8, 0xfb, 0xff, 0xff, 0xff}, 0, NULL}, /* call itself */
    {"hang", 3, {0xfa, 0xeb, 0xfe}, 0, NULL},                      /* cli; jmp itself */
    {"halt", 4, {0xfa, 0xf4, 0xeb, 0xfd}, 0, NULL},                /* cli; hlt; jmp to hlt */
    {"machine-check", 2, {0xcd, 0x12}, 0, NULL},                   /* int $18 */
    {"nmi", 2, {0xcd, 0x02}, 0, NULL},                             /* int $2; a report with nmi=fatal */
};

static size_t make_code(const struct fault *f, uintptr_t at, uint8_t code[CODE_MAX])
{
    size_t n = f->length;

    memcpy(code, f->code, CODE_MAX);
    if (f->address) {
        memcpy(code + n, &f->address, sizeof(f->address));
        n += sizeof(f->address);
        code[n++] = 0x50; /* push %rax */
    }
    if (f->call) {
        int32_t distance = (int32_t)((uintptr_t)f->call - (at + n + sizeof(distance)));

        memcpy(code + n, &distance, sizeof(distance));
        n += sizeof(distance);
    }
    return n;
}

int provoke_crash(struct span kind, struct span function)
{
    uintptr_t at = symbol_address(function.at, function.len);
    uint8_t code[CODE_MAX];
    const struct fault *f = faults;

    if (!HOSPES_DEBUG)
        return -EOPNOTSUPP;
    if (at == 0)
        return -ENOENT;
    while (f < faults + ARRAY_SIZE(faults) && !span_equals(kind, f->name))
        f++;
    if (f == faults + ARRAY_SIZE(faults))
        return -EINVAL;
    write_cr0(read_cr0() & ~(uint64_t)CR0_WP);
    memcpy((void *)at, code, make_code(f, at, code));
    write_cr0(read_cr0() | CR0_WP);
    return 0;
}
