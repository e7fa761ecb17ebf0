/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of this guest: making control calls, and the files' ways in. */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#define __XEN_TOOLS__ 1
#include "lib/guest.h"
#include "lib/hypercall.h"

#include <xen/domctl.h>
#include <xen/platform.h>
#include <xen/sysctl.h>

/* What fills an argument's union before fields are set. */
enum { ZEROS = 0, ONES = 0xff };

/* An argument that is ready to be made; the answer is in it afterwards. */
extern struct xen_domctl domctl;
extern struct xen_sysctl sysctl;

/* A control call's code, which is taken note of. */
long counted(long code);

struct xen_domctl *domctl_of(u32 cmd, domid_t domain, int fill);
long domctl_call(void);
struct xen_sysctl *sysctl_of(u32 cmd, int fill);
long sysctl_call(void);

/* A domain with so many vCPUs, which does not run; its number. To the unprivileged: one that does not exist. */
domid_t victim_create(unsigned vcpus);
void victim_destroy(domid_t id);

void ask_domctl(void);
void ask_domctl_fields(void);
void ask_sysctl(void);
void ask_platform(void);
void ask_hypfs(void);

#endif
