/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is decided for processors that there are, what the command line changes, and what is written then. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "core/cmdline.h"
#include "core/log.h"
#include "core/speculation.h"
#include "fake.h"
#include "x86/msr.h"
#include "x86/nospec.h"
#include "x86/patch.h"

#define B(m) SPEC_BIT(SPEC_##m)

static const struct spec_facts
    haswell_old = {.intel = true, .smep = true, .family = 6, .model = 0x3c, .phys_bits = 39}, /* no microcode since 2017 */
    haswell = {.intel = true, .smep = true, .rtm = true, .family = 6, .model = 0x3c, .phys_bits = 39,
               .d7 = D7_IBRSB | D7_STIBP | D7_SSBD | D7_MD_CLEAR | D7_L1D_FLUSH},
    skylake = {.intel = true, .smep = true, .rtm = true, .family = 6, .model = 0x5e, .stepping = 3, .phys_bits = 39,
               .d7 = D7_IBRSB | D7_STIBP | D7_SSBD | D7_MD_CLEAR | D7_L1D_FLUSH},
    skylake_sp = {.intel = true, .smep = true, .rtm = true, .family = 6, .model = 0x55, .stepping = 4, .phys_bits = 46,
                  .d7 = D7_IBRSB | D7_STIBP | D7_SSBD | D7_MD_CLEAR | D7_L1D_FLUSH},
    cascade_lake = {.intel = true, .smep = true, .rtm = true, .family = 6, .model = 0x55, .stepping = 7, .phys_bits = 46,
                    .d7 = D7_IBRSB | D7_STIBP | D7_SSBD | D7_MD_CLEAR | D7_L1D_FLUSH | D7_ARCH_CAPS,
                    .arch_caps = CAPS_RDCL_NO | CAPS_IBRS_ALL | CAPS_MDS_NO | CAPS_RRSBA},
    sapphire_rapids = {.intel = true, .smep = true, .rtm = true, .family = 6, .model = 0x8f, .stepping = 8, .phys_bits = 52,
                       .d7 = D7_IBRSB | D7_STIBP | D7_SSBD | D7_MD_CLEAR | D7_L1D_FLUSH | D7_ARCH_CAPS, .d72 = D72_BHI_CTRL,
                       .arch_caps = CAPS_RDCL_NO | CAPS_IBRS_ALL | CAPS_MDS_NO | CAPS_TAA_NO | CAPS_RRSBA},
    bonnell = {.intel = true, .family = 6, .model = 0x1c, .phys_bits = 32},
    silvermont = {.intel = true, .smep = true, .family = 6, .model = 0x4d, .phys_bits = 36},
    zen2 = {.amd = true, .smep = true, .family = 0x17, .model = 0x31, .phys_bits = 48,
            .b8 = B8_IBPB | B8_IBRS | B8_STIBP | B8_SSBD},
    zen3 = {.amd = true, .smep = true, .family = 0x19, .model = 0x21, .phys_bits = 48,
            .b8 = B8_IBPB | B8_IBRS | B8_STIBP | B8_STIBP_ALWAYS | B8_SSBD | B8_BTC_NO},
    zen3_new = {.amd = true, .smep = true, .family = 0x19, .model = 0x21, .phys_bits = 48, .a21 = A21_IBPB_BRTYPE | A21_SBPB,
                .b8 = B8_IBPB | B8_IBRS | B8_STIBP | B8_STIBP_ALWAYS | B8_SSBD | B8_BTC_NO},
    zen5 = {.amd = true, .smep = true, .family = 0x1a, .model = 0x02, .phys_bits = 52, .a21 = A21_AUTO_IBRS | A21_SRSO_NO,
            .b8 = B8_IBPB | B8_IBRS | B8_STIBP | B8_STIBP_ALWAYS | B8_SSBD | B8_BTC_NO},
    zhaoxin = {.family = 7, .model = 0x3b, .phys_bits = 40},
    qemu_max = {.amd = true, .emulator = true, .smep = true, .family = 15, .model = 107, .phys_bits = 40},
    qemu_haswell = {.intel = true, .emulator = true, .smep = true, .family = 6, .model = 0x3c, .phys_bits = 40};

#define USUAL (B(MSR_SC) | B(IBPB) | B(LOAD_HOOK))

