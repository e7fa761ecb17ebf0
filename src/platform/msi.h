/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Message-signalled interrupts, MSI and MSI-X, as interrupt sources: PCI Local
 * Bus Specification 3.0, 6.8; the message itself: Intel SDM vol. 3A, 11.11.
 */
#ifndef PLATFORM_MSI_H
#define PLATFORM_MSI_H

#include "platform/irq.h"
#include "platform/pci.h"

#define MSI_NOT_X (-1)

struct msi_request {
    pci_bdf_t bdf;
    int entry;           /* of the MSI-X table; MSI_NOT_X: the function's one MSI */
    uint64_t table_base; /* the region with the table, should the function itself not say where it is (SR-IOV) */
};

/*
 * A source for a message of a function; nothing is sent before irq_start(). -ENODEV:
 * unknown function; -EINVAL: it has no such message, or its table lies where none can be;
 * -EEXIST: the message is in use; -EBUSY: the function uses the other kind; -ENOMEM.
 */
int msi_create(const struct msi_request *r, struct irq **irq);
/* The source is stopped. */
void msi_destroy(struct irq *irq);

/* The function has forgotten (reset, sleep): tell it again. -ENODEV: unknown function. */
int msi_restore(pci_bdf_t bdf);

/*
 * A guest's write to configuration space, as far as it may be done: false if not at all.
 * Address, data and number of messages of an MSI in use are the hypervisor's.
 */
bool msi_filter_write(pci_bdf_t bdf, uint8_t reg, unsigned int bytes, uint32_t *value);

#endif
