/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spec-ctrl=, xpti= and pv-l1tf= as Xen's command-line manual has them, and
 * the report in the log in the form in which operators of Xen know it.
 */
#include "core/speculation.h"

#include "core/cmdline.h"
#include "core/log.h"
#include "lib/format.h"
#include "lib/parse.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/msr.h"
#include "x86/spec.h"

#define B(measure)   SPEC_BIT(SPEC_##measure)
#define ALL_MEASURES (SPEC_BIT(SPEC_MEASURES) - 1)
#define L1TF_BOTH    (B(L1TF_DOM0) | B(L1TF_DOMU))
#define SEPARATE     (B(XPTI) | L1TF_BOTH) /* have options of their own */

/* Items of a list and what they switch. 0: there is no such measure here, or it cannot be switched off. */
struct item {
    const char *name;
    uint32_t measures;
};
#define IBPB_ENTRIES (B(IBPB_ENTRY) | B(IBPB_ENTRY_DOM0))
static const struct item spec_ctrl[] = {
    {"xen", ALL_MEASURES & ~SEPARATE & ~B(MSR_SC)}, {"hvm", 0}, {"msr-sc", B(MSR_SC)}, {"rsb", B(RSB)},
    {"pv", B(MSR_SC) | B(RSB) | B(VERW) | B(BHB_ENTRY) | IBPB_ENTRIES}, {"verw", B(VERW)}, {"md-clear", B(VERW)},
    {"ibpb-entry", IBPB_ENTRIES}, {"bhb-entry", B(BHB_ENTRY)}, {"ibrs", B(IBRS)}, {"stibp", B(STIBP)},
    {"ssbd", B(SSBD)}, {"ibpb", B(IBPB)}, {"bhi-dis-s", B(BHI_DIS_S)}, {"bhb-seq", 0}, {"psfd", 0}, {"eager-fpu", 0},
    {"l1d-flush", 0}, {"branch-harden", 0}, {"srb-lock", 0}, {"unpriv-mmio", 0}, {"gds-mit", 0}, {"div-scrub", 0},
    {"lock-harden", 0}, {"bp-spec-reduce", 0},
};
static const struct item xpti[] = {{"dom0", B(XPTI)}, {"domu", B(XPTI)}};
static const struct item pv_l1tf[] = {{"dom0", B(L1TF_DOM0)}, {"domu", B(L1TF_DOMU)}};

static void wish_for(struct spec_wish *w, uint32_t measures, bool yes)
{
    w->yes = yes ? w->yes | measures : w->yes & ~measures;
    w->no = yes ? w->no & ~measures : w->no | measures;
}

static bool choose_thunk(struct spec_wish *w, struct span value)
{
    static const char *const name[] = {"retpoline", "lfence", "jmp"}; /* as enum spec_thunk */

    for (size_t i = 0; i < ARRAY_SIZE(name); i++) {
        if (span_equals(value, name[i])) {
            w->thunk = (enum spec_thunk)i;
            return true;
        }
    }
    return false;
}

/* [no-]KEY[=VALUE] */
struct part {
    struct span key, value;
    bool no, has_value;
};

static struct part split(struct span text)
{
    struct part p = {.no = text.len > 3 && memcmp(text.at, "no-", 3) == 0};
    const char *start = p.no ? text.at + 3 : text.at, *end = text.at + text.len;
    const char *eq = memchr(start, '=', (size_t)(end - start));

    p.has_value = eq != NULL;
    p.key = (struct span){start, (size_t)((eq ? eq : end) - start)};
    if (eq)
        p.value = (struct span){eq + 1, (size_t)(end - eq - 1)};
    return p;
}

/* Yes or no, for all guests or for one kind: pv, no-pv, pv=yes, hvm ... *hvm: it is about guests that there are not. */
static bool read_value(struct span value, bool *yes, bool *hvm)
{
    struct part p = split(value);

    *hvm = false;
    if (parse_bool(value, yes) == 0)
        return true;
    *hvm = span_equals(p.key, "hvm");
    *yes = !p.no;
    return (*hvm || span_equals(p.key, "pv")) && (!p.has_value || (!p.no && parse_bool(p.value, yes) == 0));
}

