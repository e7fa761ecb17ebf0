/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vectors of external interrupts and their handlers. */
#ifndef X86_IRQ_H
#define X86_IRQ_H

typedef void irq_handler_t(unsigned int vector);

/*
 * Handler of `vector` (VEC_CONSOLE to VEC_LAST_DYN), called with interrupts off,
 * outside any lock, before the EOI. Vectors without one are upcall_irq()'s.
 */
void irq_set_handler(unsigned int vector, irq_handler_t *handler);

#endif
