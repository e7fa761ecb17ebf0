/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PV domain and its vCPUs: their state beside what domain/ keeps, their
 * context as the toolstack and VCPUOP_initialise hand it in, and giving
 * everything back when the domain dies.
 */
#include "abi/errno.h"
#include "core/cmdline.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/softirq.h"
#include "grant/grant.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mem/heap.h"
#include "mem/hvmap.h"
#include "pv/pv.h"
#include "x86/fpu.h"
#include "x86/insn.h"
#include "x86/msr.h"
#include "x86/upcalls.h"

/*
 * The machine-to-physical table becomes DOMID_XEN's, to be read. Toolstacks map it by whole extents, as
 * machphys_mfn_list names them.
 */
static void show_m2p(void)
{
    struct domain *owner = pv_get_nobody(DOMID_XEN);
    uint64_t end = ALIGN_UP(M2P_RW_START + frame_max * sizeof(uint64_t), M2P_EXTENT);

    for (uint64_t va = M2P_RW_START; va < end; va += PAGE_SIZE) {
        mfn_t m = hvmap_find(va);
        struct frame *f = mfn_to_frame(m);

        if (!mfn_valid(m))
            continue;
        f->owner = owner;
        f->type = (uint64_t)FRAME_NONE << FT_TYPE_SHIFT | FT_VALIDATED | 1;
        f->count = FC_HV | FC_ALLOCATED | 1;
    }
}

void pv_init(void)
{
    for (unsigned int cpu = 0; cpu < NR_CPUS_MAX; cpu++)
        guest_gdt_pte[cpu] = pte_make(ptr_to_mfn(desc_gdt_page(cpu)), PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX);
    guest_idle_cr3 = hv_root_paddr().v;
    pv_linear_allowed = cmdline_flag("pv-linear-pt", true);
    grant_set_host_ops(&pv_grant_ops);
    show_m2p();
}

static int pv_domain_create(struct domain *d)
{
    d->pv = heap_alloc(sizeof(*d->pv));
    return d->pv ? 0 : -ENOMEM;
}

static void pv_domain_destroy(struct domain *d)
{
    if (d->pv)
        heap_free(d->pv->policy);
    heap_free(d->pv);
    d->pv = NULL;
}

static void pv_vcpu_destroy(struct vcpu *v)
{
    if (v->cpu.gdt_pte)
        pv_area_free(v);
    heap_free(v->cpu.fpu);
    heap_free(v->pv);
    v->cpu.fpu = NULL;
    v->pv = NULL;
}

static int pv_vcpu_create(struct vcpu *v)
{
    v->pv = heap_alloc(sizeof(*v->pv));
    v->cpu.fpu = heap_alloc(fpu_area_size());
    if (!v->pv || !v->cpu.fpu || pv_area_alloc(v)) {
        pv_vcpu_destroy(v);
        return -ENOMEM;
    }
    v->pv->root_kernel = v->pv->root_user = MFN_INVALID;
    v->pv->cr4_guest = PV_CR4_FIXED;
    v->cpu.ibpb_entry = spec_on(v->domain->privileged ? SPEC_IBPB_ENTRY_DOM0 : SPEC_IBPB_ENTRY);
    guest_cpu_init(&v->cpu);
    v->cpu.linear_slots = bitmap_count(v->domain->pv->linear_slots, 512) ? v->domain->pv->linear_slots : NULL;
    return 0;
}

/* --- context --- */

static bool context_ok(const struct vcpu_guest_context *c)
{
    const unsigned long addresses[] = {c->user_regs.rip, c->kernel_sp, c->event_callback_eip, c->failsafe_callback_eip,
                                       c->syscall_callback_eip, c->fs_base, c->gs_base_kernel, c->gs_base_user};

    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
        if (!va_canonical(addresses[i]))
            return false;
    for (size_t i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++)
        if (!va_canonical(c->trap_ctxt[i].address))
            return false;
    return c->gdt_ents <= FIRST_RESERVED_GDT_ENTRY && c->ldt_ents <= 8192;
}

