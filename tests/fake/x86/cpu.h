/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real header, but cpu_local() is a function: a thread's CPU is fake_cpu (fake.h). */
#ifndef FAKE_X86_CPU_H
#define FAKE_X86_CPU_H

#define HOSPES_FAKE 1
#include "../../../src/x86/cpu.h"

#endif
