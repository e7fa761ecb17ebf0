/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Xen's public interface (libxen-dev), as the hypervisor sees it, and the few constants that it lacks. */
#ifndef ABI_XEN_H
#define ABI_XEN_H

#include <xen/xen.h>
#include <xen/callback.h>
#include <xen/elfnote.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/hypfs.h>
#include <xen/kexec.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/arch-x86/xen-mca.h>

#define XEN_VERSION_MAJOR 4
#define XEN_VERSION_MINOR 17

#endif
