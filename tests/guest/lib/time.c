/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System time from a vCPU's record, read as <xen/xen.h> says. */
#include "lib/guest.h"

u64 guest_time_at(const volatile struct vcpu_time_info *t)
{
    u32 version;
    u64 now;

    do {
        version = t->version;
        __asm__ volatile("lfence" ::: "memory");
        u64 delta = __builtin_ia32_rdtsc() - t->tsc_timestamp;

        delta = t->tsc_shift >= 0 ? delta << t->tsc_shift : delta >> -t->tsc_shift;
        now = t->system_time + (u64)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
        __asm__ volatile("" ::: "memory");
    } while ((version & 1) || version != t->version);
    return now;
}

u64 guest_time(unsigned vcpu)
{
    return guest_time_at(&shared_info->vcpu_info[vcpu].time);
}