/* One item of a list; false: it is none. */
static bool read_item(struct spec_wish *w, const struct item *item, size_t n, struct span text)
{
    struct part p = split(text);
    bool yes = !p.no, hvm = false;

    if (span_equals(p.key, "bti-thunk"))
        return item == spec_ctrl && choose_thunk(w, p.value);
    while (n > 0 && !span_equals(p.key, item->name)) {
        item++;
        n--;
    }
    if (n == 0 || (p.has_value && (p.no || (item->measures && !read_value(p.value, &yes, &hvm)))))
        return false;
    if (!hvm)
        wish_for(w, item->measures, yes);
    return true;
}

/* Option `name`: a boolean for all of `whole`, or a list of items. */
static void read_option(struct spec_wish *w, const char *name, uint32_t whole, const struct item *item, size_t n)
{
    const char *at = cmdline_get(name), *end;
    bool yes = cmdline_flag(name, true);

    if (!yes || (at && *at == '\0'))
        wish_for(w, whole, yes);
    while (yes && at && *at != '\0') {
        struct span text;

        end = strchr(at, ',');
        text = (struct span){at, end ? (size_t)(end - at) : strlen(at)};
        if (item != spec_ctrl && parse_bool(text, &yes) == 0)
            wish_for(w, whole, yes);
        else if (!span_equals(text, "default") && !read_item(w, item, n, text))
            log_warn("option %s: bad value: found %.*s, expected an item of its list in Xen's manual; it is ignored",
                     name, (int)text.len, at);
        at = end ? end + 1 : "";
    }
}

struct spec_wish speculation_read_options(void)
{
    struct spec_wish w = {.thunk = THUNK_ANY};

    if (!cmdline_flag("spec-ctrl", true))
        w.thunk = THUNK_JMP;
    /* xpti= and pv-l1tf= hold against spec-ctrl=no, wherever they stand. */
    read_option(&w, "spec-ctrl", ALL_MEASURES, spec_ctrl, ARRAY_SIZE(spec_ctrl));
    read_option(&w, "xpti", B(XPTI), xpti, ARRAY_SIZE(xpti));
    read_option(&w, "pv-l1tf", L1TF_BOTH, pv_l1tf, ARRAY_SIZE(pv_l1tf));
    return w;
}

/* --- the report --- */

/* Bit `bit` of the word at `at`. */
struct name {
    size_t at;
    unsigned int bit;
    const char *text;
};
#define CAPS offsetof(struct spec_facts, arch_caps)
#define D7   offsetof(struct spec_facts, d7)
#define B8   offsetof(struct spec_facts, b8)
#define A21  offsetof(struct spec_facts, a21)
static const struct name hints[] = {
    {CAPS, 0, "RDCL_NO"}, {CAPS, 1, "EIBRS"}, {CAPS, 2, "RSBA"}, {CAPS, 4, "SSB_NO"}, {CAPS, 5, "MDS_NO"},
    {CAPS, 8, "TAA_NO"}, {CAPS, 19, "RRSBA"}, {CAPS, 20, "BHI_NO"}, {CAPS, 27, "RFDS_NO"}, {CAPS, 28, "RFDS_CLEAR"},
    {CAPS, 62, "ITS_NO"}, {B8, 17, "STIBP_ALWAYS"}, {B8, 26, "SSB_NO"}, {B8, 29, "BTC_NO"}, {B8, 30, "IBPB_RET"},
    {A21, 28, "IBPB_BRTYPE"}, {A21, 29, "SRSO_NO"},
};
static const struct name features[] = {
    {D7, 26, "IBPB/IBRS"}, {D7, 27, "STIBP"}, {D7, 31, "SSBD"}, {D7, 10, "MD_CLEAR"}, {D7, 28, "L1D_FLUSH"},
    {D7, 29, "ARCH_CAPS"}, {B8, 12, "IBPB"}, {B8, 14, "IBRS"}, {B8, 15, "STIBP"}, {B8, 24, "SSBD"},
    {A21, 8, "AUTO_IBRS"}, {A21, 27, "SBPB"},
};
static const struct name others[] = {
    {0, SPEC_IBPB, "IBPB-ctxt"}, {0, SPEC_VERW, "VERW"}, {0, SPEC_RETURN_THUNK, "ITS-thunks"},
};
static const struct name for_pv[] = {
    {0, SPEC_MSR_SC, "MSR_SPEC_CTRL"}, {0, SPEC_RSB, "RSB"}, {0, SPEC_VERW, "VERW"},
    {0, SPEC_IBPB_ENTRY, "IBPB-entry"}, {0, SPEC_BHB_ENTRY, "BHB-entry"},
};

