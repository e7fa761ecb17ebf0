/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes to page tables by ordinary instructions.
 *
 * A guest kernel's page tables are mapped read-only, and its stores to them
 * fault. If the address lies in one of its own level-1 tables, the instruction
 * is emulated and the store becomes a checked change of that entry. Linux does
 * this wherever it exchanges an entry atomically (ptep_get_and_clear).
 */
#include "abi/errno.h"
#include "lib/string.h"
#include "pv/emulate.h"
#include "pv/pv.h"
#include "x86/msr.h"
#include "x86/uaccess.h"
#include "x86/uaccess_words.h"

struct pt_write {
    struct vcpu *v;
    struct frame *table;
    uint64_t va; /* page of the guest's that maps the table */
};

static int pt_read(struct emul_ctx *ctx, uint64_t va, void *to, unsigned int bytes)
{
    return guest_copy_from(to, va, bytes) ? EMUL_UNHANDLEABLE : EMUL_OKAY;
}

/* Change the 8-byte entry around [va, va+bytes) from *old (all 8 bytes) to new. */
static int change(struct pt_write *w, uint64_t va, uint64_t *old, uint64_t new)
{
    int rc;

    if (!pv_lock_table(w->table, FRAME_L1))
        return EMUL_UNHANDLEABLE;
    rc = pv_exchange_l1e(w->v->domain, w->v->domain, w->table, (va & (PAGE_SIZE - 1)) / 8, new, old);
    pv_unlock_table(w->table);
    if (rc == -ERESTART)
        return EMUL_RETRY;
    return rc == 0 || rc == -EAGAIN ? EMUL_OKAY : EMUL_UNHANDLEABLE;
}

static int pt_cmpxchg(struct emul_ctx *ctx, uint64_t va, void *old, const void *new, unsigned int bytes)
{
    struct pt_write *w = ctx->opaque;
    unsigned int shift = (unsigned int)(va & 7) * 8;
    pte_t *entry, was, mask, o = 0, n = 0;
    int rc;

    if ((va & ~(uint64_t)(PAGE_SIZE - 1)) != w->va || bytes > 8 || (va & 7) + bytes > 8)
        return EMUL_UNHANDLEABLE;
    mask = bytes == 8 ? ~0ULL : (BIT(bytes * 8) - 1) << shift;
    memcpy(&o, old, bytes);
    memcpy(&n, new, bytes);
    o <<= shift;
    n <<= shift;
    entry = (pte_t *)frame_to_ptr(w->table) + (va & (PAGE_SIZE - 1)) / 8;
    was = READ_ONCE(*entry);
    if ((was & mask) != o) {
        was = (was & mask) >> shift;
        memcpy(old, &was, bytes);
        return EMUL_OKAY;
    }
    o |= was & ~mask;
    rc = change(w, va, &o, n | (was & ~mask));
    o = (o & mask) >> shift;
    memcpy(old, &o, bytes);
    return rc;
}

static int pt_write(struct emul_ctx *ctx, uint64_t va, const void *from, unsigned int bytes)
{
    struct pt_write *w = ctx->opaque;
    uint64_t old, seen;
    int rc;

    if ((va & ~(uint64_t)(PAGE_SIZE - 1)) != w->va || bytes > 8 || (va & 7) + bytes > 8)
        return EMUL_UNHANDLEABLE;
    /* The hardware may set A and D between the read and the exchange: again, then. */
    do {
        old = READ_ONCE(((pte_t *)frame_to_ptr(w->table))[(va & (PAGE_SIZE - 1)) / 8]) >> ((va & 7) * 8);
        seen = old;
        rc = pt_cmpxchg(ctx, va, &seen, from, bytes);
    } while (rc == EMUL_OKAY && memcmp(&seen, &old, bytes) != 0);
    return rc;
}

static const struct emul_ops pt_ops = {
    .fetch = pv_emul_fetch,
    .read = pt_read,
    .write = pt_write,
    .cmpxchg = pt_cmpxchg,
    .segment = pv_emul_segment,
};

/*
 * The two instructions by which kernels write whole entries, without the
 * emulator: XCHG and MOV of a 64-bit register to memory, addressed by a
 * register and perhaps a displacement. Their only access is the one that
 * faulted, so CR2 is its address. False: something else, nothing was done.
 */
static bool write_simply(struct vcpu *v, struct frame *table, uint64_t cr2)
{
    static const uint8_t length[4] = {3, 4, 7, 0}; /* by the mod field of ModRM; 3: no memory operand */
    struct cpu_user_regs *r = &v->cpu.regs;
    unsigned int mod, rm;
    uint64_t code, e, *reg;

    /* Read once; should another vCPU have changed it meanwhile, the guest gets one of the two instructions. */
    if ((cr2 & 7) || (r->rflags & EFLAGS_TF) || guest_read_1(&v->cpu, r->rip, &code))
        return false;
    mod = (unsigned int)(code >> 22) & 3;
    rm = (unsigned int)(code >> 16) & 7;
    /* REX.W, the opcode; a SIB byte follows 4, and 5 without displacement is relative to RIP. */
    if ((code & 0xfff8) != 0x8748 && (code & 0xfff8) != 0x8948)
        return false;
    if (mod == 3 || rm == 4 || (rm == 5 && mod == 0))
        return false;
    reg = emul_reg_address(r, (unsigned int)((code >> 19 & 7) | (code & 4) << 1));
    e = *reg;
    if (pv_swap_l1(v->domain, table, (unsigned int)(cr2 & (PAGE_SIZE - 1)) / 8, &e))
        return false;
    if ((code & 0xff00) == 0x8700)
        *reg = e;
    r->rip += length[mod];
    r->rflags &= ~(uint64_t)EFLAGS_RF;
    return true;
}

bool pv_emulate_pt_write(struct vcpu *v, uint64_t cr2)
{
    struct pt_write w = {.v = v, .va = cr2 & ~(uint64_t)(PAGE_SIZE - 1)};
    struct emul_ctx ctx = {.regs = &v->cpu.regs, .ops = &pt_ops, .opaque = &w, .mode64 = true};
    pte_t e = pv_read_l1e(v, cr2);
    uint64_t word;
    int rc;

    if ((e & (PTE_P | PTE_RW)) != PTE_P)
        return false;
    /* The first domain has it without asking, as on Xen. */
    if (!v->domain->privileged && !(READ_ONCE(v->domain->vm_assist) & BIT(VMASST_TYPE_writable_pagetables)))
        return false;
    if (mfn_valid(pte_mfn(e)) && write_simply(v, mfn_to_frame(pte_mfn(e)), cr2))
        return true;
    w.table = frame_get_mfn(pte_mfn(e), v->domain);
    if (!w.table)
        return false;
    word = atomic_load(&w.table->type);
    rc = EMUL_UNHANDLEABLE;
    if (frame_type_of(word) == FRAME_L1 && (word & FT_VALIDATED))
        rc = emul_decode(&ctx) == EMUL_OKAY ? emul_execute(&ctx) : EMUL_UNHANDLEABLE;
    frame_put(w.table);
    if (rc == EMUL_EXCEPTION)
        pv_inject_exception(v, ctx.fault.vector, ctx.fault.error_code);
    return rc != EMUL_UNHANDLEABLE;
}
