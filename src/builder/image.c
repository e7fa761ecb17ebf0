/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels: found again if the same module came before, else read and, if they
 * are packed, unpacked. A kernel that cannot be used is remembered too.
 *
 * An unpacked kernel is large: its memory is taken in pieces of 2 MB, from
 * wherever they are free, and mapped as one piece for good.
 */
#include "builder/image.h"
#include "abi/xen.h"
#include "core/crosscall.h"
#include "core/stages.h"
#include "core/watchdog.h"
#include "lib/unpack.h"
#include "mem/heap.h"
#include "mem/hvmap.h"
#include "mem/layout.h"
#include "mem/page_alloc.h"
#include "x86/bootfp.h"
#include "x86/cpu.h"

/* What a PV guest is offered (XENVER_get_features), and what it need not have though kernels name it. */
#define FEATURES_OFFERED                                                                                 \
    (BIT(XENFEAT_writable_page_tables) | BIT(XENFEAT_pae_pgdir_above_4gb) |                              \
     BIT(XENFEAT_mmu_pt_update_preserve_ad) | BIT(XENFEAT_highmem_assist) | BIT(XENFEAT_dom0) |          \
     BIT(XENFEAT_gnttab_map_avail_bits) | BIT(XENFEAT_memory_op_vnode_supported) |                       \
     BIT(XENFEAT_direct_mapped))

#define ROOMS_START   (HVMAP_START + (256ULL << 30)) /* the upper half of HVMAP is ours */
#define PIECE_ORDER   9
#define PIECE_SIZE    ((uint64_t)PAGE_SIZE << PIECE_ORDER)
#define ARENA_ORDER   7
#define UNPACK_TIME   MILLISECS(120000) /* a second; in an emulator on a busy host much more */
#define FLAGS_ROOM    (PTE_P | PTE_RW | PTE_NX | PTE_A | PTE_D)

static struct image *images;

/* --- memory for an unpacked kernel --- */

/* Frees what no domain has been given of it. Its address stays its own. */
static void room_free(struct room *r)
{
    hvmap_unmap((uint64_t)r->at, r->pieces << PIECE_ORDER);
    tlb_flush(cpus_online_mask);
    while (r->pieces > 0) {
        struct frame *f = r->piece[--r->pieces];

        for (uint64_t i = 0; i < BIT(PIECE_ORDER); i++) {
            if (f[i].owner == NULL)
                page_free(&f[i], 0);
        }
    }
    heap_free(r->piece);
    r->piece = NULL;
}

/*
 * Unpacking copies from all over the room. An emulator's TLB has entries for
 * 4 KiB, whatever we map, and QEMU's has 256 of them at first and twice as
 * many after each flush that finds it full: this makes it hold the half of the
 * room, which takes a millisecond and saves a seventh of the time to the first guest.
 */
static void widen_tlb(const struct room *r)
{
    for (uint64_t pages = 256; pages <= r->pieces << (PIECE_ORDER - 1); pages *= 2) {
        for (uint64_t i = 0; i < pages; i++)
            *(volatile uint8_t *)(r->at + i * PAGE_SIZE) = 0;
        tlb_flush_local();
    }
}

/* Room for `size` bytes; 0 or -ENOMEM. */
static int room_alloc(struct room *r, uint64_t size)
{
    static uint64_t next = ROOMS_START;
    uint64_t pieces = (size + PIECE_SIZE - 1) / PIECE_SIZE;

    if (r->at == NULL) {
        r->at = (uint8_t *)next;
        next += (pieces + 1) * PIECE_SIZE;
    }
    r->piece = heap_alloc_array(pieces, sizeof(struct frame *));
    if (r->piece == NULL)
        return -ENOMEM;
    while (r->pieces < pieces) {
        struct frame *f = page_alloc(PIECE_ORDER, 0);
        uint64_t va = (uint64_t)r->at + r->pieces * PIECE_SIZE;

        if (f == NULL || hvmap_map(va, frame_to_mfn(f), BIT(PIECE_ORDER), FLAGS_ROOM) != 0) {
            if (f != NULL)
                page_free(f, PIECE_ORDER);
            room_free(r);
            return -ENOMEM;
        }
        r->piece[r->pieces++] = f;
    }
    widen_tlb(r);
    return 0;
}

/* --- reading --- */

static void no_memory(struct image *image, uint64_t size)
{
    fault_set(&image->fault, "not enough memory: found %llu MB free, expected %llu MB to unpack the kernel",
              (unsigned long long)(page_alloc_free_frames() / 256), (unsigned long long)(size >> 20) + 1);
}

