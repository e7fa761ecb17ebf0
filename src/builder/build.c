/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building a domain is a list of phases. Each does a piece and says whether it
 * wants to be called again, so that a server that restarts takes its CPU from
 * the others for half a millisecond at a time.
 *
 * The guest's frame list is written first: its pages are allocated before all
 * others, and it serves us as the map from pseudo-physical to machine frames
 * until the guest runs.
 */
#include "builder/build.h"
#include "builder/builder.h"
#include "abi/xen.h"
#include "core/cmdline.h"
#include "core/log.h"
#include "evtchn/evtchn.h"
#include "mem/fill.h"
#include "mem/heap.h"
#include "mem/page_alloc.h"
#include "pv/pv.h"
#include "x86/cpu.h"

#define CHUNK_ORDER   9                /* frames are taken in pieces of 2 MB */
#define CHUNKS_A_STEP 2
#define LOADED_A_STEP 1024             /* pages */
#define GUEST_SS      0xe02b           /* FLAT_KERNEL_SS, FLAT_KERNEL_CS of <xen/xen.h> */
#define GUEST_CS      0xe033
#define RFLAGS_IF     0x200
#define RFLAGS_ONE    0x002

static uint64_t megabytes(uint64_t pages)
{
    return (pages + 255) / 256;
}

static int no_memory(const struct build *b, struct fault *fault)
{
    fault_set(fault, "not enough memory: found %llu MB free, expected %llu MB",
              (unsigned long long)(page_alloc_free_frames() / 256),
              (unsigned long long)megabytes(b->request.nr_pages));
    return -ENOMEM;
}

/* --- before the domain exists --- */

static int lay_out(struct build *b, struct fault *fault)
{
    const struct pv_kernel *k = &b->request.image->kernel;
    struct layout_input in = {
        .virt_base = k->virt_base,
        .kernel_end = k->vend,
        .ramdisk_size = b->request.ramdisk_size,
        .ramdisk_unmapped = k->mod_start_pfn,
        .has_init_p2m = k->has_init_p2m,
        .init_p2m = k->init_p2m,
        .nr_pages = b->request.nr_pages,
        .initial_domain = b->request.initial_domain,
    };
    int error = layout_compute(&in, &b->layout);

    if (error == -ENOMEM) {
        fault_set(fault, "not enough memory: found %llu MB, expected at least %llu MB for what it loads",
                  (unsigned long long)megabytes(in.nr_pages), (unsigned long long)megabytes(b->layout.end));
    } else if (error != 0) {
        fault_set(fault, "damaged kernel: found addresses 0x%llx to 0x%llx, expected what can be mapped",
                  (unsigned long long)k->virt_base, (unsigned long long)k->vend);
    } else if (in.nr_pages > page_alloc_free_frames()) {
        error = no_memory(b, fault);
    }
    return error;
}

/* Online CPUs in turn. */
static uint64_t nth_cpu(uint32_t n)
{
    uint64_t cpus = cpus_online_mask;

    for (n %= cpus_online; n > 0; n--)
        cpus &= cpus - 1;
    return cpus & -cpus;
}

static int create_vcpus(struct domain *d, const struct build_request *r)
{
    bool pin = cmdline_flag("dom0_vcpus_pin", false);

    for (uint32_t i = 0; i < r->vcpus; i++) {
        struct vcpu *v;
        int error = vcpu_create(d, i, &v);

        if (error != 0)
            return error;
        (void)sched_set_affinity(&v->unit, r->initial_domain && pin ? nth_cpu(i) : r->cpus);
    }
    (void)sched_group_set(&d->sched, r->weight, r->cap); /* a policy without weights: they have no effect */
    return 0;
}

int build_begin(struct build *b, const struct build_request *request, struct fault *fault)
{
    struct domain_config config = {
        .id = request->id,
        .name = request->name,
        .privileged = request->initial_domain,
        .max_vcpus = request->vcpus,
        .max_pages = request->max_pages,
    };
    int error;

    *b = (struct build){.request = *request, .free_before = page_alloc_free_frames()};
    if (request->takes_image)
        b->free_before += image_pages(request->image);
    error = lay_out(b, fault);
    if (error != 0)
        return error;
    b->p2m = heap_alloc_array(b->layout.p2m_pages, sizeof(b->p2m[0]));
    if (b->p2m == NULL)
        return no_memory(b, fault);
    error = domain_create(&config, &pv_guest_ops, &b->domain);
    if (error != 0) {
        heap_free(b->p2m);
        if (error == -ENOMEM)
            return no_memory(b, fault);
        fault_set(fault, "cannot be created: found error %d, expected a free domain number", error);
        return error;
    }
    domain_hold(b->domain);
    if (request->initial_domain && hardware_give(b->domain) != 0)
        log_warn("%s: not enough memory to note its rights: it has not all of the hardware", request->name);
    b->domain->server = request->server;
    b->domain->is_console_owner = request->initial_domain;
    return 0;
}

