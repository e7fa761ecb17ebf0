/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IN and OUT of a PV guest. Whether its code may use ports at all is for its own
 * kernel to say (I/O privilege level, bitmap of ports) and ends in #GP; which
 * ports are behind it is the domain's right, and where there is none nothing
 * answers: all ones are read, what is written is lost.
 *
 * PCI configuration space is two registers that belong together. Each domain has
 * an address register of its own; the data register works on what it says, by
 * platform/, and not on what belongs to the hypervisor.
 */
#include "domain/rights.h"
#include "platform/msi.h"
#include "pv/pv.h"
#include "x86/insn.h"
#include "x86/uaccess.h"

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc };
#define CONFIG_ENABLE   0x80000000u
#define CONFIG_RESERVED 0x7f000003u /* also AMD's bits for registers from 256 on */

/* A guest's kernel counts as ring 1, or, if it has asked for the processor's own rules, as ring 0. */
bool pv_may_mask_interrupts(const struct vcpu *v)
{
    unsigned int ring = !guest_in_kernel(&v->cpu) ? 3 : v->cpu.flags & GUEST_SHOWS_IOPL ? 0 : 1;

    return v->cpu.iopl >= ring;
}

bool pv_may_use_ports(struct vcpu *v, uint16_t port, unsigned int bytes)
{
    bool user = !guest_in_kernel(&v->cpu);
    uint16_t bits = 0xffff;
    int rc;

    if (pv_may_mask_interrupts(v))
        return true;
    if (port + bytes > v->pv->iobitmap_ports)
        return false;
    if (user)
        guest_toggle_mode(&v->cpu); /* it is its kernel's */
    /* The bitmap is in the guest's memory and may change at any time: it is read once, here; two bytes, as by Xen. */
    rc = guest_copy_from(&bits, v->pv->iobitmap + port / 8, sizeof(bits));
    if (user)
        guest_toggle_mode(&v->cpu);
    return rc == 0 && (bits >> port % 8 & (BIT(bytes) - 1)) == 0;
}

static bool is_config_data(uint16_t port, unsigned int bytes)
{
    return port >= CONFIG_DATA && port + bytes <= CONFIG_DATA + 4u && port % bytes == 0;
}

/* The function and register that the domain's address register and `port` name; false: none that we reach. */
static bool config_target(const struct domain *d, uint16_t port, pci_bdf_t *bdf, uint8_t *reg)
{
    uint32_t address = READ_ONCE(d->pv->config_address);

    *bdf = (pci_bdf_t)(address >> 8);
    *reg = (uint8_t)((address & 0xfc) | (port & 3));
    return (address & CONFIG_ENABLE) && !(address & CONFIG_RESERVED);
}

static bool may_configure(const struct domain *d)
{
    return rights_has(d, RIGHT_PORTS, CONFIG_ADDRESS, CONFIG_DATA + 3);
}

uint32_t pv_port_in(struct domain *d, uint16_t port, unsigned int bytes)
{
    uint32_t nothing = bytes == 4 ? 0xffffffff : (uint32_t)BIT(bytes * 8) - 1;
    pci_bdf_t bdf;
    uint8_t reg;

    if (port == CONFIG_ADDRESS && bytes == 4 && may_configure(d))
        return READ_ONCE(d->pv->config_address);
    if (is_config_data(port, bytes) && may_configure(d))
        return config_target(d, port, &bdf, &reg) ? pci_read(bdf, reg, bytes) : nothing;
    if (!rights_has(d, RIGHT_PORTS, port, port + bytes - 1))
        return nothing;
    return port_read(port, bytes);
}

void pv_port_out(struct domain *d, uint16_t port, unsigned int bytes, uint32_t value)
{
    pci_bdf_t bdf;
    uint8_t reg;

    if (port == CONFIG_ADDRESS && bytes == 4 && may_configure(d)) {
        WRITE_ONCE(d->pv->config_address, value);
    } else if (is_config_data(port, bytes) && may_configure(d)) {
        if (config_target(d, port, &bdf, &reg) && msi_filter_write(bdf, reg, bytes, &value))
            pci_write(bdf, reg, bytes, value);
    } else if (rights_has(d, RIGHT_PORTS, port, port + bytes - 1)) {
        port_write(port, bytes, value);
    }
}