static const struct {
    const struct spec_facts *f;
    uint32_t on;
    enum spec_thunk thunk;
    uint64_t ctrl;
} expected[] = {
    {&haswell_old, B(XPTI) | B(L1TF_DOMU) | B(L1TF) | B(GATE) | B(LOAD_HOOK), THUNK_RETPOLINE, 0},
    {&haswell, USUAL | B(XPTI) | B(L1TF_DOMU) | B(L1TF) | B(VERW) | B(GATE), THUNK_RETPOLINE, 0},
    {&skylake, USUAL | B(IBRS) | B(IBRS_ENTRY) | B(XPTI) | B(L1TF_DOMU) | B(L1TF) | B(VERW) | B(GATE), THUNK_RETPOLINE, 0},
    {&skylake_sp, USUAL | B(IBRS) | B(IBRS_ENTRY) | B(XPTI) | B(L1TF_DOMU) | B(L1TF) | B(VERW) | B(GATE), THUNK_RETPOLINE, 0},
    {&cascade_lake, USUAL | B(IBRS) | B(BHB_ENTRY) | B(VERW) | B(RETURN_THUNK) | B(GATE), THUNK_JMP, CTRL_IBRS},
    {&sapphire_rapids, USUAL | B(IBRS) | B(BHI_DIS_S), THUNK_JMP, CTRL_IBRS | CTRL_BHI_DIS_S},
    {&bonnell, B(RSB) | B(GATE), THUNK_RETPOLINE, 0},
    {&silvermont, B(XPTI) | B(GATE) | B(LOAD_HOOK), THUNK_RETPOLINE, 0},
    {&zen2, USUAL | B(IBPB_ENTRY) | B(GATE), THUNK_RETPOLINE, 0},
    {&zen3, USUAL | B(STIBP), THUNK_RETPOLINE, CTRL_STIBP},
    {&zen3_new, USUAL | B(STIBP) | B(IBPB_ENTRY) | B(GATE), THUNK_RETPOLINE, CTRL_STIBP},
    {&zen5, USUAL | B(IBRS) | B(STIBP), THUNK_JMP, CTRL_STIBP},
    {&zhaoxin, B(RSB) | B(XPTI) | B(GATE) | B(LOAD_HOOK), THUNK_RETPOLINE, 0},
    {&qemu_max, 0, THUNK_JMP, 0},
    {&qemu_haswell, B(XPTI) | B(L1TF_DOMU) | B(L1TF) | B(GATE) | B(LOAD_HOOK), THUNK_JMP, 0},
};

static void test_processors(void **state)
{
    const struct spec_wish none = {.thunk = THUNK_ANY};

    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        struct spec s = spec_decide(expected[i].f, &none);

        if (s.on != expected[i].on || s.thunk != expected[i].thunk || s.ctrl != expected[i].ctrl)
            fail_msg("processor %zu: on %#lx, thunk %d, SPEC_CTRL %#lx", i, s.on, s.thunk, s.ctrl);
    }
}

/* An option changes what is on of a processor. */
static uint64_t on_with(const struct spec_facts *f, const char *line)
{
    struct spec_wish w;

    cmdline_init(line);
    w = speculation_read_options();
    spec = spec_decide(f, &w);
    return spec.on;
}

static char out[8192];
static size_t out_len;

static void sink(const char *s, size_t n)
{
    assert_true(out_len + n < sizeof(out));
    memcpy(out + out_len, s, n);
    out_len += n;
    out[out_len] = '\0';
}

static int set_up(void **state)
{
    fake_machine_init(1);
    log_set_levels("all", NULL);
    log_add_sink(sink);
    return 0;
}

static int start(void **state)
{
    out_len = 0;
    out[0] = '\0';
    return 0;
}

