/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output: console_io for the initial domain, the shared console ring for any other. */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include <xen/event_channel.h>
#include <xen/io/console.h>
#include <xen/sched.h>

static void ring_write(const char *text, size_t len)
{
    struct xencons_interface *ring = pfn_to_virt(mfn_to_pfn(start_info->console.domU.mfn));
    struct evtchn_send send = {.port = start_info->console.domU.evtchn};

    while (len > 0) {
        XENCONS_RING_IDX prod = ring->out_prod;

        while (len > 0 && prod - READ_ONCE(ring->out_cons) < sizeof(ring->out)) {
            ring->out[MASK_XENCONS_IDX(prod, ring->out)] = *text++;
            prod++;
            len--;
        }
        __asm__ volatile("" ::: "memory"); /* x86 keeps stores in order: the text before its index */
        *(volatile XENCONS_RING_IDX *)&ring->out_prod = prod;
        hv_event_channel_op(EVTCHNOP_send, &send);
        if (len > 0)
            hv_sched_op(SCHEDOP_yield, NULL);
    }
}

void console_write(const char *text, size_t len)
{
    if (guest_is_dom0())
        hv_console_io(CONSOLEIO_write, len, text);
    else if (start_info->console.domU.mfn)
        ring_write(text, len);
}

void print(const char *fmt, ...)
{
    static char line[1024];
    __builtin_va_list args;
    int len;

    __builtin_va_start(args, fmt);
    len = guest_vsnprintf(line, sizeof(line), fmt, args);
    __builtin_va_end(args);
    console_write(line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
}
