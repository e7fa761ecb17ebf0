/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resetting the machine and switching it off: each way that there is, one after the other. */
#include "core/log.h"
#include "platform/platform.h"
#include "x86/insn.h"

enum { KEYBOARD_STATUS = 0x64, RESET_CONTROL = 0xcf9 };
#define KEYBOARD_BUSY    0x02
#define KEYBOARD_RESET   0xfe
#define SPACE_IO         1
#define SETTLE           100000 /* reads of port 0x80, about a microsecond each */

/* PM1 control register (ACPI 6.5, 4.8.3.2.1). */
#define SLEEP_TYPE_SHIFT 10
#define SLEEP_ENABLE     (1u << 13)

static void settle(void)
{
    for (unsigned int i = 0; i < SETTLE; i++)
        (void)inb(0x80);
}

void machine_reset(void)
{
    static const struct { uint16_t limit; uint64_t base; } PACKED no_idt = {0, 0};

    irq_disable();
    if (machine.reset_reg != 0 && machine.reset_reg_space == SPACE_IO) {
        outb((uint16_t)machine.reset_reg, machine.reset_value);
        settle();
    }
    outb(RESET_CONTROL, 0x02); /* a hard reset, */
    outb(RESET_CONTROL, 0x06); /* now */
    settle();
    for (unsigned int i = 0; i < SETTLE && (inb(KEYBOARD_STATUS) & KEYBOARD_BUSY); i++)
        cpu_relax();
    outb(KEYBOARD_STATUS, KEYBOARD_RESET);
    settle();
    lidt(&no_idt);
    __asm__ volatile("int3");
    halt_forever();
}

void machine_sleep(uint16_t pm1a, uint16_t pm1b)
{
    irq_disable();
    if (machine.pm1a_cnt != 0)
        outw(machine.pm1a_cnt, pm1a | SLEEP_ENABLE);
    if (machine.pm1b_cnt != 0)
        outw(machine.pm1b_cnt, pm1b | SLEEP_ENABLE);
    settle();
    machine_poweroff();
}

void machine_poweroff(void)
{
    irq_disable();
    if (machine.slp_typ5_known && machine.pm1a_cnt != 0) {
        outw(machine.pm1a_cnt,
             (uint16_t)((unsigned int)machine.slp_typ5_a << SLEEP_TYPE_SHIFT | SLEEP_ENABLE));
        if (machine.pm1b_cnt != 0)
            outw(machine.pm1b_cnt,
                 (uint16_t)((unsigned int)machine.slp_typ5_b << SLEEP_TYPE_SHIFT | SLEEP_ENABLE));
        settle();
    }
    outw(0x604, SLEEP_ENABLE);  /* QEMU, both machines */
    outw(0xb004, SLEEP_ENABLE); /* QEMU's older ones, and Bochs */
    settle();
    log_info("the machine cannot switch itself off: it can be switched off now");
    halt_forever();
}