void build_end(struct build *b)
{
    if (b->request.takes_image)
        image_give_up(b->request.image);
    heap_free(b->p2m);
    b->p2m = NULL;
}

uint64_t build_hv_pages(const struct build *b)
{
    return b->free_before - page_alloc_free_frames() - b->domain->tot_pages;
}

/* --- phases: 0 done, -ERESTART again, or an error --- */

/* The pages of the frame list itself. */
static int take_list(struct build *b)
{
    for (uint64_t i = 0; i < b->layout.p2m_pages; i++) {
        struct frame *f = domain_alloc_frames(b->domain, 0, PA_ZERO);

        if (f == NULL)
            return -ENOMEM;
        b->p2m[i] = frame_to_ptr(f);
    }
    return create_vcpus(b->domain, &b->request);
}

/* Largest piece that fits from `p` to `end`. */
static unsigned int chunk_order(uint64_t p, uint64_t end)
{
    unsigned int order = CHUNK_ORDER;

    while (BIT(order) > end - p)
        order--;
    return order;
}

static void enter_frame(struct build *b, uint64_t p, mfn_t m)
{
    b->p2m[p / 512][p % 512] = m.v;
    m2p_set(m, pfn(p));
}

/* Frames from `p` to `end` that have no memory yet, one after the other; at most a chunk. */
static uint64_t without_memory(const struct build *b, uint64_t p, uint64_t end)
{
    uint64_t n = 0;

    while (n < BIT(CHUNK_ORDER) && p + n < end && build_mfn(b, p + n).v == 0)
        n++;
    return n;
}

/* Memory for frames from `p` on, up to `end`; how many, or 0. */
static uint64_t take_chunk(struct build *b, uint64_t p, uint64_t end, unsigned int flags)
{
    unsigned int order = chunk_order(p, end);
    struct frame *f = domain_alloc_frames(b->domain, order, flags);

    while (f == NULL && order > 0)
        f = domain_alloc_frames(b->domain, --order, flags);
    if (f == NULL)
        return 0;
    for (uint64_t i = 0; i < BIT(order); i++)
        enter_frame(b, p + i, mfn_add(frame_to_mfn(f), i));
    return BIT(order);
}

/* Something to be loaded: a segment of the kernel, a part of its symbol table, or the ramdisk. */
struct load {
    uint64_t at, end;    /* pseudo-physical addresses */
    const uint8_t *from;
    bool of_image;
};

/* Part 0, 1 or 2 of the symbol table. */
static void symbols_load(const struct build *b, uint32_t part, struct load *load)
{
    const struct pv_kernel *k = &b->request.image->kernel;
    const struct elf_symbols *s = &k->symbols;
    const struct span parts[] = {{(const char *)s->head, sizeof(s->head)}, s->symbols, s->names};
    const uint64_t at[] = {0, sizeof(s->head), s->names_at};

    *load = (struct load){.at = k->symbols_at - k->virt_base + at[part], .from = (const uint8_t *)parts[part].at};
    load->end = load->at + parts[part].len;
}

/* The next one, from *@next (at first 0) on. False after the last. */
static bool next_load(const struct build *b, uint32_t *next, struct load *load)
{
    const struct build_request *r = &b->request;
    const struct elf *elf = &r->image->elf;
    struct elf_segment s;

    if (elf_next_load(elf, next, &s)) {
        uint64_t at = s.paddr - r->image->kernel.paddr_offset;

        *load = (struct load){.at = at, .end = at + s.filesz, .from = elf->image + s.offset, .of_image = true};
        return true;
    }
    if (*next < elf->segment_count + 3 && r->image->kernel.symbols.size != 0) {
        symbols_load(b, (*next)++ - elf->segment_count, load);
        return true;
    }
    if (*next > elf->segment_count + 3)
        return false;
    *next = elf->segment_count + 4;
    *load = (struct load){.at = b->layout.ramdisk << PAGE_SHIFT, .from = r->ramdisk};
    load->end = load->at + r->ramdisk_size;
    return true;
}

/*
 * Load whole pages from `p` on, up to `end`; how many, or 0: no memory. A page
 * that something else was loaded to (segments may overlap) is written again.
 */