static void test_options(void **state)
{
    uint64_t usual = on_with(&skylake, "");

    assert_int_equal(on_with(&skylake, "spec-ctrl=no"), 0);
    assert_int_equal(spec.thunk, THUNK_JMP);
    assert_int_equal(on_with(&skylake, "no-spec-ctrl"), 0);
    assert_int_equal(on_with(&skylake, "spec-ctrl=no xpti=yes"), B(XPTI) | B(GATE) | B(LOAD_HOOK));
    assert_int_equal(on_with(&skylake, "spec-ctrl=no-xen"), B(MSR_SC) | B(XPTI) | B(L1TF_DOMU) | B(L1TF) | B(GATE) | B(LOAD_HOOK));
    assert_int_equal(on_with(&skylake, "xpti=no"), usual & ~B(XPTI));
    assert_int_equal(on_with(&skylake, "no-xpti"), usual & ~B(XPTI));
    assert_int_equal(on_with(&skylake, "xpti=default"), usual);
    assert_int_equal(on_with(&skylake, "pv-l1tf=dom0"), usual | B(L1TF_DOM0));
    assert_int_equal(on_with(&skylake, "pv-l1tf=no-domu"), usual & ~(B(L1TF_DOMU) | B(L1TF)));
    assert_int_equal(on_with(&skylake, "pv-l1tf=false"), usual & ~(B(L1TF_DOMU) | B(L1TF)));
    assert_int_equal(on_with(&skylake, "spec-ctrl=no-verw,rsb,bti-thunk=lfence"), (usual | B(RSB)) & ~B(VERW));
    assert_int_equal(spec.thunk, THUNK_LFENCE);
    assert_int_equal(on_with(&skylake, "spec-ctrl=rsb=pv,verw=no-pv"), (usual | B(RSB)) & ~B(VERW));
    assert_int_equal(on_with(&skylake, "spec-ctrl=rsb=hvm,verw=no-hvm,l1d-flush=yes,eager-fpu"), usual);
    assert_int_equal(on_with(&skylake, "spec-ctrl=rsb=pv=yes,md-clear=0"), (usual | B(RSB)) & ~B(VERW));
    assert_int_equal(on_with(&skylake, "spec-ctrl=ssbd,no-ibpb,no-ibrs") & (B(SSBD) | B(IBPB) | B(IBRS)), B(SSBD));
    assert_int_equal(spec.ctrl, CTRL_SSBD);
    assert_int_equal(on_with(&qemu_max, "xpti"), B(XPTI) | B(GATE) | B(LOAD_HOOK));
    assert_int_equal(on_with(&qemu_max, "xpti=dom0=no,domu=yes"), B(XPTI) | B(GATE) | B(LOAD_HOOK));
    assert_int_equal(on_with(&qemu_max, "spec-ctrl=ibrs,ibpb,ssbd,msr-sc,bhi-dis-s,ibpb-entry"), 0); /* not there */
    assert_int_equal(on_with(&zen2, "spec-ctrl=ibpb-entry"), on_with(&zen2, "") | B(IBPB_ENTRY_DOM0));
    assert_string_equal(out, "");
}

static void test_mistakes(void **state)
{
    static const char *const bad[] = {"spec-ctrl=yes", "spec-ctrl=bti-thunk=x", "spec-ctrl=rbs", "spec-ctrl=rsb=maybe",
                                      "xpti=dom1", "pv-l1tf=bti-thunk=jmp", "spec-ctrl=no-rsb=no", "xpti=,"};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        start(NULL);
        assert_int_equal(on_with(&skylake, bad[i]), on_with(&skylake, ""));
        if (!strstr(out, "bad value: found "))
            fail_msg("%s: %s", bad[i], out);
    }
}

static void test_report(void **state)
{
    on_with(&cascade_lake, "");
    speculation_report();
    assert_non_null(strstr(out, "Speculative mitigation facilities:\n(hv)   Hardware hints: RDCL_NO EIBRS MDS_NO RRSBA\n"));
    assert_non_null(strstr(out, "Hardware features: IBPB/IBRS STIBP SSBD MD_CLEAR L1D_FLUSH ARCH_CAPS\n"));
    assert_non_null(strstr(out, "Xen settings: BTI-Thunk: JMP, SPEC_CTRL: IBRS+ STIBP- SSBD- BHI_DIS_S- (for good), "
                                "Other: IBPB-ctxt VERW ITS-thunks\n"));
    assert_non_null(strstr(out, "Support for PV VMs: MSR_SPEC_CTRL VERW BHB-entry\n"));
    assert_non_null(strstr(out, "XPTI (64-bit PV only): Dom0 disabled, DomU disabled (without PCID)\n"));
    assert_null(strstr(out, "L1TF: believed"));
    start(NULL);
    on_with(&haswell_old, "");
    speculation_report();
    assert_non_null(strstr(out, "SPEC_CTRL: No, Other: None\n"));
    assert_non_null(strstr(out, "L1TF: believed vulnerable, maxphysaddr L1D 46, CPUID 39, Safe address 8000000000\n"));
    assert_non_null(strstr(out, "XPTI (64-bit PV only): Dom0 enabled, DomU enabled (without PCID)\n"));
    assert_non_null(strstr(out, "PV L1TF shadowing: Dom0 disabled, DomU enabled\n"));
    assert_non_null(strstr(out, "MDS: the processor is vulnerable and its buffers are not cleared: microcode is missing\n"));
}

