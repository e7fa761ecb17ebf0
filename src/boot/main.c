/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole start-up, as a list. boot_main() is the boot CPU's,
 * secondary_start() the others'; both end in the idle loop, from which the scheduler takes over.
 */
#include "boot/memmap.h"
#include "boot/multiboot.h"
#include "boot/smp.h"
#include "builder/builder.h"
#include "core/cmdline.h"
#include "core/crosscall.h"
#include "core/hwerror.h"
#include "core/keep.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/softirq.h"
#include "core/speculation.h"
#include "core/stages.h"
#include "core/timer.h"
#include "core/watchdog.h"
#include "domain/report.h"
#include "domain/rights.h"
#include "evtchn/pirq.h"
#include "grant/grant.h"
#include "hypercall/hypercall.h"
#include "lib/parse.h"
#include "mem/hvmap.h"
#include "mem/init.h"
#include "mem/isolate.h"
#include "platform/irq.h"
#include "pv/pv.h"
#include "sched/sched.h"
#include "x86/cpu.h"
#include "x86/gate.h"
#include "x86/insn.h"
#include "x86/lapic.h"
#include "x86/msr.h"
#include "x86/topology.h"
#include "x86/upcalls.h"

#define EARLY_MAPPED   (4ULL << 30) /* what head.S maps at DIRECT_START */
#define RAM_LEAST      (48ULL << 20)
#define LOW_640K       0xa0000ULL
#define LOW_1M         0x100000ULL /* firmware's data and the trampoline: never handed out */

NORETURN void boot_main(uint32_t magic, uint32_t info);

extern const char image_start[], image_end[], init_start[], init_end[], boot_cpu_block[];

static struct mem_range ram[BOOT_REGIONS_MAX];
static size_t nr_ram;
static uint64_t trampoline_page;
static struct mem_range reserved[BOOT_MODULES_MAX + 2];
static volatile void *lapic_regs;

/* The state that a domain consists of, in the order of its creation. */
static const struct domain_module *const domain_modules[] = {
    &rights_module, &evtchn_module, &pirq_module, &grant_module, &hypercall_module,
};

const void *boot_memory(uint64_t at, uint64_t size)
{
    return at < EARLY_MAPPED && size <= EARLY_MAPPED - at ? paddr_to_ptr(paddr(at)) : NULL;
}

/* The options that concern start-up itself. */
static void options_start(void)
{
    static const char *const levels[] = {"loglvl", "guest_loglvl"};

    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        const char *value = cmdline_get(levels[i]);

        if (value && log_set_levels(i == 0 ? value : NULL, i == 1 ? value : NULL))
            log_always("option %s: bad value: found %s, expected all, none, error, warning, info or debug, "
                       "or two of them as A/B",
                       levels[i], value);
    }
    if (cmdline_get("sched") && !sched_choose_policy(cmdline_get("sched")))
        log_always("option sched: bad value: found %s, expected credit2, credit or null", cmdline_get("sched"));
    hwerror_init();
    panic_set_reboot(!cmdline_flag("noreboot", false), machine_reset);
}

/* Keep a place for the report of a crash from being used as RAM: its address, or 0. */
static uint64_t keep_reserve(void)
{
    static const uint64_t places[] = KEEP_PLACES;

    for (size_t i = 0; i < ARRAY_SIZE(places) && boot_info.nr_regions + 2 <= BOOT_REGIONS_MAX; i++) {
        uint64_t start = places[i], end = start + KEEP_SIZE;
        bool is_free = memmap_is_ram(boot_info.region, boot_info.nr_regions, start, end);

        for (size_t m = 0; m < boot_info.nr_modules; m++)
            is_free &= boot_info.module[m].start.v >= end ||
                       boot_info.module[m].start.v + boot_info.module[m].size <= start;
        if (!is_free)
            continue;
        boot_info.region[boot_info.nr_regions++] = (struct boot_region){start, end, REGION_RESERVED};
        boot_info.nr_regions = memmap_normalise(boot_info.region, boot_info.nr_regions);
        return start;
    }
    log_info("no place to keep the report of a crash");
    return 0;
}

static void greet(void)
{
    log_always("Hospes " HOSPES_VERSION " (xen 4.17), built by C compiler " __VERSION__);
    log_info("command line: %s", cmdline_text());
    log_debug("loader: %s%s", boot_info.loader, boot_info.efi ? ", EFI" : "");
    for (size_t i = 0; i < boot_info.nr_regions; i++)
        log_debug("memory: %012llx-%012llx type %d", (unsigned long long)boot_info.region[i].start,
                  (unsigned long long)boot_info.region[i].end, boot_info.region[i].type);
    multiboot_report();
}

