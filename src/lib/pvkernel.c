/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a paravirtual kernel says about itself.
 *
 * There are two tongues: ELF notes, one for each property, and the older text
 * "KEY=VALUE,KEY=VALUE" in the section __xen_guest. Both are read into struct
 * pv_kernel, and what they say is then checked once, against the segments.
 * Where the tongues differ (defaults, units), xen/elfnote.h says so under LEGACY.
 */
#include "lib/pvkernel.h"
#include "abi/xen.h"
#include "lib/checked.h"

/* Features of x86 guests; their names are those of xen/features.h without XENFEAT_. */
static const char *const feature_names[] = {
    [XENFEAT_writable_page_tables] = "writable_page_tables",
    [XENFEAT_writable_descriptor_tables] = "writable_descriptor_tables",
    [XENFEAT_auto_translated_physmap] = "auto_translated_physmap",
    [XENFEAT_supervisor_mode_kernel] = "supervisor_mode_kernel",
    [XENFEAT_pae_pgdir_above_4gb] = "pae_pgdir_above_4gb",
    [XENFEAT_mmu_pt_update_preserve_ad] = "mmu_pt_update_preserve_ad",
    [XENFEAT_highmem_assist] = "highmem_assist",
    [XENFEAT_gnttab_map_avail_bits] = "gnttab_map_avail_bits",
    [XENFEAT_hvm_callback_vector] = "hvm_callback_vector",
    [XENFEAT_hvm_safe_pvclock] = "hvm_safe_pvclock",
    [XENFEAT_hvm_pirqs] = "hvm_pirqs",
    [XENFEAT_dom0] = "dom0",
    [XENFEAT_memory_op_vnode_supported] = "memory_op_vnode_supported",
    [XENFEAT_linux_rsdp_unrestricted] = "linux_rsdp_unrestricted",
};

/* Takes the text up to @separator, or all of it, off the front of @text. */
static struct span take_until(struct span *text, char separator)
{
    const char *end = memchr(text->at, separator, text->len);
    struct span taken = {text->at, end != NULL ? (size_t)(end - text->at) : text->len};
    size_t used = taken.len + (end != NULL ? 1 : 0);

    text->at += used;
    text->len -= used;
    return taken;
}

/* A list of names separated by '|'; '!' in front of a name says that it is required. */
static const char *read_features(struct pv_kernel *kernel, struct span list)
{
    while (list.len > 0) {
        struct span name = take_until(&list, '|');
        bool required = name.len > 0 && name.at[0] == '!';
        size_t bit;

        if (required) {
            name.at++;
            name.len--;
        }
        for (bit = 0; bit < ARRAY_SIZE(feature_names); bit++) {
            if (feature_names[bit] != NULL && span_equals(name, feature_names[bit]))
                break;
        }
        if (bit == ARRAY_SIZE(feature_names)) {
            if (required)
                return "it requires a feature that no PV guest is offered";
            continue;
        }
        kernel->features_supported |= BIT(bit);
        if (required)
            kernel->features_required |= BIT(bit);
    }
    return NULL;
}

/* A note that holds text, without the NUL that ends it. */
static bool note_text(const struct elf *elf, uint32_t type, struct span *text)
{
    if (!elf_find_xen_note(elf, type, text))
        return false;
    text->len = strnlen(text->at, text->len);
    return true;
}

/* A note that holds a number, of whatever width. */
static bool note_number(const struct elf *elf, uint32_t type, uint64_t *number)
{
    struct span contents;

    if (!elf_find_xen_note(elf, type, &contents) || contents.len == 0 || contents.len > sizeof(*number))
        return false;
    *number = 0;
    memcpy(number, contents.at, contents.len);
    return true;
}

static bool note_yes(const struct elf *elf, uint32_t type)
{
    struct span text;

    return note_text(elf, type, &text) && span_equals(text, "yes");
}

