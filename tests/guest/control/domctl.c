/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domctl: every operation on no domain, on the caller and on one that never ran, with nothing and with all ones. */
#include "control/control.h"

#define LAST 90 /* beyond the last number in use; debuggers' follow at 1000 */

/*
 * What is left out: a number that the headers do not fix; the caller's NMI; and what Xen would do for all time
 * with the numbers given (a TSC that has gone on for 2^64 ns).
 */
static bool skipped(u32 cmd, domid_t domain)
{
    bool self = domain == 0 || domain == DOMID_SELF;

    return self && (cmd == XEN_DOMCTL_sendtrigger || cmd == XEN_DOMCTL_max_mem || cmd == XEN_DOMCTL_scheduler_op);
}

static void ask_one(u32 cmd, const char *name, domid_t domain)
{
    const char *code[2] = {"-", "-"};

    for (int i = 0; i < (domain == 0 ? 1 : 2); i++) {
        domid_t victim = domain == 1 ? victim_create(1) : domain;

        domctl_of(cmd, victim, i ? ONES : ZEROS);
        code[i] = cmd == XEN_DOMCTL_createdomain && i == 0 ? "-" : code_text(domctl_call());
        if (domain == 1 && cmd == XEN_DOMCTL_destroydomain) {
            domctl_of(cmd, victim, ZEROS);
            ask("domctl destroy again", "%s", code_text(domctl_call()));
        } else if (domain == 1) {
            victim_destroy(victim);
        }
    }
    ask("domctl", "%u %s: %s %s", cmd, name, code[0], code[1]);
}

static void ask_operation(u32 cmd)
{
    static const struct {
        const char *name;
        domid_t domain; /* 1: a victim of its own */
    } targets[] = {{"nobody", 999}, {"DOMID_IO", DOMID_IO}, {"DOMID_INVALID", DOMID_INVALID},
                   {"DOMID_SELF", DOMID_SELF}, {"dom0", 0}, {"victim", 1}};

    for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
        if (!skipped(cmd, targets[i].domain))
            ask_one(cmd, targets[i].name, targets[i].domain);
    }
}

void ask_domctl(void)
{
    for (u32 cmd = 0; cmd <= LAST; cmd++)
        ask_operation(cmd);
    for (u32 cmd = XEN_DOMCTL_gdbsx_guestmemio - 1; cmd < XEN_DOMCTL_gdbsx_domstatus + 2; cmd++)
        ask_operation(cmd);
    domctl_of(XEN_DOMCTL_getdomaininfo, 0, ZEROS);
    domctl.interface_version++;
    ask("domctl, another version", "%s", code_text(domctl_call()));
    domctl_of(0xffffffff, 0, ZEROS);
    ask("domctl 2^32 - 1", "%s", code_text(domctl_call()));
}
