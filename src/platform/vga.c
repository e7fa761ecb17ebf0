/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VGA text screen: characters written to its memory at 0xb8000, the lines above moved up. */
#include "platform/vga.h"

#include "core/log.h"
#include "mem/hvmap.h"
#include "platform/platform.h"

enum { COLUMNS = 80, LINES = 25 };
#define GREY_ON_BLACK 0x0700

bool vga_wanted;
static volatile uint16_t *screen;
static unsigned int column;

static void new_line(void)
{
    for (unsigned int i = 0; i < (LINES - 1) * COLUMNS; i++)
        screen[i] = screen[i + COLUMNS];
    for (unsigned int i = 0; i < COLUMNS; i++)
        screen[(LINES - 1) * COLUMNS + i] = GREY_ON_BLACK | ' ';
    column = 0;
}

static void vga_write(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)s[i];

        if (c == '\n' || column == COLUMNS)
            new_line();
        if (c >= ' ')
            screen[(LINES - 1) * COLUMNS + column++] = (uint16_t)(GREY_ON_BLACK | c);
    }
}

void vga_init(void)
{
    if (vga_wanted)
        screen = hvmap_device(paddr(0xb8000), LINES * COLUMNS * sizeof(*screen));
    if (!screen)
        return;
    for (unsigned int i = 0; i < LINES; i++)
        new_line();
    log_add_sink(vga_write);
}
