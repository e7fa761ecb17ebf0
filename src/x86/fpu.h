/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FPU, SSE, AVX state: switched eagerly with the vCPU (XSAVE where there is one, FXSAVE else). */
#ifndef X86_FPU_H
#define X86_FPU_H

/* Size in bytes of a save area (a multiple of 64). */
size_t fpu_area_size(void);

/* Initialise a save area to the state after reset (FCW 0x37f, MXCSR 0x1f80). */
void fpu_area_init(void *area);

/*
 * Take the x87 and SSE state of a 512-byte FXSAVE image that a guest made. What would make a later restore fault
 * (reserved bits of MXCSR) is left out.
 */
void fpu_area_set_legacy(void *area, const void *fxsave);

void fpu_save(void *area);
void fpu_restore(const void *area);

#endif
