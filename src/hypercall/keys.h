/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug keys: one letter asks for a report in the log (`xl debug-keys`, then `xl dmesg`). */
#ifndef HYPERCALL_KEYS_H
#define HYPERCALL_KEYS_H

void key_pressed(char key);

#endif
