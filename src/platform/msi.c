/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programming messages. The owner of the hardware finds a function's
 * capability, switches it on and off and never sees address and data: these name
 * CPUs and vectors, which are ours. An MSI is in configuration space, an MSI-X
 * entry in a table in the function's memory, which we map for good.
 *
 * A function without mask bits cannot be silenced; then limit() of irq.c has no
 * hold on it, and what it sends when nobody uses it is acknowledged and forgotten.
 */
#include "platform/msi.h"

#include "abi/errno.h"
#include "mem/frame.h"
#include "mem/heap.h"
#include "mem/hvmap.h"
#include "platform/platform.h"
#include "x86/cpu.h"

enum { CONTROL = 2, ADDRESS = 4, TABLE = 4 };         /* registers of a capability */
enum { X_ADDRESS, X_ADDRESS_HIGH, X_DATA, X_CONTROL, X_WORDS }; /* of an entry of the table, in words */
enum { REG_BAR = 0x10, BARS = 6 };

#define MSI_ENABLE      0x0001
#define MSI_MULTIPLE    0x0070
#define MSI_64BIT       0x0080
#define MSI_MASKABLE    0x0100
#define MSIX_ENABLE     0x8000
#define MSIX_SIZE       0x07ff
#define MSIX_MASKED     1
#define BAR_IO          1
#define BAR_TYPE        6
#define BAR_64BIT       4
#define MESSAGE_ADDRESS 0xfee00000u

/* Locks: [m] messages_lock, [i] irq.irq_lock, [c] constant. */
struct msi {
    struct irq irq;
    struct list_head link;    /* [m] */
    pci_bdf_t bdf;            /* [c] */
    uint8_t cap;              /* [c] offset of the capability */
    uint8_t data_at, mask_at; /* [c] MSI: registers; mask_at 0: it cannot be masked */
    int entry;                /* [c] */
    volatile uint32_t *x;     /* [c] MSI-X: its entry; NULL: an MSI */
    uint32_t address, data;   /* [i] */
    bool masked;              /* [i] */
};

/* A table that is mapped. Memory of the hypervisor's is not given back, so each place is mapped once. */
struct table {
    struct list_head link;
    paddr_t at;
    uint32_t entries;
    volatile uint32_t *x;
};

static spinlock_t messages_lock = SPINLOCK_INIT(LOCK_PCI);
static LIST_HEAD(messages); /* [m] */
static LIST_HEAD(tables);   /* [m] */

static struct msi *msi_of(struct irq *irq)
{
    return container_of(irq, struct msi, irq);
}

/* --- a message as a source of interrupts --- */

static uint32_t control_of(const struct msi *m)
{
    return pci_read(m->bdf, (uint8_t)(m->cap + CONTROL), 2);
}

static void set_control(const struct msi *m, uint32_t v)
{
    pci_write(m->bdf, (uint8_t)(m->cap + CONTROL), 2, v);
}

static void set_mask(struct irq *irq, bool masked)
{
    struct msi *m = msi_of(irq);

    m->masked = masked;
    if (m->x)
        m->x[X_CONTROL] = masked ? MSIX_MASKED : 0;
    else if (m->mask_at)
        pci_write(m->bdf, m->mask_at, 4, masked ? 1 : 0);
}

static void msi_mask(struct irq *irq)
{
    set_mask(irq, true);
}

static void msi_unmask(struct irq *irq)
{
    struct msi *m = msi_of(irq);

    if (!m->x && !(control_of(m) & MSI_ENABLE))
        set_control(m, (control_of(m) & ~(uint32_t)MSI_MULTIPLE) | MSI_ENABLE);
    set_mask(irq, false);
}

