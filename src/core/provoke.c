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
#define NO_PAGE    (const void *)(HV_END - PAGE_SIZE) /* nothing is mapped there */
#define NO_ADDRESS (const void *)0x8000000000000000  /* not canonical */

static spinlock_t lost = {.next = 1, .level = LOCK_LOG}; /* taken, and nobody will ever release it */
static spinlock_t first = {.level = LOCK_CONSOLE}, second = {.level = LOCK_WORK}; /* the wrong way round */

static const char words[] = "provoked, with \"quotes\", a \\ and a \t tab";

static void assert_wrong(void) { ASSERT(first.level == second.level); }

/* One after the other, behind the back of the check of the source. */
NO_LOCK_CHECK static void break_order(void)
{
    void (*const take)(spinlock_t *l) = spin_lock;

    take(&first);
    take(&second);
}

#define CODE(f) (void (*)(void))(f)

/* The code; an address that is put behind it; what is called then. */
static const struct fault {
    const char *name;
    uint8_t length, code[CODE_MAX];
    const void *address;
    void (*call)(void);
} faults[] = {
    {"panic", 2, {0x48, 0xbf}, words, CODE(panic)},                   /* movabs ADDRESS, %rdi */
    {"deadlock", 2, {0x48, 0xbf}, &lost, CODE(spin_lock)},
    {"assertion", 0, {0}, NULL, assert_wrong},
    {"lock-order", 0, {0}, NULL, break_order},
    {"undefined", 2, {0x0f, 0x0b}, NULL, NULL},                       /* ud2 */
    {"divide", 4, {0x31, 0xc9, 0xf7, 0xf1}, NULL, NULL},              /* xor %ecx, %ecx; div %ecx */
    {"page-fault", 1, {0xa2}, NO_PAGE, NULL},                         /* movabs %al, ADDRESS */
    {"protection", 1, {0xa2}, NO_ADDRESS, NULL},
    {"call", 4, {0x31, 0xc0, 0xff, 0xd0}, NULL, NULL},                /* xor %eax, %eax; call *%rax */
    {"double-fault", 2, {0x48, 0xbc}, NO_PAGE, assert_wrong},         /* movabs ADDRESS, %rsp; the call pushes */
    {"stack-overflow", 5, {0xe8, 0xfb, 0xff, 0xff, 0xff}, NULL, NULL}, /* call itself */
    {"hang", 3, {0xfa, 0xeb, 0xfe}, NULL, NULL},                      /* cli; jmp itself */
    {"halt", 4, {0xfa, 0xf4, 0xeb, 0xfd}, NULL, NULL},                /* cli; hlt; jmp to hlt */
    {"machine-check", 2, {0xcd, 0x12}, NULL, NULL},                   /* int $18 */
    {"nmi", 2, {0xcd, 0x02}, NULL, NULL},                             /* int $2; a report with nmi=fatal */
};

static size_t make_code(const struct fault *f, uintptr_t at, uint8_t code[CODE_MAX])
{
    size_t n = f->length;

    memcpy(code, f->code, CODE_MAX);
    if (f->address) {
        memcpy(code + n, &f->address, sizeof(f->address));
        n += sizeof(f->address);
    }
    if (f->call) {
        int32_t distance = (int32_t)((uintptr_t)f->call - (at + n + 1 + sizeof(distance)));

        code[n++] = 0xe8;
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
