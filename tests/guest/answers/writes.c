/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions that write to an entry of a pinned L1 table through its read-only
 * mapping: each form, what it leaves there, and what it leaves in flags and registers.
 * (x87 stores are not asked: Xen 4.17 itself panics at FISTP.)
 */
#include "answers/answers.h"

static u64 *entry;
static u64 a, b, flags; /* operands in RAX and RCX; flags afterwards */

#define WRITE(name, code) \
    static void name(void *arg) \
    { \
        register u64 r8 __asm__("r8") = 0; \
        u64 *d = entry, *s = entry; \
\
        __asm__ volatile("clc\n" code "\n pushfq\n pop %%r8" \
                         : "+a"(a), "+c"(b), "+D"(d), "+S"(s), "+r"(r8) \
                         : \
                         : "rbx", "rdx", "memory", "cc"); \
        flags = r8 & 0x8d5; \
    }
/* clang-format off */
#define FORMS \
    FORM(mov64, "mov %%rax, (%%rdi)") \
    FORM(mov32, "mov %%eax, (%%rdi)") \
    FORM(mov16, "mov %%ax, (%%rdi)") \
    FORM(mov8, "mov %%al, (%%rdi)") \
    FORM(mov8high, "mov %%ah, 1(%%rdi)") \
    FORM(mov32upper, "mov %%eax, 4(%%rdi)") \
    FORM(mov_imm32, "movl $0, (%%rdi)") \
    FORM(mov_imm8, "movb $0x25, (%%rdi)") \
    FORM(mov_straddling, "mov %%rax, 4(%%rdi)") \
    FORM(moffs, "push %%rax\n movabs %%rax, entry_alias\n pop %%rax") \
    FORM(indexed, "xor %%ebx, %%ebx\n mov %%rax, (%%rdi,%%rbx,8)") \
    FORM(movnti64, "movnti %%rax, (%%rdi)") \
    FORM(movnti32, "movnti %%eax, (%%rdi)") \
    FORM(xchg64, "xchg %%rax, (%%rdi)") \
    FORM(xchg32, "xchg %%eax, (%%rdi)") \
    FORM(xchg8, "xchg %%al, (%%rdi)") \
    FORM(add64, "add %%rcx, (%%rdi)") \
    FORM(sub64, "lock sub %%rcx, (%%rdi)") \
    FORM(adc64, "adc %%rcx, (%%rdi)") \
    FORM(sbb64, "sbb %%rcx, (%%rdi)") \
    FORM(and64, "and %%rcx, (%%rdi)") \
    FORM(or64, "lock or %%rcx, (%%rdi)") \
    FORM(xor64, "xor %%rcx, (%%rdi)") \
    FORM(xor8, "lock xorb $2, (%%rdi)") \
    FORM(or_imm8, "orq $2, (%%rdi)") \
    FORM(and_imm8, "lock andq $-3, (%%rdi)") \
    FORM(not64, "notq (%%rdi)") \
    FORM(neg64, "negq (%%rdi)") \
    FORM(inc64, "incq (%%rdi)") \
    FORM(dec32, "lock decl (%%rdi)") \
    FORM(bts_imm, "lock btsq $1, (%%rdi)") \
    FORM(btr_imm, "btrl $1, (%%rdi)") \
    FORM(btc_imm, "btcq $63, (%%rdi)") \
    FORM(bts_reg, "mov $1, %%ebx\n bts %%rbx, (%%rdi)") \
    FORM(bts_far, "mov $-63, %%rbx\n add $8, %%rdi\n bts %%rbx, (%%rdi)\n sub $8, %%rdi") \
    FORM(shl64, "shlq $1, (%%rdi)") \
    FORM(shld, "shldq $0, %%rcx, (%%rdi)") \
    FORM(xadd64, "lock xadd %%rax, (%%rdi)") \
    FORM(cmpxchg_hit, "mov (%%rdi), %%rax\n lock cmpxchg %%rcx, (%%rdi)") \
    FORM(cmpxchg_miss, "mov $1, %%eax\n lock cmpxchg %%rcx, (%%rdi)") \
    FORM(cmpxchg32, "mov (%%rdi), %%eax\n cmpxchg %%ecx, (%%rdi)") \
    FORM(cmpxchg8b, "mov (%%rdi), %%eax\n mov 4(%%rdi), %%edx\n xor %%ebx, %%ebx\n xor %%ecx, %%ecx\n" \
                    "lock cmpxchg8b (%%rdi)") \
    FORM(cmpxchg16b, "mov (%%rdi), %%rax\n mov 8(%%rdi), %%rdx\n xor %%ebx, %%ebx\n xor %%ecx, %%ecx\n" \
                     "lock cmpxchg16b (%%rdi)") \
    FORM(stosq, "stosq") \
    FORM(stosl, "stosl") \
    FORM(stosb, "stosb") \
    FORM(rep_stosq, "mov $3, %%ecx\n rep stosq") \
    FORM(rep_stosl, "mov $4, %%ecx\n rep stosl") \
    FORM(movsq, "add $16, %%rsi\n movsq") \
    FORM(rep_movsb, "add $16, %%rsi\n mov $8, %%ecx\n rep movsb") \
    FORM(pop_mem, "push %%rax\n popq (%%rdi)") \
    FORM(setcc, "stc\n setc (%%rdi)") \
    FORM(movbe, "movbe %%rcx, (%%rdi)") \
    FORM(movups, "xorps %%xmm0, %%xmm0\n movups %%xmm0, (%%rdi)") \
    FORM(movaps, "xorps %%xmm0, %%xmm0\n movaps %%xmm0, (%%rdi)") \
    FORM(movq_xmm, "movq %%rax, %%xmm0\n movq %%xmm0, (%%rdi)") \
    FORM(movntdq, "xorps %%xmm0, %%xmm0\n movntdq %%xmm0, (%%rdi)")

