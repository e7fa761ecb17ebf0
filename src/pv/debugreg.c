/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug registers of a guest. They are the processor's own while it runs, so
 * they may name only the guest's addresses, and never break in the hypervisor.
 * Intel SDM vol. 3B, 17.2.
 */
#include "abi/errno.h"
#include "pv/pv.h"
#include "x86/uaccess.h"

#define DR6_FIXED 0xffff0ff0u /* read as one */
#define DR6_CLEAR 0x00001000u /* bit 12 reads as zero */
#define DR7_FIXED 0x00000400u
#define DR7_CLEAR 0x0000d800u /* 11, 12, 14, 15 */
#define DR7_GD    0x00002000u

/* Watchpoints of kind "I/O" need CR4.DE semantics that a guest has no ports for: none while any is enabled. */
static bool control_ok(uint64_t dr7)
{
    if (dr7 & DR7_GD)
        return false;
    for (unsigned int i = 0; i < 4; i++)
        if ((dr7 & 0xff) && ((dr7 >> (16 + i * 4)) & 3) == 2)
            return false;
    return true;
}

int pv_set_debugreg(struct vcpu *v, unsigned int reg, uint64_t value)
{
    if (reg == 4 || reg == 5) /* aliases of 6 and 7 while CR4.DE is clear */
        reg += 2;
    switch (reg) {
    case 0:
    case 1:
    case 2:
    case 3:
        if (!guest_range_ok(value, 1))
            return -EPERM;
        break;
    case 6:
        if (value >> 32)
            return -EINVAL;
        value = (value & ~(uint64_t)DR6_CLEAR) | DR6_FIXED;
        break;
    case 7:
        if (value >> 32)
            return -EINVAL;
        if (!control_ok(value))
            return -EPERM;
        value = (value & ~(uint64_t)DR7_CLEAR) | DR7_FIXED;
        break;
    default:
        return -ENODEV;
    }
    v->cpu.dr[reg & 7] = value; /* also where the processor has run ahead of the switch */
    if (cpu_local()->guest == &v->cpu)
        guest_load_debug(&v->cpu);
    return 0;
}

uint64_t pv_get_debugreg(struct vcpu *v, unsigned int reg)
{
    if (reg > 7)
        return (uint64_t)-ENODEV;
    return v->cpu.dr[reg == 4 || reg == 5 ? reg + 2 : reg];
}
