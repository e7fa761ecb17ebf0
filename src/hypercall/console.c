/* SPDX-License-Identifier: GPL-2.0-or-later */
/* console_io: output and input of the domains that own the console, in pieces: a long text can be interrupted. */
#include "hypercall/console.h"

#include "abi/errno.h"
#include "core/log.h"
#include "core/softirq.h"
#include "hypercall/hypercall.h"
#include "x86/uaccess.h"

#define PIECE 128 /* bytes */

static void write_to_log(struct domain *d, const char *s, size_t n)
{
    log_raw(s, n);
}

static size_t read_nothing(struct domain *d, char *buf, size_t size)
{
    return 0;
}

static const struct console_ops log_only = {.write = write_to_log, .read = read_nothing};
static const struct console_ops *console_ops = &log_only;

void console_set_ops(const struct console_ops *ops)
{
    console_ops = ops;
}

static int64_t write(struct domain *d, struct hypercall_args *args, uint32_t count)
{
    char piece[PIECE];

    while (count > 0) {
        uint32_t n = MIN(count, PIECE);

        if (guest_copy_from(piece, args->a[2], n) != 0)
            return -EFAULT;
        console_ops->write(d, piece, n);
        count -= n;
        args->a[1] = count;
        args->a[2] += n;
        if (count > 0 && preempt_pending())
            return -ERESTART;
    }
    return 0;
}

/* What cannot be stored is lost, as on a wire. */
static int64_t read(struct domain *d, uint32_t count, uint64_t buffer)
{
    char piece[PIECE];
    uint32_t done = 0;

    if (count > INT32_MAX)
        return -E2BIG;
    while (done < count) {
        size_t n = console_ops->read(d, piece, MIN(count - done, PIECE));

        if (n == 0)
            break;
        if (guest_copy_to(buffer + done, piece, n) != 0)
            return -EFAULT;
        done += (uint32_t)n;
    }
    return done;
}

int64_t do_console_io(struct hypercall_args *args)
{
    struct domain *d = current_domain();

    if (!d->privileged && !d->is_console_owner)
        return -EPERM;
    switch ((uint32_t)args->a[0]) {
    case CONSOLEIO_write:
        return write(d, args, (uint32_t)args->a[1]);
    case CONSOLEIO_read:
        return read(d, (uint32_t)args->a[1], args->a[2]);
    default:
        return -ENOSYS;
    }
}
