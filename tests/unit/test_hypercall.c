/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way into the hypercalls, and multicalls: who may call what, restarts,
 * lists that fault, nest, are interrupted or are nonsense. The hypercalls
 * themselves are stand-ins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "abi/errno.h"
#include "core/softirq.h"
#include "fake.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "x86/uaccess.h"
#include "x86/upcalls.h"

#define START_RIP 0x1000
#define LIST_MAX  256

static struct domain domain;
static struct vcpu vcpu;
static union {
    struct multicall_entry list[LIST_MAX];
    uint8_t bytes[LIST_MAX * sizeof(struct multicall_entry)];
} guest; /* all the memory the guest has, at its address */
static unsigned int calls, restarts, preempt_after;

/* --- what the code under test needs --- */

bool preempt_pending(void)
{
    return preempt_after != 0 && --preempt_after == 0;
}

#define STAND_IN(name)                                                                                        \
    int64_t name(struct hypercall_args *args) { return -EOPNOTSUPP; }
STAND_IN(do_set_trap_table)
STAND_IN(do_mmu_update)
STAND_IN(do_set_gdt)
STAND_IN(do_stack_switch)
STAND_IN(do_set_callbacks)
STAND_IN(do_fpu_taskswitch)
STAND_IN(do_sched_op_compat)
STAND_IN(do_platform_op)
STAND_IN(do_set_debugreg)
STAND_IN(do_get_debugreg)
STAND_IN(do_update_descriptor)
STAND_IN(do_update_va_mapping)
STAND_IN(do_set_timer_op)
STAND_IN(do_event_channel_op_compat)
STAND_IN(do_console_io)
STAND_IN(do_physdev_op_compat)
STAND_IN(do_grant_table_op)
STAND_IN(do_vm_assist)
STAND_IN(do_update_va_mapping_otherdomain)
STAND_IN(do_vcpu_op)
STAND_IN(do_set_segment_base)
STAND_IN(do_mmuext_op)
STAND_IN(do_nmi_op)
STAND_IN(do_sched_op)
STAND_IN(do_callback_op)
STAND_IN(do_event_channel_op)
STAND_IN(do_physdev_op)
STAND_IN(do_sysctl)
STAND_IN(do_domctl)
STAND_IN(do_xenpmu_op)
STAND_IN(do_mca)
STAND_IN(do_hvm_op)
STAND_IN(do_kexec_op)
STAND_IN(do_dm_op)
STAND_IN(do_hypfs_op)
STAND_IN(do_paging_domctl_cont)

int64_t do_xen_version(struct hypercall_args *args)
{
    calls++;
    return (int64_t)(args->a[0] + 2 * args->a[1] + 3 * args->a[2] + 4 * args->a[3] + 5 * args->a[4] +
                     6 * args->a[5]);
}

/* Takes `restarts` rounds; counts them in its first argument. */
int64_t do_memory_op(struct hypercall_args *args)
{
    calls++;
    args->a[0]++;
    args->a[5] = 66;
    if (restarts == 0)
        return (int64_t)args->a[0];
    restarts--;
    return -ERESTART;
}

int64_t do_iret(struct hypercall_args *args)
{
    calls++;
    vcpu.cpu.regs.rax = (uint64_t)-ERESTART; /* the guest's own value */
    vcpu.cpu.regs.rip = 0x2000;
    return 0;
}

/* --- */

static int reset(void **state)
{
    fake_machine_init(1);
    memset(&vcpu, 0, sizeof(vcpu));
    memset(&guest, 0, sizeof(guest));
    vcpu.domain = &domain;
    domain.privileged = false;
    cpu_local()->guest = &vcpu.cpu;
    fake_guest_sees(&guest, sizeof(guest));
    calls = restarts = preempt_after = 0;
    return 0;
}

static uint64_t call(uint64_t number, uint64_t a0, uint64_t a1)
{
    struct cpu_user_regs *r = &vcpu.cpu.regs;

    r->rax = number;
    r->rdi = a0;
    r->rsi = a1;
    r->rip = START_RIP;
    upcall_hypercall(&vcpu.cpu);
    return r->rax;
}

static void set_entry(unsigned int i, uint64_t op, uint64_t a0)
{
    guest.list[i] = (struct multicall_entry){.op = op, .result = 0x1111, .args = {a0, 1, 2, 3, 4, 5}};
}

