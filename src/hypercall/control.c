/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What domctl and sysctl share: the line that explains a failure, and bitmaps. */
#include "hypercall/control.h"

#include "abi/errno.h"
#include "core/log.h"
#include "lib/format.h"
#include "x86/uaccess.h"

#define LINES_IN_WINDOW 20
#define WINDOW          MILLISECS(5000)

const char *control_error_name(int error)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
#undef XEN_ERRNO
#define XEN_ERRNO(n, value) {value, #n},
#include <xen/errno.h>
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i].number == -error)
            return names[i].name;
    }
    return "?";
}

/* A toolstack in a loop must not wash away what else the log has. */
static bool may_speak(void)
{
    static uint32_t lines;         /* atomic */
    static stime_t window;         /* atomic; a race costs a line */
    stime_t now = stime_now();

    if (now - atomic_load(&window) >= WINDOW) {
        atomic_store(&window, now);
        atomic_store(&lines, 0u);
    }
    return atomic_add(&lines, 1) <= LINES_IN_WINDOW;
}

int control_refuse(struct control *c, int error, const char *fmt, ...)
{
    char reason[160], target[24] = "";
    va_list args;

    c->explained = true;
    if (!may_speak())
        return error;
    va_start(args, fmt);
    format_v(reason, sizeof(reason), fmt, args);
    va_end(args);
    if (c->target != NO_TARGET)
        format(target, sizeof(target), " domain %u:", c->target);
    log_warn("%s %s:%s %s: %s", c->family, c->name, target, reason, control_error_name(error));
    return error;
}

int control_read_bits(const struct xenctl_bitmap *map, uint64_t *bits)
{
    uint32_t n = MIN(map->nr_bits, 64u);

    *bits = 0;
    if (guest_copy_from(bits, (uint64_t)map->bitmap.p, (n + 7) / 8) != 0)
        return -EFAULT;
    if (n < 64)
        *bits &= BIT(n) - 1;
    return 0;
}

int control_write_bits(const struct xenctl_bitmap *map, uint64_t bits)
{
    uint64_t gva = (uint64_t)map->bitmap.p;
    uint32_t bytes = (map->nr_bits + 7) / 8;

    if (map->nr_bits < 64)
        bits &= BIT(map->nr_bits) - 1;
    if (guest_copy_to(gva, &bits, MIN(bytes, 8u)) != 0)
        return -EFAULT;
    return bytes > 8 && guest_clear(gva + 8, bytes - 8) != 0 ? -EFAULT : 0;
}
