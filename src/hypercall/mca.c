/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * do_mca: the first domain reads the machine checks that core/ has noted, and what the processors
 * are. NMIs and machine checks come to it from here: VIRQ_MCA, and an NMI of its own with its
 * reason in shared_info.
 */
#include "hypercall/hypercall.h"

#include "abi/errno.h"
#include "core/hwerror.h"
#include "evtchn/evtchn.h"
#include "lib/string.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/msr.h"
#include "x86/topology.h"
#include "x86/uaccess.h"

#define URGENCY (XEN_MC_NONURGENT | XEN_MC_URGENT)
#define NOBODY  DOMID_INVALID

/* Makers of processors by the numbers that Xen hands on. */
enum { MAKER_INTEL = 1, MAKER_AMD = 2 };

static void tell_nmi(uint64_t reasons)
{
    struct domain *d = domain_get(0);

    if (d == NULL)
        return;
    if (d->privileged && d->vcpu[0] != NULL) {
        atomic_or(&d->shared_info->arch.nmi_reason, reasons);
        vcpu_send_nmi(d->vcpu[0]);
    }
    domain_put(d);
}

static void tell_check(void)
{
    struct domain *d = domain_get(0);

    if (d == NULL)
        return;
    if (d->privileged)
        evtchn_send_global_virq(d, VIRQ_MCA);
    domain_put(d);
}

void mca_init(void)
{
    hwerror_set_listener(tell_nmi, tell_check);
}

/* A check as the interface has it: one record of the whole, one of the bank. */
static void describe(const struct machine_check *c, struct mc_info *info)
{
    const struct mcinfo_global global = {
        .common = {MC_TYPE_GLOBAL, sizeof(global)},
        .mc_domid = NOBODY,
        .mc_vcpuid = XEN_MC_VCPUID_INVALID,
        .mc_apicid = cpu_apic_id[c->cpu],
        .mc_flags = MC_FLAG_CORRECTABLE | MC_FLAG_MCE,
        .mc_gstatus = c->global_status,
    };
    const struct mcinfo_bank bank = {
        .common = {MC_TYPE_BANK, sizeof(bank)},
        .mc_bank = (uint16_t)c->bank,
        .mc_domid = NOBODY,
        .mc_status = c->status,
        .mc_addr = c->address,
        .mc_misc = c->misc,
        .mc_tsc = c->tsc,
    };

    info->mi_nentries = 2;
    memcpy(info->mi_data, &global, sizeof(global));
    memcpy((uint8_t *)info->mi_data + sizeof(global), &bank, sizeof(bank));
}

/* A check is gone once it was handed over: there is nothing to acknowledge. */
static int64_t fetch(struct xen_mc_fetch *f)
{
    struct mc_info info = {0};
    struct machine_check c;
    uint32_t asked = f->flags;

    if ((asked & URGENCY) != XEN_MC_NONURGENT && (asked & URGENCY) != XEN_MC_URGENT)
        return -EINVAL;
    if (asked & XEN_MC_ACK)
        return 0;
    f->flags = XEN_MC_OK;
    if (!hwerror_take_check(&c)) {
        f->flags = XEN_MC_NODATA;
        f->fetch_id = 0;
        return 0;
    }
    describe(&c, &info);
    f->fetch_id = c.tsc;
    return guest_copy_to((uint64_t)f->data.p, &info, sizeof(info));
}

static void describe_cpu(unsigned int cpu, struct mcinfo_logical_cpu *m)
{
    uint32_t r[4];

    *m = (struct mcinfo_logical_cpu){
        .mc_cpunr = cpu,
        .mc_chipid = cpu_socket_number(cpu),
        .mc_coreid = (uint16_t)cpu_core_number(cpu),
        .mc_apicid = cpu_apic_id[cpu],
        .mc_ncores = 1,
        .mc_ncores_active = 1,
        .mc_nthreads = 1,
        .mc_family = cpu_features.family,
        .mc_model = cpu_features.model,
        .mc_step = cpu_features.stepping,
        .mc_vendor = cpu_features.vendor_amd ? MAKER_AMD : MAKER_INTEL,
        .mc_nmsrvals = 1,
    };
    cpuid_count(0, 0, r);
    m->mc_cpuid_level = (int32_t)r[0];
    memcpy(m->mc_vendorid, &r[1], 4);
    memcpy(m->mc_vendorid + 4, &r[3], 4);
    memcpy(m->mc_vendorid + 8, &r[2], 4);
    cpuid_count(1, 0, r);
    m->mc_cpu_caps[MC_CAPS_STD_EDX] = r[3];
    m->mc_cpu_caps[MC_CAPS_STD_ECX] = r[2];
    m->mc_msrvalues[0] = (xen_mcinfo_msr_t){MSR_MCG_CAP, rdmsr(MSR_MCG_CAP)};
}

/* With no list: how many there are. */
static int64_t physcpuinfo(struct xen_mc_physcpuinfo *p)
{
    uint64_t list = (uint64_t)p->info.p;
    uint32_t n = MIN(p->ncpus, cpus_online);
    struct mcinfo_logical_cpu m;

    if (list == 0) {
        p->ncpus = cpus_online;
        return 0;
    }
    if ((int32_t)p->ncpus <= 0)
        return -EINVAL;
    for (uint32_t i = 0; i < n; i++) {
        describe_cpu(i, &m);
        if (guest_copy_to(list + i * sizeof(m), &m, sizeof(m)) != 0)
            return -EFAULT;
    }
    p->ncpus = n;
    return 0;
}

int64_t do_mca(struct hypercall_args *args)
{
    struct xen_mc mc;
    int64_t result;

    if (guest_copy_from(&mc, args->a[0], sizeof(mc)) != 0)
        return -EFAULT;
    if (mc.interface_version != XEN_MCA_INTERFACE_VERSION)
        return -EACCES;
    switch (mc.cmd) {
    case XEN_MC_fetch:
        result = fetch(&mc.u.mc_fetch);
        break;
    case XEN_MC_physcpuinfo:
        result = physcpuinfo(&mc.u.mc_physcpuinfo);
        break;
    default:
        return -EINVAL;
    }
    if (result == 0 && guest_copy_to(args->a[0], &mc, sizeof(mc)) != 0)
        return -EFAULT;
    return result;
}
