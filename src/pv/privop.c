/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Privileged instructions that a PV kernel has left in its code: they fault in
 * ring 3 and are done here as far as a PV guest has what they touch. What it
 * has not raises #GP, as the processor would for user code.
 */
#include "abi/errno.h"
#include "lib/string.h"
#include "pv/emulate.h"
#include "pv/pv.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/msr.h"
#include "x86/uaccess.h"
#include "x86/uaccess_words.h"

static struct vcpu *vcpu_of(struct emul_ctx *ctx)
{
    return ctx->opaque;
}

static int gp(struct emul_ctx *ctx)
{
    return emul_raise(ctx, VEC_GP, 0);
}

int pv_emul_fetch(struct emul_ctx *ctx, uint64_t va, void *to, unsigned int bytes)
{
    if (!guest_range_ok(va, bytes))
        return EMUL_UNHANDLEABLE;
    /* Another vCPU may change the code now: it is fetched once and used as fetched. */
    return guest_copy_from(to, va, bytes) ? emul_raise_page_fault(ctx, va, 0x10) : EMUL_OKAY;
}

int pv_emul_segment(struct emul_ctx *ctx, enum emul_seg seg, struct emul_segment *out)
{
    struct vcpu *v = current_vcpu();

    *out = (struct emul_segment){.limit = 0xffffffff};
    if (seg != EMUL_FS && seg != EMUL_GS)
        return EMUL_OKAY;
    guest_read_segments(&v->cpu);
    if (seg == EMUL_FS)
        out->base = v->cpu.fs_base;
    else
        out->base = guest_in_kernel(&v->cpu) ? v->cpu.gs_base_kernel : v->cpu.gs_base_user;
    return EMUL_OKAY;
}

static int mem_read(struct emul_ctx *ctx, uint64_t va, void *to, unsigned int bytes)
{
    return guest_copy_from(to, va, bytes) ? emul_raise_page_fault(ctx, va, 0) : EMUL_OKAY;
}

static int mem_write(struct emul_ctx *ctx, uint64_t va, const void *from, unsigned int bytes)
{
    return guest_copy_to(va, from, bytes) ? emul_raise_page_fault(ctx, va, 2) : EMUL_OKAY;
}

static int read_msr(struct emul_ctx *ctx, uint32_t msr, uint64_t *value)
{
    return pv_read_msr(vcpu_of(ctx), msr, value) ? EMUL_OKAY : gp(ctx);
}

static int write_msr(struct emul_ctx *ctx, uint32_t msr, uint64_t value)
{
    return pv_write_msr(vcpu_of(ctx), msr, value) ? EMUL_OKAY : gp(ctx);
}

static int read_cr(struct emul_ctx *ctx, unsigned int cr, uint64_t *value)
{
    struct vcpu *v = vcpu_of(ctx);

    switch (cr) {
    case 0:
        *value = (read_cr0() & ~(uint64_t)CR0_TS) | ((v->cpu.flags & GUEST_USER_TS) ? CR0_TS : 0);
        return EMUL_OKAY;
    case 2:
        *value = v->cpu.vcpu_info->arch.cr2;
        return EMUL_OKAY;
    case 3:
        *value = v->cpu.cr3_kernel;
        return EMUL_OKAY;
    case 4:
        *value = v->pv->cr4_guest;
        return EMUL_OKAY;
    default:
        return EMUL_UNHANDLEABLE;
    }
}

void pv_set_ts(struct vcpu *v, bool set)
{
    if (set) {
        v->cpu.flags |= GUEST_USER_TS;
        write_cr0(read_cr0() | CR0_TS);
    } else {
        v->cpu.flags &= ~(uint64_t)GUEST_USER_TS;
        __asm__ volatile("clts");
    }
}

