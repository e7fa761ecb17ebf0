/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first domain gets the machine: every port, interrupt line and frame of
 * device memory that the hypervisor does not need for itself. Memory that is RAM is
 * no right of this kind: it belongs to whoever owns the frame.
 */
#include "builder/builder.h"
#include "domain/rights.h"
#include "platform/irqchips.h"
#include "platform/platform.h"
#include "x86/cpu.h"

int hardware_give(struct domain *d)
{
    struct port_range own[MACHINE_PORTS_MAX];
    size_t n = machine_own_ports(own);
    int ret = rights_give(d, RIGHT_PORTS, 0, UINT16_MAX);

    for (size_t i = 0; !ret && i < n; i++)
        ret = rights_take(d, RIGHT_PORTS, own[i].first, own[i].last);
    if (!ret)
        ret = rights_give(d, RIGHT_FRAMES, 0, BIT(cpu_features.phys_bits - PAGE_SHIFT) - 1);
    if (!ret)
        ret = rights_take(d, RIGHT_FRAMES, paddr_to_mfn(machine.lapic).v, paddr_to_mfn(machine.lapic).v | 0xff);
    if (!ret && machine.hpet.v)
        ret = rights_take(d, RIGHT_FRAMES, paddr_to_mfn(machine.hpet).v, paddr_to_mfn(machine.hpet).v);
    for (size_t i = 0; !ret && i < machine.nr_ioapics; i++) {
        uint64_t m = paddr_to_mfn(machine.ioapic[i].base).v;

        ret = rights_take(d, RIGHT_FRAMES, m, m);
    }
    if (!ret && gsi_count() > 0)
        ret = rights_give(d, RIGHT_IRQS, 0, gsi_count() - 1);
    return ret;
}
