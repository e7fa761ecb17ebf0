/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console ring: two queues of bytes with free-running indices, between us and a guest that may lie. */
#include "builder/console_ring.h"
#include "x86/atomic.h"

void console_ring_init(struct console_ring *r, struct xencons_interface *page)
{
    *r = (struct console_ring){.page = page};
}

size_t console_ring_read(struct console_ring *r, char *buf, size_t n)
{
    /* The guest may move out_prod at any time and to anywhere: this one value is checked and used. */
    uint32_t prod = atomic_load(&r->page->out_prod);
    size_t count = 0;

    if (prod - r->out_cons > sizeof(r->page->out))
        r->out_cons = prod;
    while (count < n && r->out_cons != prod) {
        /* The byte may change as we read it: it is only a byte. */
        buf[count++] = READ_ONCE(r->page->out[MASK_XENCONS_IDX(r->out_cons, r->page->out)]);
        r->out_cons++;
    }
    atomic_store(&r->page->out_cons, r->out_cons);
    return count;
}

bool console_ring_write(struct console_ring *r, char c)
{
    /* The guest may set in_cons ahead of what it was given: that counts as no room. */
    uint32_t cons = atomic_load(&r->page->in_cons);

    if (r->in_prod - cons >= sizeof(r->page->in))
        return false;
    WRITE_ONCE(r->page->in[MASK_XENCONS_IDX(r->in_prod, r->page->in)], c);
    r->in_prod++;
    atomic_store(&r->page->in_prod, r->in_prod);
    return true;
}
