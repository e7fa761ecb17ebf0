/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypercall page: 128 short entries that a guest kernel calls, number n at n * 32. */
#include "lib/string.h"
#include "pv/pv.h"

#define HYPERCALLS      128
#define HYPERCALL_ENTRY 32 /* bytes */

/*
 * Each entry keeps RCX and R11, which SYSCALL destroys, on the guest's stack.
 * iret does not come back; it finds RAX there too (struct iret_context).
 */
void pv_fill_hypercall_page(void *page)
{
    static const uint8_t call[] = {0x51, 0x41, 0x53, 0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3};
    static const uint8_t iret[] = {0x51, 0x41, 0x53, 0x50, 0xb8, __HYPERVISOR_iret, 0, 0, 0, 0x0f, 0x05};

    for (unsigned int n = 0; n < HYPERCALLS; n++) {
        uint8_t *entry = (uint8_t *)page + n * HYPERCALL_ENTRY;

        memset(entry, 0xcc, HYPERCALL_ENTRY);
        memcpy(entry, call, sizeof(call));
        entry[4] = (uint8_t)n;
    }
    memcpy((uint8_t *)page + __HYPERVISOR_iret * HYPERCALL_ENTRY, iret, sizeof(iret));
}
