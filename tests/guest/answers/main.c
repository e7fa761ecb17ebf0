/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the processor and the smaller hypercalls answer, question by question:
 * run.py compares the lines with expected.txt, which real Xen wrote.
 */
#include "answers/answers.h"

const char guest_name[] = "answers";

/* A server's console has events of its own. */
static bool on_event(struct regs *regs)
{
    shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
    return true;
}

void guest_main(void)
{
    trap_set_handler(VEC_EVENT, on_event);
    ask_multicall();
    ask_callbacks();
    ask_debug();
    ask_writes();
    ask_small();
    ask_gates();
    ask_ports();
    ask_msrs();
    ask_held();
    ask_entries();
    ask_fpu();
}
