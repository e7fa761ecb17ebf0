/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of the hypervisor's own functions, for reports. */
#ifndef CORE_SYMBOLS_H
#define CORE_SYMBOLS_H

/* The function that holds `address`, and how far into it; NULL if there is none. Uses no lock and no memory. */
const char *symbol_find(uintptr_t address, uintptr_t *offset);

#endif
