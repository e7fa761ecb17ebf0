/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The toolstack's interface, as the toolstack sees it: what the headers have for Xen alone needs headers of Xen's. */
#ifndef ABI_CONTROL_H
#define ABI_CONTROL_H

#include "abi/xen.h"

#undef __XEN__
#define __XEN_TOOLS__ 1
#include <xen/domctl.h>
#include <xen/sysctl.h>
#undef __XEN_TOOLS__
#define __XEN__ 1

#endif
