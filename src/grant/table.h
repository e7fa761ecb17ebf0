/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a domain's grant table, for the files of grant/ only.
 *
 * Three things belong to a domain as granter: the shared frames, which the
 * guest writes at any time; in version 2 the status frames, which it only
 * reads, as far as we care; and an active entry for each reference, ours
 * alone, which says who holds the entry and remembers what it granted when it
 * was first held. As one who maps: the map track, which turns handles into
 * (granter, reference).
 *
 * An operation locks one table at a time, and no table while it touches page
 * tables or guest memory.
 *
 *   [l] lock, [m] map_lock, [c] constant
 */
#ifndef GRANT_TABLE_H
#define GRANT_TABLE_H

#include "grant/grant.h"
#include "grant/pin.h"

#define V1_PER_FRAME      (PAGE_SIZE / sizeof(grant_entry_v1_t))
#define V2_PER_FRAME      (PAGE_SIZE / sizeof(grant_entry_v2_t))
#define STATUS_PER_FRAME  (PAGE_SIZE / sizeof(grant_status_t))
#define MAPTRACK_PER_FRAME 256

enum active_kind { ACTIVE_PAGE, ACTIVE_SUB_PAGE, ACTIVE_TRANSITIVE };

struct active {
    struct grant_pin pin;   /* [l] the rest is meaningful while it is held */
    domid_t domid;          /* [l] who holds it */
    uint8_t kind;           /* [l] enum active_kind */
    uint16_t start, length; /* [l] bytes of the page that are granted */
    domid_t trans_domid;    /* [l] ACTIVE_TRANSITIVE: whose grant */
    uint32_t trans_ref;     /* [l] ... and which */
    mfn_t frame;            /* [l] the others: what was granted */
};

/* maptrack.flags beside GNTMAP_*: somebody is mapping or unmapping it just now. */
#define MAPTRACK_BUSY BIT(15)

struct maptrack {
    struct domain *granter; /* [m] a reference is held */
    uint32_t ref;           /* [m] in the granter's table; of a free one: the next free handle */
    uint16_t flags;         /* [m] GNTMAP_* and MAPTRACK_BUSY; 0: free */
    mfn_t frame;            /* [m] */
};

struct grant_domain {
    spinlock_t lock;           /* LOCK_GRANT */
    uint32_t version;          /* [l] 1 or 2 */
    uint32_t max_version;      /* [c] */
    uint32_t nr_frames;        /* [l] grows only */
    uint32_t nr_status;        /* [l] grows only */
    uint32_t max_frames;       /* [c] */
    bool dead;                 /* [l] the domain is dying: its frames are not to be touched any more */
    void **shared;             /* [l] max_frames pages */
    grant_status_t **status;   /* [l] */
    struct active **active;    /* [l] V1_PER_FRAME entries for each shared frame */

    spinlock_t map_lock;       /* LOCK_GRANT */
    uint32_t nr_maptrack;      /* [m] chunks */
    uint32_t max_maptrack;     /* [c] */
    uint32_t free_handle;      /* [m] HANDLE_NONE: none */
    uint32_t relinquished;     /* only domain_kill's caller */
    struct maptrack **maptrack;/* [m] */
};
#define HANDLE_NONE (~0u)

/* --- table.c: all called with the table's lock held --- */

/* The number of references that the table has. */
uint32_t grant_nr_refs(const struct grant_domain *t);
/* The entry's parts; `ref` is below grant_nr_refs(). */
struct active *grant_active(struct grant_domain *t, uint32_t ref);
grant_entry_v1_t *grant_v1(struct grant_domain *t, uint32_t ref);
grant_entry_v2_t *grant_v2(struct grant_domain *t, uint32_t ref);
grant_status_t *grant_status(struct grant_domain *t, uint32_t ref);
/* Make it at least `frames` long; false: beyond the limit, or no memory. */
bool grant_grow(struct domain *d, uint32_t frames);

/* --- entry.c --- */

/* What acquire found. */
struct acquired {
    mfn_t frame;
    uint16_t start, length;
    bool transitive;     /* there is no frame: go on to */
    domid_t trans_domid;
    uint32_t trans_ref;
    uint64_t cache;      /* PTE_PWT, PTE_PCD, PTE_PAT as the granter wants them */
};

/*
 * For `who`, hold reference `ref` of `granter` by one `use` (pin.h): the guest's entry is
 * marked, the frame referenced (total, and writable type unless readonly).
 * GNTST_*; nothing is held on an error. Takes the table's lock.
 */
int grant_acquire(struct domain *granter, uint32_t ref, domid_t who, unsigned int use, bool readonly,
                  enum entry_use kind, struct acquired *out);
/* Undo one acquire, with the frame it gave. The caller has a reference to `granter`. */
void grant_release(struct domain *granter, uint32_t ref, unsigned int use, bool readonly);

/* A total reference and, unless readonly, a writable type on a frame of `d`: GNTST_okay, bad_page, general_error. */
int grant_frame_get(struct domain *d, mfn_t m, bool readonly);
void grant_frame_put(mfn_t m, bool readonly);

/* --- map.c --- */
extern const struct grant_host_ops *grant_host;
/* Undo what is still mapped by a dying domain; -ERESTART: again. */
int grant_unmap_all(struct domain *d);
void grant_map_destroy(struct grant_domain *t);

/* One element each: 0 or -Exxx; the GNTST_* goes into the structure. */
int grant_map(struct gnttab_map_grant_ref *op);
int grant_copy(struct gnttab_copy *op);
int grant_transfer(struct gnttab_transfer *op);
/* Elements of either form of unmapping, `replace`: gnttab_unmap_and_replace. *done of them when it returns. */
int grant_unmap_batch(uint64_t arg, unsigned int count, bool replace, unsigned int *done);

/* --- admin.c --- */
int grant_setup_table(struct gnttab_setup_table *op);
int grant_query_size(struct gnttab_query_size *op);
int grant_set_version(struct gnttab_set_version *op);
int grant_get_version(struct gnttab_get_version *op);
int grant_get_status_frames(struct gnttab_get_status_frames *op);
int grant_swap(struct gnttab_swap_grant_ref *op);
int grant_cache_flush(struct gnttab_cache_flush *op);

#endif
