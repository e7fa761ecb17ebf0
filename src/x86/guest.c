/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing the vCPU that a CPU runs.
 *
 * General registers never move (x86/guest.h). The rest stays in the CPU when it goes idle: a vCPU that comes
 * back finds everything where it was. It is stored only when another vCPU comes, or another CPU asks
 * for this one (guest_unload_local). At a change of vCPU:
 *
 *                        stored                loaded
 *   FPU, SSE, AVX        always (XSAVEOPT)     always. Not at first use: what another server left in registers
 *                                              could be read by speculation, and CR0.TS is the guest's
 *   FS and GS bases      always                always: guests change them without our knowledge
 *   selectors            always                DS, ES if others; FS, GS always, for a load sets the base
 *   CR3                  never: known          always, which flushes the vCPU's own translations: a flush of one
 *                                              vCPU goes to the CPU that it was on last, not to this one. Those
 *                                              of the hypervisor are global and stay
 *   GDT                  never                 LGDT always; the page of this CPU's own descriptors in it only
 *                                              when the vCPU comes from another CPU
 *   LDT                  never                 if one of the two has one
 *   CR4, XCR0, TSC_AUX   never                 if they differ
 *   debug registers      never                 if one of the two uses them (DR7)
 *   predictors           never                 emptied, where the processor needs it; SPEC_CTRL then, too
 *   local APIC's timer   never                 if what it is to tell comes sooner (core/timer.c)
 *   time record          never                 if the line over the TSC is another (domain/vtimer.c)
 *
 * One switch and back is 2 CR3 loads and no other flush, no interrupt and no cross-call (`counters`).
 */
#include "x86/guest.h"

#include "abi/errno.h"
#include "x86/counters.h"
#include "x86/atomic.h"
#include "x86/fpu.h"
#include "x86/gate.h"
#include "x86/insn.h"
#include "x86/msr.h"
#include "x86/patch.h"
#include "x86/spec.h"
#include "x86/trap.h"
#include "x86/uaccess.h"
#include "x86/upcalls.h"

/* RFLAGS that an exception or callback clears: TF, DF, IOPL, NT, RF, VM, AC. */
#define RFLAGS_HANDLER_CLEARS (EFLAGS_TF | EFLAGS_DF | EFLAGS_IOPL | EFLAGS_NT | EFLAGS_RF | EFLAGS_VM | EFLAGS_AC)

pte_t guest_gdt_pte[NR_CPUS_MAX];
uint64_t guest_idle_cr3;

/* Not those that load registers (iret, multicall) or end with a report of the domain's crash. */
const uint64_t quick_hypercalls =
    BIT(__HYPERVISOR_mmu_update) | BIT(__HYPERVISOR_stack_switch) | BIT(__HYPERVISOR_fpu_taskswitch) |
    BIT(__HYPERVISOR_update_descriptor) | BIT(__HYPERVISOR_update_va_mapping) | BIT(__HYPERVISOR_set_timer_op) |
    BIT(__HYPERVISOR_xen_version) | BIT(__HYPERVISOR_grant_table_op) | BIT(__HYPERVISOR_set_segment_base) |
    BIT(__HYPERVISOR_mmuext_op) | BIT(__HYPERVISOR_event_channel_op);

/*
 * Its root, and what else is a matter of speculation: gate.S calls guest_load_root() in place of the instruction,
 * whose prefixes make it five bytes long, where there is more to do (x86/patch.h).
 */
static inline void load_root(uint64_t cr3)
{
    __asm__ volatile("1: .byte 0x2e, 0x2e; mov %0, %%cr3\n\t"
                     ".pushsection .patches, \"a\"\n\t"
                     ".balign 4; .long 1b - ., gate_load_root - ., %c1, %c2\n\t"
                     ".popsection" ::"a"(cr3), "i"(SPEC_LOAD_HOOK), "i"(PATCH_CALL) : "memory", "cc");
}

/* What this CPU's registers hold: the guest (NULL: none), and the values last written. */
static struct loaded {
    struct guest_cpu *guest;
    uint64_t cr4;
    uint32_t tsc_aux;
    bool debug, ldt;
} ALIGNED(64) loaded[NR_CPUS_MAX];

/* RDFSBASE and its kin work while a guest is loaded that has enabled them for itself. */
static bool base_instructions(void)
{
    return loaded[cpu_id()].cr4 & CR4_FSGSBASE;
}

