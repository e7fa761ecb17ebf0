/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts and powers off at once: a life as short as can be. */
#include "lib/guest.h"

const char guest_name[] = "tiny";

void guest_main(void) {}
