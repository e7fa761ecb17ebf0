/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Privileged instructions, one function each, nothing else. tests/fake has a
 * stand-in for this file. Volatile and memory clobbers where order matters.
 */
#ifndef X86_INSN_H
#define X86_INSN_H

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return lo | ((uint64_t)hi << 32);
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

static inline uint64_t rdtsc(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
    return lo | ((uint64_t)hi << 32);
}

static inline void cpuid_count(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "0"(leaf), "2"(sub));
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t v;

    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint16_t inw(uint16_t port)
{
    uint16_t v;

    __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t v;

    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline void outb(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port)); }
static inline void outw(uint16_t port, uint16_t v) { __asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port)); }
static inline void outl(uint16_t port, uint32_t v) { __asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port)); }

/* The same for 1, 2 or 4 bytes. */
static inline uint32_t port_read(uint16_t port, unsigned int bytes)
{
    return bytes == 1 ? inb(port) : bytes == 2 ? inw(port) : inl(port);
}

static inline void port_write(uint16_t port, unsigned int bytes, uint32_t v)
{
    if (bytes == 1)
        outb(port, (uint8_t)v);
    else if (bytes == 2)
        outw(port, (uint16_t)v);
    else
        outl(port, v);
}

#define X86_CR_RW(n)                                                       \
    static inline uint64_t read_cr##n(void)                                \
    {                                                                      \
        uint64_t v;                                                        \
        __asm__ volatile("mov %%cr" #n ", %0" : "=r"(v) : : "memory");     \
        return v;                                                          \
    }                                                                      \
    static inline void write_cr##n(uint64_t v)                             \
    {                                                                      \
        __asm__ volatile("mov %0, %%cr" #n ::"r"(v) : "memory");           \
    }
X86_CR_RW(0)
X86_CR_RW(2)
X86_CR_RW(3)
X86_CR_RW(4)
#undef X86_CR_RW

#define X86_DR_RW(n)                                                       \
    static inline uint64_t read_dr##n(void)                                \
    {                                                                      \
        uint64_t v;                                                        \
        __asm__ volatile("mov %%dr" #n ", %0" : "=r"(v));                  \
        return v;                                                          \
    }                                                                      \
    static inline void write_dr##n(uint64_t v) { __asm__ volatile("mov %0, %%dr" #n ::"r"(v)); }
X86_DR_RW(0)
X86_DR_RW(1)
X86_DR_RW(2)
X86_DR_RW(3)
X86_DR_RW(6)
X86_DR_RW(7)
#undef X86_DR_RW

static inline void irq_disable(void) { __asm__ volatile("cli" ::: "memory"); }

/* Take what interrupts are pending now. The caller holds no lock. */
static inline void irq_window(void) { __asm__ volatile("sti; nop; cli" ::: "memory"); }

/* Halt until the next interrupt has been handled; interrupts are off before and after. */
static inline void irq_wait(void) { __asm__ volatile("sti; hlt; cli" ::: "memory"); }

/*
 * The same by MWAIT in its lightest state, until the line of `word` is written or an interrupt has been
 * handled. Between the two calls the caller looks at the word once more.
 */
static inline void irq_monitor(const uint64_t *word)
{
    __asm__ volatile("monitor" ::"a"(word), "c"(0), "d"(0) : "memory");
}
static inline void irq_mwait(void) { __asm__ volatile("sti; mwait; cli" ::"a"(0), "c"(0) : "memory"); }

NORETURN static inline void halt_forever(void)
{
    for (;;)
        __asm__ volatile("cli; hlt" ::: "memory");
}

/* Leave this stack for good: call `fn`, which does not return, on the one that ends at `top`. */
NORETURN static inline void stack_leave(void *top, void (*fn)(void))
{
    __asm__ volatile("mov %0, %%rsp; xor %%ebp, %%ebp; call *%1" ::"r"(top), "r"(fn) : "memory");
    __builtin_unreachable();
}

static inline void cpu_relax(void) { __asm__ volatile("pause" ::: "memory"); }
static inline void invlpg(uint64_t va) { __asm__ volatile("invlpg (%0)" ::"r"(va) : "memory"); }
static inline void wbinvd(void) { __asm__ volatile("wbinvd" ::: "memory"); }
static inline void lgdt(const void *desc) { __asm__ volatile("lgdt (%0)" ::"r"(desc) : "memory"); }
static inline void lidt(const void *desc) { __asm__ volatile("lidt (%0)" ::"r"(desc) : "memory"); }
static inline void lldt(uint16_t sel) { __asm__ volatile("lldt %0" ::"r"(sel) : "memory"); }
static inline void ltr(uint16_t sel) { __asm__ volatile("ltr %0" ::"r"(sel) : "memory"); }
static inline void swapgs(void) { __asm__ volatile("swapgs" ::: "memory"); }
static inline void xsetbv(uint32_t i, uint64_t v)
{
    __asm__ volatile("xsetbv" ::"c"(i), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

#endif