/* For one that is live only the address's low word changes. */
static void msi_route(struct irq *irq, uint32_t apic_id)
{
    struct msi *m = msi_of(irq);

    m->address = MESSAGE_ADDRESS | apic_id << 12;
    m->data = irq->vector;
    if (m->x) {
        m->x[X_ADDRESS_HIGH] = 0;
        m->x[X_DATA] = m->data;
        m->x[X_ADDRESS] = m->address;
        return;
    }
    if (m->data_at > m->cap + ADDRESS + 4)
        pci_write(m->bdf, (uint8_t)(m->cap + ADDRESS + 4), 4, 0);
    pci_write(m->bdf, m->data_at, 2, m->data);
    pci_write(m->bdf, (uint8_t)(m->cap + ADDRESS), 4, m->address);
}

static void msi_release(struct irq *irq)
{
    timer_kill(&irq->hold_timer);
    heap_free(msi_of(irq));
}

static const struct irq_chip msi_chip = {
    .mask = msi_mask, .unmask = msi_unmask, .route = msi_route, .release = msi_release,
};

/* --- MSI-X tables; messages_lock is held --- */

/* Device memory of `bytes` at `at`? It is the device that says so, or a guest. */
static bool is_device_memory(uint64_t at, uint64_t bytes)
{
    uint64_t last = at + bytes - 1;

    if (at == 0 || last < at || last >> cpu_features.phys_bits)
        return false;
    for (uint64_t page = at >> PAGE_SHIFT; page <= last >> PAGE_SHIFT; page++)
        if (mfn_valid(mfn(page)) || machine_page_is_apic(mfn(page)))
            return false;
    return true;
}

static uint64_t region_base(pci_bdf_t bdf, uint32_t bar, uint64_t otherwise)
{
    uint8_t reg = (uint8_t)(REG_BAR + 4 * bar);
    uint64_t v = pci_read(bdf, reg, 4);

    if (v & BAR_IO)
        return 0;
    if ((v & BAR_TYPE) == BAR_64BIT && bar + 1 < BARS)
        v |= (uint64_t)pci_read(bdf, (uint8_t)(reg + 4), 4) << 32;
    v &= ~0xfULL;
    return v ? v : otherwise;
}

static struct table *map_table(paddr_t at, uint32_t entries)
{
    struct table *t;

    list_for_each_entry(t, &tables, link)
        if (t->at.v == at.v && t->entries >= entries)
            return t;
    t = heap_alloc(sizeof(*t));
    if (!t)
        return NULL;
    t->at = at;
    t->entries = entries;
    t->x = hvmap_device(at, entries * X_WORDS * sizeof(uint32_t));
    if (!t->x) {
        heap_free(t);
        return NULL;
    }
    list_add_tail(&t->link, &tables);
    return t;
}

/* --- messages of a function; messages_lock is held --- */

static struct msi *find_message(pci_bdf_t bdf, bool of_x)
{
    struct msi *m;

    list_for_each_entry(m, &messages, link)
        if (m->bdf == bdf && (m->x != NULL) == of_x)
            return m;
    return NULL;
}

static bool entry_is_used(pci_bdf_t bdf, int entry)
{
    const struct msi *m;

    list_for_each_entry(m, &messages, link)
        if (m->bdf == bdf && m->x && m->entry == entry)
            return true;
    return false;
}

static int prepare_msi(struct msi *m)
{
    uint32_t control;

    m->cap = pci_find_capability(m->bdf, PCI_CAP_MSI);
    if (m->cap == 0)
        return -EINVAL;
    if (find_message(m->bdf, false))
        return -EEXIST;
    if (find_message(m->bdf, true))
        return -EBUSY;
    control = control_of(m);
    m->data_at = (uint8_t)(m->cap + ADDRESS + (control & MSI_64BIT ? 8 : 4));
    m->mask_at = (uint8_t)(control & MSI_MASKABLE ? m->data_at + 4 : 0);
    set_control(m, control & ~(uint32_t)(MSI_ENABLE | MSI_MULTIPLE));
    return 0;
}

