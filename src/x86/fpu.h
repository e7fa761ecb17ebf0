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

/* Bytes that XSAVE writes for the components of `xcr0`, in the standard format. */
size_t fpu_area_size_of(uint64_t xcr0);
/* May XCR0 be this? */
bool fpu_xcr0_ok(uint64_t xcr0);
/* Copy an area out, with no more than the components of `mask` in it. */
void fpu_area_get(void *out, const void *area, uint64_t mask);
/* Take the first `size` bytes of an area that somebody wrote; -EINVAL: it has what is not in `mask`, or is none. */
int fpu_area_set(void *area, const void *in, size_t size, uint64_t mask);

void fpu_save(void *area);
void fpu_restore(const void *area);

#endif