static void test_writes(void **state)
{
    on_with(&zen5, "");
    fake.nr_msr_writes = 0;
    spec_init_cpu();
    assert_int_equal(fake.nr_msr_writes, 2);
    assert_int_equal(fake.msr_write[0].msr, MSR_SPEC_CTRL);
    assert_int_equal(fake.msr_write[0].value, CTRL_STIBP);
    assert_int_equal(fake.msr_write[1].msr, MSR_EFER);
    assert_int_equal(fake.msr_write[1].value, EFER_AUTO_IBRS);
    on_with(&qemu_max, "");
    fake.nr_msr_writes = 0;
    spec_init_cpu();
    assert_int_equal(fake.nr_msr_writes, 0);
}

/* What guests may write into the two registers. */
static void test_guest_registers(void **state)
{
    on_with(&skylake, "");
    assert_int_equal(spec.guest_ctrl, CTRL_IBRS | CTRL_STIBP | CTRL_SSBD);
    assert_int_equal(spec.guest_pred, PRED_IBPB);
    assert_int_equal(spec.entry_ctrl, CTRL_IBRS);
    on_with(&skylake, "spec-ctrl=no-msr-sc");
    assert_int_equal(spec.guest_ctrl | spec.guest_pred, 0);
    on_with(&skylake, "spec-ctrl=no-ibpb"); /* not at a change of vCPU; guests may */
    assert_int_equal(spec.guest_pred, PRED_IBPB);
    on_with(&zen3_new, "");
    assert_int_equal(spec.guest_ctrl, 0);
    assert_int_equal(spec.guest_pred, PRED_IBPB | PRED_SBPB);
    on_with(&haswell_old, "");
    assert_int_equal(spec.guest_ctrl | spec.guest_pred, 0);
}

static void test_safe_addresses(void **state)
{
    on_with(&haswell, ""); /* 39 bits */
    assert_true(spec_l1tf_safe(0));
    assert_true(spec_l1tf_safe(0xfff0000000000ffeull & 0xfff));
    assert_false(spec_l1tf_safe(0x1000));
    assert_false(spec_l1tf_safe(0x7ffffff000));
    assert_true(spec_l1tf_safe(0x8000000000));
    assert_true(spec_l1tf_safe(~0x1000ull & 0x000ffffffffff000));      /* as Linux inverts it */
    assert_false(spec_l1tf_safe(0x0000400000001000));                  /* the cache does not see bit 46 */
    on_with(&skylake_sp, ""); /* 46 bits */
    assert_false(spec_l1tf_safe(0x1000000000));
    assert_true(spec_l1tf_safe(BIT(45)));
}

static void test_clamp(void **state)
{
    volatile uint64_t n = 5;

    assert_int_equal(index_nospec(0, n), 0);
    assert_int_equal(index_nospec(4, n), 4);
    assert_int_equal(index_nospec(5, n), 0);
    assert_int_equal(index_nospec(~0ull, n), 0);
    assert_int_equal(index_nospec(63, 64), 63);
    assert_int_equal(index_nospec(64, 64), 0);
    assert_int_equal(index_nospec(7, 0), 0);
}

/* What an assembler makes of the instructions with CS: in front. */
static void test_indirect(void **state)
{
    uint8_t code[5];

    patch_make_indirect(code, true, 0); /* call *%rax */
    assert_memory_equal(code, "\x2e\x2e\x2e\xff\xd0", 5);
    patch_make_indirect(code, false, 7); /* jmp *%rdi */
    assert_memory_equal(code, "\x2e\x2e\x2e\xff\xe7", 5);
    patch_make_indirect(code, true, 8); /* call *%r8 */
    assert_memory_equal(code, "\x2e\x2e\x41\xff\xd0", 5);
    patch_make_indirect(code, false, 15); /* jmp *%r15 */
    assert_memory_equal(code, "\x2e\x2e\x41\xff\xe7", 5);
}