static const char *read_notes(struct pv_kernel *kernel, const struct elf *elf)
{
    struct span contents;
    uint64_t number;

    note_text(elf, XEN_ELFNOTE_GUEST_OS, &kernel->guest_os);
    note_text(elf, XEN_ELFNOTE_GUEST_VERSION, &kernel->guest_version);
    note_text(elf, XEN_ELFNOTE_XEN_VERSION, &kernel->xen_version);
    note_text(elf, XEN_ELFNOTE_LOADER, &kernel->loader);
    note_text(elf, XEN_ELFNOTE_PAE_MODE, &kernel->pae_mode);

    note_number(elf, XEN_ELFNOTE_VIRT_BASE, &kernel->virt_base);
    note_number(elf, XEN_ELFNOTE_PADDR_OFFSET, &kernel->paddr_offset);
    note_number(elf, XEN_ELFNOTE_ENTRY, &kernel->entry);
    kernel->has_hypercall_page = note_number(elf, XEN_ELFNOTE_HYPERCALL_PAGE, &kernel->hypercall_page);
    kernel->has_init_p2m = note_number(elf, XEN_ELFNOTE_INIT_P2M, &kernel->init_p2m);
    kernel->has_hv_start_low = note_number(elf, XEN_ELFNOTE_HV_START_LOW, &kernel->hv_start_low);
    kernel->bsd_symtab = note_yes(elf, XEN_ELFNOTE_BSD_SYMTAB);
    if (note_number(elf, XEN_ELFNOTE_MOD_START_PFN, &number))
        kernel->mod_start_pfn = number != 0;
    if (note_number(elf, XEN_ELFNOTE_SUSPEND_CANCEL, &number))
        kernel->suspend_cancel = number != 0;
    if (elf_find_xen_note(elf, XEN_ELFNOTE_L1_MFN_VALID, &contents) && contents.len >= 16) {
        kernel->has_l1_mfn_valid = true;
        memcpy(&kernel->l1_mfn_valid_mask, contents.at, 8);
        memcpy(&kernel->l1_mfn_valid_value, contents.at + 8, 8);
    }
    if (note_number(elf, XEN_ELFNOTE_SUPPORTED_FEATURES, &number))
        kernel->features_supported |= number;
    return note_text(elf, XEN_ELFNOTE_FEATURES, &contents) ? read_features(kernel, contents) : NULL;
}

/* The older tongue. @text is the section: a list of KEY=VALUE, perhaps ended by a NUL. */
static const char *read_guest_section(struct pv_kernel *kernel, struct span text)
{
    const struct {
        const char *key;
        struct span *text;
        uint64_t *number;
        bool *present;
    } keys[] = {
        {"GUEST_OS", &kernel->guest_os, NULL, NULL},
        {"GUEST_VER", &kernel->guest_version, NULL, NULL},
        {"XEN_VER", &kernel->xen_version, NULL, NULL},
        {"LOADER", &kernel->loader, NULL, NULL},
        {"PAE", &kernel->pae_mode, NULL, NULL},
        {"VIRT_BASE", NULL, &kernel->virt_base, NULL},
        {"VIRT_ENTRY", NULL, &kernel->entry, NULL},
        {"ELF_PADDR_OFFSET", NULL, &kernel->paddr_offset, NULL},
        {"HYPERCALL_PAGE", NULL, &kernel->hypercall_page, &kernel->has_hypercall_page},
        {"BSD_SYMTAB", NULL, NULL, &kernel->bsd_symtab},
    };
    bool paddr_offset_given = false;

    text.len = strnlen(text.at, text.len);
    while (text.len > 0) {
        struct span value = take_until(&text, ',');
        struct span key = take_until(&value, '=');

        if (span_equals(key, "FEATURES")) {
            const char *why = read_features(kernel, value);

            if (why != NULL)
                return why;
        }
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
            if (!span_equals(key, keys[i].key))
                continue;
            if (keys[i].text != NULL)
                *keys[i].text = value;
            if (keys[i].number != NULL && parse_u64(value, keys[i].number) != 0)
                return "a number in its __xen_guest section cannot be read; decimal or 0x was expected";
            if (keys[i].present != NULL)
                *keys[i].present = true;
        }
        paddr_offset_given = paddr_offset_given || span_equals(key, "ELF_PADDR_OFFSET");
    }
    if (!paddr_offset_given)
        kernel->paddr_offset = kernel->virt_base;
    if (kernel->has_hypercall_page) {
        uint64_t offset;

        if (!checked_mul_u64(kernel->hypercall_page, PAGE_SIZE, &offset) ||
            !checked_add_u64(kernel->virt_base, offset, &kernel->hypercall_page))
            return "the HYPERCALL_PAGE of its __xen_guest section is no page number";
    }
    return NULL;
}

static bool has_pv_notes(const struct elf *elf)
{
    static const uint32_t types[] = {XEN_ELFNOTE_GUEST_OS, XEN_ELFNOTE_XEN_VERSION, XEN_ELFNOTE_ENTRY,
                                     XEN_ELFNOTE_HYPERCALL_PAGE, XEN_ELFNOTE_VIRT_BASE};
    struct span contents;

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (elf_find_xen_note(elf, types[i], &contents))
            return true;
    }
    return false;
}