static uint64_t load_pages(struct build *b, const struct load *load, uint64_t p, uint64_t end)
{
    const uint8_t *from = load->from + ((p << PAGE_SHIFT) - load->at);
    bool is_new = build_mfn(b, p).v == 0;
    struct frame *f = NULL;
    uint64_t n = 1;

    if (is_new && load->of_image && b->request.takes_image)
        f = image_take_page(b->request.image, (uint64_t)(from - b->request.image->elf.image));
    if (f != NULL) {
        if (domain_assign_frames(b->domain, f, 0, true) != 0)
            return 0;
        enter_frame(b, p, frame_to_mfn(f));
        return 1;
    }
    if (is_new)
        n = take_chunk(b, p, p + without_memory(b, p, end), PA_RAW);
    for (uint64_t i = 0; i < n; i++)
        page_copy(mfn_to_ptr(build_mfn(b, p + i)), from + (i << PAGE_SHIFT));
    return n;
}

/* Pages that are loaded as a whole are not cleared before, and need not even be copied. */
static int load_whole_pages(struct build *b)
{
    uint32_t next = b->segment;
    uint64_t end, stop;
    struct load load;

    if (!next_load(b, &next, &load)) {
        b->segment = 0;
        return 0;
    }
    end = load.end >> PAGE_SHIFT;
    b->done = MAX(b->done, ALIGN_UP(load.at, (uint64_t)PAGE_SIZE) >> PAGE_SHIFT);
    stop = MIN(end, b->done + LOADED_A_STEP);
    while (b->done < stop) {
        uint64_t n = load_pages(b, &load, b->done, stop);

        if (n == 0)
            return -ENOMEM;
        b->done += n;
    }
    if (b->done >= end) {
        b->segment = next;
        b->done = 0;
    }
    return -ERESTART;
}

/* All other memory. */
static int take_frames(struct build *b)
{
    const struct layout *l = &b->layout;

    for (unsigned int chunks = 0; b->done < b->request.nr_pages; chunks++) {
        uint64_t p = b->done, end = p < l->p2m ? l->p2m : b->request.nr_pages;
        /* What is written here later is written on zeroes. Behind it, clearing all of dom0's would take long. */
        unsigned int flags = b->request.initial_domain && p >= l->end ? PA_ZERO_USED : PA_ZERO;
        uint64_t n = without_memory(b, p, p < l->end ? MIN(end, l->end) : end);

        if (chunks == CHUNKS_A_STEP)
            return -ERESTART;
        if (n == 0) {
            while (++p < end && build_mfn(b, p).v != 0)
                ;
            b->done = p;
            continue;
        }
        if (p >= l->p2m && p < l->p2m + l->p2m_pages) {
            enter_frame(b, p, ptr_to_mfn(b->p2m[p - l->p2m]));
            n = 1;
        } else {
            n = take_chunk(b, p, p + n, flags);
        }
        if (n == 0)
            return -ENOMEM;
        b->done += n;
    }
    return 0;
}

/* Copy less than a page, or at least not over a page's end, to pseudo-physical address `at`. */
static void put_bytes(struct build *b, uint64_t at, const uint8_t *from, uint64_t size)
{
    memcpy((uint8_t *)mfn_to_ptr(build_mfn(b, at >> PAGE_SHIFT)) + (at & (PAGE_SIZE - 1)), from, size);
}

/* What does not fill its first or last page. */
static int load_edges(struct build *b)
{
    uint64_t first, last;
    struct load load;

    if (!next_load(b, &b->segment, &load))
        return 0;
    first = ALIGN_UP(load.at, (uint64_t)PAGE_SIZE);
    last = ALIGN_DOWN(load.end, (uint64_t)PAGE_SIZE);
    if (load.at < MIN(first, load.end))
        put_bytes(b, load.at, load.from, MIN(first, load.end) - load.at);
    if (last >= first && last < load.end)
        put_bytes(b, last, load.from + (last - load.at), load.end - last);
    return -ERESTART;
}

static uint64_t address_of(const struct build *b, uint64_t p)
{
    return b->layout.v_start + (p << PAGE_SHIFT);
}

/* dom0 is told, behind its start info, which display it finds: the PC's text mode. */
static void describe_display(struct start_info *si)
{
    dom0_vga_console_info_t *vga = (dom0_vga_console_info_t *)(si + 1);

    vga->video_type = XEN_VGATYPE_TEXT_MODE_3;
    vga->u.text_mode_3.rows = 25;
    vga->u.text_mode_3.columns = 80;
    vga->u.text_mode_3.font_height = 16;
    si->console.dom0.info_off = sizeof(*si);
    si->console.dom0.info_size = sizeof(*vga);
}

