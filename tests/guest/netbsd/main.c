/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What NetBSD's kernel does that Linux does not: it describes itself in a section __xen_guest,
 * finds its symbol table behind itself, reads its page tables through an entry of the root that
 * names the root, marks entries with bits of its own, and raises its I/O privilege level.
 */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include <xen/physdev.h>

const char guest_name[] = "netbsd";

extern char loaded_end[];

struct elf_header {
    u8 ident[16];
    u16 type, machine;
    u32 version;
    u64 entry, phoff, shoff;
    u32 flags;
    u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_section {
    u32 name, type;
    u64 flags, addr, offset, size;
    u32 link, info;
    u64 align, entsize;
};

struct elf_symbol {
    u32 name;
    u8 info, other;
    u16 section;
    u64 value, size;
};

/* The value of a symbol, as an in-kernel debugger would find it. */
static u64 symbol_value(const struct elf_header *file, const char *name)
{
    const struct elf_section *s = (const struct elf_section *)((const char *)file + file->shoff);
    const struct elf_symbol *symbol = (const struct elf_symbol *)((const char *)file + s[1].offset);
    const char *names = (const char *)file + s[2].offset;

    for (u64 i = 0; i < s[1].size / sizeof(*symbol); i++)
        if (strcmp(names + symbol[i].name, name) == 0)
            return symbol[i].value;
    return 0;
}

/* On real Xen it looked so, byte for byte. */
static void test_symbols(void)
{
    const u32 *size = (const u32 *)(((u64)loaded_end + 7) & ~7UL);
    const struct elf_header *file = (const struct elf_header *)(size + 1);
    const struct elf_section *s = (const struct elf_section *)((const char *)file + 64);

    CHECK(memcmp(file->ident, "\177ELF\2\1", 6) == 0);
    CHECK_EQ(file->entry, (u64)image_start);
    CHECK_EQ(file->phoff | file->phnum | file->phentsize | file->shstrndx, 0);
    CHECK_EQ(file->shoff, 64);
    CHECK_EQ(file->shnum, 3);
    CHECK_EQ(s[0].type | s[0].offset | s[0].size, 0);
    CHECK_EQ(s[1].type, 2);
    CHECK_EQ(s[1].link, 2);
    CHECK_EQ(s[1].offset, 64 + 3 * 64 + 4); /* symbols are aligned in memory, 4 bytes before the header */
    CHECK_EQ(s[2].type, 3);
    CHECK_EQ(s[2].offset, (s[1].offset + s[1].size + 4 + 7) / 8 * 8 - 4);
    CHECK_EQ(*size, s[2].offset + s[2].size);
    CHECK_EQ(symbol_value(file, "guest_main"), guest_main);
    CHECK_EQ(symbol_value(file, "hypercall_page"), hypercall_page);
    CHECK_EQ(symbol_value(file, "no such"), 0);
    u64 next = ((u64)size + 4 + *size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    CHECK_EQ(start_info->mod_len ? start_info->mod_start : start_info->mfn_list, next);
}

/* Slot 320: in NetBSD's layout the root's slot 255; any that is the guest's will do. */
#define SLOT       320UL
#define PTE_WINDOW (0xffff000000000000UL | SLOT << 39)

/* Address of the entry of `level` that maps va, in the window that the recursive entry opens. */
static volatile u64 *recursive(u64 va, unsigned level)
{
    u64 at = (va & 0xffffffffffffUL) >> 12 << 3;

    at |= PTE_WINDOW;
    for (unsigned i = 1; i < level; i++)
        at = PTE_WINDOW | ((at & 0xffffffffffffUL) >> 12 << 3);
    return (volatile u64 *)(at & ~7UL);
}

static u64 *page;

static void write_window(void *arg)
{
    *recursive((u64)page, 1) = *(u64 *)arg;
}

static void touch(void *arg)
{
    (void)*(volatile u64 *)page;
}

static void test_recursive_root(void)
{
    u64 root = virt_to_mfn((void *)start_info->pt_base), slot = (root << PAGE_SHIFT) + SLOT * 8;
    struct walk w = walk_address((u64)page);
    u64 pte = w.entry[1], entry = walk_entry_machine((u64)page, 1);
    struct fault f;

    CHECK_EQ(mmu_write(slot, root << PAGE_SHIFT | PTE_P | PTE_W, 0, DOMID_SELF), -XEN_EINVAL);
    CHECK_EQ(mmu_write(slot, root << PAGE_SHIFT | PTE_P | PTE_A | PTE_D, 0, DOMID_SELF), 0);
    for (unsigned level = 1; level <= 4; level++)
        CHECK_EQ(*recursive((u64)page, level) & PTE_ADDR, w.entry[level] & PTE_ADDR);
    CHECK_EQ(*recursive(PTE_WINDOW, 4) & PTE_ADDR, root << PAGE_SHIFT);

    /* It is for reading alone: its leaves are entries of upper levels, which no write is emulated to. */
    CHECK_EQ(hv_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), 0);
    CHECK(catch_fault(&f, write_window, &pte));
    CHECK_EQ(f.vector, VEC_PF);
    CHECK_EQ(f.error & ~BIT(2), 3);

    /* Bits of its own survive, also the one of a global page; a change shows in the window at once. */
    CHECK_EQ(mmu_write(entry, pte | BIT(9) | BIT(10) | BIT(11) | PTE_G, 0, DOMID_SELF), 0);
    CHECK_EQ(*recursive((u64)page, 1) & (PTE_ADDR | BIT(9) | BIT(10) | BIT(11)),
             (pte & PTE_ADDR) | BIT(9) | BIT(10) | BIT(11));
    CHECK_EQ(catch_fault(&f, touch, NULL), false);
    CHECK_EQ(mmu_write(entry, 0, 0, DOMID_SELF), 0);
    CHECK_EQ(*recursive((u64)page, 1), 0);
    CHECK_EQ(hv_update_va_mapping((u64)page, pte, UVMF_INVLPG), 0);
    CHECK_EQ(*recursive((u64)page, 1) & PTE_ADDR, pte & PTE_ADDR);

    CHECK_EQ(mmu_write(slot, 0, 0, DOMID_SELF), 0);
    CHECK_EQ(mmuext_mfn(MMUEXT_NEW_BASEPTR, root), 0);
}

static void test_privilege_level(void)
{
    struct physdev_set_iopl iopl = {.iopl = 1};

    CHECK_EQ(hv_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
    __asm__ volatile("cli\n sti");
    iopl.iopl = 0;
    CHECK_EQ(hv_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
}

void guest_main(void)
{
    page = page_alloc();
    test_symbols();
    test_recursive_root();
    test_privilege_level();
}