/* Hand the RAM to mem/, all but what holds something: the image, the modules, the first MiB. */
static void memory_start(void)
{
    uint64_t bytes;
    size_t n = 0;

    nr_ram = memmap_ram(boot_info.region, boot_info.nr_regions, UINT64_MAX, ram, ARRAY_SIZE(ram));
    bytes = memmap_bytes(ram, nr_ram);
    if (bytes < RAM_LEAST) {
        log_always("cannot start: not enough memory: found %llu MB, expected at least %llu MB",
                   (unsigned long long)(bytes >> 20), RAM_LEAST >> 20);
        halt_forever();
    }
    for (size_t i = 0; i < boot_info.nr_modules; i++)
        reserved[n++] = (struct mem_range){boot_info.module[i].start.v,
                                           boot_info.module[i].start.v + boot_info.module[i].size};
    trampoline_page = memmap_low_page(boot_info.region, boot_info.nr_regions, reserved, n, LOW_640K);
    reserved[n++] = (struct mem_range){0, LOW_1M};
    reserved[n++] = (struct mem_range){ptr_to_paddr(image_start).v, ptr_to_paddr(image_end).v};
    n = memmap_join(reserved, n);
    mem_init(ram, nr_ram, reserved, n);
}

/* maxcpus=N */
static void limit_cpus(void)
{
    const char *value = cmdline_get("maxcpus");
    uint64_t n;

    if (value && parse_u64(span_of(value), &n) == 0 && n > 0)
        machine.nr_cpus = MIN(machine.nr_cpus, n);
}

static void lapic_start(void)
{
    lapic_regs = hvmap_device(paddr(rdmsr(MSR_APIC_BASE) & PTE_ADDR), PAGE_SIZE);
    lapic_init_cpu(lapic_regs);
    cpu_local()->apic_id = cpu_apic_id[0] = lapic_id();
}

/* This CPU's registers and ways in, as it was decided. */
static void speculation_start_cpu(void)
{
    spec_init_cpu();
    isolate_init_cpu();
    gate_init_cpu(hv_root_paddr().v);
}

void secondary_start(void)
{
    cpu_init_control();
    desc_init_cpu();
    speculation_start_cpu();
    lapic_init_cpu(lapic_regs);
    timer_init_cpu();
    time_join_cpu();
    sched_init_cpu();
}

/* Start-up's own code is not needed again. The modules stay: a server is built anew from them. */
static void release_init(void)
{
    uint64_t start = ptr_to_paddr(init_start).v, end = ptr_to_paddr(init_end).v;

    hvmap_unmap((uint64_t)init_start, (end - start) >> PAGE_SHIFT);
    tlb_flush_global(cpus_online_mask);
    page_alloc_release_range(start, end);
}

void boot_main(uint32_t magic, uint32_t info)
{
    uint64_t kept;

    stage_done("entry");
    cpus_online = 1;
    cpus_online_mask = 1;
    cpu_identify();
    cpu_topology_identify();
    cpu_init_control();
    desc_init_cpu();

    multiboot_read(magic, info, &boot_info); /* without a memory map, memory_start() stops */
    cmdline_init(boot_info.cmdline);
    options_start();
    uart_init();
    greet();
    speculation_init();
    kept = keep_reserve();
    memory_start();
    speculation_start_cpu();
    hvmap_unmap((uint64_t)boot_cpu_block + CPU_GUARD_OFFSET, 1);
    if (kept)
        keep_set_area(hvmap_device(paddr(kept), KEEP_SIZE), kept);
    keep_tell();
    vga_init();
    stage_done("memory");

    pics_mask();
    lapic_start();
    acpi_init();
    limit_cpus();
    ioapics_init();
    clock_calibrate();
    rtc_read_wallclock();
    stage_done("machine and clocks");

    timer_init_cpu();
    sched_init_cpu();
    smp_start(trampoline_page);
    irq_init();
    time_check_tsc();
    log_always("%u CPU%s, %llu MB", cpus_online, cpus_online == 1 ? "" : "s",
               (unsigned long long)(memmap_bytes(ram, nr_ram) >> 20));

    domain_report_init();
    domain_init(domain_modules, ARRAY_SIZE(domain_modules), &evtchn_events);
    pv_init();
    mca_init();
    console_start();
    uart_start_input(console_input);
    stage_done("processors");
    servers_start();
    release_init();
    watchdog_start();
    upcall_idle();
}

/* A CPU without a vCPU: do what is pending, or wait for the interrupt that brings something. */
void upcall_idle(void)
{
    for (;;) {
        if (softirq_is_pending()) {
            upcall_softirq();
            continue;
        }
        watchdog_rest();
        softirq_rest();
        watchdog_wake();
    }
}