static int set_tables(struct vcpu *v, const struct vcpu_guest_context *c)
{
    mfn_t frames[14];
    int rc = 0;

    for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
        frames[i] = mfn(c->gdt_frames[i]);
    rc = pv_set_gdt(v, frames, (unsigned int)c->gdt_ents);
    if (rc == 0)
        rc = pv_set_ldt(v, c->ldt_base, (unsigned int)c->ldt_ents);
    if (rc == 0)
        rc = pv_finish(v);
    if (rc == 0)
        rc = pv_set_root(v, mfn(xen_cr3_to_pfn(c->ctrlreg[3])));
    if (rc == 0 && c->ctrlreg[1])
        rc = pv_set_user_root(v, mfn(xen_cr3_to_pfn(c->ctrlreg[1])));
    return rc;
}

static void set_registers(struct vcpu *v, const struct vcpu_guest_context *c)
{
    struct guest_cpu *g = &v->cpu;
    bool kernel = (c->flags & VGCF_in_kernel) || (c->user_regs.cs & 3) != 3 || g->cr3_user == 0;

    g->regs = c->user_regs;
    g->regs.cs = pv_fix_selector(g->regs.cs);
    g->regs.ss = pv_fix_selector(g->regs.ss);
    g->regs.rflags = (g->regs.rflags & ~(uint64_t)(EFLAGS_IOPL | EFLAGS_VM | EFLAGS_VIF | EFLAGS_VIP)) | EFLAGS_IF |
                     EFLAGS_MBS;
    g->regs.entry_vector = 0;
    g->iopl = (c->user_regs.rflags & EFLAGS_IOPL) >> 12;
    g->flags = (kernel ? GUEST_KERNEL : 0) | (c->flags & VGCF_syscall_disables_events ? GUEST_SYSCALL_MASKS : 0) |
               (c->flags & VGCF_failsafe_disables_events ? GUEST_FAILSAFE_MASKS : 0) |
               (v->domain->vm_assist & BIT(VMASST_TYPE_architectural_iopl) ? GUEST_SHOWS_IOPL : 0);
    g->kernel_sp = c->kernel_sp;
    g->kernel_ss = c->kernel_ss;
    g->event_rip = c->event_callback_eip;
    g->failsafe_rip = c->failsafe_callback_eip;
    g->syscall_rip = c->syscall_callback_eip;
    g->fs_base = c->fs_base;
    g->gs_base_kernel = c->gs_base_kernel;
    g->gs_base_user = c->gs_base_user;
    guest_update_short_ways(g);
}

static int pv_set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
    int rc;

    if (!context_ok(c))
        return -EINVAL;
    rc = set_tables(v, c);
    if (rc)
        return rc;
    for (unsigned int i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++)
        pv_set_trap(v, i, &c->trap_ctxt[i]);
    set_registers(v, c);
    for (unsigned int i = 0; i < 8; i++)
        if (i != 4 && i != 5 && c->debugreg[i] && pv_set_debugreg(v, i, c->debugreg[i]))
            return -EINVAL;
    if (c->flags & VGCF_I387_VALID)
        fpu_area_set_legacy(v->cpu.fpu, &c->fpu_ctxt);
    pv_set_cr4(v, c->ctrlreg[4]);
    return 0;
}

