/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds a grant, as numbers, and what the granter is told about it.
 *
 * A granted entry is held by mappings in page tables and by devices, each for
 * reading only or for writing too. The granter sees two bits: GTF_reading
 * while anything holds the entry, GTF_writing while anything may write. It
 * must not reuse the frame while a bit is set, so a bit is set before the
 * first use it stands for and cleared after the last. These functions are
 * pure; the caller holds the table's lock.
 */
#ifndef GRANT_PIN_H
#define GRANT_PIN_H

#include "abi/xen.h"

#define PIN_HOST   GNTMAP_host_map
#define PIN_DEVICE GNTMAP_device_map
#define PIN_MAX    128 /* of each kind: what Xen allows */

struct grant_pin {
    uint8_t host_read, host_write, device_read, device_write;
};

/* GTF_reading and GTF_writing as they must be for these holders. */
uint16_t pin_status(struct grant_pin p);

static inline bool pin_is_held(struct grant_pin p)
{
    return pin_status(p) != 0;
}

/* Add one holder for `use`, PIN_HOST or PIN_DEVICE; false, and nothing is changed: there are PIN_MAX of this kind. */
bool pin_add(struct grant_pin *p, unsigned int use, bool readonly) MUST_CHECK;

/* Take off one holder that was added so. */
void pin_remove(struct grant_pin *p, unsigned int use, bool readonly);

/* How an entry is to be used. */
enum entry_use {
    ENTRY_MAP,  /* a whole page */
    ENTRY_COPY, /* a whole page, a part of one, or another domain's grant */
};

/*
 * Does an entry with these contents, read at one instant, let domain `who` use
 * it so? GNTST_okay or GNTST_general_error. `version` is the table's.
 */
int entry_judge(unsigned int version, uint16_t flags, domid_t granted_to, domid_t who, bool readonly,
                enum entry_use kind);

#endif