static int make_console(struct build *b, struct start_info *si)
{
    int error;

    if (b->request.initial_domain)
        describe_display(si);
    if (b->request.console_notify == NULL)
        return 0;
    error = evtchn_alloc_hv_port(b->domain, b->request.console_notify, &b->console_port);
    if (error != 0)
        return error;
    b->console = mfn_to_ptr(build_mfn(b, b->layout.console));
    si->console.domU.mfn = build_mfn(b, b->layout.console).v;
    si->console.domU.evtchn = b->console_port;
    return 0;
}

/* A guest starts with all its vCPUs' events masked. */
static void mask_events(struct shared_info *shared)
{
    for (size_t i = 0; i < ARRAY_SIZE(shared->vcpu_info); i++)
        shared->vcpu_info[i].evtchn_upcall_mask = 1;
}

static int write_start_info(struct build *b)
{
    const struct layout *l = &b->layout;
    const struct build_request *r = &b->request;
    const struct pv_kernel *k = &r->image->kernel;
    struct start_info *si = mfn_to_ptr(build_mfn(b, l->start_info));

    string_copy(si->magic, "xen-3.0-x86_64p", sizeof(si->magic));
    si->nr_pages = r->nr_pages;
    si->shared_info = ptr_to_paddr(b->domain->shared_info).v;
    si->flags = r->initial_domain ? SIF_PRIVILEGED | SIF_INITDOMAIN : 0;
    if (!r->initial_domain)
        si->store_mfn = build_mfn(b, l->store).v;
    si->pt_base = address_of(b, l->tables);
    si->nr_pt_frames = l->tables_pages;
    si->mfn_list = l->p2m_va;
    if (r->ramdisk_size != 0) {
        si->mod_start = k->mod_start_pfn ? l->ramdisk : address_of(b, l->ramdisk);
        si->mod_len = r->ramdisk_size;
        si->flags |= k->mod_start_pfn ? SIF_MOD_START_PFN : 0;
    }
    string_copy((char *)si->cmd_line, r->cmdline, sizeof(si->cmd_line));
    if (k->has_init_p2m) {
        si->first_p2m_pfn = l->p2m;
        si->nr_p2m_frames = l->p2m_pages + l->p2m_tables_pages;
    }
    if (k->has_hypercall_page)
        pv_fill_hypercall_page(mfn_to_ptr(build_mfn(b, (k->hypercall_page - l->v_start) >> PAGE_SHIFT)));
    mask_events(b->domain->shared_info);
    return make_console(b, si);
}

static int pin_tables(struct build *b)
{
    build_tables(b);
    return pv_pin_root(b->domain, build_mfn(b, b->layout.tables));
}

static int start_vcpu(struct build *b)
{
    const struct layout *l = &b->layout;
    struct vcpu *v = b->domain->vcpu[0];
    struct vcpu_guest_context *c = heap_alloc(sizeof(*c));
    int error;

    if (c == NULL)
        return -ENOMEM;
    c->flags = VGCF_in_kernel | VGCF_online;
    c->user_regs.rip = b->request.image->kernel.entry;
    c->user_regs.rsp = address_of(b, l->stack + 1);
    c->user_regs.rsi = address_of(b, l->start_info);
    c->user_regs.rflags = RFLAGS_IF | RFLAGS_ONE;
    c->user_regs.cs = GUEST_CS;
    c->user_regs.ss = GUEST_SS;
    c->kernel_ss = GUEST_SS;
    c->kernel_sp = c->user_regs.rsp;
    c->ctrlreg[3] = build_mfn(b, l->tables).v << PAGE_SHIFT;
    error = b->domain->ops->vcpu_set_context(v, c);
    heap_free(c);
    if (error != 0)
        return error;
    atomic_store(&v->initialised, true);
    vcpu_clear_pause_flag(v, VPF_DOWN);
    return 0;
}

static int (*const phases[])(struct build *b) = {
    take_list, load_whole_pages, take_frames, load_edges, write_start_info, pin_tables, start_vcpu,
};

int build_step(struct build *b, struct fault *fault)
{
    int error = phases[b->phase](b);

    if (error == 0) {
        b->phase++;
        b->done = 0;
        return b->phase < ARRAY_SIZE(phases) ? -ERESTART : 0;
    }
    if (error == -ENOMEM)
        return no_memory(b, fault);
    if (error != -ERESTART)
        fault_set(fault, "cannot be started: found error %d in phase %u, expected none", error, b->phase);
    return error;
}
