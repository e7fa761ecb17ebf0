/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of page tables: each bit at each level, device memory by its cache types and owners, and superpages. */
#include "answers/answers.h"

static u64 *table[5], mfn[5]; /* by level; [0] is the page that the level-1 table maps */

#define IGNORED (PTE_A | PTE_D)

/* The flags that stand there now, or "none": Xen marks entries by G and bit 52 (see docs/abi-status.md). */
static u64 flags_at(unsigned level, unsigned slot)
{
    u64 e = table[level][slot];

    return e & ~(PTE_ADDR | IGNORED | (level == 1 && (e & PTE_P) ? PTE_G | BIT(52) : 0));
}

static long set(unsigned level, unsigned slot, u64 e, unsigned owner)
{
    return mmu_write((mfn[level] << PAGE_SHIFT) + slot * 8, e, 0, owner);
}

static bool build(void)
{
    bool ok = true;

    for (unsigned level = 0; level <= 4; level++) {
        table[level] = page_alloc();
        mfn[level] = virt_to_mfn(table[level]);
        if (level > 0)
            table[level][0] = mfn[level - 1] << PAGE_SHIFT | PTE_TABLE;
    }
    for (unsigned level = 1; level <= 4; level++)
        ok &= page_protect(table[level], false) == 0;
    return ok && mmuext_mfn(MMUEXT_PIN_L4_TABLE, mfn[4]) == 0;
}

static void ask_bits(void)
{
    for (unsigned level = 1; level <= 4; level++) {
        u64 good = mfn[level - 1] << PAGE_SHIFT | PTE_TABLE;

        for (unsigned bit = 0; bit < 64; bit++) {
            if (bit > 11 && bit < 48)
                continue; /* the frame's number: other questions */
            long code = set(level, 7, good ^ BIT(bit), DOMID_SELF);
            u64 there = flags_at(level, 7);
            long again = set(level, 7, good, DOMID_SELF), gone = set(level, 7, 0, DOMID_SELF);

            ask("entry", "level %u bit %u %s %lx then %s %s", level, bit, code_text(code), there,
                code_text(again), code_text(gone));
        }
        for (unsigned bit = 0; bit < 12; bit++) { /* a change of flags alone */
            set(level, 7, good, DOMID_SELF);
            long code = set(level, 7, good ^ BIT(bit), DOMID_SELF);
            ask("entry changed", "level %u bit %u %s %lx", level, bit, code_text(code), flags_at(level, 7));
            set(level, 7, 0, DOMID_SELF);
        }
    }
}

static void ask_frame(u64 frame)
{
    static const u64 cache[] = {0, PTE_PWT, PTE_PCD, PTE_PCD | PTE_PWT, PTE_PS, PTE_PS | PTE_PWT,
                                PTE_PS | PTE_PCD, PTE_PS | PTE_PCD | PTE_PWT};
    static const u16 owner[] = {DOMID_SELF, DOMID_IO, DOMID_XEN, DOMID_COW, 0x7000};

    for (size_t o = 0; o < ARRAY_SIZE(owner); o++) {
        for (unsigned write = 0; write < 2; write++) {
            for (size_t i = 0; i < (o < 2 ? ARRAY_SIZE(cache) : 1); i++) {
                u64 e = frame << PAGE_SHIFT | PTE_P | PTE_U | (write ? PTE_W : 0) | cache[i];
                long code = set(1, 9, e, owner[o]);

                ask("frame", "%lx of %x %s cache %lx %s %lx", frame, owner[o], write ? "rw" : "ro", cache[i],
                    code_text(code), flags_at(1, 9));
                set(1, 9, 0, DOMID_SELF);
            }
        }
    }
}

/* A page of 2 MB or 1 GB, of what memory there is, and device memory. */
static void ask_superpages(void)
{
    static const u64 frames[] = {0, 0x200, 0xc0000, 0xfee00};

    for (unsigned level = 2; level <= 4; level++)
        for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
            u64 e = frames[i] << PAGE_SHIFT | PTE_TABLE | PTE_PS;
            long code = set(level, 11, e, DOMID_SELF), io = set(level, 11, e, DOMID_IO);

            ask("superpage", "level %u %lx %s %s", level, frames[i], code_text(code), code_text(io));
        }
}

/* Device memory that is mapped already, and gets another cache type or right. */
static void ask_changed_device(u64 frame)
{
    static const u64 cache[] = {0, PTE_PWT, PTE_PCD, PTE_PCD | PTE_PWT};

    for (unsigned i = 0; i < 32; i++) {
        u64 from = cache[i & 3] | (i & 16 ? PTE_W : 0), to = cache[i >> 2 & 3];
        u64 e = frame << PAGE_SHIFT | PTE_P | PTE_U;
        long first = set(1, 9, e | from, DOMID_IO), then = set(1, 9, e | to, DOMID_IO);

        ask("device memory changed", "%lx %lx %s to %lx %s %lx", frame, from, code_text(first), to,
            code_text(then), flags_at(1, 9));
        set(1, 9, 0, DOMID_SELF);
    }
}

static volatile u32 *device;

static void write_device(void *arg)
{
    device[0x40] = 0;
}

/* What becomes of a write to device memory that is mapped, but not to be written. */
static void ask_device_write(u64 frame, u64 write)
{
    struct fault f;
    long code;

    code = hv_update_va_mapping((u64)device, frame << PAGE_SHIFT | PTE_P | PTE_U | PTE_PCD | write, UVMF_INVLPG);
    if (code == 0)
        catch_fault(&f, write_device, NULL);
    ask("device memory written", "%lx %lx %s vector %d", frame, write, code_text(code), code ? 0 : f.vector);
}

void ask_entries(void)
{
    /* VGA, the PC's ROM, a hole, I/O APIC, HPET, local APIC, the highest below 4 GB, none, and too high. */
    static const u64 frames[] = {0x0,     0xa0,    0xb8,    0xf0,     0xc0000,  0xfec00,  0xfec01,
                                 0xfed00, 0xfee00, 0xfee01, 0xfffff, 0x400000, 1UL << 28, (1UL << 40) - 1};

    if (!build()) {
        ask("tables", "none");
        return;
    }
    ask_bits();
    ask_superpages();
    for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
        ask_frame(frames[i]);
    ask_changed_device(0xb8);
    ask_changed_device(0xc0000);
    ask_changed_device(0xfee00);
    mmuext_mfn(MMUEXT_UNPIN_TABLE, mfn[4]);
    device = page_alloc();
    ask_device_write(0xfec00, 0);
    ask_device_write(0xfec00, PTE_W);
    ask_device_write(0xfed00, PTE_W);
    ask_device_write(0xb8, 0);
    ask_device_write(0xb8, PTE_W);
}
