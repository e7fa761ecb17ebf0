/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The library of the tiny guests: what a 64-bit PV kernel needs to be tried on
 * a hypervisor, and no more. Everything runs at CPL 3, in "kernel mode" of the
 * PV interface, with events masked unless a test opens them.
 *
 * A guest defines `guest_name` and guest_main(); the library prints the end
 * line `GUEST name: N passed, N failed` and powers off.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/errno.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#define PAGE_SHIFT    12
#define PAGE_SIZE     4096UL
#define VIRT_BASE     0xffffffff80000000UL
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n)        (1UL << (n))
#define PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define NORETURN      __attribute__((noreturn))
#define PAGE_ALIGNED  __attribute__((aligned(4096)))
#define READ_ONCE(x)  (*(const volatile __typeof__(x) *)&(x))

/* The guest itself. */
extern const char guest_name[];
void guest_main(void);

/* start.S, start.c: what the hypervisor handed over at the first instruction. */
struct entry_state {
    u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15;
    u64 rflags, cs, ss, ds, es, fs, gs;
};
extern struct entry_state entry_state;
extern struct start_info *start_info;
extern struct shared_info *shared_info;
extern char hypercall_page[], image_start[], image_end[], stack_bottom[], stack_top[];

bool guest_is_dom0(void);
/* Our own number, asked of the hypervisor by way of an event channel. */
domid_t guest_domid(void);
/* Does the guest's command line hold this word? */
bool guest_option(const char *word);
/* The number behind `name` (as in "peer=2"); `otherwise` if it is not there. */
u64 guest_number(const char *name, u64 otherwise);
NORETURN void guest_poweroff(void);
NORETURN void guest_panic(const char *fmt, ...) PRINTF(1, 2);

/* printf.c, console.c */
int guest_vsnprintf(char *buf, size_t size, const char *fmt, __builtin_va_list args);
int guest_snprintf(char *buf, size_t size, const char *fmt, ...) PRINTF(3, 4);
void print(const char *fmt, ...) PRINTF(1, 2);
void console_write(const char *text, size_t len);

/* time.c: system time in ns, from the record of one of our vCPUs (the running one, or the TSCs must agree), or any. */
u64 guest_time(unsigned vcpu);
u64 guest_time_at(const volatile struct vcpu_time_info *t);

/* vcpus.c: those that there are, up or not; and letting one go, once: run(its number) never returns. */
#define VCPUS_MAX 8
unsigned vcpu_count(void);
bool vcpu_start(unsigned vcpu, void (*run)(u64 vcpu));
/* What vcpu_start() brings it up with, to be changed before; the next call overwrites it. */
struct vcpu_guest_context *vcpu_context(unsigned vcpu, void (*run)(u64 argument), u64 argument);

/* check.c: an expectation that fails prints one line. */
extern unsigned checks_passed, checks_failed;
bool check_true(bool ok, const char *what, const char *file, int line);
bool check_equal(u64 got, u64 want, const char *what, const char *file, int line);
#define CHECK(cond)               check_true((cond), #cond, __FILE__, __LINE__)
#define CHECK_EQ(got, want)       check_equal((u64)(got), (u64)(want), #got, __FILE__, __LINE__)
#define CHECK_NAMED(n, got, want) check_equal((u64)(got), (u64)(want), (n), __FILE__, __LINE__)
const char *error_name(long code);
/* "ASK question: answer", one line; the answer is words, which are compared one by one. */
void ask(const char *question, const char *format, ...) PRINTF(2, 3);
/* A hypercall's code by its name, anything else in hexadecimal. */
const char *code_text(long code);

/* trap.S, trap.c: exceptions. */
struct regs {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    u64 vector, error, rip, cs, rflags, rsp, ss;
};

enum {
    VEC_DE,
    VEC_DB,
    VEC_NMI,
    VEC_BP,
    VEC_OF,
    VEC_BR,
    VEC_UD,
    VEC_NM,
    VEC_DF,
    VEC_TS = 10,
    VEC_NP,
    VEC_SS,
    VEC_GP,
    VEC_PF,
    VEC_MF = 16,
    VEC_AC,
    VEC_MC,
    VEC_XM,
    VEC_SYSCALL = 256,
    VEC_EVENT = 257,
    VEC_FAILSAFE = 258,
};

/* What an expected exception looked like; vector is -1 if there was none. */
struct fault {
    int vector;
    u64 error, rip, cs, rflags, rsp, ss, cr2;
    bool masked_before, masked_inside; /* the event mask: saved in the frame, and as the handler found it */
};

/*
 * Calls fn(arg). An exception in it ends the call, is described in *fault, and
 * true is returned.
 */
bool catch_fault(struct fault *fault, void (*fn)(void *arg), void *arg);

/* A handler for one vector; false passes the exception on. Null removes it. */
typedef bool trap_handler(struct regs *regs);
void trap_set_handler(unsigned vector, trap_handler *handler);
/* Gives every exception its library handler. DPL 3 for #BP and #OF; `ti_flags` is or-ed to all. */
void trap_install(u8 ti_flags);
u64 trap_cr2(void);
extern char trap_entry_table[]; /* 32 entries of 16 bytes */
extern char trap_event_entry[], trap_failsafe_entry[], trap_syscall_entry[];
/* Leaves through HYPERVISOR_iret with these registers (`flags` is VGCF_*). */
NORETURN void trap_return(struct regs *regs, u64 flags);
/* Set by user_run(): where a trap from user mode leaves its registers, and how it gets back. */
extern struct regs *trap_user_state;
extern u64 trap_user_resume_rsp;
/* End of the frame that the hypervisor pushed for the last trap, and the event mask then. */
extern u64 trap_frame_top;
extern bool trap_masked_inside;

/* memory.c: frames, tables and addresses. */
u64 pfn_to_mfn(u64 pfn);
u64 mfn_to_pfn(u64 mfn);
void *pfn_to_virt(u64 pfn);
u64 virt_to_pfn(const void *va);
u64 virt_to_mfn(const void *va);
/* Highest address + 1 of the initial mapping. */
u64 initial_end(void);

struct walk {
    int levels;   /* entries read: 4 is a whole walk (or 2, 3 with a superpage) */
    u64 entry[5]; /* entry[4] from the L4 table ... entry[1] from the L1 table */
    u64 table[5]; /* machine frame of each table */
    bool present;
};
struct walk walk_address(u64 va);
/* The machine address of the entry of that level which maps va. */
u64 walk_entry_machine(u64 va, int level);
/* Never 0: a page of the static pool, zeroed. */
void *page_alloc(void);
/* Makes one page of the initial mapping read-only or writable. Returns the hypercall's code. */
long page_protect(void *va, bool writable);

#define PTE_P     BIT(0)
#define PTE_W     BIT(1)
#define PTE_U     BIT(2)
#define PTE_PWT   BIT(3)
#define PTE_PCD   BIT(4)
#define PTE_A     BIT(5)
#define PTE_D     BIT(6)
#define PTE_PS    BIT(7)
#define PTE_G     BIT(8)
#define PTE_NX    BIT(63)
#define PTE_ADDR  0x000ffffffffff000UL
#define PTE_TABLE (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)

void *memset(void *dst, int c, size_t n);
void *memcpy(void *dst, const void *src, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

static inline u64 rdmsr(u32 msr)
{
    u32 low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)));
}

#endif
