/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting the secondary CPUs, all at once: INIT to each, a pause, the start-up
 * interrupt to each (Intel SDM vol. 3A, 8.4.4). They pass the trampoline and
 * head.S side by side, since each finds its stack block by its own APIC id.
 *
 * A CPU's place in ap[] has a state. The CPU announces itself by CALLED ->
 * ARRIVED; the boot CPU gives up on it by CALLED -> LEFT_OUT; only one of the
 * two can happen. Then those that arrived are numbered without gaps and let go,
 * GO, and say when they run, UP.
 */
#include "boot/smp.h"

#include "core/log.h"
#include "core/timer.h"
#include "lib/string.h"
#include "mem/hvmap.h"
#include "mem/layout.h"
#include "mem/page_alloc.h"
#include "platform/platform.h"
#include "x86/atomic.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/lapic.h"
#include "x86/upcalls.h"

#define INIT_PAUSE    MILLISECS(10)
#define STARTUP_PAUSE MICROSECS(200) /* before the second start-up interrupt */
#define ARRIVE_TIME   MILLISECS(5000)

enum { AP_CALLED, AP_ARRIVED, AP_LEFT_OUT, AP_GO, AP_UP };

static uint32_t ap_state[NR_CPUS_MAX]; /* by place in machine.apic_id[]; place 0 is the boot CPU's */

/* head.S reads these. */
uint32_t ap_apic_id[NR_CPUS_MAX];
uint64_t ap_root;
extern const char trampoline_start[], trampoline_end[];
NORETURN void ap_main(unsigned int place);

void ap_main(unsigned int place)
{
    uint32_t state = AP_CALLED;

    if (!atomic_cas(&ap_state[place], &state, AP_ARRIVED))
        halt_forever();
    while (atomic_load(&ap_state[place]) != AP_GO)
        cpu_relax();
    secondary_start();
    atomic_store(&ap_state[place], AP_UP);
    upcall_idle();
}

static uint64_t block_address(unsigned int place)
{
    return CPU_AREA_START + (uint64_t)place * CPU_AREA_STRIDE;
}

/* Map a stack block, all but its guard page. False: no memory. */
static bool map_block(unsigned int place)
{
    for (uint64_t off = 0; off < CPU_BLOCK_SIZE; off += PAGE_SIZE) {
        void *page = off == CPU_GUARD_OFFSET ? NULL : hv_page_alloc();

        if (off == CPU_GUARD_OFFSET)
            continue;
        if (!page ||
            hvmap_map(block_address(place) + off, ptr_to_mfn(page), 1, PTE_RW | PTE_NX | PTE_A | PTE_D))
            return false;
    }
    return true;
}

/* Wait until `count` of the first `places` CPUs are in `state`, or the time is over; how many are. */
static unsigned int wait_for(uint32_t state, unsigned int places, unsigned int count, stime_t time)
{
    stime_t end = stime_now() + time;
    unsigned int there;

    do {
        upcall_crosscall(); /* those that run already may call */
        cpu_relax();
        there = 0;
        for (unsigned int i = 1; i < places; i++)
            if (atomic_load(&ap_state[i]) == state)
                there++;
    } while (there < count && stime_now() < end);
    return there;
}

static void pause_for(stime_t time)
{
    stime_t end = stime_now() + time;

    while (stime_now() < end)
        cpu_relax();
}

/* Call CPUs 1 .. places-1 and wait for them. */
static void call_cpus(unsigned int places, uint64_t page)
{
    unsigned int vector = (unsigned int)(page >> PAGE_SHIFT);

    for (unsigned int i = 1; i < places; i++)
        lapic_send_init(ap_apic_id[i]);
    pause_for(INIT_PAUSE);
    for (unsigned int i = 1; i < places; i++)
        lapic_send_startup(ap_apic_id[i], vector);
    if (wait_for(AP_ARRIVED, places, places - 1, STARTUP_PAUSE) == places - 1)
        return;
    for (unsigned int i = 1; i < places; i++)
        if (atomic_load(&ap_state[i]) == AP_CALLED)
            lapic_send_startup(ap_apic_id[i], vector);
    wait_for(AP_ARRIVED, places, places - 1, ARRIVE_TIME);
}

/* Number those that have arrived; send the others back to where INIT leaves them. */
static void admit_cpus(unsigned int places)
{
    for (unsigned int i = 1; i < places; i++) {
        uint32_t state = AP_CALLED;
        struct cpu_local *local;

        if (atomic_cas(&ap_state[i], &state, AP_LEFT_OUT)) {
            lapic_send_init(ap_apic_id[i]);
            log_error("CPU with APIC id %u: found no answer, expected it within %d s; it is left out",
                      ap_apic_id[i], (int)(ARRIVE_TIME / MILLISECS(1000)));
            continue;
        }
        local = (struct cpu_local *)(block_address(i) + CPU_LOCAL_OFFSET);
        local->id = cpus_online;
        local->apic_id = ap_apic_id[i];
        cpu_apic_id[cpus_online] = ap_apic_id[i];
        cpus_online_mask |= BIT(cpus_online);
        cpus_online++;
    }
}

void smp_start(uint64_t page)
{
    unsigned int places = 1;

    if (machine.nr_cpus_seen > machine.nr_cpus)
        log_always("%zu CPUs found, %zu used", machine.nr_cpus_seen, machine.nr_cpus);
    if (page == 0) {
        log_error("no memory below 640 KB to start CPUs from: one CPU is used");
        return;
    }
    memset(ap_apic_id, 0xff, sizeof(ap_apic_id));
    while (places < machine.nr_cpus && map_block(places)) {
        ap_apic_id[places] = machine.apic_id[places];
        places++;
    }
    if (places < machine.nr_cpus)
        log_error("not enough memory to start more than %u of %zu CPUs", places, machine.nr_cpus);
    if (places == 1)
        return;
    ap_root = hv_root_paddr().v;
    memcpy(paddr_to_ptr(paddr(page)), trampoline_start, (size_t)(trampoline_end - trampoline_start));
    call_cpus(places, page);
    admit_cpus(places);
    for (unsigned int i = 1; i < places; i++)
        if (atomic_load(&ap_state[i]) == AP_ARRIVED)
            atomic_store(&ap_state[i], AP_GO);
    wait_for(AP_UP, places, cpus_online - 1, ARRIVE_TIME);
}