/* A little image: a call by RDX, a jump by R9, a return, and three places for measures. */
extern uint8_t text_start[], indirect_thunks[], __x86_return_thunk[], fake_site[], fake_image_end[];
extern const uint32_t thunk_sites_start[], thunk_sites_end[];
extern const struct patch patches_start[], patches_end[];
__asm__(".pushsection .data; .balign 64\n"
        ".globl text_start, indirect_thunks, __x86_return_thunk, fake_site, fake_image_end\n"
        ".globl thunk_sites_start, thunk_sites_end, patches_start, patches_end\n"
        "text_start: .skip 7\n"
        "fake_site: .byte 0xe8; .long indirect_thunks + 2 * 64 + 32 - . - 4\n"
        "1: .byte 0xe9; .long indirect_thunks + 9 * 64 + 32 - . - 4\n"
        "2: .byte 0xe9; .long __x86_return_thunk - . - 4\n"
        "3: jmp 4f; 4: .byte 0x0f, 0x84; .long 0; 5: .skip 5, 0x90\n"
        ".balign 64\nindirect_thunks: .skip 1024, 0xcc\n__x86_return_thunk: ret\nfake_image_end:\n"
        ".balign 4\nthunk_sites_start: .long fake_site - text_start, 1b - text_start, 2b - text_start\nthunk_sites_end:\n"
        "patches_start: .long 3b - ., 0, 9, 0; .long 4b - ., text_start - ., 11, 0x84\n"
        ".long 5b - ., text_start - ., 11, 0xe9\npatches_end: .popsection");

static void test_patches(void **state)
{
    uint8_t before[2048], *at = fake_site;
    size_t size = (size_t)(fake_image_end - text_start);

    assert_int_equal(SPEC_XPTI, 11);
    assert_int_equal(SPEC_BHB_ENTRY, 9);
    assert_true(size <= sizeof(before));
    memcpy(before, text_start, size);
    on_with(&qemu_max, "spec-ctrl=bti-thunk=retpoline"); /* returns alone become plain */
    spec_patch_code();
    assert_memory_equal(at, before + 7, 10);
    assert_memory_equal(at + 10, "\xc3\xcc\xcc\xcc\xcc", 5);
    assert_memory_equal(at + 15, before + 22, 13);
    memcpy(text_start, before, size);
    on_with(&cascade_lake, ""); /* ITS: by thunks, which jump */
    spec_patch_code();
    assert_memory_equal(text_start, before, 7 + 15);
    assert_memory_equal(indirect_thunks + 2 * 64 + 32, "\x2e\x2e\x2e\xff\xe2\xcc", 6);
    memcpy(text_start, before, size);
    on_with(&qemu_max, "spec-ctrl=bti-thunk=lfence,no-rsb");
    spec_patch_code();
    assert_memory_equal(indirect_thunks + 9 * 64 + 32, "\x0f\xae\xe8\x2e\x2e\x41\xff\xe1\xcc", 9);
    memcpy(text_start, before, size);
    on_with(&qemu_max, "xpti");
    spec_patch_code();
    assert_memory_equal(at, "\x2e\x2e\x2e\xff\xd2\x2e\x2e\x41\xff\xe1\xc3\xcc\xcc\xcc\xcc", 15);
    assert_memory_equal(at + 15, before + 22, 2); /* another measure's */
    assert_memory_equal(at + 17, "\x0f\x84\xe2\xff\xff\xff\xe9\xdd\xff\xff\xff", 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_processors, start), cmocka_unit_test_setup(test_options, start),
        cmocka_unit_test_setup(test_mistakes, start),   cmocka_unit_test_setup(test_report, start),
        cmocka_unit_test_setup(test_writes, start),     cmocka_unit_test_setup(test_guest_registers, start),
        cmocka_unit_test_setup(test_safe_addresses, start),
        cmocka_unit_test_setup(test_clamp, start),      cmocka_unit_test_setup(test_indirect, start),
        cmocka_unit_test_setup(test_patches, start),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
