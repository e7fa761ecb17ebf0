/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paravirtual guests: what the folders below pv/ and its own files share. */
#ifndef PV_PV_H
#define PV_PV_H

#include "domain/vcpu.h"
#include "mem/frame_type.h"
#include "x86/pte.h"
#include "x86/spec.h"

struct grant_host_ops;
struct policy;

/* Bits of CR4 that a PV guest always reads as set: PAE, MCE, OSFXSR, OSXMMEXCPT. */
#define PV_CR4_FIXED 0x660u

struct pv_domain {
    struct frame *cursor;    /* where relinquishing goes on: a frame of d->pages, referenced */
    struct frame *dropping;  /* while relinquishing: a pinned table half undone; we have its pin's references */
    uint32_t step;
    uint32_t config_address; /* [a] its register at port 0xcf8 */
    /* Slots of roots that name, or have named, a root; and those that every CPU knows of. [a] bits */
    uint64_t linear_slots[8], linear_known[8];
    struct policy *policy;   /* what CPUID says; set before it first runs; NULL: the default */
};

/* One vCPU's PV state that assembly does not need. Owned by the CPU that runs it, or whoever has it paused. */
struct pv_vcpu {
    struct trap_info traps[256];    /* as the guest registered them */
    mfn_t root_kernel, root_user;   /* hold a total and an L4 type reference; MFN_INVALID: none */
    struct frame *unfinished;       /* its last type and total reference are ours to drop: see pv_finish() */
    uint32_t area;                  /* its slot in the vCPU areas */
    mfn_t gdt_frames[14];           /* hold a SEGDESC type reference; MFN_INVALID */
    uint32_t gdt_entries;
    mfn_t ldt_frames[16];           /* mapped on first use */
    uint64_t ldt_linear;            /* in the guest */
    uint32_t ldt_entries;
    uint64_t cr4_guest;             /* CR4 as it reads it */
    uint64_t mcg_status, mc_ctl2[2]; /* of its virtual machine-check banks: kept, and nothing else */
    uint64_t iobitmap;              /* where in the guest a clear bit lets its user mode use a port */
    uint32_t iobitmap_ports;        /* and how many ports that is about */
};

/* Once at boot. */
void pv_init(void);

/* --- pagetype.c: types of frames; f's owner or anybody, no lock needed --- */

/*
 * Take a type reference; the caller holds a total one. 0; -EINVAL: in use as
 * another type, or its entries are not allowed; -ERESTART: interrupted, call
 * again (nothing is held).
 */
int pv_get_type(struct frame *f, enum frame_type t) MUST_CHECK;
/* Drop one. 0; -ERESTART: interrupted; -EBUSY: it, or what only it keeps, is locked. The reference is still held. */
int pv_put_type(struct frame *f) MUST_CHECK;
/* For types that have nothing to undo (WRITABLE, SEGDESC). */
void pv_put_simple_type(struct frame *f);
/* Total and type together. `d` must own it. */
int pv_get_frame_and_type(struct domain *d, mfn_t m, enum frame_type t) MUST_CHECK;
int pv_put_frame_and_type(struct frame *f) MUST_CHECK;

/* Exclusive use of a validated table's entries. False: it is not one of that level. */
bool pv_lock_table_contended(struct frame *f, enum frame_type t);
static ALWAYS_INLINE bool pv_try_lock_table(struct frame *f, enum frame_type t)
{
    uint64_t w = READ_ONCE(f->type);

    return likely(ft_may_lock(w, t)) && likely(atomic_cas(&f->type, &w, w | FT_LOCKED));
}
static inline bool pv_lock_table(struct frame *f, enum frame_type t)
{
    return pv_try_lock_table(f, t) || pv_lock_table_contended(f, t);
}
static inline void pv_unlock_table(struct frame *f)
{
    atomic_and(&f->type, ~(uint64_t)FT_LOCKED);
}

/* By the running vCPU: 0, -EINVAL, -ERESTART. Not done, but if pv_unpin() leaves the vCPU something unfinished. */
int pv_pin(struct domain *d, mfn_t m, enum frame_type t);
int pv_unpin(struct domain *d, mfn_t m);
/* Unpin, first half. True: the pin's total and type reference are now the caller's, to be dropped. */
bool pv_take_pin(struct frame *f);

/* Undo a validation that was interrupted and never taken up again. 0 or as pv_put_type(). */
int pv_undo_partial(struct frame *f);

/* For builder/: make `root` and all below it page tables and pin it; preemption is waited for. 0 or -EINVAL. */
int pv_pin_root(struct domain *d, mfn_t root);

/* --- entries.c: what an entry may be, and the references that it holds --- */

