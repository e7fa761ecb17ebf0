/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Callbacks that both emulations, of page-table writes and of privileged instructions, use; ctx->opaque is theirs. */
#ifndef PV_EMULATE_H
#define PV_EMULATE_H

#include "emul/emul.h"

struct vcpu;

/* Code bytes at the running guest's `va`; raises #PF. */
int pv_emul_fetch(struct emul_ctx *ctx, uint64_t va, void *to, unsigned int bytes);
/* FS and GS bases of the running vCPU; flat otherwise. */
int pv_emul_segment(struct emul_ctx *ctx, enum emul_seg seg, struct emul_segment *out);

#endif
