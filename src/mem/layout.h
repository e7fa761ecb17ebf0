/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's address space: slots 256 to 271 of every root page table,
 * 0xffff800000000000 to 0xffff87ffffffffff, the same in all of them. Every
 * slot's level-3 table is made at boot, so roots never need to be brought up
 * to date. The rest of the address space belongs to the guest.
 *
 *   slot  from                what
 *   256   0xffff800000000000  machine-to-physical table, guests may read (256 GiB)
 *   257   0xffff808000000000  the same, writable by the hypervisor only
 *   258   0xffff810000000000  hv_map: device registers and other temporary maps
 *   259   0xffff818000000000  vCPU areas: 128 KiB each, GDT (16 pages), LDT (16 pages)
 *   260   0xffff820000000000  frame table
 *   261   0xffff828000000000  the image, at + its physical address; CPU stack blocks
 *   262-  0xffff830000000000  all RAM, one to one (5 TiB)
 */
#ifndef MEM_LAYOUT_H
#define MEM_LAYOUT_H

#define HV_START        0xffff800000000000
#define HV_END          0xffff880000000000
#define HV_FIRST_SLOT   256
#define HV_LAST_SLOT    271

#define M2P_RO_START    0xffff800000000000
#define M2P_RW_START    0xffff808000000000
#define M2P_EXTENT      0x200000ULL /* bytes of it that one frame number stands for, where a guest is told them */
#define HVMAP_START     0xffff810000000000
#define HVMAP_END       0xffff818000000000
#define VCPU_AREA_START 0xffff818000000000
#define VCPU_AREA_SIZE  0x20000
#define VCPU_AREA_LDT   0x10000 /* offset of the LDT half */
#define VCPU_AREA_MAX   32768
#define FRAMES_START    0xffff820000000000
#define IMAGE_START     0xffff828000000000
#define CPU_AREA_START  0xffff82a000000000
#define CPU_AREA_STRIDE 0x10000
#define DIRECT_START    0xffff830000000000
#define DIRECT_END      0xffff880000000000
#define DIRECT_SIZE     0x50000000000ULL /* RAM beyond it is not used */

#define IMAGE_PHYS      0x200000 /* where the loader puts us */

#ifndef __ASSEMBLY__
#include "lib/addr.h"

static inline void *paddr_to_ptr(paddr_t p) { return (void *)(DIRECT_START + p.v); }
static inline void *mfn_to_ptr(mfn_t m) { return (void *)(DIRECT_START + (m.v << PAGE_SHIFT)); }

/* Of a pointer into the direct map or the image. */
paddr_t ptr_to_paddr(const void *p);
static inline mfn_t ptr_to_mfn(const void *p) { return paddr_to_mfn(ptr_to_paddr(p)); }
#endif

#endif
