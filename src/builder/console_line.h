/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server's output on its way to the one screen: bytes are judged one by one
 * and gathered into a line. Pure.
 *
 * A server may send any bytes at all. What reaches the terminal must not be
 * able to move the cursor into others' lines, or make the terminal type an
 * answer into another's input, unless the server has the input: then the
 * terminal is its own, but for the lines' beginnings.
 */
#ifndef BUILDER_CONSOLE_LINE_H
#define BUILDER_CONSOLE_LINE_H

#define LINE_MAX   240
#define ESCAPE_MAX 24

enum line_state { LINE_TEXT, LINE_ESCAPE, LINE_SEQUENCE, LINE_STRING, LINE_STRING_ESCAPE };

struct line {
    char text[LINE_MAX + ESCAPE_MAX];
    size_t len;
    bool coloured;           /* the text has an escape sequence: colours are put back at its end */
    enum line_state state;
    char escape[ESCAPE_MAX]; /* a sequence that is not complete */
    size_t escape_len;
};

enum line_event {
    LINE_GATHERING, /* nothing to do yet */
    LINE_COMPLETE,  /* its newline came (which is not in text) */
    LINE_FULL,      /* LINE_MAX bytes: show them, more follow */
};

/* Takes one byte. After COMPLETE or FULL the caller shows text[0..len) and calls line_taken(). */
enum line_event line_feed(struct line *l, char c, bool has_input);

/* What was in text has been shown. */
void line_taken(struct line *l);

#endif
