/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which CPUs share what. APIC ids are made of fields: thread, core, cache, socket from the
 * lowest bit up; two CPUs share a thing if their ids are alike above its field.
 */
#ifndef X86_TOPOLOGY_H
#define X86_TOPOLOGY_H

/* How far a CPU is from another. */
enum cpu_distance { CPU_SAME_CORE, CPU_SAME_CACHE, CPU_SAME_SOCKET, CPU_FAR, CPU_DISTANCES };

/* Bits of an APIC id below which CPUs share the core, the last-level cache, the socket. */
struct cpu_topology {
    uint8_t shift[CPU_FAR];
};
extern struct cpu_topology cpu_topology;

/*
 * Pure: the shifts from what CPUID says (r: EAX, EBX, ECX, EDX). Intel SDM vol. 2A, leaves 4, 0xB;
 * AMD APM vol. 3 appendix E, leaves 0x80000008, 0x8000001D, 0x8000001E.
 */
struct cpu_topology cpu_topology_read(void (*ask)(uint32_t leaf, uint32_t sub, uint32_t r[4]));
/* The boot CPU's answer into cpu_topology. */
void cpu_topology_identify(void);

enum cpu_distance cpu_distance(unsigned int a, unsigned int b);
/* Online CPUs at that distance from `cpu` or nearer, itself among them. */
uint64_t cpu_neighbours(unsigned int cpu, enum cpu_distance d);
/* Numbers that are alike for CPUs of one core or socket; a core's is counted within its socket. */
uint32_t cpu_core_number(unsigned int cpu);
uint32_t cpu_socket_number(unsigned int cpu);

#endif