static int write_cr(struct emul_ctx *ctx, unsigned int cr, uint64_t value)
{
    struct vcpu *v = vcpu_of(ctx);

    switch (cr) {
    case 0: /* only TS is the guest's */
        if ((value ^ read_cr0()) & ~(uint64_t)CR0_TS)
            return gp(ctx);
        pv_set_ts(v, value & CR0_TS);
        return EMUL_OKAY;
    case 2:
        v->cpu.vcpu_info->arch.cr2 = value;
        return EMUL_OKAY;
    case 3: {
        int rc = pv_finish(v);

        if (rc == 0)
            rc = pv_set_root(v, paddr_to_mfn(paddr(value & PTE_ADDR)));
        return rc == 0 ? EMUL_OKAY : rc == -ERESTART ? EMUL_RETRY : gp(ctx);
    }
    case 4:
        pv_set_cr4(v, value);
        return EMUL_OKAY;
    default:
        return EMUL_UNHANDLEABLE;
    }
}

/* Any value is taken; what the guest cannot change stays. */
void pv_set_cr4(struct vcpu *v, uint64_t value)
{
    if (!cpu_features.fsgsbase)
        value &= ~(uint64_t)CR4_FSGSBASE;
    v->pv->cr4_guest = PV_CR4_FIXED | (value & (CR4_GUESTS_OWN | (read_cr4() & CR4_OSXSAVE)));
    v->cpu.cr4 = (read_cr4() & ~(uint64_t)CR4_GUESTS_OWN) | (v->pv->cr4_guest & CR4_GUESTS_OWN);
    if (cpu_local()->guest == &v->cpu)
        guest_load_cr4(&v->cpu);
}

static int read_dr(struct emul_ctx *ctx, unsigned int dr, uint64_t *value)
{
    if ((dr == 4 || dr == 5) && (vcpu_of(ctx)->pv->cr4_guest & CR4_DE))
        return emul_raise(ctx, VEC_UD, 0);
    *value = pv_get_debugreg(vcpu_of(ctx), dr);
    return EMUL_OKAY;
}

static int write_dr(struct emul_ctx *ctx, unsigned int dr, uint64_t value)
{
    if ((dr == 4 || dr == 5) && (vcpu_of(ctx)->pv->cr4_guest & CR4_DE))
        return emul_raise(ctx, VEC_UD, 0);
    return pv_set_debugreg(vcpu_of(ctx), dr, value) ? gp(ctx) : EMUL_OKAY;
}

/* XCR0 rules: Intel SDM vol. 1, 13.3. */
static int write_xcr(struct emul_ctx *ctx, uint32_t xcr, uint64_t value)
{
    struct vcpu *v = vcpu_of(ctx);

    if (!(v->pv->cr4_guest & CR4_OSXSAVE))
        return emul_raise(ctx, VEC_UD, 0);
    if (xcr != 0 || (value & ~cpu_features.xcr0) || !(value & 1) || ((value & 4) && !(value & 2)) ||
        ((value & 0xe0) && (value & 0xe4) != 0xe4))
        return gp(ctx);
    v->cpu.xcr0 = value;
    xsetbv(0, value);
    return EMUL_OKAY;
}

static int wbinvd_op(struct emul_ctx *ctx, bool invd)
{
    if (invd)
        return gp(ctx);
    /* Only who has devices has caches to write back. */
    if (vcpu_of(ctx)->domain->privileged)
        wbinvd();
    return EMUL_OKAY;
}

static int cpuid_op(struct emul_ctx *ctx, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    pv_cpuid(vcpu_of(ctx), leaf, subleaf, out);
    return EMUL_OKAY;
}

static int port_in(struct emul_ctx *ctx, uint16_t port, unsigned int bytes, uint32_t *value)
{
    if (!pv_may_use_ports(vcpu_of(ctx), port, bytes))
        return gp(ctx);
    *value = pv_port_in(vcpu_of(ctx)->domain, port, bytes);
    return EMUL_OKAY;
}

static int port_out(struct emul_ctx *ctx, uint16_t port, unsigned int bytes, uint32_t value)
{
    if (!pv_may_use_ports(vcpu_of(ctx), port, bytes))
        return gp(ctx);
    pv_port_out(vcpu_of(ctx)->domain, port, bytes, value);
    return EMUL_OKAY;
}

