/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypervisor's address space in a host program: the regions lie where mmap() puts them. */
#ifndef MEM_LAYOUT_H
#define MEM_LAYOUT_H

#include "lib/addr.h"

extern uintptr_t fake_direct, fake_frames, fake_m2p;

#define HV_START        0xffff800000000000
#define HV_END          0xffff880000000000
#define HV_FIRST_SLOT   256
#define HV_LAST_SLOT    271
#define M2P_RO_START    0xffff800000000000 /* guests' view: there is none to see */
#define M2P_RW_START    fake_m2p
#define M2P_EXTENT      0x1000ULL
#define FRAMES_START    fake_frames
#define VCPU_AREA_START 0xffff818000000000
#define VCPU_AREA_SIZE  0x20000
#define VCPU_AREA_LDT   0x10000
#define VCPU_AREA_MAX   32768
#define DIRECT_START    fake_direct
#define DIRECT_SIZE     0x50000000000ULL

static inline void *paddr_to_ptr(paddr_t p) { return (void *)(DIRECT_START + p.v); }
static inline void *mfn_to_ptr(mfn_t m) { return (void *)(DIRECT_START + (m.v << PAGE_SHIFT)); }
paddr_t ptr_to_paddr(const void *p);
static inline mfn_t ptr_to_mfn(const void *p) { return paddr_to_mfn(ptr_to_paddr(p)); }

#endif
