/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of pin.h. */
#include "grant/pin.h"

uint16_t pin_status(struct grant_pin p)
{
    if (p.host_write != 0 || p.device_write != 0)
        return GTF_reading | GTF_writing;
    return p.host_read != 0 || p.device_read != 0 ? GTF_reading : 0;
}

static uint8_t *counter(struct grant_pin *p, unsigned int use, bool readonly)
{
    if (use == PIN_HOST)
        return readonly ? &p->host_read : &p->host_write;
    return readonly ? &p->device_read : &p->device_write;
}

bool pin_add(struct grant_pin *p, unsigned int use, bool readonly)
{
    uint8_t *n = counter(p, use, readonly);

    if (*n == PIN_MAX)
        return false;
    ++*n;
    return true;
}

void pin_remove(struct grant_pin *p, unsigned int use, bool readonly)
{
    --*counter(p, use, readonly);
}

int entry_judge(unsigned int version, uint16_t flags, domid_t granted_to, domid_t who, bool readonly,
                enum entry_use kind)
{
    unsigned int type = flags & GTF_type_mask;
    bool allowed = type == GTF_permit_access;

    if (kind == ENTRY_MAP)
        allowed = allowed && !(flags & GTF_sub_page);
    else
        allowed = allowed || (version == 2 && type == GTF_transitive);
    if (!allowed || granted_to != who || (!readonly && (flags & GTF_readonly)))
        return GNTST_general_error;
    return GNTST_okay;
}
