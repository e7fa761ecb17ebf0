/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform_op: every operation with nothing and with too much in its fields. */
#include "control/control.h"

static struct xen_platform_op op;

static struct xen_platform_op *op_of(u32 cmd, int fill)
{
    memset(&op, fill, sizeof(op));
    op.cmd = cmd;
    op.interface_version = XENPF_INTERFACE_VERSION;
    return &op;
}

static long call(void)
{
    return counted(HYPERVISOR(platform_op, &op, 0, 0, 0, 0));
}

static void ask_firmware(void)
{
    for (u32 type = 0; type < 8; type++) {
        for (u32 index = 0; index < 2; index++) {
            op_of(XENPF_firmware_info, ZEROS)->u.firmware_info.type = type;
            op.u.firmware_info.index = index;
            ask("firmware", "type %u index %u: %s", type, index, code_text(call()));
        }
    }
}

void ask_platform(void)
{
    for (u32 cmd = 15; cmd < 70; cmd++) {
        op_of(cmd, ZEROS);
        ask("platform zeros", "%u: %s", cmd, cmd == XENPF_get_symbol ? "-" : code_text(call()));
        op_of(cmd, ONES);
        ask("platform ones", "%u: %s", cmd, code_text(call()));
    }
    op_of(XENPF_settime64, ZEROS)->u.settime64.mbz = 1;
    ask("settime64, a bit that must be 0", "%s", code_text(call()));
    op_of(XENPF_settime32, ZEROS)->u.settime32.secs = 1767225600; /* 2026 again */
    ask("settime32", "%s", code_text(call()));
    ask_firmware();
    for (u32 state = 0; state < 8; state++) {
        op_of(XENPF_enter_acpi_sleep, ZEROS)->u.enter_acpi_sleep.sleep_state = state;
        op.u.enter_acpi_sleep.flags = 2;
        ask("sleep with unknown flags", "%u: %s", state, code_text(call()));
    }
    for (u32 type = 0; type < 4; type++) {
        op_of(XENPF_core_parking, ZEROS)->u.core_parking.type = type;
        ask("core parking", "%u: %s", type, code_text(call()));
    }
    op_of(XENPF_cpu_offline, ZEROS);
    ask("CPU 0 offline", "%s", code_text(call()));
    op_of(XENPF_cpu_online, ZEROS)->u.cpu_ol.cpuid = 1000;
    ask("CPU 1000 online", "%s", code_text(call()));
    op.interface_version++;
    ask("platform, another version", "%s", code_text(call()));
}