static void test_numbers(void **state)
{
    static const uint64_t unknown[] = {11, 27, 50, 63, 64, 65, 1ULL << 32 | __HYPERVISOR_xen_version, ~0ULL};

    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
        assert_int_equal(call(unknown[i], 0, 0), (uint64_t)-ENOSYS);
    vcpu.cpu.regs.rdx = 100;
    vcpu.cpu.regs.r10 = 1000;
    vcpu.cpu.regs.r8 = 10000;
    vcpu.cpu.regs.r9 = 100000;
    assert_int_equal(call(__HYPERVISOR_xen_version, 1, 10), 1 + 20 + 300 + 4000 + 50000 + 600000);
    assert_int_equal(vcpu.cpu.regs.rip, START_RIP);
}

static void test_privileged_row(void **state)
{
    assert_int_equal(call(__HYPERVISOR_arch_0, 0, 0), (uint64_t)-EPERM);
    domain.privileged = true;
    assert_int_equal(call(__HYPERVISOR_arch_0, 0, 0), (uint64_t)-EOPNOTSUPP);
}

static void test_restart(void **state)
{
    restarts = 1;
    assert_int_equal(call(__HYPERVISOR_memory_op, 7, 8), __HYPERVISOR_memory_op);
    assert_int_equal(vcpu.cpu.regs.rip, START_RIP - 2);
    assert_int_equal(vcpu.cpu.regs.rdi, 8);
    assert_int_equal(vcpu.cpu.regs.rsi, 8);
    assert_int_equal(vcpu.cpu.regs.r9, 66);
    /* The guest's SYSCALL again. */
    vcpu.cpu.regs.rip += 2;
    upcall_hypercall(&vcpu.cpu);
    assert_int_equal(vcpu.cpu.regs.rax, 9);
    assert_int_equal(vcpu.cpu.regs.rip, START_RIP);
}

static void test_iret(void **state)
{
    call(__HYPERVISOR_iret, 0, 0);
    assert_int_equal(vcpu.cpu.regs.rip, 0x2000);
    assert_int_equal(vcpu.cpu.regs.rax, (uint64_t)-ERESTART);
}

static void test_list(void **state)
{
    set_entry(0, __HYPERVISOR_xen_version, 0);
    set_entry(1, 99, 0);
    set_entry(2, __HYPERVISOR_multicall, (uint64_t)&guest);
    set_entry(3, __HYPERVISOR_arch_0, 0);
    set_entry(4, ~0ULL, 0);
    set_entry(5, __HYPERVISOR_xen_version, 1);
    assert_int_equal(call(__HYPERVISOR_multicall, (uint64_t)&guest, 6), 0);
    assert_int_equal(guest.list[0].result, 2 + 6 + 12 + 20 + 30);
    assert_int_equal(guest.list[1].result, (uint64_t)-ENOSYS);
    assert_int_equal(guest.list[2].result, (uint64_t)-EINVAL);
    assert_int_equal(guest.list[3].result, (uint64_t)-EPERM);
    assert_int_equal(guest.list[4].result, (uint64_t)-ENOSYS);
    assert_int_equal(guest.list[5].result, 71);
    assert_int_equal(calls, 2);
}

/* 32 bits of count; a list that cannot be, cannot be read to its end, or is empty. */
static void test_bad_lists(void **state)
{
    uint64_t last = (uint64_t)&guest.list[LIST_MAX - 2];

    assert_int_equal(call(__HYPERVISOR_multicall, (uint64_t)&guest, 1ULL << 32), 0);
    assert_int_equal(call(__HYPERVISOR_multicall, 16, 0), 0);
    assert_int_equal(call(__HYPERVISOR_multicall, 16, 1), (uint64_t)-EFAULT);
    assert_int_equal(call(__HYPERVISOR_multicall, ~0ULL - 63, 1), (uint64_t)-EFAULT);
    assert_int_equal(call(__HYPERVISOR_multicall, 1ULL << 47, 1), (uint64_t)-EFAULT);
    assert_int_equal(calls, 0);
    set_entry(LIST_MAX - 2, __HYPERVISOR_xen_version, 0);
    set_entry(LIST_MAX - 1, __HYPERVISOR_xen_version, 0);
    assert_int_equal(call(__HYPERVISOR_multicall, last, 3), (uint64_t)-EFAULT);
    assert_int_equal(guest.list[LIST_MAX - 1].result, 70);
    assert_int_equal(call(__HYPERVISOR_multicall, last, 0xffffffff), (uint64_t)-EFAULT);
}

