/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs that are threads: each has a struct cpu_local, an APIC that counts, and no interrupts of its own. */
#include "fake.h"

#include "core/crosscall.h"
#include "core/time.h"
#include "lib/string.h"
#include "x86/counters.h"
#include "x86/lapic.h"
#include "x86/upcalls.h"

#include <sys/syscall.h>
#include <unistd.h>

_Thread_local unsigned int fake_cpu;
struct fake_machine fake;

static struct cpu_local locals[NR_CPUS_MAX];

struct cpu_features cpu_features;
uint64_t cpus_online_mask = 1;
unsigned int cpus_online = 1;
uint32_t cpu_apic_id[NR_CPUS_MAX];
uint64_t counters[NR_CPUS_MAX][16];
uint64_t lapic_timer_hz = 1000000000;

void fake_machine_init(unsigned int cpus)
{
    memset(&fake, 0, sizeof(fake));
    memset(locals, 0, sizeof(locals));
    cpus_online = cpus;
    cpus_online_mask = cpus == 64 ? ~0ULL : BIT(cpus) - 1;
    for (unsigned int i = 0; i < NR_CPUS_MAX; i++) {
        locals[i].id = i;
        cpu_apic_id[i] = i;
    }
}

void fake_yield(void)
{
    syscall(SYS_sched_yield);
}

struct cpu_local *cpu_local(void)
{
    locals[fake_cpu].id = fake_cpu;
    return &locals[fake_cpu];
}

uint32_t lapic_id(void) { return fake_cpu; }
void lapic_eoi(void) {}
void lapic_send_nmi(uint32_t dest) { fake.ipis[dest][VEC_NMI]++; }
void lapic_timer_set(uint32_t ticks) { fake.timer_ticks[fake_cpu] = ticks; }

void lapic_send_ipi(uint32_t dest, unsigned int vector)
{
    __atomic_fetch_add(&fake.ipis[dest][vector], 1, __ATOMIC_SEQ_CST);
}

/* A test that links the real ones gets them. */
__attribute__((weak)) void time_watch(stime_t now) {}
__attribute__((weak)) void time_set_listener(void (*changed)(void)) {}
__attribute__((weak)) void time_set_alarm(void (*unstable)(void)) {}
__attribute__((weak)) void crosscall_meet(void (*alone)(void *arg), void (*each)(void *arg), void *arg)
{
    alone(arg);
    if (each)
        each(arg);
}
__attribute__((weak)) void upcall_crosscall(void) {}
__attribute__((weak)) void upcall_frames_reused(struct frame *f, uint64_t n) {}
