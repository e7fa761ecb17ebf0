/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small objects. A slab is one page: a header of 64 bytes and as many objects
 * of one size as fit behind it; the sizes are chosen so that 63, 31, ... 2, 1
 * fit. Larger objects are blocks of pages of their own. The two are told apart
 * by the address: only a block begins on a page boundary.
 *
 * An empty slab goes back to the page allocator at once, so that what a server
 * leaves behind is nothing.
 *
 * In a sanitised build a small object is followed by a red zone of at least
 * eight bytes, of which the last two tell the size that was asked for, and a
 * free one is filled with a pattern: who writes past an object's end, or to an
 * object that was freed, is found when it is freed or given out again.
 */
#include "mem/heap.h"

#include "lib/list.h"
#include "lib/string.h"
#include "mem/page_alloc.h"
#include "x86/spinlock.h"
#include "x86/upcalls.h"

#define SLAB_MAGIC  0x51ab51abu
#define SLAB_HEADER 64

struct object {
    struct object *next; /* in the slab's list of free ones */
};

struct slab {
    struct list_head link; /* partial[], while one of its objects is free */
    struct object *free;
    uint32_t used;
    uint32_t class;
    uint32_t magic;
};

static const uint16_t class_size[] = {16, 32, 48, 64, 128, 192, 256, 320, 448, 576, 768, 960, 1344, 1984, 4032};
#define CLASSES   ARRAY_SIZE(class_size)
#define SMALL_MAX 4032

#define RED_ZONE (HOSPES_SANITIZE ? 8u : 0u)
#define RED      0xbd
#define FREED    0x6b

static spinlock_t lock = SPINLOCK_INIT(LOCK_HEAP);
static struct list_head partial[CLASSES]; /* slabs with a free object; guarded by lock */

/* Behind an object of `size` bytes in a slot of its class, up to the slot's last two bytes. */
static void paint_red_zone(uint8_t *p, uint16_t size, uint16_t slot)
{
    memset(p + size, RED, slot - size - sizeof(size));
    memcpy(p + slot - sizeof(size), &size, sizeof(size));
}

static void check_red_zone(const uint8_t *p, uint16_t slot)
{
    uint16_t size;

    memcpy(&size, p + slot - sizeof(size), sizeof(size));
    for (uint32_t i = size; i < slot - sizeof(size); i++) {
        if (p[i] != RED)
            upcall_panic(NULL, "heap: written past the end of %p, %u bytes, at %u", (const void *)p, size, i);
    }
    if (size > slot - RED_ZONE)
        upcall_panic(NULL, "heap: written past the end of %p, over its size", (const void *)p);
}

static void check_freed(const uint8_t *p, uint16_t slot)
{
    for (uint32_t i = sizeof(struct object); i < slot; i++) {
        if (p[i] != FREED)
            upcall_panic(NULL, "heap: %p, %u bytes, was written at %u after it was freed", (const void *)p, slot, i);
    }
}

static struct slab *new_slab(unsigned int class)
{
    size_t size = class_size[class];
    struct slab *s = hv_page_alloc();

    if (!s)
        return NULL;
    s->class = class;
    s->magic = SLAB_MAGIC;
    for (size_t at = SLAB_HEADER + (PAGE_SIZE - SLAB_HEADER) / size * size; at > SLAB_HEADER; at -= size) {
        struct object *o = (struct object *)((char *)s + at - size);

        if (HOSPES_SANITIZE)
            memset(o, FREED, size);
        o->next = s->free;
        s->free = o;
    }
    return s;
}

static void *alloc_small(unsigned int class)
{
    struct list_head *list = &partial[class];
    struct object *o = NULL;
    struct slab *s;

    spin_lock(&lock);
    if (!list->next)
        list_init(list);
    if (list_empty(list)) {
        s = new_slab(class);
        if (s)
            list_add(&s->link, list);
    } else {
        s = list_first_entry(list, struct slab, link);
    }
    if (s) {
        o = s->free;
        s->free = o->next;
        s->used++;
        if (!s->free)
            list_del(&s->link);
    }
    spin_unlock(&lock);
    return o;
}

/* Pages are cleared by their allocator; `order` in the first frame remembers the size. */
static void *alloc_large(size_t size)
{
    unsigned int order = 0;
    struct frame *f;

    while (order <= PAGE_ORDER_MAX && ((size_t)PAGE_SIZE << order) < size)
        order++;
    f = page_alloc(order, PA_ZERO);
    return f ? frame_to_ptr(f) : NULL;
}

void *heap_alloc(size_t size)
{
    unsigned int class = 0;
    void *p;

    if (HOSPES_SANITIZE && page_alloc_must_fail())
        return NULL;
    if (size > SMALL_MAX - RED_ZONE)
        return alloc_large(size);
    while (class_size[class] < size + RED_ZONE)
        class++;
    p = alloc_small(class);
    if (p && HOSPES_SANITIZE)
        check_freed(p, class_size[class]);
    if (p)
        memset(p, 0, class_size[class]);
    if (p && HOSPES_SANITIZE)
        paint_red_zone(p, (uint16_t)size, class_size[class]);
    return p;
}

void *heap_alloc_array(size_t n, size_t size)
{
    size_t total;

    return __builtin_mul_overflow(n, size, &total) ? NULL : heap_alloc(total);
}

void heap_free(void *p)
{
    struct slab *s = (struct slab *)((uintptr_t)p & ~(uintptr_t)(PAGE_SIZE - 1));
    struct object *o = p;
    bool empty;

    if (!p)
        return;
    if ((void *)s == p) {
        struct frame *f = mfn_to_frame(ptr_to_mfn(p));

        page_free(f, f->order);
        return;
    }
    if (s->magic != SLAB_MAGIC || s->class >= CLASSES || s->used == 0 ||
        ((uintptr_t)p - (uintptr_t)s - SLAB_HEADER) % class_size[s->class] != 0)
        upcall_panic(NULL, "heap_free: %p is not an object", p);
    if (HOSPES_SANITIZE) {
        check_red_zone(p, class_size[s->class]);
        memset(p, FREED, class_size[s->class]);
    }
    spin_lock(&lock);
    if (!s->free)
        list_add(&s->link, &partial[s->class]);
    o->next = s->free;
    s->free = o;
    empty = --s->used == 0;
    if (empty) {
        list_del(&s->link);
        s->magic = 0;
    }
    spin_unlock(&lock);
    if (empty)
        hv_page_free(s);
}