/* Events are masked in vcpu_info; CLI and STI have no meaning there, and no effect. */
static int set_if(struct emul_ctx *ctx, bool on)
{
    return pv_may_mask_interrupts(vcpu_of(ctx)) ? EMUL_OKAY : gp(ctx);
}

static int read_tsc(struct emul_ctx *ctx, uint64_t *tsc, uint32_t *aux)
{
    struct vcpu *v = vcpu_of(ctx);

    if ((v->pv->cr4_guest & CR4_TSD) && !guest_in_kernel(&v->cpu))
        return gp(ctx);
    *tsc = rdtsc();
    if (aux)
        *aux = v->cpu.tsc_aux;
    return EMUL_OKAY;
}

static int read_pmc(struct emul_ctx *ctx, uint32_t counter, uint64_t *value)
{
    return gp(ctx);
}

static const struct emul_ops privop_ops = {
    .fetch = pv_emul_fetch, .read = mem_read, .write = mem_write, .segment = pv_emul_segment,
    .read_msr = read_msr, .write_msr = write_msr, .read_cr = read_cr, .write_cr = write_cr,
    .read_dr = read_dr, .write_dr = write_dr, .write_xcr = write_xcr,
    .wbinvd = wbinvd_op, .cpuid = cpuid_op, .port_in = port_in, .port_out = port_out,
    .set_if = set_if, .read_tsc = read_tsc, .read_pmc = read_pmc,
};

/* 64-bit code, by the L bit of its segment (LAR, Intel SDM vol. 2A). */
static bool code_is_64bit(uint16_t cs)
{
    uint32_t rights = 0;

    if (cs == SEL_USER_CS64)
        return true;
    __asm__("lar %1, %0" : "+r"(rights) : "r"((uint32_t)cs) : "cc");
    return rights & BIT(21);
}

static bool run(struct vcpu *v, bool forced)
{
    struct emul_ctx ctx = {
        .regs = &v->cpu.regs,
        .ops = &privop_ops,
        .opaque = v,
        .mode64 = code_is_64bit(v->cpu.regs.cs),
        .privileged = guest_in_kernel(&v->cpu),
        .forced_prefix = forced,
    };

    switch (emul_run(&ctx)) {
    case EMUL_OKAY:
        if (ctx.single_step) {
            v->cpu.dr[6] |= BIT(14);
            pv_inject_exception(v, VEC_DB, 0);
        }
        return true;
    case EMUL_RETRY:
        return true;
    case EMUL_EXCEPTION:
        if (ctx.fault.vector == VEC_PF)
            pv_inject_page_fault(v, ctx.fault.cr2, ctx.fault.error_code);
        else
            pv_inject_exception(v, ctx.fault.vector, ctx.fault.error_code);
        return true;
    default:
        return false;
    }
}

/* RDMSR of its user mode's GS base, which Linux's kernel has at every switch of processes, without the emulator. */
static bool read_user_gs(struct vcpu *v)
{
    struct cpu_user_regs *r = &v->cpu.regs;
    uint64_t code, base;

    if ((uint32_t)r->rcx != MSR_KERNEL_GS_BASE || !guest_in_kernel(&v->cpu) || r->cs != SEL_USER_CS64 ||
        (r->rflags & EFLAGS_TF))
        return false;
    if (guest_read_1(&v->cpu, r->rip, &code) || (code & 0xffff) != 0x320f)
        return false;
    base = guest_read_other_gs();
    r->rax = (uint32_t)base;
    r->rdx = base >> 32;
    r->rip += 2;
    r->rflags &= ~(uint64_t)EFLAGS_RF;
    return true;
}

bool pv_emulate_privop(struct vcpu *v)
{
    /* The error code names a selector or gate: not an instruction's refusal. */
    return v->cpu.regs.error_code == 0 && (read_user_gs(v) || run(v, false));
}

bool pv_emulate_forced_cpuid(struct vcpu *v)
{
    static const uint8_t prefix[5] = {0x0f, 0x0b, 'x', 'e', 'n'};
    uint8_t code[5];

    if (guest_copy_from(code, v->cpu.regs.rip, sizeof(code)) || memcmp(code, prefix, sizeof(code)) != 0)
        return false;
    return run(v, true);
}
