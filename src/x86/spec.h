/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the processor lets leak by speculation, and what is done about it
 * (docs/decisions, speculation). Facts from CPUID and MSR_ARCH_CAPABILITIES,
 * and what the operator wishes, go into one pure decision; what has been
 * decided is then written into registers and, once, into the hypervisor's code.
 */
#ifndef X86_SPEC_H
#define X86_SPEC_H

/* What is done. The names by which the command line calls them are in core/speculation.c. */
enum spec_measure {
    SPEC_MSR_SC,          /* guests may use SPEC_CTRL and PRED_CMD, as far as the processor has them */
    SPEC_IBRS,            /* for good, if the processor has it so (spec.ibrs_stays), else at entry */
    SPEC_STIBP, SPEC_SSBD, SPEC_BHI_DIS_S, /* in SPEC_CTRL whatever runs */
    SPEC_IBPB,            /* when another vCPU is loaded: a barrier, and the return stack is overwritten */
    SPEC_IBPB_ENTRY,      /* the barrier at each entry from unprivileged domains ... */
    SPEC_IBPB_ENTRY_DOM0, /* ... and from the first one */
    SPEC_RSB,             /* at entry: the return stack is overwritten */
    SPEC_BHB_ENTRY,       /* at entry: the branch history is overwritten */
    SPEC_VERW,            /* at exit: buffers are cleared */
    SPEC_XPTI,            /* guests run on page tables that lack the hypervisor */
    SPEC_L1TF_DOM0, SPEC_L1TF_DOMU, /* absent entries of page tables may not name memory */
    SPEC_RETURN_THUNK,    /* returns, and indirect jumps, lie where ITS does not reach them */
    SPEC_MEASURES,
    /* What follows from those, for x86/patch.h: */
    SPEC_IBRS_ENTRY = SPEC_MEASURES, /* IBRS is set at entry and the guest's value at exit */
    SPEC_GATE,            /* guests enter and leave through x86/gate.S */
    SPEC_L1TF,            /* SPEC_L1TF_DOM0 or SPEC_L1TF_DOMU */
    SPEC_LOAD_HOOK,       /* loading a guest's root is spec_load_root()'s business */
};
#define SPEC_BIT(m) (1u << (m))

/* What an indirect jump is. */
enum spec_thunk { THUNK_RETPOLINE, THUNK_LFENCE, THUNK_JMP, THUNK_ANY };

struct spec_facts {
    bool intel, amd;           /* amd: or Hygon */
    bool emulator;             /* QEMU's, by its own word: it does not predict branches */
    bool smep, rtm;
    uint32_t family, model, stepping, phys_bits;
    uint64_t d7, d72;          /* CPUID leaf 7: EDX; sub-leaf 2: EDX */
    uint64_t b8, a21;          /* 0x80000008: EBX; 0x80000021: EAX */
    uint64_t arch_caps;        /* MSR_ARCH_CAPABILITIES, 0 if there is none */
};

/* Bits by SPEC_BIT(); `no` wins. */
struct spec_wish {
    uint32_t yes, no;
    enum spec_thunk thunk;
};

struct spec {
    struct spec_facts facts;
    bool meltdown, l1tf, mds;  /* believed vulnerable */
    bool ibrs_stays;           /* IBRS_ALL or automatic IBRS */
    uint64_t can, on;          /* bits */
    enum spec_thunk thunk;
    uint64_t ctrl, entry_ctrl; /* of MSR_SPEC_CTRL: what is set whatever runs; and in the hypervisor */
    uint64_t guest_ctrl;       /* what guests may set in it; 0: it is not for them */
    uint64_t guest_pred;       /* and in MSR_PRED_CMD */
    uint64_t l1tf_safe;        /* an absent entry may name this address and those above */
};
extern struct spec spec;

static inline bool spec_on(enum spec_measure m) { return (spec.on & SPEC_BIT(m)) != 0; }

#define SPEC_L1D_BITS 46 /* of an address that the first cache of L1TF's processors looks at */

/* What the compiler has put into the code. */
#ifdef __clang__
#define SPEC_COMPILED_IN " INDIRECT_THUNK HARDEN_ARRAY"
#else
#define SPEC_COMPILED_IN " INDIRECT_THUNK RETURN_THUNK HARDEN_ARRAY"
#endif

/* The bits that are asked for: CPUID 7.0 and 7.2 EDX, 0x80000008 EBX, 0x80000021 EAX, MSR_ARCH_CAPABILITIES. */
enum {
    D7_MD_CLEAR = 1 << 10, D7_IBRSB = 1 << 26, D7_STIBP = 1 << 27, D7_L1D_FLUSH = 1 << 28, D7_ARCH_CAPS = 1 << 29,
    D72_BHI_CTRL = 1 << 4,
    B8_IBPB = 1 << 12, B8_IBRS = 1 << 14, B8_STIBP = 1 << 15, B8_STIBP_ALWAYS = 1 << 17, B8_SSBD = 1 << 24,
    B8_BTC_NO = 1 << 29,
    A21_VERW_CLEAR = 1 << 5, A21_AUTO_IBRS = 1 << 8, A21_SBPB = 1 << 27, A21_IBPB_BRTYPE = 1 << 28,
    A21_SRSO_NO = 1 << 29,
    CAPS_RDCL_NO = 1 << 0, CAPS_IBRS_ALL = 1 << 1, CAPS_RSBA = 1 << 2, CAPS_MDS_NO = 1 << 5, CAPS_TAA_NO = 1 << 8,
    CAPS_RRSBA = 1 << 19, CAPS_BHI_NO = 1 << 20, CAPS_RFDS_NO = 1 << 27, CAPS_RFDS_CLEAR = 1 << 28,
};
#define D7_SSBD     BIT(31)
#define CAPS_ITS_NO BIT(62)
/* MSR_SPEC_CTRL */
#define CTRL_IBRS      BIT(0)
#define CTRL_STIBP     BIT(1)
#define CTRL_SSBD      BIT(2)
#define CTRL_BHI_DIS_S BIT(10)
/* MSR_PRED_CMD */
#define PRED_IBPB      BIT(0)
#define PRED_SBPB      BIT(7)

/* May an absent entry of a page table, on a processor with L1TF, be `e`? The first page has no secrets. */
static inline bool spec_l1tf_safe(uint64_t e)
{
    uint64_t seen = e & 0x000ffffffffff000ull & (BIT(SPEC_L1D_BITS) - 1);

    return seen == 0 || seen >= spec.l1tf_safe;
}

/* What the processor says of itself; after cpu_identify(). */
struct spec_facts spec_read_facts(void);

/* Pure. */
struct spec spec_decide(const struct spec_facts *f, const struct spec_wish *wish);

/* Write what spec says into the hypervisor's code: once, on the boot CPU, before others run. */
void spec_patch_code(void);

/* And into the registers of this CPU. */
void spec_init_cpu(void);

#endif
