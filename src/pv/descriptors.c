/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GDT and LDT of a PV guest.
 *
 * Each vCPU has an area of its own in the hypervisor's address space, the same
 * in all address spaces and never moved: 14 pages of the guest's GDT, the page
 * with the hypervisor's descriptors (of the CPU that runs it), and the LDT. A
 * change of vCPU is then one LGDT. Frames in use as descriptor tables have
 * type SEGDESC: the guest cannot write them behind our back, and every
 * descriptor in them has been made one that ring 3 may have.
 *
 * LDT pages are named by the guest's linear addresses, so they are found when
 * the processor first faults on them.
 */
#include "abi/errno.h"
#include "core/crosscall.h"
#include "core/panic.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mem/hvmap.h"
#include "pv/pv.h"
#include "x86/desc.h"
#include "x86/uaccess.h"

#define AREA_FLAGS (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX)

static uint64_t area_used[VCPU_AREA_MAX / 64];
static uint64_t empty_page[512] ALIGNED(PAGE_SIZE); /* GDT pages that the guest does not give: null descriptors */

static uint64_t area_address(const struct vcpu *v)
{
    return VCPU_AREA_START + (uint64_t)v->pv->area * VCPU_AREA_SIZE;
}

static void area_set(const struct vcpu *v, uint64_t offset, pte_t e)
{
    /* Exists since pv_area_alloc(). */
    WRITE_ONCE(*hvmap_pte(area_address(v) + offset), e);
}

int pv_area_alloc(struct vcpu *v)
{
    uint32_t i;

    for (i = 0; i < VCPU_AREA_MAX && atomic_test_and_set_bit(area_used, i); i++)
        ;
    if (i == VCPU_AREA_MAX)
        return -ENOMEM;
    v->pv->area = i;
    v->cpu.gdt_base = area_address(v);
    v->cpu.ldt_base = area_address(v) + VCPU_AREA_LDT;
    v->cpu.gdt_pte = hvmap_pte(v->cpu.gdt_base + 14 * PAGE_SIZE);
    if (!v->cpu.gdt_pte || !hvmap_pte(v->cpu.ldt_base)) {
        atomic_test_and_clear_bit(area_used, i);
        v->cpu.gdt_pte = NULL;
        return -ENOMEM;
    }
    for (uint64_t p = 0; p < 14; p++) {
        area_set(v, p * PAGE_SIZE, pte_make(ptr_to_mfn(empty_page), PTE_P | PTE_A | PTE_NX));
        v->pv->gdt_frames[p] = MFN_INVALID;
    }
    for (uint64_t p = 0; p < 16; p++) {
        area_set(v, VCPU_AREA_LDT + p * PAGE_SIZE, 0);
        v->pv->ldt_frames[p] = MFN_INVALID;
    }
    return 0;
}

void pv_area_free(struct vcpu *v)
{
    atomic_test_and_clear_bit(area_used, v->pv->area);
}

static bool gate_selector_ok(uint16_t sel)
{
    return (sel & 4) || (sel >> 3) < FIRST_RESERVED_GDT_ENTRY || sel == FLAT_KERNEL_CS;
}

/*
 * Code and data segments get at least the privilege level of ring 3; gates and
 * system segments are refused, so that nothing leads out of ring 3. Intel SDM
 * vol. 3A, 3.4.5.
 */
bool pv_fix_descriptor(uint64_t *desc)
{
    uint64_t d = *desc;

    if (!(d & BIT(47)))                 /* not present */
        return true;
    if (!(d & BIT(44))) {
        unsigned int type = (d >> 40) & 15;

        /* Type 0, the second half of something, does no harm; a call gate leads to a segment of the guest's or its own
         * flat one, all of ring 3, and has no parameters. */
        return type == 0 || (type == 12 && gate_selector_ok((uint16_t)(d >> 16)) && !((d >> 32) & 0xff));
    }
    *desc = d | 3ULL << 45;
    return true;
}

uint16_t pv_fix_selector(uint16_t sel)
{
    return sel | 3;
}

/* The frame has type SEGDESC by now, so only pv_update_descriptor() can write it. */
static bool fix_page(mfn_t m)
{
    uint64_t *desc = mfn_to_ptr(m);

    for (unsigned int i = 0; i < PAGE_SIZE / 8; i++)
        if (!pv_fix_descriptor(&desc[i]))
            return false;
    return true;
}

static int get_segdesc(struct domain *d, mfn_t m)
{
    int rc = pv_get_frame_and_type(d, m, FRAME_SEGDESC);

    if (rc)
        return rc == -ERESTART ? rc : -EINVAL;
    if (fix_page(m))
        return 0;
    pv_put_simple_type(mfn_to_frame(m));
    frame_put(mfn_to_frame(m));
    return -EINVAL;
}

static void put_segdesc(mfn_t m)
{
    pv_put_simple_type(mfn_to_frame(m));
    frame_put(mfn_to_frame(m));
}

