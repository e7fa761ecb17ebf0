/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI functions: their configuration space, and the list of those that the
 * owner of the hardware has told of. PCI Local Bus Specification 3.0, chapter 6.
 */
#ifndef PLATFORM_PCI_H
#define PLATFORM_PCI_H

/* A function of segment 0: bus << 8 | device << 3 | function. */
typedef uint16_t pci_bdf_t;

enum { PCI_CAP_MSI = 0x05, PCI_CAP_MSIX = 0x11 };

/*
 * Aligned registers of 1, 2 or 4 bytes below 256, by the ports of configuration
 * mechanism 1. All ones: there is nothing.
 */
uint32_t pci_read(pci_bdf_t bdf, uint8_t reg, unsigned int bytes);
void pci_write(pci_bdf_t bdf, uint8_t reg, unsigned int bytes, uint32_t value);

/* Offset of capability `id`; 0: it has none, or its list is damaged. */
uint8_t pci_find_capability(pci_bdf_t bdf, uint8_t id);

/* 0 also if it is known already; -ENOMEM. */
int pci_add(pci_bdf_t bdf);
/* -ENODEV: it is not known. */
int pci_remove(pci_bdf_t bdf);
bool pci_is_known(pci_bdf_t bdf);

#endif