static void unpack_payload(struct image *image, const struct payload *p)
{
    uint64_t size = p->unpacked_size + UNPACK_SLACK;
    struct frame *arena = page_alloc(ARENA_ORDER, 0);
    struct room *room = &image->room;
    const char *why;
    size_t len;
    int error;

    if (arena == NULL || room_alloc(room, size) != 0) {
        no_memory(image, size);
    } else {
        unpack_set_arena(frame_to_ptr(arena), PAGE_SIZE << ARENA_ORDER);
        watchdog_allow(UNPACK_TIME);
        bootfp_begin();
        error = unpack(p->data, p->size, room->at, size, &len, &why);
        bootfp_end();
        stage_done("unpacking");
        if (error != 0) {
            fault_set(&image->fault, "a truncated or damaged kernel: found: %s, expected a whole one", why);
            room_free(room);
        } else {
            image->bytes = room->at;
            image->size = len;
        }
    }
    if (arena != NULL)
        page_free(arena, ARENA_ORDER);
}

/* ELF's class, byte order and machine. */
static bool is_64bit_x86(const uint8_t *bytes, uint64_t size)
{
    return size < 20 || (bytes[4] == 2 && bytes[5] == 1 && bytes[18] == 62 && bytes[19] == 0);
}

static void read_elf(struct image *image)
{
    const char *why;

    if (packing_identify(image->bytes, image->size) != PACKING_NONE) {
        fault_set(&image->fault, "not a kernel: found no ELF file in it, expected an ELF file or a bzImage");
    } else if (!is_64bit_x86(image->bytes, image->size)) {
        fault_set(&image->fault, "not a 64-bit x86 kernel: found another ELF file, expected one for x86-64");
    } else if (elf_open(&image->elf, image->bytes, image->size, &why) != 0) {
        fault_set(&image->fault, "a truncated or damaged kernel: found: %s, expected a whole ELF file", why);
    } else if (pv_kernel_read(&image->kernel, &image->elf, FEATURES_OFFERED, &why) != 0) {
        fault_set(&image->fault, "not a PV kernel: found: %s, expected one that runs under Xen PV", why);
    }
}

/* A Linux setup header, though what follows may be missing. */
static bool is_bzimage(const uint8_t *bytes, uint64_t size)
{
    return size >= 0x206 && memcmp(bytes + 0x202, "HdrS", 4) == 0;
}

static void read_image(struct image *image)
{
    struct payload payload;
    const char *why;

    image->bytes = image->module;
    image->size = image->module_size;
    image->fault.text[0] = '\0';

    if (payload_find(&payload, image->bytes, image->size, &why) != 0) {
        if (is_bzimage(image->bytes, image->size))
            fault_set(&image->fault, "a truncated or damaged bzImage: found: %s, expected a whole one", why);
        else
            fault_set(&image->fault, "not a kernel: found: %s, expected an ELF file or a bzImage", why);
        return;
    }
    if (payload.packing != PACKING_NONE)
        unpack_payload(image, &payload);
    if (image->fault.text[0] == '\0')
        read_elf(image);
}

static struct image *find_image(const void *module)
{
    struct image *i = images;

    while (i != NULL && i->module != module)
        i = i->next;
    return i;
}

int image_open(const void *module, uint64_t size, struct image **out, struct fault *fault)
{
    struct image *image = find_image(module);

    if (image == NULL) {
        image = heap_alloc(sizeof(*image));
        if (image == NULL) {
            fault_set(fault, "not enough memory: found none, expected %zu bytes", sizeof(*image));
            return -ENOMEM;
        }
        *image = (struct image){.module = module, .module_size = size};
        read_image(image);
        image->next = images;
        images = image;
    }
    *out = image;
    *fault = image->fault;
    return fault->text[0] != '\0' ? -ENOEXEC : 0;
}

/* --- giving it away --- */

struct frame *image_take_page(const struct image *image, uint64_t offset)
{
    const struct elf *elf = &image->elf;
    uint64_t table_end = elf->segments_at + (uint64_t)elf->segment_count * elf->segment_size;
    struct frame *f;

    /* Loading goes on, and has to find the segments as they were checked. */
    if (image->room.pieces == 0 || (offset & (PAGE_SIZE - 1)) != 0 ||
        (offset < table_end && offset + PAGE_SIZE > elf->segments_at))
        return NULL;
    f = image->room.piece[offset / PIECE_SIZE] + offset % PIECE_SIZE / PAGE_SIZE;
    return f->owner == NULL ? f : NULL;
}

uint64_t image_pages(const struct image *image)
{
    return image->room.pieces << PIECE_ORDER;
}

void image_give_up(struct image *image)
{
    if (image->room.pieces == 0)
        return;
    room_free(&image->room);
    image->bytes = NULL;
}

int image_restore(struct image *image, struct fault *fault)
{
    if (image->bytes == NULL)
        read_image(image);
    *fault = image->fault;
    return fault->text[0] != '\0' ? -ENOEXEC : 0;
}
