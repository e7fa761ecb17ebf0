/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device memory in a guest's page tables: frames that are no RAM. Who has a right to a frame maps it as it likes,
 * but never cached: what an entry says of WB, WT or WP becomes UC. What has registers of the hypervisor's own, I/O
 * APICs and the HPET, the owner of the hardware may look at: its mappings are read-only, whatever it asked for, and
 * what its kernel writes there is lost. The local APICs' addresses, and those of messages, are nobody's.
 */
#include "domain/rights.h"
#include "platform/platform.h"
#include "pv/emulate.h"
#include "pv/l1.h"
#include "x86/cpu.h"

#define CACHE_BITS    (PTE_PAT | PTE_PCD | PTE_PWT)
#define MESSAGE_RANGE 0xff /* 1 MiB of frames: of the local APICs, and of messages to them */

static bool is_local_apic(mfn_t m)
{
    return ((m.v ^ paddr_to_mfn(machine.lapic).v) & ~(uint64_t)MESSAGE_RANGE) == 0;
}

int pv_get_device(struct domain *d, struct domain *owner, pte_t *e)
{
    mfn_t m = pte_mfn(*e);
    bool right = rights_has(d, RIGHT_FRAMES, m.v, m.v);

    if ((*e & CACHE_BITS) && !right && !d->privileged)
        return -EINVAL;
    if (m.v >> (cpu_features.phys_bits - PAGE_SHIFT))
        return m.v == PTE_ADDR >> PAGE_SHIFT ? -EINVAL : -EPERM;
    if (owner == pv_hypervisor)
        return -EPERM;
    if (!right) {
        if (!d->privileged || is_local_apic(m))
            return -EPERM;
        *e &= ~(pte_t)PTE_RW;
    }
    if (!(*e & PTE_PCD) && (*e & CACHE_BITS) != PTE_PAT)
        *e = (*e & ~(pte_t)PTE_PAT) | PTE_PCD | PTE_PWT;
    return 0;
}

static int lost_write(struct emul_ctx *ctx, uint64_t va, const void *from, unsigned int bytes)
{
    return EMUL_OKAY;
}

/* Plain stores alone, as on Xen: what reads the page as well faults. */
static const struct emul_ops lost_ops = {.fetch = pv_emul_fetch, .write = lost_write, .segment = pv_emul_segment};

bool pv_lose_device_write(struct vcpu *v, uint64_t cr2)
{
    struct emul_ctx ctx = {.regs = &v->cpu.regs, .ops = &lost_ops, .mode64 = true};
    pte_t e = v->domain->privileged ? pv_read_l1e(v, cr2) : 0;
    mfn_t m = pte_mfn(e);
    int rc;

    if ((e & (PTE_P | PTE_RW)) != PTE_P || mfn_valid(m) || rights_has(v->domain, RIGHT_FRAMES, m.v, m.v))
        return false;
    rc = emul_decode(&ctx) == EMUL_OKAY ? emul_execute(&ctx) : EMUL_UNHANDLEABLE;
    if (rc == EMUL_EXCEPTION)
        pv_inject_exception(v, ctx.fault.vector, ctx.fault.error_code);
    return rc != EMUL_UNHANDLEABLE;
}