static void test_list_interrupted_between(void **state)
{
    for (unsigned int i = 0; i < 5; i++)
        set_entry(i, __HYPERVISOR_xen_version, i);
    preempt_after = 3;
    assert_int_equal(call(__HYPERVISOR_multicall, (uint64_t)&guest, 5), __HYPERVISOR_multicall);
    assert_int_equal(vcpu.cpu.regs.rip, START_RIP - 2);
    assert_int_equal(vcpu.cpu.regs.rdi, (uint64_t)&guest.list[3]);
    assert_int_equal(vcpu.cpu.regs.rsi, 2);
    assert_int_equal(calls, 3);
    upcall_hypercall(&vcpu.cpu);
    assert_int_equal(vcpu.cpu.regs.rax, 0);
    assert_int_equal(calls, 5);
    for (unsigned int i = 0; i < 5; i++)
        assert_int_equal(guest.list[i].result, 70 + i);
}

static void test_list_interrupted_within(void **state)
{
    set_entry(0, __HYPERVISOR_xen_version, 0);
    set_entry(1, __HYPERVISOR_memory_op, 20);
    set_entry(2, __HYPERVISOR_xen_version, 0);
    restarts = 2;
    call(__HYPERVISOR_multicall, (uint64_t)&guest, 3);
    for (int round = 1; round <= 2; round++) {
        assert_int_equal(vcpu.cpu.regs.rax, __HYPERVISOR_multicall);
        assert_int_equal(vcpu.cpu.regs.rdi, (uint64_t)&guest.list[1]);
        assert_int_equal(vcpu.cpu.regs.rsi, 2);
        assert_int_equal(guest.list[1].op, __HYPERVISOR_memory_op);
        assert_int_equal(guest.list[1].args[0], 20 + round);
        assert_int_equal(guest.list[1].args[5], 66);
        assert_int_equal(guest.list[1].result, 0x1111);
        assert_int_equal(guest.list[2].result, 0x1111);
        upcall_hypercall(&vcpu.cpu);
    }
    assert_int_equal(vcpu.cpu.regs.rax, 0);
    assert_int_equal(guest.list[1].result, 23);
    assert_int_equal(guest.list[2].result, 70);
}

static void test_list_with_iret(void **state)
{
    set_entry(0, __HYPERVISOR_xen_version, 0);
    set_entry(1, __HYPERVISOR_iret, 0);
    set_entry(2, __HYPERVISOR_xen_version, 0);
    call(__HYPERVISOR_multicall, (uint64_t)&guest, 3);
    assert_int_equal(vcpu.cpu.regs.rax, (uint64_t)-ERESTART);
    assert_int_equal(vcpu.cpu.regs.rip, 0x2000);
    assert_int_equal(guest.list[2].result, 0x1111);
}

/* Nonsense: every call ends, or goes on with less to do. */
static void test_nonsense(void **state)
{
    srand(1);
    for (int round = 0; round < 20000; round++) {
        uint64_t start = (uint64_t)&guest + (uint64_t)rand() % (sizeof(guest) + 200) - 100;
        uint64_t count = (uint64_t)rand() % 40;

        for (size_t i = 0; i < 2048; i++)
            guest.bytes[(unsigned int)rand() % sizeof(guest)] = (uint8_t)(rand() % 4 ? rand() % 50 : rand());
        restarts = (unsigned int)rand() % 4;
        preempt_after = (unsigned int)rand() % 20;
        call(rand() % 8 ? __HYPERVISOR_multicall : (uint64_t)rand() % 70, start, count);
        for (int again = 0; vcpu.cpu.regs.rip == START_RIP - 2; again++) {
            assert_true(again < 10);
            vcpu.cpu.regs.rip += 2;
            upcall_hypercall(&vcpu.cpu);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_numbers, reset),
        cmocka_unit_test_setup(test_privileged_row, reset),
        cmocka_unit_test_setup(test_restart, reset),
        cmocka_unit_test_setup(test_iret, reset),
        cmocka_unit_test_setup(test_list, reset),
        cmocka_unit_test_setup(test_bad_lists, reset),
        cmocka_unit_test_setup(test_list_interrupted_between, reset),
        cmocka_unit_test_setup(test_list_interrupted_within, reset),
        cmocka_unit_test_setup(test_list_with_iret, reset),
        cmocka_unit_test_setup(test_nonsense, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
