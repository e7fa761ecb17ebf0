/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small objects of the hypervisor. */
#ifndef MEM_HEAP_H
#define MEM_HEAP_H

/* `size` bytes, cleared, aligned to 64 bytes if size >= 64, else 16. NULL: no memory. */
void *heap_alloc(size_t size);
/* As heap_alloc(n * size), NULL on overflow. */
void *heap_alloc_array(size_t n, size_t size);
/* NULL is allowed. */
void heap_free(void *p);

#endif
