/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The start-of-day contract: registers, start_info, initial mapping, shared info, version and features. */
#include "lib/guest.h"
#include "lib/hypercall.h"
#include <xen/features.h>
#include <xen/memory.h>
#include <xen/version.h>

const char guest_name[] = "hello";

static void show_facts(void)
{
    const struct start_info *si = start_info;

    print("magic %s nr_pages %lu flags %x shared_info %lx\n", si->magic, si->nr_pages, si->flags,
          si->shared_info);
    print("pt_base %lx nr_pt_frames %lu mfn_list %lx first_p2m_pfn %lx nr_p2m_frames %lu\n", si->pt_base,
          si->nr_pt_frames, si->mfn_list, si->first_p2m_pfn, si->nr_p2m_frames);
    print("mod_start %lx mod_len %lx store %lx/%u console %lx/%u\n", si->mod_start, si->mod_len,
          si->store_mfn, si->store_evtchn, si->console.domU.mfn, si->console.domU.evtchn);
    print("cmd_line \"%s\"\n", (const char *)si->cmd_line);
    print("start_info %p rsp %lx image %p..%p end of mapping %lx\n", (const void *)si, entry_state.rsp,
          (void *)image_start, (void *)image_end, initial_end());
}

static void check_registers(void)
{
    const struct entry_state *e = &entry_state;

    CHECK_EQ(e->rsi, start_info);
    CHECK_EQ(e->cs & 0xffff, FLAT_KERNEL_CS);
    CHECK_EQ(e->ss & 0xffff, FLAT_KERNEL_SS);
    CHECK_EQ(e->ds & 0xffff, FLAT_KERNEL_DS);
    CHECK_EQ(e->es & 0xffff, FLAT_KERNEL_DS);
    CHECK_EQ(e->fs & 0xffff, 0);
    CHECK_EQ(e->gs & 0xffff, 0);
    CHECK_EQ(e->rflags & ~0x46UL, BIT(9)); /* IF; the arithmetic flags are nobody's promise */
    CHECK_EQ(e->rax | e->rbx | e->rcx | e->rdx | e->rdi | e->rbp, 0);
    CHECK_EQ(e->r8 | e->r9 | e->r10 | e->r12 | e->r13 | e->r14 | e->r15, 0);
}

static void check_start_info(void)
{
    const struct start_info *si = start_info;

    CHECK(strcmp(si->magic, "xen-3.0-x86_64p") == 0);
    CHECK_EQ((u64)si % PAGE_SIZE, 0);
    CHECK(si->nr_pages >= 1024);
    CHECK_EQ(si->shared_info % PAGE_SIZE, 0);
    /* libxc sets SIF_VIRT_P2M_4TOOLS for its domains; Xen does not for dom0. */
    CHECK_EQ(si->flags & ~(u32)(SIF_PM_MASK | SIF_MULTIBOOT_MOD | SIF_MOD_START_PFN | SIF_VIRT_P2M_4TOOLS),
             guest_is_dom0() ? SIF_PRIVILEGED | SIF_INITDOMAIN : 0);
    if (guest_is_dom0()) {
        CHECK_EQ(si->store_mfn, 0);
        CHECK_EQ(si->store_evtchn, 0);
        CHECK(si->console.dom0.info_off >= sizeof(*si) && si->console.dom0.info_off < PAGE_SIZE);
        CHECK(si->console.dom0.info_size >= 20);
    } else {
        CHECK(mfn_to_pfn(si->console.domU.mfn) < si->nr_pages);
        CHECK(si->console.domU.evtchn != 0);
    }
    CHECK_EQ(si->mod_len != 0, guest_option("module"));
    if (!si->mod_len) {
        CHECK_EQ(si->mod_start, 0);
        CHECK_EQ(si->flags & SIF_MOD_START_PFN, 0);
    }
}

