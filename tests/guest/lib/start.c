/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the first C instruction to the end line: console, shared info, traps, the guest's own main. */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include <xen/event_channel.h>
#include <xen/sched.h>

void guest_start(struct start_info *info);

struct start_info *start_info;
struct shared_info *shared_info;
static u8 shared_info_page[PAGE_SIZE] PAGE_ALIGNED;

bool guest_is_dom0(void)
{
    return start_info->flags & SIF_INITDOMAIN;
}

domid_t guest_domid(void)
{
    struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    struct evtchn_status status = {.dom = DOMID_SELF};
    struct evtchn_close close;

    if (hv_event_channel_op(EVTCHNOP_alloc_unbound, &alloc))
        guest_panic("no event channel to ask for our number\n");
    close.port = status.port = alloc.port;
    hv_event_channel_op(EVTCHNOP_status, &status);
    hv_event_channel_op(EVTCHNOP_close, &close);
    return status.u.unbound.dom;
}

bool guest_option(const char *word)
{
    const char *s = (const char *)start_info->cmd_line;
    size_t len = strlen(word);

    while (*s) {
        size_t n = 0;

        while (s[n] && s[n] != ' ')
            n++;
        if (n == len && memcmp(s, word, n) == 0)
            return true;
        s += n;
        while (*s == ' ')
            s++;
    }
    return false;
}

u64 guest_number(const char *name, u64 otherwise)
{
    const char *line = (const char *)start_info->cmd_line;
    size_t len = strlen(name);
    u64 n = 0;

    for (const char *s = line; *s; s++) {
        if ((s == line || s[-1] == ' ') && memcmp(s, name, len) == 0) {
            for (s += len; *s >= '0' && *s <= '9'; s++)
                n = n * 10 + (u64)(*s - '0');
            return n;
        }
    }
    return otherwise;
}

NORETURN void guest_poweroff(void)
{
    struct sched_shutdown shutdown = {.reason = SHUTDOWN_poweroff};

    for (;;)
        hv_sched_op(SCHEDOP_shutdown, &shutdown);
}

NORETURN static void guest_end(void)
{
    print("GUEST %s: %u passed, %u failed\n", guest_name, checks_passed, checks_failed);
    guest_poweroff();
}

NORETURN void guest_panic(const char *fmt, ...)
{
    static char text[512];
    __builtin_va_list args;

    __builtin_va_start(args, fmt);
    guest_vsnprintf(text, sizeof(text), fmt, args);
    __builtin_va_end(args);
    print("PANIC %s", text);
    checks_failed++;
    guest_end();
}

void guest_start(struct start_info *info)
{
    start_info = info;
    shared_info = (struct shared_info *)shared_info_page;
    if (hv_update_va_mapping((u64)shared_info_page, info->shared_info | PTE_TABLE, UVMF_INVLPG | UVMF_LOCAL))
        guest_panic("cannot map shared_info\n");
    trap_install(0);
    guest_main();
    guest_end();
}
