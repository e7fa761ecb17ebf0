/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The benchmark: init of a machine that does nothing else. Each row is an operation of an ordinary program,
 * done many times; what is printed is the guest's clock, in ns for each, the median of some batches. Under
 * QEMU's -icount a nanosecond is an instruction, so the figures are the same on any machine.
 *
 * Around the batches stand marks, NOPs that counts.c knows. /true, which fork+exec starts, is true.S.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xen/xen.h>

#define BATCHES   5
#define SLEEPS    4000
#define PAGE      4096
#define FRESH     (1000 * PAGE)
#define MARK_BEGIN() __asm__ volatile(".byte 0x0f, 0x1f, 0x80, 1, 'H', 'o', 'S'" ::: "memory")
#define MARK_END()   __asm__ volatile(".byte 0x0f, 0x1f, 0x80, 2, 'H', 'o', 'S'" ::: "memory")

/* <xen/evtchn.h> of Linux: the event-channel device. */
struct bind_interdomain { unsigned int remote_domain, remote_port; };
struct bind_unbound     { unsigned int remote_domain; };
struct notify           { unsigned int port; };
#define EVTCHN_BIND_INTERDOMAIN _IOC(_IOC_NONE, 'E', 1, sizeof(struct bind_interdomain))
#define EVTCHN_BIND_UNBOUND     _IOC(_IOC_NONE, 'E', 2, sizeof(struct bind_unbound))
#define EVTCHN_NOTIFY           _IOC(_IOC_NONE, 'E', 4, sizeof(struct notify))

static int zero, null, to[2], from[2], event_fd;
static unsigned int event_port;
static pid_t self;
static char *page, *fresh, *fresh_end;
static uint64_t words[2][4096];
static volatile uint64_t sink;
static uint64_t late[SLEEPS];

static void nothing(int signal)
{
    (void)signal;
}

static void make_writable(int signal)
{
    (void)signal;
    mprotect(page, PAGE, PROT_READ | PROT_WRITE);
}

/* Writable memory with a page on either side that no neighbour can merge with. */
static char *map(size_t bytes)
{
    char *p = mmap(NULL, bytes + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED || mprotect(p + PAGE, bytes, PROT_READ | PROT_WRITE)) {
        perror("mmap");
        exit(1);
    }
    madvise(p + PAGE, bytes, MADV_NOHUGEPAGE);
    return p + PAGE;
}

/* --- the operations --- */

static void op_null(void) { syscall(SYS_getppid); }

static void op_read(void)
{
    char c;

    if (read(zero, &c, 1) != 1)
        exit(1);
}

static void op_write(void)
{
    if (write(null, "x", 1) != 1)
        exit(1);
}

static void op_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
}

static void op_yield(void)  { sched_yield(); }
static void op_signal(void) { kill(self, SIGUSR1); }

static void op_segv(void)
{
    mprotect(page, PAGE, PROT_READ);
    *(volatile char *)page = 1;
}

/* One page more, of a mapping that is thrown away when it is full. */
static void op_fault(void)
{
    if (fresh == fresh_end) {
        if (fresh)
            munmap(fresh - FRESH, FRESH);
        fresh = map(FRESH);
        fresh_end = fresh + FRESH;
    }
    *(volatile char *)fresh = 1;
    fresh += PAGE;
}

static void op_mmap(void)
{
    char *p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    munmap(p, 16 * PAGE);
}

static void op_touch(void)
{
    char *p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    *(volatile char *)p = 1;
    munmap(p, 16 * PAGE);
}

static void op_mprotect(void)
{
    mprotect(page, PAGE, PROT_READ);
    mprotect(page, PAGE, PROT_READ | PROT_WRITE);
}

static void op_pipe(void)
{
    char c = 0;

    if (write(to[1], &c, 1) != 1 || read(from[0], &c, 1) != 1)
        exit(1);
}

static void op_fork(void)
{
    pid_t p = fork();

    if (p == 0)
        _exit(0);
    waitpid(p, NULL, 0);
}

static void op_exec(void)
{
    pid_t p = fork();

    if (p == 0) {
        execl("/true", "true", (char *)NULL);
        _exit(1);
    }
    waitpid(p, NULL, 0);
}

static void op_vfork(void)
{
    pid_t p = vfork();

    if (p == 0) {
        execl("/true", "true", (char *)NULL);
        _exit(1);
    }
    waitpid(p, NULL, 0);
}

static void op_sleep(void)
{
    struct timespec t = {.tv_nsec = 100000};

    nanosleep(&t, NULL);
}

static void op_memcpy(void) { memcpy(words[0], words[1], sizeof(words[0])); }

static void op_compute(void)
{
    uint64_t x = sink;

    for (int i = 0; i < 10000; i++)
        x = x * 6364136223846793005 + 1442695040888963407;
    sink = x;
}

static void op_event(void)
{
    struct notify n = {event_port};
    unsigned int port;

    if (ioctl(event_fd, EVTCHN_NOTIFY, &n) < 0 || read(event_fd, &port, sizeof(port)) != sizeof(port) ||
        write(event_fd, &port, sizeof(port)) != sizeof(port))
        exit(1);
}

/* --- what they need --- */

static int prepare_files(void)
{
    zero = open("/dev/zero", O_RDONLY);
    null = open("/dev/null", O_WRONLY);
    return zero < 0 || null < 0;
}

static int prepare_signal(void)
{
    self = getpid();
    signal(SIGUSR1, nothing);
    signal(SIGSEGV, make_writable);
    page = map(PAGE);
    *page = 1;
    return 0;
}

static int prepare_pipe(void)
{
    char c;

    if (pipe(to) || pipe(from))
        return 1;
    if (fork() == 0) {
        close(to[1]);
        while (read(to[0], &c, 1) == 1 && write(from[1], &c, 1) == 1)
            ;
        _exit(0);
    }
    return 0;
}

