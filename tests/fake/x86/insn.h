/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Privileged instructions in a host program: they act on, or count in, struct fake_machine. */
#ifndef X86_INSN_H
#define X86_INSN_H

#include "fake.h"

#include <stdlib.h>

static inline uint64_t rdmsr(uint32_t msr) { return 0; }
static inline void wrmsr(uint32_t msr, uint64_t v)
{
    unsigned int n = fake.nr_msr_writes++;

    if (n < ARRAY_SIZE(fake.msr_write)) {
        fake.msr_write[n].msr = msr;
        fake.msr_write[n].value = v;
    }
}
static inline uint64_t rdtsc(void) { return __atomic_load_n(&fake.tsc, __ATOMIC_SEQ_CST); }
static inline void cpuid_count(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    r[0] = r[1] = r[2] = r[3] = 0;
}

static inline uint8_t inb(uint16_t port) { return (uint8_t)fake.port[port]; }
static inline uint16_t inw(uint16_t port) { return (uint16_t)fake.port[port]; }
static inline uint32_t inl(uint16_t port) { return fake.port[port]; }
static inline void outb(uint16_t port, uint8_t v) { fake.port[port] = v; }
static inline void outw(uint16_t port, uint16_t v) { fake.port[port] = v; }
static inline void outl(uint16_t port, uint32_t v) { fake.port[port] = v; }
static inline uint32_t port_read(uint16_t port, unsigned int bytes)
{
    return bytes == 1 ? inb(port) : bytes == 2 ? inw(port) : inl(port);
}
static inline void port_write(uint16_t port, unsigned int bytes, uint32_t v)
{
    fake.port[port] = bytes == 1 ? (uint8_t)v : bytes == 2 ? (uint16_t)v : v;
}

static inline uint64_t read_cr0(void) { return 0; }
static inline void write_cr0(uint64_t v) {}
static inline uint64_t read_cr2(void) { return 0; }
static inline uint64_t read_cr3(void) { return fake.cr3[fake_cpu]; }
static inline uint64_t read_cr4(void) { return fake.cr4[fake_cpu]; }
static inline void write_cr3(uint64_t v)
{
    fake.cr3[fake_cpu] = v;
    fake.cr3_loads[fake_cpu]++;
}
static inline void write_cr4(uint64_t v) { fake.cr4[fake_cpu] = v; }

static inline void irq_disable(void) {}
static inline void irq_window(void) { fake.irq_windows[fake_cpu]++; }
static inline void irq_wait(void) {}
static inline void irq_monitor(const uint64_t *word) {}
static inline void irq_mwait(void) {}
static inline void halt_forever(void) { abort(); }
static inline void cpu_relax(void) { fake_yield(); }
static inline void invlpg(uint64_t va) { fake.invlpgs[fake_cpu]++; }

#endif
