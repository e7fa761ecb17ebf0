/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRAPS_TRAPS_H
#define TRAPS_TRAPS_H

void test_exceptions(void);
void test_user_mode(void);
void test_privileged(void);

#endif