/* The order and packing that xen.h promises under "Start-of-day memory layout". */
static void check_layout(void)
{
    const struct start_info *si = start_info;
    bool moved_p2m = si->mfn_list < VIRT_BASE; /* XEN_ELFNOTE_INIT_P2M asked for it */
    u64 end = initial_end(), p2m_size = (si->nr_pages * 8 + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    u64 pt_end = si->pt_base + si->nr_pt_frames * PAGE_SIZE;
    u64 next = ((u64)image_end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);

    if (si->mod_len && !(si->flags & SIF_MOD_START_PFN)) {
        CHECK_EQ(si->mod_start, next);
        next = (next + si->mod_len + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    }
    if (moved_p2m) {
        CHECK_EQ(si->mfn_list, 0xffffff8000000000);
        CHECK(si->first_p2m_pfn >= virt_to_pfn((void *)end));
        CHECK(si->first_p2m_pfn + si->nr_p2m_frames <= si->nr_pages);
        CHECK(si->nr_p2m_frames > p2m_size / PAGE_SIZE); /* the list and its tables */
    } else {
        CHECK_EQ(si->mfn_list, next);
        CHECK_EQ(si->nr_p2m_frames, 0);
        next += p2m_size;
    }
    CHECK_EQ(si, next);
    CHECK_EQ(si->pt_base, (u64)si + (guest_is_dom0() ? 1 : 3) * PAGE_SIZE);
    CHECK_EQ(entry_state.rsp, pt_end + PAGE_SIZE);
    CHECK_EQ(end % (4UL << 20), 0);
    CHECK(end - entry_state.rsp >= 512UL << 10);
    CHECK(end - entry_state.rsp < (512UL << 10) + (4UL << 20));
    if (si->flags & SIF_MOD_START_PFN)
        CHECK(si->mod_start >= virt_to_pfn((void *)end) && si->mod_start < si->nr_pages);
}

/* Every page of the boot region is where the lists say, and only the tables are read-only. */
static void check_mapping(void)
{
    const struct start_info *si = start_info;
    u64 wrong_frame = 0, wrong_m2p = 0, wrong_right = 0, end = initial_end();
    u64 pt_first = virt_to_pfn((void *)si->pt_base);

    for (u64 va = VIRT_BASE; va < end; va += PAGE_SIZE) {
        u64 pfn = virt_to_pfn((void *)va), pte = walk_address(va).entry[1];
        bool table = pfn >= pt_first && pfn < pt_first + si->nr_pt_frames;

        if (va == (u64)shared_info)
            continue;
        wrong_frame += (pte & PTE_ADDR) != pfn_to_mfn(pfn) << PAGE_SHIFT;
        wrong_m2p += mfn_to_pfn(pfn_to_mfn(pfn)) != pfn;
        wrong_right += !(pte & PTE_W) != table;
    }
    CHECK_EQ(wrong_frame, 0);
    CHECK_EQ(wrong_m2p, 0);
    CHECK_EQ(wrong_right, 0);
    wrong_m2p = 0;
    for (u64 pfn = 0; pfn < si->nr_pages; pfn++)
        wrong_m2p += mfn_to_pfn(pfn_to_mfn(pfn)) != pfn;
    CHECK_EQ(wrong_m2p, 0);

    struct walk w = walk_address(VIRT_BASE + PAGE_SIZE);
    print("flags of entries: L4 %lx L3 %lx L2 %lx L1 %lx, of a table's L1 %lx\n", w.entry[4] & ~PTE_ADDR,
          w.entry[3] & ~PTE_ADDR, w.entry[2] & ~PTE_ADDR, w.entry[1] & ~PTE_ADDR,
          walk_address(si->pt_base).entry[1] & ~PTE_ADDR);
    /* Bit 52 of an L1 entry: Xen's mark of a kernel page, which the guest sees. */
    CHECK_EQ(w.entry[4] & ~PTE_ADDR, PTE_TABLE);
    CHECK_EQ(w.entry[3] & ~PTE_ADDR, PTE_TABLE);
    CHECK_EQ(w.entry[2] & ~PTE_ADDR, PTE_TABLE);
    CHECK_EQ(w.entry[1] & ~PTE_ADDR & ~BIT(52) & ~PTE_D & ~PTE_U, PTE_P | PTE_W | PTE_A);
    CHECK_EQ(walk_address(VIRT_BASE - PAGE_SIZE).present, false);
    CHECK_EQ(walk_address(end).present, false);
    CHECK_EQ(walk_address(0).present, false);
}

static void check_shared_info(void)
{
    const struct vcpu_info *v = &shared_info->vcpu_info[0];

    CHECK_EQ(v->evtchn_upcall_mask, 1);
    CHECK_EQ(v->evtchn_upcall_pending, 0);
    CHECK_EQ(v->evtchn_pending_sel, 0);
    CHECK_EQ(shared_info->evtchn_mask[0], 0);
    CHECK_EQ(shared_info->evtchn_mask[63], 0);
    CHECK_EQ(shared_info->vcpu_info[31].evtchn_upcall_mask, 1);
    CHECK_EQ(v->time.version & 1, 0);
    CHECK(v->time.version != 0);
    CHECK(v->time.tsc_to_system_mul != 0);
    CHECK(shared_info->wc_sec != 0);
    CHECK_EQ(shared_info->arch.max_pfn, 0);
    print("time: version %u tsc %lu system %lu mul %x shift %d flags %x wc %u.%09u version %u\n",
          v->time.version, v->time.tsc_timestamp, v->time.system_time, v->time.tsc_to_system_mul,
          v->time.tsc_shift, v->time.flags, shared_info->wc_sec, shared_info->wc_nsec,
          shared_info->wc_version);
}

static void check_version(void)
{
    static char text[1025];
    struct xen_feature_info fi = {.submap_idx = 0};
    xen_platform_parameters_t params = {0};
    xen_compile_info_t compile;

    CHECK_EQ(hv_xen_version(XENVER_version, NULL), 0x00040011);
    CHECK_EQ(hv_xen_version(XENVER_extraversion, text), 0);
    print("extraversion %s\n", text);
    CHECK_EQ(hv_xen_version(XENVER_capabilities, text), 0);
    print("capabilities \"%s\"\n", text);
    CHECK(memcmp(text, "xen-3.0-x86_64 ", 15) == 0);
    CHECK_EQ(hv_xen_version(XENVER_changeset, text), 0);
    CHECK_EQ(hv_xen_version(XENVER_compile_info, &compile), 0);
    CHECK_EQ(hv_xen_version(XENVER_platform_parameters, &params), 0);
    CHECK_EQ(params.virt_start, HYPERVISOR_VIRT_START);
    CHECK_EQ(hv_xen_version(XENVER_pagesize, NULL), PAGE_SIZE);
    CHECK_EQ(hv_xen_version(XENVER_guest_handle, text), 0);
    CHECK_EQ(hv_xen_version(XENVER_commandline, text), 0);
    CHECK_EQ(hv_xen_version(XENVER_get_features, &fi), 0);
    print("features %08x\n", fi.submap);
    CHECK_EQ(fi.submap, BIT(XENFEAT_memory_op_vnode_supported) | BIT(XENFEAT_pae_pgdir_above_4gb) |
                            BIT(XENFEAT_mmu_pt_update_preserve_ad) | BIT(XENFEAT_highmem_assist) |
                            BIT(XENFEAT_gnttab_map_avail_bits) | BIT(XENFEAT_direct_mapped) |
                            (guest_is_dom0() ? BIT(XENFEAT_dom0) : 0));
    fi.submap_idx = 1;
    CHECK_EQ(hv_xen_version(XENVER_get_features, &fi), -XEN_EINVAL);
    CHECK_EQ(hv_xen_version(99, NULL), -XEN_ENOSYS);
}

/* Stubs from 0 to 63 are the hypervisor's own code; the page is ours and stays writable. */
static void check_hypercall_page(void)
{
    u64 pte = walk_address((u64)hypercall_page).entry[1];

    CHECK(hypercall_page[0] != 0);
    CHECK_EQ(pte & (PTE_P | PTE_W), PTE_P | PTE_W);
    CHECK_EQ(HYPERVISOR(xen_version, XENVER_version, 0, 0, 0, 0), 0x00040011);
    CHECK_EQ(hypercall_raw(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0), 0x00040011);
    CHECK_EQ(hypercall_raw(64, 0, 0, 0, 0, 0), -XEN_ENOSYS);
    CHECK_EQ(hypercall_raw(~0UL, 0, 0, 0, 0, 0), -XEN_ENOSYS);
    for (unsigned nr = 0; nr < 64; nr += 21) {
        print("stub %2u:", nr);
        for (unsigned i = 0; i < 20; i++)
            print(" %02x", (u8)hypercall_page[nr * 32 + i]);
        print("\n");
    }
}

void guest_main(void)
{
    check_shared_info(); /* first: a server's console answers what is printed with an event */
    show_facts();
    check_registers();
    check_start_info();
    check_layout();
    check_mapping();
    check_version();
    check_hypercall_page();
}