void pv_drop_gdt(struct vcpu *v)
{
    bool any = false;

    for (unsigned int i = 0; i < ARRAY_SIZE(v->pv->gdt_frames); i++) {
        if (mfn_eq(v->pv->gdt_frames[i], MFN_INVALID))
            continue;
        area_set(v, (uint64_t)i * PAGE_SIZE, pte_make(ptr_to_mfn(empty_page), PTE_P | PTE_A | PTE_NX));
        any = true;
    }
    v->pv->gdt_entries = 0;
    if (!any)
        return;
    tlb_flush(cpus_online_mask);
    for (unsigned int i = 0; i < ARRAY_SIZE(v->pv->gdt_frames); i++) {
        if (!mfn_eq(v->pv->gdt_frames[i], MFN_INVALID))
            put_segdesc(v->pv->gdt_frames[i]);
        v->pv->gdt_frames[i] = MFN_INVALID;
    }
}

int pv_set_gdt(struct vcpu *v, const mfn_t *frames, unsigned int entries)
{
    unsigned int n = (entries + 511) / 512, i;
    int rc = 0;

    if (entries > FIRST_RESERVED_GDT_ENTRY)
        return -EINVAL;
    for (i = 0; i < n; i++) {
        rc = get_segdesc(v->domain, frames[i]);
        if (rc)
            break;
    }
    if (rc) {
        while (i-- > 0)
            put_segdesc(frames[i]);
        return rc;
    }
    pv_drop_gdt(v);
    for (i = 0; i < n; i++) {
        v->pv->gdt_frames[i] = frames[i];
        area_set(v, (uint64_t)i * PAGE_SIZE, pte_make(frames[i], AREA_FLAGS));
    }
    v->pv->gdt_entries = entries;
    /* Other CPUs cannot have seen the null page's entries for this vCPU unless it ran there since: */
    tlb_flush(cpus_online_mask);
    return 0;
}

void pv_drop_ldt(struct vcpu *v)
{
    bool any = false;

    for (unsigned int i = 0; i < ARRAY_SIZE(v->pv->ldt_frames); i++)
        if (!mfn_eq(v->pv->ldt_frames[i], MFN_INVALID)) {
            area_set(v, VCPU_AREA_LDT + (uint64_t)i * PAGE_SIZE, 0);
            any = true;
        }
    if (!any)
        return;
    tlb_flush(cpus_online_mask);
    for (unsigned int i = 0; i < ARRAY_SIZE(v->pv->ldt_frames); i++) {
        if (!mfn_eq(v->pv->ldt_frames[i], MFN_INVALID))
            put_segdesc(v->pv->ldt_frames[i]);
        v->pv->ldt_frames[i] = MFN_INVALID;
    }
}

int pv_set_ldt(struct vcpu *v, uint64_t base, unsigned int entries)
{
    if (entries == 0)
        base = 0; /* wherever it would have been */
    if (entries > 8192 || (base & (PAGE_SIZE - 1)) || !guest_range_ok(base, (uint64_t)entries * 8))
        return -EINVAL;
    if (v->pv->ldt_entries == 0 && entries == 0)
        return 0;
    pv_drop_ldt(v);
    v->pv->ldt_linear = base;
    v->pv->ldt_entries = entries;
    v->cpu.ldt_entries = entries;
    if (&v->cpu == cpu_local()->guest)
        desc_load_ldt(v->cpu.ldt_base, entries);
    return 0;
}

bool pv_ldt_fault(struct vcpu *v, uint64_t offset)
{
    unsigned int page = (unsigned int)(offset / PAGE_SIZE);
    pte_t e;

    if (offset >= (uint64_t)v->pv->ldt_entries * 8 || !mfn_eq(v->pv->ldt_frames[page], MFN_INVALID))
        return false;
    /* The guest may change this mapping meanwhile; what was read is what is used. */
    e = pv_read_l1e(v, v->pv->ldt_linear + (uint64_t)page * PAGE_SIZE);
    if (!(e & PTE_P) || get_segdesc(v->domain, pte_mfn(e)))
        return false;
    v->pv->ldt_frames[page] = pte_mfn(e);
    area_set(v, VCPU_AREA_LDT + (uint64_t)page * PAGE_SIZE, pte_make(pte_mfn(e), AREA_FLAGS));
    return true;
}

int pv_update_descriptor(struct domain *d, uint64_t pa, uint64_t desc)
{
    enum frame_type t;
    struct frame *f;
    int rc;

    if ((pa & 7) || !pv_fix_descriptor(&desc))
        return -EINVAL;
    f = frame_get_mfn(paddr_to_mfn(paddr(pa)), d);
    if (!f)
        return -EINVAL;
    t = frame_type_of(atomic_load(&f->type)) == FRAME_SEGDESC && ft_count(atomic_load(&f->type)) ? FRAME_SEGDESC
                                                                                                : FRAME_WRITABLE;
    rc = pv_get_type(f, t);
    if (rc == 0) {
        atomic_store((uint64_t *)((uint8_t *)frame_to_ptr(f) + (pa & (PAGE_SIZE - 1))), desc);
        pv_put_simple_type(f);
    }
    frame_put(f);
    return rc;
}
