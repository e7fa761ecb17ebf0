/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I/O privilege: the level, as asked for and as shown, and the bitmap of ports, in kernel and in user mode. */
#include "answers/answers.h"
#include "lib/user.h"
#include <xen/physdev.h>

static u16 port;
static u32 value;

static void do_in(void *arg)
{
    __asm__ volatile("inb %w1, %b0" : "=a"(value) : "d"(port), "0"(0));
}
static void do_inl(void *arg)
{
    __asm__ volatile("inl %w1, %0" : "=a"(value) : "d"(port), "0"(0));
}
static void do_cli(void *arg)
{
    __asm__ volatile("cli");
}

static int kernel(void (*fn)(void *))
{
    struct fault f;

    catch_fault(&f, fn, NULL);
    return f.vector;
}

static u64 user(u8 op, u64 *flags)
{
    const u8 code[] = {op, 0x90, 0x0f, 0x0b};
    struct regs r = user_regs(0);

    user_load(0, code, sizeof(code));
    r.rdx = port;
    user_run(&r, 0);
    shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
    *flags = r.rflags & 0x3000;
    return r.vector;
}

static u64 pushed_flags(void)
{
    u64 flags;

    __asm__ volatile("pushfq; pop %0" : "=r"(flags));
    return flags & 0x3000;
}

static void ask_level(unsigned assist, u32 iopl)
{
    struct physdev_set_iopl set = {.iopl = iopl};
    long code = hv_physdev_op(PHYSDEVOP_set_iopl, &set);
    struct fault f;
    u64 flags;

    port = 0x80;
    int in = kernel(do_in), cli = kernel(do_cli);
    catch_fault(&f, do_inl, NULL);
    u64 user_in = user(0xec, &flags), user_cli = user(0xfa, &flags), user_sti = user(0xfb, &flags);
    ask("iopl", "assist %u level %u %s kernel in %d cli %d shows %lx frame %lx user in %lu cli %lu sti %lu frame %lx",
        assist, iopl, code_text(code), in, cli, pushed_flags(), f.vector < 0 ? 0x9999 : f.rflags & 0x3000, user_in,
        user_cli, user_sti, flags);
}

static u8 bitmap[2 * PAGE_SIZE] PAGE_ALIGNED;

static void ask_bitmap(const char *what, u8 *map, u32 ports, u16 which)
{
    struct physdev_set_iobitmap set = {.nr_ports = ports};
    u64 flags;

    set_xen_guest_handle(set.bitmap, map);
    long code = hv_physdev_op(PHYSDEVOP_set_iobitmap, &set);
    port = which;
    int in = kernel(do_in), inl = kernel(do_inl);
    u64 user_in = user(0xec, &flags), user_inl = user(0xed, &flags);
    ask("io bitmap", "%s %x port %x %s kernel %d %d user %lu %lu", what, ports, which, code_text(code), in, inl,
        user_in, user_inl);
}

void ask_ports(void)
{
    static const u32 counts[] = {0, 0x80, 0x81, 0x84, 0x10000, 0x10001, 0xffffffff};
    struct physdev_set_iopl set = {.iopl = 0};
    struct physdev_set_iobitmap none = {.nr_ports = 0};

    for (unsigned assist = 0; assist < 2; assist++) {
        hv_vm_assist(assist ? VMASST_CMD_enable : VMASST_CMD_disable, VMASST_TYPE_architectural_iopl);
        for (u32 iopl = 0; iopl < 5; iopl++)
            ask_level(assist, iopl);
    }
    hv_vm_assist(VMASST_CMD_disable, VMASST_TYPE_architectural_iopl);
    hv_physdev_op(PHYSDEVOP_set_iopl, &set);
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        memset(bitmap, 0, sizeof(bitmap));
        ask_bitmap("clear", bitmap, counts[i], 0x80);
        memset(bitmap, 0xff, sizeof(bitmap));
        ask_bitmap("set", bitmap, counts[i], 0x80);
        bitmap[0x10] = 0xfe; /* 0x80 alone */
        ask_bitmap("one", bitmap, counts[i], 0x80);
        bitmap[0x10] = 0x01;
        bitmap[0x11] = 0xfe;
        ask_bitmap("across", bitmap, counts[i], 0x86);
    }
    memset(bitmap, 0, sizeof(bitmap));
    hv_update_va_mapping((u64)bitmap + PAGE_SIZE, 0, UVMF_INVLPG);
    ask_bitmap("half", bitmap + PAGE_SIZE - 0x11, 0x10000, 0x80);
    ask_bitmap("half", bitmap + PAGE_SIZE - 0x11, 0x10000, 0x86);
    ask_bitmap("half", bitmap + PAGE_SIZE - 0x10, 0x10000, 0x80);
    ask_bitmap("odd", (u8 *)BIT(63), 0x10000, 0x80);
    ask_bitmap("hypervisor's", (u8 *)0xffff830000000000, 0x10000, 0x80);
    hv_physdev_op(PHYSDEVOP_set_iobitmap, &none);
}
