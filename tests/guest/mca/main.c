/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A corrected machine check, which run.py has QEMU put into bank 3 of CPU 0: no exception tells of it, the hypervisor
 * finds it when it looks. The first domain gets VIRQ_MCA and fetches it. Its own banks stay empty.
 */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include <xen/arch-x86/xen-mca.h>
#include <xen/event_channel.h>
#include <xen/sched.h>

#define STATUS   0x9c00000000000150 /* valid, enabled, with address and misc: corrected */
#define ADDRESS  0x12345678
#define WAIT     60000000000UL      /* ns */

const char guest_name[] = "mca";

static struct mc_info info;

static u32 fetch(void)
{
    struct xen_mc mc = {.cmd = XEN_MC_fetch, .interface_version = XEN_MCA_INTERFACE_VERSION};

    mc.u.mc_fetch.flags = XEN_MC_NONURGENT;
    set_xen_guest_handle(mc.u.mc_fetch.data, &info);
    if (!CHECK_EQ(HYPERVISOR(mca, &mc, 0, 0, 0, 0), 0))
        return XEN_MC_FETCHFAILED;
    u32 flags = mc.u.mc_fetch.flags;
    if (flags & XEN_MC_NODATA)
        return flags;
    mc.cmd = XEN_MC_fetch;
    mc.u.mc_fetch.flags = XEN_MC_NONURGENT | XEN_MC_ACK;
    CHECK_EQ(HYPERVISOR(mca, &mc, 0, 0, 0, 0), 0);
    return flags;
}

/* The record of a bank among those that were fetched; NULL: none. */
static const struct mcinfo_bank *find_bank(void)
{
    const u8 *at = (const u8 *)info.mi_data;

    for (u32 i = 0; i < info.mi_nentries; i++) {
        const struct mcinfo_common *c = (const void *)at;

        if (c->type == MC_TYPE_BANK)
            return (const void *)at;
        at += c->size;
    }
    return NULL;
}

void guest_main(void)
{
    struct evtchn_bind_virq bind = {.virq = VIRQ_MCA};
    const struct mcinfo_bank *bank;

    if (!guest_is_dom0() || !CHECK_EQ(hv_event_channel_op(EVTCHNOP_bind_virq, &bind), 0))
        return;
    struct sched_poll poll = {.nr_ports = 1};
    set_xen_guest_handle(poll.ports, &bind.port);
    print("GUEST mca: inject\n");
    poll.timeout = guest_time(0) + WAIT;
    CHECK_EQ(hv_sched_op(SCHEDOP_poll, &poll), 0);
    CHECK(shared_info->evtchn_pending[0] & BIT(bind.port));
    CHECK_EQ(fetch() & (XEN_MC_NODATA | XEN_MC_FETCHFAILED), 0);
    bank = find_bank();
    if (CHECK(bank)) {
        CHECK_EQ(bank->mc_bank, 3);
        CHECK_EQ(bank->mc_status, STATUS);
        CHECK_EQ(bank->mc_addr, ADDRESS);
        CHECK_EQ(bank->mc_misc, 0x55);
    }
    CHECK_EQ(fetch() & XEN_MC_NODATA, XEN_MC_NODATA);
    CHECK_EQ(rdmsr(0x401), 0);
    CHECK_EQ(rdmsr(0x40d), 0);
}