/* The names of the bits that are set, each after a space; `none` if there are none. */
static const char *list(char text[200], const void *words, const struct name *name, size_t n, const char *none)
{
    size_t len = 0;

    for (; n > 0; name++, n--)
        if (*(const uint64_t *)((const char *)words + name->at) & BIT(name->bit))
            len += format(text + len, 200 - len, " %s", name->text);
    return len ? text : none;
}

static const char *enabled(enum spec_measure m)
{
    return spec_on(m) ? "enabled" : "disabled";
}

void speculation_report(void)
{
    static const char *const thunk[] = {"RETPOLINE", "LFENCE", "JMP"};
    const struct spec_facts *f = &spec.facts;
    char text[200], ctrl[64] = "No";

    log_info("Speculative mitigation facilities:");
    log_info("  Hardware hints:%s%s", f->emulator ? " EMULATED" : "", list(text, f, hints, ARRAY_SIZE(hints), ""));
    log_info("  Hardware features:%s", list(text, f, features, ARRAY_SIZE(features), ""));
    log_info("  Compiled-in support:" SPEC_COMPILED_IN);
    if (spec.can & B(MSR_SC))
        format(ctrl, sizeof(ctrl), "IBRS%c STIBP%c SSBD%c BHI_DIS_S%c%s", "-+"[spec_on(SPEC_IBRS)],
               "-+"[spec_on(SPEC_STIBP)], "-+"[spec_on(SPEC_SSBD)], "-+"[spec_on(SPEC_BHI_DIS_S)],
               spec_on(SPEC_IBRS) && spec.ibrs_stays ? " (for good)" : "");
    log_info("  Xen settings: BTI-Thunk: %s, SPEC_CTRL: %s, Other:%s", thunk[spec.thunk], ctrl,
             list(text, &spec.on, others, ARRAY_SIZE(others), " None"));
    if (spec.l1tf)
        log_info("  L1TF: believed vulnerable, maxphysaddr L1D %u, CPUID %u, Safe address %llx", SPEC_L1D_BITS,
                 f->phys_bits, (unsigned long long)spec.l1tf_safe);
    log_info("  Support for HVM VMs: None");
    log_info("  Support for PV VMs:%s", list(text, &spec.on, for_pv, ARRAY_SIZE(for_pv), " None"));
    log_info("  XPTI (64-bit PV only): Dom0 %s, DomU %s (without PCID)", enabled(SPEC_XPTI), enabled(SPEC_XPTI));
    log_info("  PV L1TF shadowing: Dom0 %s, DomU %s", enabled(SPEC_L1TF_DOM0), enabled(SPEC_L1TF_DOMU));
    if (spec.mds && !spec_on(SPEC_VERW) && !f->emulator)
        log_warn("MDS: the processor is vulnerable and its buffers are not cleared%s",
                 f->d7 & D7_MD_CLEAR ? "" : ": microcode is missing");
}

void speculation_init(void)
{
    struct spec_facts f = spec_read_facts();
    struct spec_wish w = speculation_read_options();

    spec = spec_decide(&f, &w);
    speculation_report();
    if (spec_on(SPEC_XPTI)) { /* what stays in the TLB can be reached */
        cpu_features.pge = 0;
        write_cr4(read_cr4() & ~(uint64_t)CR4_PGE);
    }
    spec_patch_code();
}
