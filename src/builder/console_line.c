/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gathering a line. An escape sequence is kept aside until it is complete. The
 * server with the input has it passed on; of any other only colours (ESC [ ... m)
 * pass, and control strings (ESC ] ... BEL) are left out whole.
 */
#include "builder/console_line.h"
#include "lib/string.h"

#define ESC '\033'
#define BEL '\a'

static void put(struct line *l, const char *s, size_t n)
{
    memcpy(l->text + l->len, s, n);
    l->len += n;
}

static char harmless(char c)
{
    bool control = (unsigned char)c < 0x20 || c == 0x7f;

    return control && c != '\t' && c != '\b' && c != BEL && c != ESC ? '?' : c;
}

/* The sequence in l->escape is complete, or can never be. */
static void end_escape(struct line *l, bool pass)
{
    if (pass) {
        put(l, l->escape, l->escape_len);
        l->coloured = true;
    }
    l->escape_len = 0;
    l->state = LINE_TEXT;
}

/* One byte more of a sequence: ESC x, or ESC [ parameters final. */
static void feed_escape(struct line *l, char c, bool has_input)
{
    l->escape[l->escape_len++] = harmless(c);
    if (l->state == LINE_ESCAPE && c == '[') {
        l->state = LINE_SEQUENCE;
    } else if (l->state == LINE_ESCAPE) {
        bool string = c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_';

        end_escape(l, has_input);
        if (string && !has_input)
            l->state = LINE_STRING;
    } else if (c < 0x20 || c > 0x3f || l->escape_len == ESCAPE_MAX) {
        end_escape(l, has_input || c == 'm');
    }
}

/* Inside a control string that is left out: to BEL or ESC \. */
static void feed_string(struct line *l, char c)
{
    if (c == BEL || (l->state == LINE_STRING_ESCAPE && c == '\\'))
        l->state = LINE_TEXT;
    else
        l->state = c == ESC ? LINE_STRING_ESCAPE : LINE_STRING;
}

enum line_event line_feed(struct line *l, char c, bool has_input)
{
    if (c == '\n') {
        end_escape(l, false);
        return LINE_COMPLETE;
    }
    if (c == '\r')
        return LINE_GATHERING;
    if (l->state == LINE_ESCAPE || l->state == LINE_SEQUENCE) {
        feed_escape(l, c, has_input);
    } else if (l->state != LINE_TEXT) {
        feed_string(l, c);
    } else if (c == ESC) {
        l->escape[l->escape_len++] = ESC;
        l->state = LINE_ESCAPE;
    } else {
        c = harmless(c);
        put(l, &c, 1);
    }
    return l->len >= LINE_MAX ? LINE_FULL : LINE_GATHERING;
}

void line_taken(struct line *l)
{
    l->len = 0;
}