/* The flags of `e` as they stand in a table of `level`: see entries.c. */
static inline pte_t pv_entry_flags(unsigned int level, pte_t e)
{
    if (!(e & PTE_P))
        return e;
    return (level == 1 ? e & ~(pte_t)PTE_G : e) | PTE_US;
}
/* May a present level 1 entry of `d` that maps RAM have the cache type of `e`? */
static inline bool pv_cache_type_ok(const struct domain *d, pte_t e)
{
    return likely(!(e & (PTE_PCD | PTE_PWT | PTE_PAT))) || d->privileged;
}
/* May a table of `d` have the absent entry `e`, which a processor with L1TF follows all the same? */
static inline bool pv_absent_ok(const struct domain *d, pte_t e)
{
    return !spec_on(d->privileged ? SPEC_L1TF_DOM0 : SPEC_L1TF_DOMU) || spec_l1tf_safe(e);
}
/* It may not: the domain is crashed. -EINVAL. */
int pv_refuse_absent(struct domain *d, pte_t e);
/* What l1.h does for a frame of d's own, for any frame number: 0, -EINVAL, -EPERM, -EBUSY, -ERESTART. */
int pv_get_l1_unusual(struct domain *d, struct domain *owner, pte_t *e) MUST_CHECK;
/* Check entry *e for a table of `level` of d, with targets of `owner`; take references; complete its flags. */
int pv_get_entry(struct domain *d, struct domain *owner, struct frame *table, unsigned int level, unsigned int slot,
                 pte_t *e) MUST_CHECK;
/* pv-linear-pt=: may a table name another of its level? Set once by pv_init(). */
extern bool pv_linear_allowed;
/* Drop the references of `e`. 0 or as pv_put_type(). */
int pv_put_entry(struct domain *d, struct frame *table, unsigned int level, pte_t e) MUST_CHECK;
/* That was interrupted, and `table` has the entry no more: the frame whose last references the caller has to drop. */
struct frame *pv_orphan(struct frame *table, unsigned int level, pte_t e);
/* device.c: *e, which maps no RAM, gets flags that it may have; 0, -EINVAL, -EPERM. */
int pv_get_device(struct domain *d, struct domain *owner, pte_t *e) MUST_CHECK;
/* A kernel's write to a page whose read-only mapping was not its own wish: done, without effect. False: no such. */
bool pv_lose_device_write(struct vcpu *v, uint64_t cr2);
/* May the guest set entry `slot` of a table of this level at all? */
static inline bool pv_slot_is_guest(unsigned int level, unsigned int slot)
{
    return level != 4 || slot < HV_FIRST_SLOT || slot > HV_LAST_SLOT;
}

/*
 * DOMID_IO and DOMID_XEN as owners of frames, for a privileged domain that maps device memory. The second one has
 * the frames of the machine-to-physical table, too, to be read. Referenced.
 */
struct domain *pv_get_nobody(domid_t id);
extern const struct domain *const pv_hypervisor; /* the second one */

/* --- mmu.c: the operations of the interface on page tables --- */

/* Operations that replace a page table and are interrupted while undoing the old one leave that to the vCPU;
 * every such operation begins with this. 0 or -ERESTART. */
int pv_finish(struct vcpu *v);
/* Drop a total and type reference of f. -ERESTART: interrupted, and now the running vCPU's unfinished work. */
int pv_drop_later(struct frame *f);

/*
 * Write `e` into slot `slot` of the level-1 table f, which is locked, of domain
 * d, if the entry there is still *expect; its target belongs to `owner`. 0,
 * -EINVAL, -EPERM, -EBUSY; -ERESTART: not done; -EAGAIN: *expect is what was found.
 */
int pv_exchange_l1e(struct domain *d, struct domain *owner, struct frame *f, unsigned int slot, pte_t e,
                    pte_t *expect);
/* MMU_NORMAL_PT_UPDATE at machine address `ptr`. pt_owner: whose table; owner: whose frames. */
int pv_mmu_update(struct domain *pt_owner, struct domain *owner, uint64_t ptr, pte_t e, bool keep_ad);
/* The same for entry `p` of frame `table` and frames of d; -ERESTART, not done, if that is no level-1 table of d. */
int64_t pv_update_own_entry(struct domain *d, struct frame *table, pte_t *p, pte_t e, bool keep_ad);
/* The same by frame and slot; *e is exchanged for what was there. */
int pv_swap_l1(struct domain *d, struct frame *f, unsigned int slot, pte_t *e);
/* The level-1 entry that maps `va` under the vCPU's kernel root: its table's frame and slot; NULL: none. */
struct frame *pv_find_l1(struct vcpu *v, uint64_t va, unsigned int *slot);
int pv_update_va(struct vcpu *v, struct domain *owner, uint64_t va, pte_t e);
/* Read it; 0 if there is none. */
pte_t pv_read_l1e(struct vcpu *v, uint64_t va);
int pv_set_root(struct vcpu *v, mfn_t root);       /* NEW_BASEPTR: 0, -EINVAL, -ERESTART */
int pv_set_user_root(struct vcpu *v, mfn_t root);  /* NEW_USER_BASEPTR; mfn 0: none */
/* Drop both roots; -ERESTART. */
int pv_drop_roots(struct vcpu *v);
/* A guest wrote to a page table of its own, and faulted at `cr2`: emulate the write. True: done. */
bool pv_emulate_pt_write(struct vcpu *v, uint64_t cr2);

