/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control-register bits and model-specific registers (Intel SDM vol. 4, AMD APM vol. 2 app. A). */
#ifndef X86_MSR_H
#define X86_MSR_H

#define MSR_APIC_BASE      0x0000001b
#define MSR_SPEC_CTRL      0x00000048
#define MSR_PRED_CMD       0x00000049
#define MSR_ARCH_CAPABILITIES 0x0000010a
#define MSR_SYSENTER_CS    0x00000174
#define MSR_SYSENTER_ESP   0x00000175
#define MSR_SYSENTER_EIP   0x00000176
#define MSR_MISC_ENABLE    0x000001a0
#define MSR_PAT            0x00000277
#define MSR_X2APIC(reg)    (0x800u + ((reg) >> 4))
#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_CSTAR          0xc0000083
#define MSR_SYSCALL_MASK   0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX        0xc0000103
#define MSR_MCG_CAP        0x00000179
#define MSR_MCG_STATUS     0x0000017a
#define MSR_MC0_CTL        0x00000400 /* and STATUS, ADDR, MISC: four for each bank */

#define APIC_BASE_BSP      (1u << 8)
#define APIC_BASE_X2APIC   (1u << 10)
#define APIC_BASE_ENABLE   (1u << 11)

#define EFER_SCE           0x0001
#define EFER_LME           0x0100
#define EFER_LMA           0x0400
#define EFER_NXE           0x0800
#define EFER_AUTO_IBRS     0x200000

#define CR0_PE             0x00000001
#define CR0_MP             0x00000002
#define CR0_TS             0x00000008
#define CR0_ET             0x00000010
#define CR0_NE             0x00000020
#define CR0_WP             0x00010000
#define CR0_AM             0x00040000
#define CR0_PG             0x80000000

#define CR4_TSD            0x00000004
#define CR4_DE             0x00000008
#define CR4_PAE            0x00000020
#define CR4_MCE            0x00000040
#define CR4_PGE            0x00000080
#define CR4_OSFXSR         0x00000200
#define CR4_OSXMMEXCPT     0x00000400
#define CR4_FSGSBASE       0x00010000
#define CR4_OSXSAVE        0x00040000
#define CR4_SMEP           0x00100000
/* What a guest chooses for itself; clear until it does. */
#define CR4_GUESTS_OWN     (CR4_TSD | CR4_DE | CR4_FSGSBASE)

#define EFLAGS_MBS         0x00000002
#define EFLAGS_TF          0x00000100
#define EFLAGS_IF          0x00000200
#define EFLAGS_DF          0x00000400
#define EFLAGS_IOPL        0x00003000
#define EFLAGS_NT          0x00004000
#define EFLAGS_RF          0x00010000
#define EFLAGS_VM          0x00020000
#define EFLAGS_AC          0x00040000
#define EFLAGS_VIF         0x00080000
#define EFLAGS_VIP         0x00100000
#define EFLAGS_ID          0x00200000

#endif
