/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * INT n through gates of the guest's own: who may use which. Xen finds the gate by the processor's error code,
 * which in QEMU 7.2 is that of gate 2n: so both gates are set alike where that is not the question itself.
 */
#include "answers/answers.h"
#include "lib/user.h"

static void set_gate(u8 vector, unsigned dpl)
{
    struct trap_info table[2] = {
        {.vector = vector, .flags = (u8)dpl, .cs = FLAT_KERNEL_CS, .address = (u64)trap_entry_table + 5 * 16}};

    hv_set_trap_table(table);
}

static void no_gates(void)
{
    HYPERVISOR(set_trap_table, NULL, 0, 0, 0, 0);
    trap_install(0);
}

static u8 code[8];

static void call_code(void *arg)
{
    __asm__ volatile("call *%0" : : "r"(arg) : "memory");
}

/* "5" is the gate of our own; the address tells the instruction from what follows it. */
static void ask_int(const char *question, u8 vector, unsigned dpl)
{
    static u8 page[PAGE_SIZE] PAGE_ALIGNED; /* executable, as all of the image */
    struct regs r = user_regs(0);
    struct fault f;

    code[0] = vector == VEC_BP ? 0x90 : 0xcd;
    code[1] = vector == VEC_BP ? 0xcc : vector;
    code[2] = 0xc3;
    memcpy(page, code, sizeof(code));
    catch_fault(&f, call_code, page);
    user_load(0, code, sizeof(code));
    user_run(&r, 0);
    shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
    ask(question, "%x dpl %u kernel %d at %lx user %lu at %lx", vector, dpl, f.vector,
        f.vector < 0 ? 0 : f.rip - (u64)page, r.vector, r.rip - USER_CODE);
}

void ask_gates(void)
{
    static const u8 vectors[] = {0x20, 0x30, 0x41, 0x7f, 0x80, VEC_BP, VEC_OF, 14};

    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        for (unsigned dpl = 0; dpl < 4; dpl++) {
            set_gate(vectors[i], dpl);
            if (vectors[i] < 0x80 && vectors[i] != VEC_BP && vectors[i] != VEC_OF)
                set_gate((u8)(2 * vectors[i]), dpl);
            ask_int("int n", vectors[i], dpl);
            no_gates();
        }
    }
    ask_int("int n without a gate", 0x20, 0);
    ask_int("int n without a gate", 0x80, 0);
    ask_int("int n without a gate", 14, 0);
    set_gate(0x40, 3);
    ask_int("int n, and a gate for 2n", 0x20, 3);
    no_gates();
    set_gate(0x20, 3);
    ask_int("int n, and none for 2n", 0x20, 3);
    no_gates();
}