static void pv_get_context(struct vcpu *v, struct vcpu_guest_context *c)
{
    const struct guest_cpu *g = &v->cpu;

    memset(c, 0, sizeof(*c));
    memcpy(&c->fpu_ctxt, g->fpu, sizeof(c->fpu_ctxt));
    c->flags = VGCF_I387_VALID | (guest_in_kernel(g) ? VGCF_in_kernel : 0) |
               (g->flags & GUEST_SYSCALL_MASKS ? VGCF_syscall_disables_events : 0) |
               (g->flags & GUEST_FAILSAFE_MASKS ? VGCF_failsafe_disables_events : 0);
    c->user_regs = g->regs;
    /* The guest sees IF as the inverse of its event mask. */
    if (g->vcpu_info->evtchn_upcall_mask)
        c->user_regs.rflags &= ~(uint64_t)EFLAGS_IF;
    memcpy(c->trap_ctxt, v->pv->traps, sizeof(c->trap_ctxt));
    c->ldt_base = v->pv->ldt_linear;
    c->ldt_ents = v->pv->ldt_entries;
    c->gdt_ents = v->pv->gdt_entries;
    for (unsigned int i = 0; i < ARRAY_SIZE(v->pv->gdt_frames); i++)
        c->gdt_frames[i] = mfn_eq(v->pv->gdt_frames[i], MFN_INVALID) ? 0 : v->pv->gdt_frames[i].v;
    c->kernel_ss = g->kernel_ss;
    c->kernel_sp = g->kernel_sp;
    c->ctrlreg[1] = g->cr3_user;
    c->ctrlreg[3] = g->cr3_kernel;
    c->ctrlreg[4] = v->pv->cr4_guest;
    memcpy(c->debugreg, g->dr, sizeof(c->debugreg));
    c->event_callback_eip = g->event_rip;
    c->failsafe_callback_eip = g->failsafe_rip;
    c->syscall_callback_eip = g->syscall_rip;
    c->vm_assist = v->domain->vm_assist;
    c->fs_base = g->fs_base;
    c->gs_base_kernel = g->gs_base_kernel;
    c->gs_base_user = g->gs_base_user;
}

/* --- the end --- */

/* Not running any more: drop what it refers to. */
static int vcpu_relinquish(struct vcpu *v)
{
    pv_drop_gdt(v);
    pv_drop_ldt(v);
    v->pv->ldt_entries = v->cpu.ldt_entries = 0;
    return pv_drop_roots(v);
}

static void pv_vcpu_reset(struct vcpu *v)
{
    while (vcpu_relinquish(v))
        upcall_crosscall(); /* its root may be locked by a CPU that waits for us */
}

/* The frame after the cursor, referenced so that it stays on the list; the cursor's own reference is dropped. */
static struct frame *cursor_next(struct domain *d)
{
    struct frame *old = d->pv->cursor, *f;

    spin_lock(&d->page_lock);
    f = old ? frame_list_next(&d->pages, old) : frame_list_first(&d->pages);
    if (f)
        frame_get_known(f);
    spin_unlock(&d->page_lock);
    if (old)
        frame_put(old);
    d->pv->cursor = f;
    return f;
}

static int release_frame_type(struct domain *d, struct frame *f)
{
    if (!d->pv->dropping && pv_take_pin(f))
        d->pv->dropping = f;
    if (d->pv->dropping && pv_put_frame_and_type(d->pv->dropping))
        return -ERESTART;
    d->pv->dropping = NULL;
    return pv_undo_partial(f);
}

static int pv_relinquish(struct domain *d)
{
    for (unsigned int i = 0; i < d->max_vcpus && d->pv->step == 0; i++)
        if (d->vcpu[i] && vcpu_relinquish(d->vcpu[i]))
            return -ERESTART;
    if (d->pv->step == 0) {
        d->pv->step = 1;
        cursor_next(d);
    }
    while (d->pv->cursor) {
        if (release_frame_type(d, d->pv->cursor))
            return -ERESTART;
        cursor_next(d);
        if (preempt_pending())
            return -ERESTART;
    }
    return 0;
}

/* --- for evtchn/, grant/ and the rest --- */

static int get_writable_frame(struct domain *d, gfn_t g, struct frame **f)
{
    int rc = pv_get_frame_and_type(d, mfn(g.v), FRAME_WRITABLE);

    if (rc == 0)
        *f = mfn_to_frame(mfn(g.v));
    return rc ? -EINVAL : 0;
}

static void put_writable_frame(struct frame *f)
{
    pv_put_simple_type(f);
    frame_put(f);
}

const struct guest_ops pv_guest_ops = {
    .domain_create = pv_domain_create,
    .domain_destroy = pv_domain_destroy,
    .domain_relinquish = pv_relinquish,
    .vcpu_create = pv_vcpu_create,
    .vcpu_destroy = pv_vcpu_destroy,
    .vcpu_set_context = pv_set_context,
    .vcpu_get_context = pv_get_context,
    .vcpu_reset = pv_vcpu_reset,
    .dump_vcpu = pv_dump_vcpu,
    .get_writable_frame = get_writable_frame,
    .put_writable_frame = put_writable_frame,
};
