/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the processor and the smaller hypercalls answer, question by question:
 * run.py compares the lines with expected.txt, which real Xen wrote.
 */
#include "answers/answers.h"

const char guest_name[] = "answers";

void ask(const char *question, const char *format, ...)
{
    static char text[256];
    __builtin_va_list args;

    __builtin_va_start(args, format);
    guest_vsnprintf(text, sizeof(text), format, args);
    __builtin_va_end(args);
    print("ASK %s: %s\n", question, text);
    checks_passed++;
}

const char *code_text(long code)
{
    static char text[8][24];
    static unsigned next;
    char *to = text[next++ % 8];

    if (code < 0 && code > -200)
        return error_name(code);
    guest_snprintf(to, sizeof(text[0]), "%lx", (u64)code);
    return to;
}

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
    ask_fpu();
}
