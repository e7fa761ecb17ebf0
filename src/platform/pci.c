/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration space is reached through the two ports that every PC has: the
 * hypervisor needs no more than the first 256 bytes, where the capabilities for
 * messages are. What lies behind them, and in other segments, the owner of the
 * hardware reaches by itself through the memory that the MCFG table names.
 */
#include "platform/pci.h"

#include "abi/errno.h"
#include "lib/list.h"
#include "mem/heap.h"
#include "x86/insn.h"
#include "x86/spinlock.h"

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc };
enum { REG_STATUS = 0x06, REG_CAPABILITIES = 0x34 };
#define STATUS_HAS_LIST  0x10
#define CAPABILITIES_MAX 48 /* so many have room */

struct function {
    struct list_head link;
    pci_bdf_t bdf;
};

static spinlock_t config_lock = SPINLOCK_INIT(LOCK_DEVICE); /* address and data belong together */
static spinlock_t functions_lock = SPINLOCK_INIT(LOCK_PCI);
static LIST_HEAD(functions); /* [functions_lock] */

static uint16_t select_register(pci_bdf_t bdf, uint8_t reg)
{
    outl(CONFIG_ADDRESS, 0x80000000u | (uint32_t)bdf << 8 | (reg & 0xfcu));
    return (uint16_t)(CONFIG_DATA + (reg & 3));
}

uint32_t pci_read(pci_bdf_t bdf, uint8_t reg, unsigned int bytes)
{
    uint16_t port;
    uint32_t v;

    spin_lock(&config_lock);
    port = select_register(bdf, reg);
    v = port_read(port, bytes);
    spin_unlock(&config_lock);
    return v;
}

void pci_write(pci_bdf_t bdf, uint8_t reg, unsigned int bytes, uint32_t value)
{
    uint16_t port;

    spin_lock(&config_lock);
    port = select_register(bdf, reg);
    port_write(port, bytes, value);
    spin_unlock(&config_lock);
}

uint8_t pci_find_capability(pci_bdf_t bdf, uint8_t id)
{
    uint8_t at;

    if (!(pci_read(bdf, REG_STATUS, 2) & STATUS_HAS_LIST))
        return 0;
    at = pci_read(bdf, REG_CAPABILITIES, 1) & 0xfc;
    for (unsigned int i = 0; i < CAPABILITIES_MAX && at >= 0x40; i++) {
        uint32_t header = pci_read(bdf, at, 2);

        if ((header & 0xff) == id)
            return at;
        at = (header >> 8) & 0xfc;
    }
    return 0;
}

static struct function *find_locked(pci_bdf_t bdf)
{
    struct function *f;

    list_for_each_entry(f, &functions, link)
        if (f->bdf == bdf)
            return f;
    return NULL;
}

bool pci_is_known(pci_bdf_t bdf)
{
    bool known;

    spin_lock(&functions_lock);
    known = find_locked(bdf) != NULL;
    spin_unlock(&functions_lock);
    return known;
}

int pci_add(pci_bdf_t bdf)
{
    struct function *f;
    int ret = 0;

    spin_lock(&functions_lock);
    if (!find_locked(bdf)) {
        f = heap_alloc(sizeof(*f));
        if (f) {
            f->bdf = bdf;
            list_add_tail(&f->link, &functions);
        } else {
            ret = -ENOMEM;
        }
    }
    spin_unlock(&functions_lock);
    return ret;
}

int pci_remove(pci_bdf_t bdf)
{
    struct function *f;

    spin_lock(&functions_lock);
    f = find_locked(bdf);
    if (f)
        list_del(&f->link);
    spin_unlock(&functions_lock);
    heap_free(f);
    return f ? 0 : -ENODEV;
}
