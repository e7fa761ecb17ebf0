/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a paravirtual kernel says about itself: where it wants to be mapped,
 * where it starts, what it needs. From the ELF notes of name "Xen"
 * (xen/elfnote.h), or in old kernels from the text in the section __xen_guest.
 */
#ifndef LIB_PVKERNEL_H
#define LIB_PVKERNEL_H

#include "lib/elf.h"

struct pv_kernel {
    /*
     * Where things go. A segment's pseudo-physical address is its paddr -
     * paddr_offset, its virtual address is that + virt_base.
     */
    uint64_t virt_base;
    uint64_t paddr_offset;
    uint64_t vstart, vend; /* all that is to be loaded lies in [vstart, vend) */
    uint64_t entry;        /* virtual, within them */

    bool has_hypercall_page;
    uint64_t hypercall_page; /* virtual, within them, page aligned */

    bool has_init_p2m;
    uint64_t init_p2m; /* where the kernel wants its p2m list: virtual, page aligned */

    bool has_hv_start_low;
    uint64_t hv_start_low;

    bool has_l1_mfn_valid;
    uint64_t l1_mfn_valid_mask, l1_mfn_valid_value;

    bool mod_start_pfn; /* may be given its ramdisk unmapped, by frame number */
    bool bsd_symtab;    /* wants its symbol table loaded behind it: */
    struct elf_symbols symbols; /* size 0: there are none to load */
    uint64_t symbols_at;        /* virtual; they end at vend */
    bool suspend_cancel;

    uint64_t features_supported; /* bit n: XENFEAT n; includes the required ones */
    uint64_t features_required;

    /* As the kernel wrote them, for people; empty if it did not. They point into the image. */
    struct span guest_os, guest_version, xen_version, loader, pae_mode;
};

/*
 * Fills @kernel from @elf. @offered: bit n is set if we offer XENFEAT n; a
 * kernel that requires another is refused. 0, or -ENOEXEC and in *@why a
 * sentence that says what was found and what was expected.
 */
int pv_kernel_read(struct pv_kernel *kernel, const struct elf *elf, uint64_t offered, const char **why);

#endif
