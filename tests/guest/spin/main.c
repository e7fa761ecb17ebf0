/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hangs with events masked: the others must run on, and the operator must get rid of it. */
#include "lib/guest.h"

const char guest_name[] = "spin";

void guest_main(void)
{
    print("GUEST spin: spinning\n");
    for (;;)
        __asm__ volatile("");
}