/* clang-format on */

#define FORM(name, code) WRITE(write_##name, code)
FORMS
#undef FORM
#define FORM(name, code) {#name, write_##name},
static const struct {
    const char *name;
    void (*fn)(void *arg);
} forms[] = {FORMS};

extern u64 entry_alias; /* where `moffs` writes: a page of the image, made read-only and a table */
__asm__(".pushsection .data\n .balign 4096\n .globl entry_alias\nentry_alias: .fill 4096\n .popsection");

/* The frame as ours or not: numbers differ between hypervisors. */
static const char *text_of(u64 e, u64 mfn)
{
    static char text[4][24];
    static unsigned next;
    char *to = text[next++ % 4];
    u64 low = e & ~PTE_ADDR & ~(PTE_A | PTE_D | PTE_G | BIT(52));

    if ((e & PTE_ADDR) >> PAGE_SHIFT == mfn)
        guest_snprintf(to, sizeof(text[0]), "our+%lx", e & PTE_P ? low & ~PTE_U : low);
    else
        guest_snprintf(to, sizeof(text[0]), e & PTE_ADDR ? "other" : "%lx", low);
    return to;
}

/* Are writes emulated to who has not asked for it; and other cache types, whose are they? */
static void ask_assist(u64 good)
{
    static const u64 types[] = {0, PTE_PWT, PTE_PCD, PTE_PCD | PTE_PWT, BIT(7), BIT(7) | PTE_PCD | PTE_PWT};
    u64 slot = virt_to_mfn(entry) << PAGE_SHIFT;
    struct fault f;

    a = good;
    catch_fault(&f, write_mov64, NULL);
    ask("write at first", "vector %d", f.vector);
    for (unsigned i = 0; i < 4; i++) {
        hv_vm_assist(i % 2 ? VMASST_CMD_enable : VMASST_CMD_disable, VMASST_TYPE_writable_pagetables);
        catch_fault(&f, write_mov64, NULL);
        ask("write with the assist", "%u vector %d", i % 2, f.vector);
    }
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        mmu_write(slot, 0, 0, DOMID_SELF);
        ask("cache type", "%lx %s", types[i], code_text(mmu_write(slot, good | types[i], 0, DOMID_SELF)));
        ask("cache type reads", "%lx", entry[0] & (BIT(7) | PTE_PCD | PTE_PWT));
        ask("cache type changed", "%lx %s", types[i], code_text(mmu_write(slot, good, 0, DOMID_SELF)));
    }
}

void ask_writes(void)
{
    u64 *page = page_alloc(), mfn = virt_to_mfn(page), good = mfn << PAGE_SHIFT | PTE_TABLE;
    char question[64];
    struct fault f;

    entry = &entry_alias;
    page_protect(entry, false);
    ask("writes, pin", "%s", code_text(mmuext_mfn(MMUEXT_PIN_L1_TABLE, virt_to_mfn(entry))));
    ask_assist(good);
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        for (unsigned start = 0; start < 3; start++) {
            u64 rax = start == 1 ? good & ~PTE_W : good, rcx = start == 1   ? PTE_W
                                                               : start == 2 ? ~(PTE_W | PTE_P)
                                                                            : 0;
            u64 slot = virt_to_mfn(entry) << PAGE_SHIFT;

            mmu_write(slot, start == 0 ? good & ~PTE_P : good, 0, DOMID_SELF);
            mmu_write(slot + 8, 0, 0, DOMID_SELF);
            mmu_write(slot + 16, good & ~PTE_W, 0, DOMID_SELF);
            a = rax;
            b = rcx;
            flags = ~0UL;
            catch_fault(&f, forms[i].fn, NULL);
            guest_snprintf(question, sizeof(question), "write %s, %u", forms[i].name, start);
            if (f.vector < 0)
                ask(question, "%s %s rax %s rcx %s flags %lx", text_of(entry[0], mfn), text_of(entry[1], mfn),
                    text_of(a, mfn), text_of(b, mfn), flags);
            else
                ask(question, "vector %d entry %s %s", f.vector, text_of(entry[0], mfn),
                    text_of(entry[1], mfn));
        }
    }
    mmuext_mfn(MMUEXT_UNPIN_TABLE, virt_to_mfn(entry));
    ask("writes, writable again", "%s", code_text(page_protect(entry, true)));
}