/* The first entry in use switches the function over, with all entries masked. */
static int prepare_msix(struct msi *m, uint64_t table_base)
{
    uint32_t control, where, entries;
    struct table *t;
    uint64_t base;

    m->cap = pci_find_capability(m->bdf, PCI_CAP_MSIX);
    if (m->cap == 0)
        return -EINVAL;
    control = control_of(m);
    where = pci_read(m->bdf, (uint8_t)(m->cap + TABLE), 4);
    entries = (control & MSIX_SIZE) + 1;
    if ((uint32_t)m->entry >= entries || (where & 7) >= BARS)
        return -EINVAL;
    if (entry_is_used(m->bdf, m->entry))
        return -EEXIST;
    if (find_message(m->bdf, false))
        return -EBUSY;
    base = region_base(m->bdf, where & 7, table_base) + (where & ~7u);
    if (!is_device_memory(base, entries * X_WORDS * sizeof(uint32_t)))
        return -EINVAL;
    t = map_table(paddr(base), entries);
    if (!t)
        return -ENOMEM;
    m->x = t->x + (uint32_t)m->entry * X_WORDS;
    if (!find_message(m->bdf, true))
        for (uint32_t i = 0; i < entries; i++)
            t->x[i * X_WORDS + X_CONTROL] = MSIX_MASKED;
    set_control(m, control | MSIX_ENABLE);
    return 0;
}

int msi_create(const struct msi_request *r, struct irq **irq)
{
    struct msi *m;
    int ret;

    if (!pci_is_known(r->bdf))
        return -ENODEV;
    m = heap_alloc(sizeof(*m));
    if (!m)
        return -ENOMEM;
    irq_create(&m->irq, &msi_chip);
    m->bdf = r->bdf;
    m->entry = r->entry;
    m->masked = true;
    spin_lock(&messages_lock);
    ret = r->entry == MSI_NOT_X ? prepare_msi(m) : prepare_msix(m, r->table_base);
    if (!ret)
        list_add_tail(&m->link, &messages);
    spin_unlock(&messages_lock);
    if (ret)
        heap_free(m);
    else
        *irq = &m->irq;
    return ret;
}

void msi_destroy(struct irq *irq)
{
    struct msi *m = msi_of(irq);

    spin_lock(&messages_lock);
    list_del(&m->link);
    if (!find_message(m->bdf, m->x != NULL))
        set_control(m, control_of(m) & ~(uint32_t)(m->x ? MSIX_ENABLE : MSI_ENABLE));
    spin_unlock(&messages_lock);
    irq_put(irq);
}

int msi_restore(pci_bdf_t bdf)
{
    struct msi *m;

    if (!pci_is_known(bdf))
        return -ENODEV;
    spin_lock(&messages_lock);
    list_for_each_entry(m, &messages, link) {
        if (m->bdf != bdf)
            continue;
        spin_lock(&m->irq.irq_lock);
        if (m->irq.vector != 0)
            msi_route(&m->irq, cpu_apic_id[m->irq.cpu]);
        set_mask(&m->irq, m->masked);
        set_control(m, control_of(m) | (m->x ? MSIX_ENABLE : MSI_ENABLE));
        spin_unlock(&m->irq.irq_lock);
    }
    spin_unlock(&messages_lock);
    return 0;
}

bool msi_filter_write(pci_bdf_t bdf, uint8_t reg, unsigned int bytes, uint32_t *value)
{
    const struct msi *m;
    unsigned int control, end;
    bool allowed = true;

    spin_lock(&messages_lock);
    m = find_message(bdf, false);
    if (m) {
        control = m->cap + CONTROL;
        end = m->mask_at ? m->mask_at + 8 : m->data_at + 2;
        allowed = reg + bytes <= m->cap + (unsigned int)ADDRESS || reg >= end;
        if (reg <= control && control < reg + bytes)
            *value &= ~((uint32_t)MSI_MULTIPLE << 8 * (control - reg));
    }
    spin_unlock(&messages_lock);
    return allowed;
}
