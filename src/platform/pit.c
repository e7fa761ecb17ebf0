/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 8254 timer's channel 2, as a free-running counter of 16 bits: the clock that every PC has. */
#include "platform/clock.h"
#include "x86/insn.h"

#define PIT_HZ 1193182
enum { CHANNEL2 = 0x42, COMMAND = 0x43, PORT_B = 0x61 };

static uint64_t read_channel(void)
{
    uint16_t v;

    outb(COMMAND, 0x80); /* latch channel 2 */
    v = inb(CHANNEL2);
    v |= (uint16_t)(inb(CHANNEL2) << 8);
    return 0xffff - v;   /* it counts down */
}

bool pit_clock(struct clock *c)
{
    outb(PORT_B, (uint8_t)((inb(PORT_B) & ~0x02) | 0x01)); /* gate open, speaker off */
    outb(COMMAND, 0xb4);                                   /* channel 2, both bytes, mode 2 */
    outb(CHANNEL2, 0);                                     /* from 65536 */
    outb(CHANNEL2, 0);
    *c = (struct clock){"PIT", PIT_HZ, 0xffff, read_channel};
    return true;
}