/* Two processes, each with its port, joined; the device's module is in the ramdisk. */
static int prepare_event(void)
{
    int module = open("/xen-evtchn.ko", O_RDONLY), other;
    struct bind_unbound unbound = {DOMID_SELF};
    struct bind_interdomain join = {DOMID_SELF, 0};
    unsigned int port;

    syscall(SYS_finit_module, module, "", 0);
    event_fd = open("/dev/xen/evtchn", O_RDWR);
    other = open("/dev/xen/evtchn", O_RDWR);
    if (event_fd < 0 || other < 0)
        return 1; /* no hypervisor */
    event_port = (unsigned int)ioctl(event_fd, EVTCHN_BIND_UNBOUND, &unbound);
    join.remote_port = event_port;
    port = (unsigned int)ioctl(other, EVTCHN_BIND_INTERDOMAIN, &join);
    if ((int)port < 0 || (int)event_port < 0)
        return 1;
    if (fork() == 0) {
        struct notify n = {port};
        unsigned int got;

        /* A new binding is signalled once, to the one who joined; it is not passed on. */
        while (read(other, &got, sizeof(got)) == sizeof(got) && write(other, &got, sizeof(got)) == sizeof(got))
            ioctl(other, EVTCHN_NOTIFY, &n);
        _exit(0);
    }
    return 0;
}

static uint64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/*
 * Sleeps of 150 us to 1.15 ms, to a point in time: how late each ended, in order. The latest, one in 40,
 * are Linux's own doing: as a guest it sets no timer closer than 100 us, so a point soon after a tick is missed by
 * up to that.
 */
static uint64_t value_late_median(void)
{
    prctl(PR_SET_TIMERSLACK, 1);
    for (unsigned int i = 0; i < SLEEPS; i++) {
        uint64_t end = clock_ns() + 150000 + 1000 * (i % 1000);
        struct timespec t = {.tv_sec = (time_t)(end / 1000000000), .tv_nsec = (long)(end % 1000000000)};

        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        late[i] = clock_ns() - end;
    }
    qsort(late, SLEEPS, sizeof(late[0]), by_value);
    return late[SLEEPS / 2];
}

static uint64_t value_late_most(void)  { return late[SLEEPS * 19 / 20]; }
static uint64_t value_late_worst(void) { return late[SLEEPS - 1]; }

static const struct row {
    const char *name;
    void (*op)(void);
    int times;               /* in a batch */
    int (*prepare)(void);    /* not 0: there is no such thing here */
    uint64_t (*value)(void); /* instead of op: ns, by itself */
} rows[] = {
    {"null system call", op_null, 5000, prepare_files, NULL},
    {"read 1 byte of /dev/zero", op_read, 3000, NULL, NULL},
    {"write 1 byte to /dev/null", op_write, 3000, NULL, NULL},
    {"clock_gettime", op_clock, 3000, NULL, NULL},
    {"sched_yield", op_yield, 3000, NULL, NULL},
    {"signal delivery", op_signal, 1000, prepare_signal, NULL},
    {"SIGSEGV + mprotect", op_segv, 500, NULL, NULL},
    {"page fault, anonymous", op_fault, 1000, NULL, NULL},
    {"mmap+munmap", op_mmap, 500, NULL, NULL},
    {"mmap+touch+munmap", op_touch, 500, NULL, NULL},
    {"mprotect pair", op_mprotect, 500, NULL, NULL},
    {"pipe round trip, two processes", op_pipe, 500, prepare_pipe, NULL},
    {"fork+exit", op_fork, 30, NULL, NULL},
    {"fork+exec", op_exec, 20, NULL, NULL},
    {"vfork+exec", op_vfork, 20, NULL, NULL},
    {"nanosleep 100 us", op_sleep, 50, NULL, NULL},
    {"timer lateness, median", NULL, SLEEPS, NULL, value_late_median},
    {"timer lateness, 19 of 20", NULL, SLEEPS, NULL, value_late_most},
    {"timer lateness, worst", NULL, SLEEPS, NULL, value_late_worst},
    {"event ping-pong, two processes", op_event, 500, prepare_event, NULL},
    {"memcpy 32 KB", op_memcpy, 500, NULL, NULL},
    {"computing", op_compute, 100, NULL, NULL},
};
#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

/* ns for one operation, or 0: not possible here. */
static uint64_t measure(const struct row *r)
{
    uint64_t batch[BATCHES];

    if (r->prepare && r->prepare())
        return 0;
    if (r->value) {
        MARK_BEGIN();
        batch[0] = r->value();
        MARK_END();
        return batch[0];
    }
    for (int i = 0; i < 10; i++)
        r->op();
    MARK_BEGIN();
    for (int b = 0; b < BATCHES; b++) {
        uint64_t start = clock_ns();

        for (int i = 0; i < r->times; i++)
            r->op();
        batch[b] = (clock_ns() - start) / (unsigned int)r->times;
    }
    MARK_END();
    qsort(batch, BATCHES, sizeof(batch[0]), by_value);
    return batch[BATCHES / 2];
}

int main(void)
{
    uint64_t result[ROWS];

    mount("devtmpfs", "/dev", "devtmpfs", 0, "");
    for (int i = 0; i < ROWS; i++)
        result[i] = measure(&rows[i]);
    for (int i = 0; i < ROWS; i++)
        printf("BENCH %s: %lu ns, %d times\n", rows[i].name, result[i], rows[i].value ? rows[i].times : rows[i].times * BATCHES);
    printf("BENCH end\n");
    fflush(stdout);
    reboot(RB_AUTOBOOT);
    return 0;
}