/* --- descriptors.c --- */
int pv_area_alloc(struct vcpu *v);
void pv_area_free(struct vcpu *v);
int pv_set_gdt(struct vcpu *v, const mfn_t *frames, unsigned int entries);
void pv_drop_gdt(struct vcpu *v);
int pv_set_ldt(struct vcpu *v, uint64_t base, unsigned int entries);
void pv_drop_ldt(struct vcpu *v);
/* A fault inside the vCPU's LDT area: map the guest's page there. True: try again. */
bool pv_ldt_fault(struct vcpu *v, uint64_t offset);
/* Make a descriptor one that ring 3 may have; false: it cannot be allowed. */
bool pv_fix_descriptor(uint64_t *desc);
int pv_update_descriptor(struct domain *d, uint64_t pa, uint64_t desc);
/* A selector that ring 3 may load as CS/SS of a guest: RPL 3 at least. */
uint16_t pv_fix_selector(uint16_t sel);

/* --- traps.c --- */
/* The handler of a vector; none at all. Of a stopped vCPU or the running one. */
void pv_set_trap(struct vcpu *v, unsigned int vector, const struct trap_info *t);
void pv_clear_traps(struct vcpu *v);
/* Give the running vCPU exception `vector`: its handler is called on return; without one the domain is crashed. */
void pv_inject_exception(struct vcpu *v, unsigned int vector, uint32_t error_code);
void pv_inject_page_fault(struct vcpu *v, uint64_t cr2, uint32_t error_code);

/* --- privop.c: instructions that ring 3 may not do --- */
/* True: done (registers advanced) or an exception was injected. False: not one of them. */
bool pv_emulate_privop(struct vcpu *v);
/* The #UD with the forced-emulation prefix before CPUID. */
bool pv_emulate_forced_cpuid(struct vcpu *v);

/* --- msr.c: RDMSR and WRMSR of the running vCPU; false: #GP --- */
bool pv_read_msr(struct vcpu *v, uint32_t msr, uint64_t *value);
bool pv_write_msr(struct vcpu *v, uint32_t msr, uint64_t value);

/* --- ports.c --- */
/* May the running vCPU's present mode use CLI and STI (its I/O privilege level); and these ports (or its bitmap)? */
bool pv_may_mask_interrupts(const struct vcpu *v);
bool pv_may_use_ports(struct vcpu *v, uint16_t port, unsigned int bytes);
/* The domain reads or writes: ports that are not its answer with all ones. */
uint32_t pv_port_in(struct domain *d, uint16_t port, unsigned int bytes);
void pv_port_out(struct domain *d, uint16_t port, unsigned int bytes, uint32_t value);

/* --- privop.c, too --- */
/* fpu_taskswitch: the running vCPU's CR0.TS. */
void pv_set_ts(struct vcpu *v, bool set);
/* The guest, or who restores it, sets CR4: any value, of which it gets what it may change. Loaded if it runs here. */
void pv_set_cr4(struct vcpu *v, uint64_t value);

/* --- cpuid.c: what a PV guest sees --- */
void pv_cpuid(struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4]);

/* --- debugreg.c --- */
int pv_set_debugreg(struct vcpu *v, unsigned int reg, uint64_t value);   /* 0, -EINVAL, -EPERM */
uint64_t pv_get_debugreg(struct vcpu *v, unsigned int reg);

/* --- grant_map.c: what grant/ needs of us (registered by pv_init) --- */
extern const struct grant_host_ops pv_grant_ops;

/* --- dump.c: guest_ops.dump_vcpu --- */
void pv_dump_vcpu(struct vcpu *v);

/* --- hypercall_page.c: the entries by which a guest kernel makes hypercalls --- */
void pv_fill_hypercall_page(void *page);

/* --- iret.c: HYPERVISOR_iret; false: the frame cannot be used and the domain has been crashed --- */
bool pv_iret(struct vcpu *v);

#endif
