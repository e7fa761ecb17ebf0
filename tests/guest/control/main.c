/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control calls (domctl, sysctl, platform_op, hypfs_op) as a toolstack that
 * is mistaken makes them: every operation on no domain, on the caller and on
 * one that never ran, with fields at their extremes. As a server, every one of
 * them has to be refused, whatever it names.
 */
#include "control/control.h"

const char guest_name[] = "control";

struct xen_domctl domctl;
struct xen_sysctl sysctl;

static unsigned calls, refused;

long counted(long code)
{
    calls++;
    refused += code == -XEN_EPERM || code == -XEN_EACCES; /* EACCES: an unknown version of the interface */
    return code;
}

struct xen_domctl *domctl_of(u32 cmd, domid_t domain, int fill)
{
    memset(&domctl, fill, sizeof(domctl));
    domctl.cmd = cmd;
    domctl.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    domctl.domain = domain;
    return &domctl;
}

long domctl_call(void)
{
    return counted(HYPERVISOR(domctl, &domctl, 0, 0, 0, 0));
}

struct xen_sysctl *sysctl_of(u32 cmd, int fill)
{
    memset(&sysctl, fill, sizeof(sysctl));
    sysctl.cmd = cmd;
    sysctl.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return &sysctl;
}

long sysctl_call(void)
{
    return counted(HYPERVISOR(sysctl, &sysctl, 0, 0, 0, 0));
}

domid_t victim_create(unsigned vcpus)
{
    struct xen_domctl_createdomain *c = &domctl_of(XEN_DOMCTL_createdomain, 0, ZEROS)->u.createdomain;
    domid_t id;

    if (!guest_is_dom0())
        return 999;
    c->max_vcpus = vcpus;
    c->max_evtchn_port = 100;
    c->max_grant_frames = 4;
    c->max_maptrack_frames = 4;
    c->grant_opts = 1;
    CHECK_EQ(domctl_call(), 0);
    id = domctl.domain;
    domctl_of(XEN_DOMCTL_max_vcpus, id, ZEROS)->u.max_vcpus.max = vcpus;
    CHECK_EQ(domctl_call(), 0);
    return id;
}

void victim_destroy(domid_t id)
{
    if (guest_is_dom0()) {
        domctl_of(XEN_DOMCTL_destroydomain, id, ZEROS);
        CHECK_EQ(domctl_call(), 0);
    }
}

/* NMIs that it sends to itself, and a server's console events. */
static bool ignore(struct regs *regs)
{
    shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
    return true;
}

void guest_main(void)
{
    trap_set_handler(VEC_EVENT, ignore);
    trap_set_handler(VEC_NMI, ignore);
    ask_hypfs();
    ask_domctl();
    ask_domctl_fields();
    ask_sysctl();
    ask_platform();
    if (!guest_is_dom0())
        ask("refused", "%u of %u", refused, calls);
}