/* Whether all of [start, end) can be a guest's: canonical, and not the hypervisor's. */
static bool is_guest_range(uint64_t start, uint64_t end)
{
    const uint64_t low_end = 1ULL << 47;

    return start < end && (end <= low_end || start >= HYPERVISOR_VIRT_END);
}

/* Finds vstart and vend from the segments. */
static const char *find_span(struct pv_kernel *kernel, const struct elf *elf)
{
    struct elf_segment segment;
    uint32_t cursor = 0;

    kernel->vstart = ~0ULL;
    while (elf_next_load(elf, &cursor, &segment)) {
        uint64_t start, end;

        if (!checked_sub_u64(segment.paddr, kernel->paddr_offset, &start))
            return "a segment's physical address is below the paddr offset that the kernel states";
        if (!checked_add_u64(start, kernel->virt_base, &start) ||
            !checked_add_u64(start, segment.memsz, &end))
            return "a segment's virtual address wraps around the end of memory";
        kernel->vstart = MIN(kernel->vstart, start);
        kernel->vend = MAX(kernel->vend, end);
    }
    return NULL;
}

/* The symbol table follows the segments. */
static const char *place_symbols(struct pv_kernel *kernel, const struct elf *elf)
{
    if (!kernel->bsd_symtab || !elf_read_symbols(elf, &kernel->symbols)) {
        kernel->symbols.size = 0;
        return NULL;
    }
    if (!checked_add_u64(kernel->vend, 7, &kernel->symbols_at))
        return "there is no room for its symbol table behind it";
    kernel->symbols_at &= ~7ULL;
    if (!checked_add_u64(kernel->symbols_at, kernel->symbols.size, &kernel->vend))
        return "there is no room for its symbol table behind it";
    return NULL;
}

static const char *check(const struct pv_kernel *kernel, uint64_t offered)
{
    if (kernel->xen_version.len > 0 && !span_equals(kernel->xen_version, "xen-3.0"))
        return "it is for another version of the interface; XEN_VERSION xen-3.0 was expected";
    if (!is_guest_range(kernel->vstart, kernel->vend))
        return "it wants to be mapped where no 64-bit guest may map; "
               "below 0x0000800000000000 or from 0xffff880000000000 was expected";
    if (kernel->entry < kernel->vstart || kernel->entry >= kernel->vend)
        return "its entry point lies outside its segments";
    if (kernel->has_hypercall_page &&
        (kernel->hypercall_page % PAGE_SIZE != 0 || kernel->hypercall_page < kernel->vstart ||
         kernel->hypercall_page >= kernel->vend))
        return "its hypercall page is not a page of its segments";
    if (kernel->has_init_p2m &&
        (kernel->init_p2m % PAGE_SIZE != 0 || !is_guest_range(kernel->init_p2m, kernel->init_p2m + 1)))
        return "its INIT_P2M is not the address of a page that a 64-bit guest may map";
    if (kernel->has_hv_start_low && kernel->hv_start_low > HYPERVISOR_VIRT_START)
        return "its HV_START_LOW is above the start of the hypervisor's area, 0xffff800000000000";
    if ((kernel->features_required & ~offered) != 0)
        return "it requires a feature that is not offered to a PV guest";
    return NULL;
}

int pv_kernel_read(struct pv_kernel *kernel, const struct elf *elf, uint64_t offered, const char **why)
{
    struct span section;
    uint64_t number;

    *kernel = (struct pv_kernel){.entry = elf->entry};
    if (has_pv_notes(elf))
        *why = read_notes(kernel, elf);
    else if (elf_find_section(elf, "__xen_guest", &section) && section.len > 0)
        *why = read_guest_section(kernel, section);
    else if (note_number(elf, XEN_ELFNOTE_PHYS32_ENTRY, &number))
        *why = "it is a kernel for PVH only; one with the Xen notes of a PV kernel was expected";
    else
        *why = "it has neither Xen notes nor a __xen_guest section; a PV kernel was expected";

    if (*why == NULL)
        *why = find_span(kernel, elf);
    if (*why == NULL)
        *why = place_symbols(kernel, elf);
    if (*why == NULL)
        *why = check(kernel, offered);
    return *why == NULL ? 0 : -ENOEXEC;
}