static uint64_t read_base(uint32_t msr)
{
    uint64_t v;

    if (!base_instructions())
        return rdmsr(msr);
    if (msr == MSR_FS_BASE)
        __asm__ volatile("rdfsbase %0" : "=r"(v));
    else
        __asm__ volatile("rdgsbase %0" : "=r"(v));
    return v;
}

static void write_base(uint32_t msr, uint64_t v)
{
    if (!base_instructions())
        wrmsr(msr, v);
    else if (msr == MSR_FS_BASE)
        __asm__ volatile("wrfsbase %0" ::"r"(v));
    else
        __asm__ volatile("wrgsbase %0" ::"r"(v));
}

/* SWAPGS and RDGSBASE are cheaper than the MSR. */
uint64_t guest_read_other_gs(void)
{
    uint64_t v;

    swapgs();
    v = read_base(MSR_GS_BASE);
    swapgs();
    return v;
}

#define READ_SREG(name)                                       \
    ({                                                        \
        uint16_t v_;                                          \
        __asm__ volatile("movw %%" #name ", %0" : "=r"(v_));  \
        v_;                                                   \
    })

/* Load a selector; a bad one (its descriptor has changed meanwhile) becomes null, and `bad` true. */
#define LOAD_SREG(name, sel, bad)                                         \
    do {                                                                  \
        __asm__ volatile("1: movw %1, %%" #name "\n"                      \
                         "2:\n\t"                                         \
                         ".pushsection .text.fixup, \"ax\"\n"             \
                         "3: pushq %%rax\n\t"                             \
                         "xorl %%eax, %%eax\n\t"                          \
                         "movw %%ax, %%" #name "\n\t"                     \
                         "popq %%rax\n\t"                                 \
                         "movb $1, %0\n\t"                                \
                         "jmp 2b\n\t"                                     \
                         ".popsection\n\t"                                \
                         EX_ENTRY(1b, 3b)                                 \
                         : "+q"(bad)                                      \
                         : "r"(sel)                                       \
                         : "memory");                                     \
    } while (0)

void guest_read_segments(struct guest_cpu *g)
{
    uint64_t gs = read_base(MSR_GS_BASE), other = guest_read_other_gs();

    g->regs.ds = READ_SREG(ds);
    g->regs.es = READ_SREG(es);
    g->regs.fs = READ_SREG(fs);
    g->regs.gs = READ_SREG(gs);
    g->fs_base = read_base(MSR_FS_BASE);
    g->gs_base_kernel = guest_in_kernel(g) ? gs : other;
    g->gs_base_user = guest_in_kernel(g) ? other : gs;
}

void guest_load_segments(struct guest_cpu *g)
{
    bool kernel = guest_in_kernel(g), bad = false;

    if (g->regs.ds != READ_SREG(ds))
        LOAD_SREG(ds, g->regs.ds, bad);
    if (g->regs.es != READ_SREG(es))
        LOAD_SREG(es, g->regs.es, bad);
    /* A load of FS or GS sets the base too, so bases come after. */
    LOAD_SREG(fs, g->regs.fs, bad);
    LOAD_SREG(gs, g->regs.gs, bad);
    write_base(MSR_FS_BASE, g->fs_base);
    write_base(MSR_GS_BASE, kernel ? g->gs_base_user : g->gs_base_kernel);
    swapgs();
    write_base(MSR_GS_BASE, kernel ? g->gs_base_kernel : g->gs_base_user);
    if (bad)
        atomic_or(&g->work, GUEST_WORK_FAILSAFE);
}

void guest_load_user_gs(struct guest_cpu *g, uint16_t sel)
{
    bool bad = false; /* the interface has no way to say so */

    (void)g;          /* in kernel mode: the user's base is the one that SWAPGS brings */
    swapgs();
    LOAD_SREG(gs, sel, bad);
    __asm__ volatile("mfence" ::: "memory");
    swapgs();
}

void guest_load_cr4(struct guest_cpu *g)
{
    count(COUNT_CR4_LOADS);
    loaded[cpu_id()].cr4 = g->cr4;
    write_cr4(g->cr4);
}

void guest_load_debug(struct guest_cpu *g)
{
    write_dr7(0x400);
    write_dr0(g->dr[0]);
    write_dr1(g->dr[1]);
    write_dr2(g->dr[2]);
    write_dr3(g->dr[3]);
    write_dr6(g->dr[6]);
    write_dr7(g->dr[7] | 0x400);
    loaded[cpu_id()].debug = (g->dr[7] & 0xff) != 0;
}

void guest_load_tsc_aux(const struct guest_cpu *g)
{
    loaded[cpu_id()].tsc_aux = g->tsc_aux;
    wrmsr(MSR_TSC_AUX, g->tsc_aux);
}

/* FPU instructions fault while CR0.TS is set for the guest, and move only what XCR0 has enabled. */
static void fpu_open(const struct guest_cpu *g)
{
    if (g->flags & GUEST_USER_TS)
        __asm__ volatile("clts");
    if (cpu_features.xsave && g->xcr0 != cpu_features.xcr0)
        xsetbv(0, cpu_features.xcr0);
}

static void fpu_close(const struct guest_cpu *g)
{
    if (cpu_features.xsave && g->xcr0 != cpu_features.xcr0)
        xsetbv(0, g->xcr0);
    if (g->flags & GUEST_USER_TS)
        write_cr0(read_cr0() | CR0_TS);
}

static void store(struct guest_cpu *g)
{
    fpu_open(g);
    fpu_save(g->fpu);
    guest_read_segments(g);
    atomic_store(&g->running_on, -1);
}

static void load(struct guest_cpu *g, struct loaded *l)
{
    unsigned int cpu = cpu_id();
    uint64_t cr3 = guest_in_kernel(g) ? g->cr3_kernel : g->cr3_user;

    atomic_store(&g->running_on, (int32_t)cpu);
    g->stack_top = (uint64_t)cpu_local();
    /* Also if it is there already: a guest's flush of one vCPU goes to the CPU that it was on, not to this one. */
    count(COUNT_CR3_LOADS);
    load_root(cr3);
    if (*g->gdt_pte != guest_gdt_pte[cpu]) {
        WRITE_ONCE(*g->gdt_pte, guest_gdt_pte[cpu]);
        invlpg(g->gdt_base + 14 * PAGE_SIZE);
    }
    desc_load_gdt(g->gdt_base);
    if (l->ldt || g->ldt_entries) {
        desc_load_ldt(g->ldt_base, g->ldt_entries);
        l->ldt = g->ldt_entries != 0;
    }
    desc_set_frame_top((uint64_t)&g->regs.es);
    if (l->cr4 != g->cr4)
        guest_load_cr4(g);
    if (l->tsc_aux != g->tsc_aux)
        guest_load_tsc_aux(g);
    if (l->debug || (g->dr[7] & 0xff))
        guest_load_debug(g);
    guest_load_segments(g);
    fpu_restore(g->fpu);
    fpu_close(g);
}

void guest_switch(struct guest_cpu *next)
{
    struct loaded *l = &loaded[cpu_id()];

    cpu_local()->guest = next;
    if (!next)
        enter_idle();
    if (l->guest != next) {
        if (l->guest)
            store(l->guest);
        if (cpu_features.xsave && next->xcr0 != cpu_features.xcr0)
            xsetbv(0, cpu_features.xcr0);
        load(next, l);
        count(COUNT_SWITCHES);
        l->guest = next;
    }
    enter_guest(next);
}

void guest_unload_local(void)
{
    struct loaded *l = &loaded[cpu_id()];

    if (!l->guest)
        return;
    store(l->guest);
    if (cpu_features.xsave)
        xsetbv(0, cpu_features.xcr0);
    __asm__ volatile("clts");
    l->guest = NULL;
    /* Nothing of a domain that may be about to vanish stays loaded. */
    write_cr3(guest_idle_cr3);
    desc_load_gdt((uint64_t)desc_gdt_page(cpu_id()) - 14 * PAGE_SIZE);
    desc_load_ldt(0, 0);
    l->ldt = false;
}

void guest_load_cr3(struct guest_cpu *g)
{
    count(COUNT_CR3_LOADS);
    load_root(guest_in_kernel(g) ? g->cr3_kernel : g->cr3_user);
}

void guest_set_spec_ctrl(struct guest_cpu *g, uint64_t value)
{
    g->spec_ctrl = value;
    if (!spec_on(SPEC_IBRS_ENTRY)) /* else it is loaded at exit */
        wrmsr(MSR_SPEC_CTRL, spec.ctrl | value);
}

/* load_root() on processors that need it. Another vCPU finds nothing of the last one's in the predictors. */
void guest_load_root(uint64_t cr3)
{
    struct guest_cpu *g = cpu_local()->guest;
    struct gate_cpu *gate = &gate_cpus[cpu_id()];

    if (loaded[cpu_id()].guest != g) {
        if (spec_on(SPEC_IBPB)) {
            wrmsr(MSR_PRED_CMD, 1);
            gate_overwrite_rsb();
        }
        if (spec.guest_ctrl)
            guest_set_spec_ctrl(g, g->spec_ctrl);
    }
    gate->exit_cr3 = cr3;
    gate->entry_cr3 = spec_on(SPEC_XPTI) ? upcall_whole_root(cr3, guest_in_kernel(g)) : cr3;
    write_cr3(gate->entry_cr3);
}

void guest_toggle_mode(struct guest_cpu *g)
{
    swapgs();
    g->flags ^= GUEST_KERNEL;
    guest_load_cr3(g);
}

void guest_cpu_init(struct guest_cpu *g)
{
    void *fpu = g->fpu;
    uint64_t gdt_base = g->gdt_base, ldt_base = g->ldt_base;
    pte_t *gdt_pte = g->gdt_pte;
    struct vcpu_info *info = g->vcpu_info;

    *g = (struct guest_cpu){
        .fpu = fpu,
        .gdt_base = gdt_base,
        .ldt_base = ldt_base,
        .gdt_pte = gdt_pte,
        .vcpu_info = info,
        .flags = GUEST_KERNEL,
        .dr = {[6] = 0xffff0ff0, [7] = 0x400},
        .xcr0 = cpu_features.xcr0,
        .running_on = -1,
        .ibpb_entry = g->ibpb_entry,
    };
    g->cr4 = read_cr4() & ~(uint64_t)CR4_GUESTS_OWN;
    fpu_area_init(fpu);
}

int guest_deliver_bounce(struct guest_cpu *g)
{
    struct cpu_user_regs *r = &g->regs;
    struct guest_bounce *b = &g->bounce;
    bool from_kernel = guest_in_kernel(g);
    uint64_t sp = (from_kernel ? r->rsp : g->kernel_sp) & ~0xfULL;
    uint64_t frame[12];
    unsigned int n = 0;
    /* The guest may write this byte at any time; one read decides both uses. */
    uint8_t mask = READ_ONCE(g->vcpu_info->evtchn_upcall_mask);

    if (!va_canonical(b->rip))
        return -EINVAL;
    if (!from_kernel)
        guest_toggle_mode(g);
    if (b->with_segments) {
        frame[n++] = r->ds;
        frame[n++] = r->es;
        frame[n++] = r->fs;
        frame[n++] = r->gs;
    }
    frame[n++] = r->rcx;
    frame[n++] = r->r11;
    if (b->has_error)
        frame[n++] = b->error_code;
    frame[n++] = r->rip;
    frame[n++] = (uint64_t)(from_kernel ? r->cs & ~3u : r->cs) | (uint64_t)(mask ? 1 : 0) << 32;
    frame[n++] = (r->rflags & ~(uint64_t)(EFLAGS_IF | EFLAGS_IOPL)) | (mask ? 0 : EFLAGS_IF) |
                 (g->flags & GUEST_SHOWS_IOPL ? (uint64_t)g->iopl << 12 : 0);
    frame[n++] = r->rsp;
    frame[n++] = r->ss;
    sp -= 8 * n;
    if (guest_copy_to(sp, frame, 8 * n))
        return -EFAULT;
    if (b->masks_events)
        WRITE_ONCE(g->vcpu_info->evtchn_upcall_mask, 1);
    r->rsp = sp;
    r->rip = b->rip;
    r->cs = SEL_USER_CS64;
    r->ss = SEL_USER_SS;
    r->rflags = (r->rflags & ~(uint64_t)RFLAGS_HANDLER_CLEARS) | EFLAGS_IF | EFLAGS_MBS;
    r->entry_vector = VEC_SYSCALL; /* RCX and R11 are in the frame, so SYSRET may have them */
    return 0;
}
