/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions, user mode and emulated privileged instructions. */
#include "lib/guest.h"
#include "traps/traps.h"

const char guest_name[] = "traps";

void guest_main(void)
{
    test_exceptions();
    test_user_mode();
    test_privileged();
}
